//! `/nrtc/credentials`: what a client needs for the media servers behind this one. The room token is its right.

use serde::{Deserialize, Serialize};
use yinxin_core::rates::Bucket;
use yinxin_core::rooms::RoomName;
use yinxin_core::rooms::doors::Request;
use yinxin_core::rooms::media::{self, JanusAccess, Kind, LiveKitAccess, TurnAccess};
use yinxin_core::{Code, Error, Result, apps};

use super::body::{self, Privileges, Uid};
use super::call::Call;
use crate::answer::{self, Answer};

/// The names are those the vendor's client has for the same things.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Asked {
    #[serde(default, rename = "appkey")]
    app_key: String,
    uid: Option<Uid>,
    #[serde(default)]
    channel_name: String,
    token: Option<String>,
    perm_key: Option<String>,
    #[serde(default, rename = "for")]
    wanted: Vec<String>,
}

#[derive(Serialize)]
struct Given<'a> {
    uid: u64,
    #[serde(rename = "channelName")]
    room: &'a str,
    privileges: Privileges,
    expires_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    livekit: Option<LiveKit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    janus: Option<Janus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<Turn>,
}

#[derive(Serialize)]
struct LiveKit {
    url: String,
    token: String,
}

#[derive(Serialize)]
struct Janus {
    url: String,
    token: String,
    room_token: String,
}

/// An `RTCIceServer`, as browsers take it.
#[derive(Serialize)]
struct Turn {
    urls: Vec<String>,
    username: String,
    credential: String,
}

/// Gives the bearer of a room token its credentials.
pub(super) async fn give(mut call: Call) -> Answer {
    call.ctx().rates.token_call(call.arrival.client)?;
    let asked: Asked = body::read(&call.body().await?)?;
    let app = apps::find_by_signing_key(call.ctx(), &asked.app_key).await?;
    call.ctx().rates.call(app.id, Bucket::Tokens)?;
    let room = RoomName::parse(&asked.channel_name)?;
    let request = Request {
        uid: Uid::parse(asked.uid.as_ref())?,
        room: &room,
        token: asked.token.as_deref(),
        permission_key: asked.perm_key.as_deref(),
    };
    let given = media::issue(call.ctx(), &app, call.media(), &request, &kinds(&asked.wanted)?).await?;
    answer::ok(Given {
        uid: given.admission.uid.get(),
        room: given.admission.room.as_str(),
        privileges: given.admission.privileges.into(),
        expires_at: given.until_s,
        livekit: given.livekit.map(|LiveKitAccess { url, token }| LiveKit { url, token }),
        janus: given.janus.map(|JanusAccess { url, token, room_token }| Janus { url, token, room_token }),
        turn: given.turn.map(|TurnAccess { urls, username, password }| Turn { urls, username, credential: password }),
    })
}

fn kinds(wanted: &[String]) -> Result<Vec<Kind>> {
    if wanted.is_empty() || wanted.len() > Kind::ALL.len() {
        let names = Kind::ALL.map(Kind::name).join(", ");
        return Err(Error::about(Code::FieldIllegal, format!("for must list one or more of {names}")));
    }
    let parse =
        |name: &String| Kind::parse(name).ok_or_else(|| Error::about(Code::FieldIllegal, format!("for={name}")));
    wanted.iter().map(parse).collect()
}
