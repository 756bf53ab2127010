//! Coming into a room, and leaving it.
//!
//! In two steps, as clients do it: [`invite`] looks at the token and gives a pass for the room; [`enter`] takes the pass when
//! the connection comes, and takes it again each time the connection breaks and comes back. A pass is used for the first
//! time within a minute; then it is good while its bearer is in the room, and for a minute after it was lost. Whoever
//! leaves, is made to leave, or is banned needs another.

use std::sync::Arc;

use yinxin_store::Sql;
use yinxin_store::tables::{room_bars, room_stays, rooms};
use yinxin_token::pass::{self, Pass};

use super::homes::{self, Claimant};
use super::live::{About, Departure, Full, Line, Live, Member, Role, RoomKey, Seat};
use super::names::{RoomName, RoomUid};
use super::records;
use super::tokens::{self, Privileges};
use crate::apps::{self, App};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{ROOM_HISTORY_MS, ROOM_MEMBERS_MAX, ROOM_PASS_MS, ROOM_RETURN_MS, ROOMS_SWEPT};
use crate::rng;

/// What somebody may do in a room, and until when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Permission {
    /// What.
    pub privileges: Privileges,
    /// Until when; then it must leave. `None` = no end.
    pub until_ms: Option<i64>,
}

impl Permission {
    /// Everything, for ever: without a permission key.
    const ALL: Self = Self { privileges: Privileges::ALL, until_ms: None };
}

/// Somebody who wants to come in.
pub struct Request<'a> {
    /// Its number; 0 = one that is chosen here.
    pub uid: RoomUid,
    /// The room.
    pub room: &'a RoomName,
    /// Its token.
    pub token: Option<&'a str>,
    /// Its permission key.
    pub permission_key: Option<&'a str>,
}

/// The way in.
pub struct Invitation {
    /// The room's number.
    pub cid: i64,
    /// The guest's number.
    pub uid: RoomUid,
    /// What it shows when its connection comes.
    pub pass: String,
    /// Where the room is, and then where it may be later; none where there is one server only.
    pub at: Vec<String>,
}

/// Looks at somebody's token and gives it a pass. The room is made if there is none.
pub async fn invite(ctx: &Ctx, app: &App, request: &Request<'_>) -> Result<Invitation> {
    let Request { uid, room, token, permission_key } = *request;
    let open = records::open_of_name(ctx, app.id, room).await?;
    let permission = match permission_key.filter(|key| !key.is_empty()) {
        Some(key) => permission(ctx, app, uid, room, key)?,
        None => Permission::ALL,
    };
    if open.is_none() && !permission.privileges.include(Privileges::CREATE) {
        return Err(Error::about(Code::PermissionKeyWrong, "create"));
    }
    if let Some(open) = &open
        && records::count(ctx, app, open).await? >= ROOM_MEMBERS_MAX
    {
        return Err(Error::over(Code::RoomFull, ROOM_MEMBERS_MAX));
    }
    tokens::admit(ctx, app, uid, room, token, permission_key).await?;
    let assigned = uid.get() == 0;
    let uid = if assigned { some_uid(ctx) } else { uid };
    let room = records::open(ctx, app, open, room, uid).await?;
    let at = homes::addresses(ctx, homes::settle(ctx, app, &room).await?).await?;
    let pass = Pass {
        app_key: app.signing.key.clone(),
        cid: room.cid,
        uid: uid.get(),
        pass_id: i64::from_be_bytes(rng::bytes(ctx.rng.as_ref())),
        made_ms: ctx.clock.now_ms(),
        until_ms: permission.until_ms,
        privileges: permission.privileges.0,
        assigned,
    };
    Ok(Invitation { cid: room.cid, uid, pass: pass::seal(&pass, ctx.keys.passes()), at })
}

/// A number that nobody has asked for, of 52 bits.
pub(super) fn some_uid(ctx: &Ctx) -> RoomUid {
    let random = u64::from_be_bytes(rng::bytes(ctx.rng.as_ref()));
    RoomUid::new((random >> 12) | (1 << 51)).unwrap_or(RoomUid::NOBODY)
}

/// What a permission key allows, if it lets its bearer in.
pub(super) fn permission(ctx: &Ctx, app: &App, uid: RoomUid, room: &RoomName, key: &str) -> Result<Permission> {
    let (privileges, until_ms) = tokens::check_permission(ctx, app, uid, room, key)?;
    if !privileges.include(Privileges::JOIN) {
        return Err(Error::about(Code::PermissionKeyWrong, "join"));
    }
    Ok(Permission { privileges, until_ms: Some(until_ms) })
}

/// What a connection shows and says to come in.
pub struct Knock<'a> {
    /// The pass.
    pub pass: &'a str,
    /// A permission key, which may be a newer one than the pass was made with; empty = that one.
    pub permission_key: &'a str,
    /// How it takes part.
    pub role: Role,
    /// What it says about itself.
    pub about: About,
}

/// What a connection that comes in finds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Welcome {
    /// The room's number.
    pub cid: i64,
    /// The room.
    pub room: RoomName,
    /// Its own number.
    pub uid: RoomUid,
    /// What it may do.
    pub permission: Permission,
    /// Who else is there and is seen.
    pub others: Vec<Member>,
}

/// A connection that is in. It is to be ended by [`Guest::leave`]; dropped, it is out, but that is not written.
pub struct Guest {
    app: Arc<App>,
    uid: RoomUid,
    room: RoomName,
    pass_id: i64,
    seat: Seat,
}

/// Lets a connection in that has a pass. What happens in the room is told to the line from then on.
pub async fn enter(ctx: &Ctx, knock: Knock<'_>, line: Arc<dyn Line>) -> Result<(Welcome, Guest)> {
    let pass = pass::open(knock.pass).ok().and_then(|opened| opened.verify(ctx.keys.passes()));
    let pass = pass.ok_or(Code::RoomPassWrong)?;
    let app = apps::find_by_signing_key(ctx, &pass.app_key).await.map_err(of_pass)?;
    let uid = RoomUid::new(pass.uid).ok_or(Code::RoomPassWrong)?;
    let room = records::by_cid(ctx, app.id, pass.cid).await?.ok_or(Code::RoomNotFound)?;
    let room = RoomName::parse(&room.name)?;
    let permission = renewed(ctx, &app, &pass, uid, &room, knock.permission_key)?;
    let now_ms = ctx.clock.now_ms();
    let member = Member { uid, role: knock.role, entered_ms: now_ms, about: Arc::new(knock.about) };
    // Kept from here on, so that whoever is banned or kicked meanwhile is found.
    let seat = ctx.rooms.reserve((app.id, pass.cid), pass.pass_id, member, line).map_err(|full| match full {
        Full::Room => Error::over(Code::RoomFull, ROOM_MEMBERS_MAX),
        Full::Server => Code::Busy.into(),
    })?;
    let written = match tokens::must_not_be_banned(ctx, &app, uid).await {
        Ok(()) => write_entry(ctx, &pass, &room, &seat, knock.role, now_ms).await,
        Err(error) => Err(error),
    };
    if let Err(error) = written {
        // Who came back and is refused has to go. What went wrong here must not cost it its seat: the next try may work.
        let is_refused = error.code != Code::Busy && !error.code.is_our_failure();
        let departure = if is_refused { Departure::Left } else { Departure::Lost };
        if let Err(error) = leave(ctx, seat, pass.pass_id, departure).await {
            tracing::warn!(%error, "the end of a stay in a room could not be written");
        }
        return Err(of_pass(error));
    }
    let others = seat.take().ok_or(Code::RoomPassWrong)?;
    // Who comes back may have changed it meanwhile.
    seat.change_role(knock.role);
    let welcome = Welcome { cid: pass.cid, room: room.clone(), uid, permission, others };
    Ok((welcome, Guest { app, uid: key_bearer(&pass, uid), room, pass_id: pass.pass_id, seat }))
}

/// A pass for an app that is gone is none.
fn of_pass(error: Error) -> Error {
    if error.code == Code::AppNotFound { Code::RoomPassWrong.into() } else { error }
}

/// The number that a bearer's permission keys are made for: who was given a number had asked for 0.
fn key_bearer(pass: &Pass, uid: RoomUid) -> RoomUid {
    if pass.assigned { RoomUid::NOBODY } else { uid }
}

/// The permission of a pass, or of a key that came with it.
fn renewed(ctx: &Ctx, app: &App, pass: &Pass, uid: RoomUid, room: &RoomName, key: &str) -> Result<Permission> {
    if !key.is_empty() {
        return permission(ctx, app, key_bearer(pass, uid), room, key);
    }
    if pass.until_ms.is_some_and(|until_ms| until_ms <= ctx.clock.now_ms()) {
        return Err(Code::PermissionKeyExpired.into());
    }
    Ok(Permission { privileges: Privileges(pass.privileges), until_ms: pass.until_ms })
}

async fn write_entry(ctx: &Ctx, pass: &Pass, room: &RoomName, seat: &Seat, role: Role, now_ms: i64) -> Result<()> {
    let entry = Entry {
        live: Arc::clone(&ctx.rooms),
        key: seat.key(),
        seat_id: seat.id(),
        pass: pass.clone(),
        room: room.as_str().to_owned(),
        role,
        claimant: ctx.cluster.as_ref().map(|cluster| cluster.claimant()),
        now_ms,
        swept: ctx.swept(ROOMS_SWEPT),
    };
    ctx.db.write(entry, |sql, entry| Box::pin(entry.write(sql))).await
}

/// What is written of somebody who comes in.
struct Entry {
    live: Arc<Live>,
    key: RoomKey,
    seat_id: u64,
    pass: Pass,
    room: String,
    role: Role,
    /// This node, where it is one of many.
    claimant: Option<Claimant>,
    now_ms: i64,
    /// How many stays that are long over it takes along.
    swept: i64,
}

impl Entry {
    async fn write(&self, sql: &mut dyn Sql) -> Result<()> {
        let ((app, cid), uid, now_ms) = (self.key, self.pass.uid.cast_signed(), self.now_ms);
        apps::must_exist(sql, app).await?;
        if let Some(claimant) = &self.claimant {
            homes::must_be_here(sql, self.key, claimant, now_ms).await?;
            // What memory says of the user may be old, and a ban has not found this stay.
            tokens::must_not_be_banned_in(sql, app, self.pass.uid).await?;
        }
        if room_bars::until(sql, app, &self.room, uid, now_ms).await?.is_some() {
            return Err(Error::about(Code::RoomBarred, uid.to_string()));
        }
        if !rooms::occupy(sql, app, cid, now_ms).await? {
            return Err(Error::about(Code::RoomNotFound, cid.to_string()));
        }
        // Whoever took the seat away ends the stays that are written by then, and no others.
        if !self.live.is_kept(self.key, self.seat_id) || !self.stay(sql).await? {
            return Err(Code::RoomPassWrong.into());
        }
        if self.swept > 0 {
            room_stays::remove_ended(sql, app, now_ms - ROOM_HISTORY_MS, self.swept).await?;
        }
        Ok(())
    }

    /// Goes on with the stay of the pass, or begins it; `false` when the pass is good for neither.
    async fn stay(&self, sql: &mut dyn Sql) -> Result<bool> {
        let ((app, cid), now_ms, Pass { uid, pass_id, made_ms, .. }) = (self.key, self.now_ms, &self.pass);
        // Of one server memory says how they take part.
        let audience = self.claimant.is_some() && self.role == Role::Audience;
        if room_stays::resume(sql, app, cid, *pass_id, audience, now_ms - ROOM_RETURN_MS).await? {
            return Ok(true);
        }
        if !(made_ms - ROOM_PASS_MS..=made_ms + ROOM_PASS_MS).contains(&now_ms) {
            return Ok(false);
        }
        // Who is there with another pass is displaced, and that one is void.
        room_stays::end_of_uid(sql, app, cid, uid.cast_signed(), now_ms).await?;
        Ok(room_stays::begin(sql, app, cid, *pass_id, uid.cast_signed(), audience, now_ms).await?)
    }
}

impl Guest {
    /// What it may do from now on, with another permission key.
    pub fn renew(&self, ctx: &Ctx, key: &str) -> Result<Permission> {
        permission(ctx, &self.app, self.uid, &self.room, key)
    }

    /// Takes part in another way. What other nodes say of it may be late.
    pub async fn change_role(&self, ctx: &Ctx, role: Role) -> Result<()> {
        if !self.seat.change_role(role) || ctx.cluster.is_none() {
            return Ok(());
        }
        let input = (self.seat.key(), self.pass_id, role == Role::Audience);
        ctx.db
            .write(input, |sql, ((app, cid), pass_id, is_audience)| {
                Box::pin(async move { Ok(room_stays::set_audience(sql, *app, *cid, *pass_id, *is_audience).await?) })
            })
            .await
    }

    /// Gives the seat back and writes that its bearer has gone.
    pub async fn leave(self, ctx: &Ctx, departure: Departure) -> Result<()> {
        leave(ctx, self.seat, self.pass_id, departure).await
    }
}

/// Gives a seat back. If it was lost before, whoever took it has written that.
async fn leave(ctx: &Ctx, seat: Seat, pass_id: i64, departure: Departure) -> Result<()> {
    let key = seat.key();
    if !seat.give_back(departure) {
        return Ok(());
    }
    let gone = Gone { key, pass_id, left_ms: ctx.clock.now_ms(), lost: departure == Departure::Lost };
    let written = note_gone(ctx, gone).await;
    if let (Err(_), Some(cluster)) = (&written, &ctx.cluster) {
        // Nobody else would ever end the stay: the node goes on, and the database comes back.
        cluster.gone.leave_over(gone);
    }
    written
}

/// Somebody who is not in a room any more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gone {
    key: RoomKey,
    pass_id: i64,
    left_ms: i64,
    lost: bool,
}

/// Writes that somebody has gone. In a cluster it may be in again by then, here, or the room be on another node.
pub(crate) async fn note_gone(ctx: &Ctx, gone: Gone) -> Result<()> {
    let input = (gone, Arc::clone(&ctx.rooms), ctx.node());
    ctx.db
        .write(input, |sql, (gone, live, node)| {
            Box::pin(async move {
                let Gone { key, pass_id, left_ms, lost } = *gone;
                if !homes::is_here(sql, key, *node).await? || (node.is_some() && live.has_pass(key, pass_id)) {
                    return Ok(());
                }
                room_stays::end(sql, key.0, key.1, pass_id, left_ms, lost).await?;
                records::vacate_in(sql, key, live, *node, left_ms).await
            })
        })
        .await
}
