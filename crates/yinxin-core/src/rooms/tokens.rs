//! Room tokens: issuing one, and who it lets into which room.
//!
//! A token that is issued here shows nothing; its end and how often it admits are rows that can be changed. What is in the
//! row is on disk before the token is given. A token that a backend computes by itself, and a permission key, carry
//! everything and can only run out.

use std::sync::Arc;

use yinxin_store::tables::room_tokens::{self, RoomTokenGrant, RoomTokenRow};
use yinxin_token::netease::issued::{self, Issue};
use yinxin_token::netease::local::{self, Scope};
use yinxin_token::netease::permission;

use super::kicks;
use super::names::{RoomName, RoomUid};
use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{
    ROOM_TOKEN_AHEAD_S, ROOM_TOKEN_SLACK_MS, ROOM_TOKEN_TTL_DEFAULT_S, ROOM_TOKEN_TTL_MAX_S, ROOM_TOKENS_SWEPT,
};
use crate::{rng, users};

/// A token as memory holds it.
pub(crate) struct Issued {
    /// The room it opens; empty for any.
    room: String,
    token: String,
    until_ms: i64,
    repeat_use: bool,
}

/// What a token is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its bearer.
    pub uid: RoomUid,
    /// The room it opens; `None` = any.
    pub room: Option<RoomName>,
    /// Its life from now, in seconds; `None` = 600.
    pub ttl_s: Option<i64>,
    /// Whether it admits more than once; `None` = as it was, and a new one does.
    pub repeat_use: Option<bool>,
}

/// Gives that number's token for that room. While one lives it is the same one, with a new end.
pub async fn issue(ctx: &Ctx, app: &App, request: &Request) -> Result<String> {
    let ttl_s = request.ttl_s.unwrap_or(ROOM_TOKEN_TTL_DEFAULT_S);
    if !(1..=ROOM_TOKEN_TTL_MAX_S).contains(&ttl_s) {
        return Err(Error::about(Code::TtlIllegal, ttl_s.to_string()).with_limit(ROOM_TOKEN_TTL_MAX_S));
    }
    if let Some(token) = unchanged(ctx, app, request, ttl_s).await? {
        return Ok(token);
    }
    let now_ms = ctx.clock.now_ms();
    let room = request.room.as_ref().map_or("", RoomName::as_str);
    let grant = RoomTokenGrant {
        uid: request.uid.to_string(),
        room: room.to_owned(),
        salt: i64::from_be_bytes(rng::bytes(ctx.rng.as_ref())),
        until_ms: now_ms + ttl_s * 1000,
        repeat_use: request.repeat_use,
    };
    let salt = ctx
        .db
        .write((app.id, grant, now_ms, ctx.swept(ROOM_TOKENS_SWEPT)), |sql, (app, grant, now_ms, swept)| {
            Box::pin(async move {
                crate::apps::must_exist(sql, *app).await?;
                let salt = room_tokens::grant(sql, *app, grant, *now_ms).await?;
                if *swept > 0 {
                    room_tokens::remove_ended(sql, *app, *now_ms, *swept).await?;
                }
                Ok::<_, Error>(salt)
            })
        })
        .await?;
    Ok(seal(ctx, app, request.uid, room, salt))
}

/// The token as it is, if it already says what is asked for: then there is nothing to write.
async fn unchanged(ctx: &Ctx, app: &App, request: &Request, ttl_s: i64) -> Result<Option<String>> {
    let now_ms = ctx.clock.now_ms();
    let room = request.room.as_ref().map_or("", RoomName::as_str);
    let fits = |until_ms: i64, repeat_use: bool| {
        // An end that is hardly before the one asked for is taken to be it, so that a backend that asks again and again
        // costs no write each time. It is a hundredth of the life, or less.
        let slack_ms = ROOM_TOKEN_SLACK_MS.min(ttl_s * 10);
        let short_ms = now_ms + ttl_s * 1000 - until_ms;
        (0..slack_ms).contains(&short_ms) && request.repeat_use.is_none_or(|asked| asked == repeat_use)
    };
    if let Some(known) = ctx.cache.room_token(app.id, request.uid.signed()).filter(|known| known.room == room) {
        return Ok(fits(known.until_ms, known.repeat_use).then(|| known.token.clone()));
    }
    let ticket = ctx.cache.ticket();
    let found = ctx
        .db
        .read((app.id, request.uid.to_string(), room.to_owned()), |sql, (app, uid, room)| {
            Box::pin(async move { Ok::<_, Error>(room_tokens::find(sql, *app, uid, room).await?) })
        })
        .await?;
    let Some(row) = found.filter(|row| fits(row.until_ms, row.repeat_use)) else { return Ok(None) };
    let token = seal(ctx, app, request.uid, &row.room, row.salt);
    let RoomTokenRow { room, until_ms, repeat_use, .. } = row;
    let issued = Issued { room, token: token.clone(), until_ms, repeat_use };
    ctx.cache.keep_room_token(ticket, app.id, request.uid.signed(), issued);
    Ok(Some(token))
}

fn seal(ctx: &Ctx, app: &App, uid: RoomUid, room: &str, salt: i64) -> String {
    issued::seal(&Issue { app: &app.id.0, uid: uid.get(), room, salt }, ctx.keys.room_tokens())
}

/// What somebody may do in a room, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Privileges(pub u8);

impl Privileges {
    /// Everything.
    pub const ALL: Self = Self(0b11_1111);
    /// Send audio.
    pub const SEND_AUDIO: Self = Self(1);
    /// Send video.
    pub const SEND_VIDEO: Self = Self(2);
    /// Receive audio.
    pub const RECEIVE_AUDIO: Self = Self(4);
    /// Receive video.
    pub const RECEIVE_VIDEO: Self = Self(8);
    /// Create the room.
    pub const CREATE: Self = Self(16);
    /// Join the room.
    pub const JOIN: Self = Self(32);
    /// Receive audio and video.
    pub const RECEIVE: Self = Self(12);
    /// Send and receive both.
    pub const MEDIA: Self = Self(15);

    /// Whether all of those are among these.
    pub const fn include(self, those: Self) -> bool {
        self.0 & those.0 == those.0
    }
}

/// Who may come in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Admission {
    /// Its number.
    pub uid: RoomUid,
    /// The room.
    pub room: RoomName,
    /// What it may do there.
    pub privileges: Privileges,
    /// When its permission key ends, and it must leave; `None` without one. The end of a token ends no stay.
    pub until_ms: Option<i64>,
    /// When the token it came with ends, or ended by being used; `None` without one.
    pub token_until_ms: Option<i64>,
}

/// Lets somebody into a room, or says why not. A token that admits once is used up by this, before it returns: of two
/// calls at once, on whichever servers, one is admitted.
pub async fn admit(
    ctx: &Ctx,
    app: &App,
    uid: RoomUid,
    room: &RoomName,
    token: Option<&str>,
    perm_key: Option<&str>,
) -> Result<Admission> {
    // Without a good token nobody learns who is banned, or was made to leave.
    let token = check_token(ctx, app, uid, room, token.filter(|token| !token.is_empty())).await?;
    must_not_be_banned(ctx, app, uid).await?;
    kicks::must_not_be_barred(ctx, app, uid, room).await?;
    let key =
        perm_key.filter(|key| !key.is_empty()).map(|key| check_permission(ctx, app, uid, room, key)).transpose()?;
    // Last: whoever is refused for another reason has not lost the token.
    if let Some(row) = token.as_ref().and_then(|token| token.for_one_use.as_ref()) {
        use_up(ctx, app, uid, row).await?;
    }
    let (privileges, until_ms) =
        key.map_or((Privileges::ALL, None), |(privileges, until_ms)| (privileges, Some(until_ms)));
    Ok(Admission { uid, room: room.clone(), privileges, until_ms, token_until_ms: token.map(|token| token.until_ms) })
}

/// Whoever is banned by name cannot come in by a number that is its name.
pub(super) async fn must_not_be_banned(ctx: &Ctx, app: &App, uid: RoomUid) -> Result<()> {
    let user: Option<Arc<users::User>> = users::look_up(ctx, app.id, &uid.to_string()).await?;
    match user {
        Some(user) if !user.active => Err(Error::about(Code::UserInactive, user.username.clone())),
        _ => Ok(()),
    }
}

/// What the key permits, and until when.
pub(super) fn check_permission(
    ctx: &Ctx,
    app: &App,
    uid: RoomUid,
    room: &RoomName,
    key: &str,
) -> Result<(Privileges, i64)> {
    let key = permission::open(key).map_err(|_| Code::PermissionKeyWrong)?;
    let now_s = ctx.clock.now_s();
    let ours = key.app_key == app.signing.key && key.uid == uid.get() && key.room == room.as_str();
    let in_bounds = (1..=ROOM_TOKEN_TTL_MAX_S).contains(&key.ttl_s) && key.cur_time_s <= now_s + ROOM_TOKEN_AHEAD_S;
    if !ours || !in_bounds || !key.verify(&app.signing.permission_secret) {
        return Err(Code::PermissionKeyWrong.into());
    }
    let until_ms = key.cur_time_s.saturating_add(key.ttl_s).saturating_mul(1000);
    if ctx.clock.now_ms() >= until_ms {
        return Err(Code::PermissionKeyExpired.into());
    }
    Ok((Privileges(key.privilege & Privileges::ALL.0), until_ms))
}

/// A token that lets in.
struct GoodToken {
    until_ms: i64,
    /// Its row, if it admits once only and is to be used up.
    for_one_use: Option<RoomTokenRow>,
}

/// The token, if it is good; none, if none is needed. Nothing is changed.
async fn check_token(
    ctx: &Ctx,
    app: &App,
    uid: RoomUid,
    room: &RoomName,
    token: Option<&str>,
) -> Result<Option<GoodToken>> {
    match token {
        None if app.settings.safe_mode => Err(Code::RoomTokenMissing.into()),
        None => Ok(None),
        Some(_) if !app.settings.safe_mode => Err(Code::RoomTokenUnexpected.into()),
        Some(token) if issued::has_form(token) => check_issued(ctx, app, uid, room, token).await.map(Some),
        Some(token) if app.settings.local_room_tokens => check_local(ctx, app, uid, room, token).map(Some),
        Some(_) => Err(Code::RoomTokenWrong.into()),
    }
}

async fn check_issued(ctx: &Ctx, app: &App, uid: RoomUid, room: &RoomName, token: &str) -> Result<GoodToken> {
    let input = (app.id, uid.to_string(), room.as_str().to_owned());
    let rows = ctx
        .db
        .read(input, |sql, (app, uid, room)| {
            Box::pin(async move { Ok::<_, Error>(room_tokens::opening(sql, *app, uid, room).await?) })
        })
        .await?;
    let is = |row: &RoomTokenRow| {
        let issue = Issue { app: &app.id.0, uid: uid.get(), room: &row.room, salt: row.salt };
        issued::is(token, &issue, ctx.keys.room_tokens())
    };
    let row = rows.into_iter().find(is).ok_or(Code::RoomTokenWrong)?;
    if row.until_ms <= ctx.clock.now_ms() {
        return Err(Code::RoomTokenExpired.into());
    }
    Ok(GoodToken { until_ms: row.until_ms, for_one_use: (!row.repeat_use).then_some(row) })
}

/// Uses up a token that admits once: of those who come with it one wins.
async fn use_up(ctx: &Ctx, app: &App, uid: RoomUid, row: &RoomTokenRow) -> Result<()> {
    let won = ctx
        .db
        .write((app.id, uid.to_string(), row.clone(), ctx.clock.now_ms()), |sql, (app, uid, row, now_ms)| {
            Box::pin(async move { Ok::<_, Error>(room_tokens::use_up(sql, *app, uid, row, *now_ms).await?) })
        })
        .await?;
    if won { Ok(()) } else { Err(Code::RoomTokenWrong.into()) }
}

fn check_local(ctx: &Ctx, app: &App, uid: RoomUid, room: &RoomName, token: &str) -> Result<GoodToken> {
    let token = local::open(token).map_err(|_| Code::RoomTokenWrong)?;
    let now_ms = ctx.clock.now_ms();
    let in_bounds = (1..=ROOM_TOKEN_TTL_MAX_S).contains(&token.ttl_s)
        && token.cur_time_ms <= now_ms.saturating_add(ROOM_TOKEN_AHEAD_S * 1000);
    let is_for = |room: &str| {
        let scope = Scope { app_key: &app.signing.key, uid: uid.get(), room };
        token.verify(&scope, &app.signing.secret)
    };
    if !in_bounds || !(is_for(room.as_str()) || is_for("")) {
        return Err(Code::RoomTokenWrong.into());
    }
    let until_ms = token.cur_time_ms + token.ttl_s * 1000;
    if now_ms >= until_ms {
        return Err(Code::RoomTokenExpired.into());
    }
    Ok(GoodToken { until_ms, for_one_use: None })
}
