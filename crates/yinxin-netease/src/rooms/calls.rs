//! The handlers: a call to a use case, and its result to the wire.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use yinxin_core::rooms::records::{self, State, Which};
use yinxin_core::rooms::{Room, RoomName, RoomUid, kicks};
use yinxin_core::{App, Code, Ctx, Error, Result};

use super::path::Call;
use crate::answer::{self, Answer};

/// What every answer has beside its own.
#[derive(Serialize)]
struct Reply<'a, T> {
    #[serde(rename = "requestId")]
    request_id: &'a str,
    #[serde(flatten)]
    rest: T,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct Cid {
    cid: i64,
}

#[derive(Serialize)]
struct Shown<'a> {
    cid: i64,
    cname: &'a str,
    uid: i64,
    total: usize,
    stats: u8,
    createtime: i64,
    destroytime: i64,
}

#[derive(Serialize)]
struct Present<'a> {
    cid: i64,
    cname: &'a str,
    total: usize,
    members: Vec<Member>,
}

#[derive(Serialize)]
struct Member {
    uid: u64,
    starttime: i64,
    #[serde(rename = "userRole")]
    user_role: u8,
}

#[derive(Serialize)]
struct Barred {
    uids: Vec<i64>,
}

#[derive(Serialize)]
struct History<'a> {
    #[serde(rename = "currentPage")]
    current_page: i64,
    cid: i64,
    cname: &'a str,
    creator: i64,
    members: Vec<Stay<'a>>,
}

#[derive(Serialize)]
struct Stay<'a> {
    uid: i64,
    cname: &'a str,
    login_time: i64,
    logout_time: Option<i64>,
}

/// Answers a call.
pub(super) async fn answer(ctx: &Ctx, app: &App, call: Call, body: &Bytes, request_id: &str) -> Answer {
    match call {
        Call::Create => reply(request_id, create(ctx, app, body).await?),
        Call::Find(which) => {
            let room = records::find(ctx, app, &which).await?;
            reply(request_id, shown(ctx, app, &room).await?)
        }
        Call::End(which) => {
            records::end(ctx, app, &which).await?;
            reply(request_id, Nothing {})
        }
        Call::Members { which, uid, role } => {
            let room = records::find(ctx, app, &which).await?;
            let meant = |member: &records::Member| {
                uid.is_none_or(|uid| uid == member.uid) && role.is_none_or(|role| role == member.role)
            };
            let members: Vec<_> = records::members(ctx, app, &room)
                .await?
                .into_iter()
                .filter(meant)
                .map(|member| shown_member(&member))
                .collect();
            reply(request_id, Present { cid: room.cid, cname: &room.name, total: members.len(), members })
        }
        Call::Kick { which, uid, bar_s } => {
            let room = records::find_open(ctx, app, &which).await?;
            kicks::kick(ctx, app, &room, uid, bar_s).await?;
            reply(request_id, Nothing {})
        }
        Call::Pardon { which, uid } => {
            let room = records::find(ctx, app, &which).await?;
            kicks::pardon(ctx, app, &room, uid).await?;
            reply(request_id, Nothing {})
        }
        Call::Barred(which) => {
            let room = records::find(ctx, app, &which).await?;
            reply(request_id, Barred { uids: kicks::barred(ctx, app, &room).await? })
        }
        Call::History(which) => history(ctx, app, which, body, request_id).await,
    }
}

fn reply(request_id: &str, rest: impl Serialize) -> Answer {
    answer::ok(Reply { request_id, rest })
}

/// A number, which some backends send as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Is(i64),
    Spelled(String),
}

impl Number {
    fn read(&self, name: &str) -> Result<i64> {
        match self {
            Self::Is(number) => Ok(*number),
            Self::Spelled(text) => text.parse().map_err(|_| Error::about(Code::FieldIllegal, format!("{name}={text}"))),
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a Bytes) -> Result<T> {
    serde_json::from_slice(body).map_err(|fault| Error::about(Code::FieldIllegal, format!("JSON: {fault}")))
}

/// Quirk(netease): `mode` is always 2; which it is makes no difference here. Source: docs/dialects/netease-rooms.md.
async fn create(ctx: &Ctx, app: &App, body: &Bytes) -> Result<Cid> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Asked {
        #[serde(default)]
        channel_name: String,
        uid: Option<Number>,
    }
    let asked: Asked = parse(body)?;
    let name = RoomName::parse(&asked.channel_name)?;
    let uid = asked.uid.ok_or(Code::RoomUidMissing)?.read("uid")?;
    let uid = u64::try_from(uid).ok().and_then(RoomUid::new);
    let uid = uid.ok_or_else(|| Error::from(Code::RoomUidIllegal))?;
    Ok(Cid { cid: records::create(ctx, app, &name, uid).await?.cid })
}

async fn shown<'a>(ctx: &Ctx, app: &App, room: &'a Room) -> Result<Shown<'a>> {
    let state = records::state(room, ctx.clock.now_ms());
    let is_over = matches!(state, State::Ended | State::Abandoned);
    Ok(Shown {
        cid: room.cid,
        cname: &room.name,
        uid: room.creator_uid,
        total: records::count(ctx, app, room).await?,
        stats: match state {
            State::Waiting => 1,
            State::Running => 2,
            State::Ended => 3,
            State::Abandoned => 4,
        },
        createtime: room.created_ms / 1000,
        destroytime: room.open_until_ms.filter(|_| is_over).unwrap_or_default() / 1000,
    })
}

fn shown_member(member: &records::Member) -> Member {
    Member {
        uid: member.uid.get(),
        starttime: member.entered_ms / 1000,
        user_role: crate::gate::role_number(member.role),
    }
}

async fn history(ctx: &Ctx, app: &App, which: Option<Which>, body: &Bytes, request_id: &str) -> Answer {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Asked {
        cid: Option<Number>,
        page_num: Option<Number>,
        page_size: Option<Number>,
    }
    let asked: Asked = if body.is_empty() { Asked::default() } else { parse(body)? };
    let read = |number: Option<Number>, name| number.map(|number| number.read(name)).transpose();
    let which = match which {
        Some(which) => which,
        None => Which::Cid(read(asked.cid, "cid")?.ok_or_else(|| Error::about(Code::FieldIllegal, "cid is missing"))?),
    };
    let current_page = read(asked.page_num, "pageNum")?.unwrap_or(1);
    let room = records::find(ctx, app, &which).await?;
    let stays = records::history(ctx, app, &room, current_page, read(asked.page_size, "pageSize")?).await?;
    let cname = room.name.as_str();
    let members =
        stays.iter().map(|stay| Stay { uid: stay.uid, cname, login_time: stay.entered_ms, logout_time: stay.left_ms });
    let members = members.collect();
    reply(request_id, History { current_page, cid: room.cid, cname, creator: room.creator_uid, members })
}
