//! Who was made to leave a room, and may not come back for a while.
//!
//! A bar holds for the room's name, so that it outlives the room.

use std::sync::Arc;

use yinxin_store::AppId;
use yinxin_store::tables::{room_bars, room_stays};

use super::endings;
use super::names::{RoomName, RoomUid};
use super::records::{self, Room};
use crate::apps::{self, App};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{ROOM_BAR_DEFAULT_S, ROOM_BAR_MAX_S, ROOM_BARS_LISTED, ROOMS_SWEPT};
use crate::users::User;

/// Makes somebody leave a room, if it is in it, and keeps it out for so many seconds; `None` = for a day. The
/// pass it came in with is void, and stays void.
pub async fn kick(ctx: &Ctx, app: &App, room: &Room, uid: RoomUid, bar_s: Option<i64>) -> Result<()> {
    let bar_s = bar_s.unwrap_or(ROOM_BAR_DEFAULT_S);
    if !(1..=ROOM_BAR_MAX_S).contains(&bar_s) {
        return Err(Error::about(Code::FieldIllegal, format!("duration={bar_s}")).with_limit(ROOM_BAR_MAX_S));
    }
    let now_ms = ctx.clock.now_ms();
    let key = (app.id, room.cid);
    let bar = (room.name.clone(), now_ms + bar_s * 1000);
    let input = (key, bar, uid.signed(), ctx.node(), now_ms, ctx.swept(ROOMS_SWEPT));
    let told = ctx
        .db
        .write(input, |sql, ((app, cid), (name, until_ms), uid, node, now_ms, swept)| {
            Box::pin(async move {
                apps::must_exist(sql, *app).await?;
                room_bars::put(sql, *app, name, *uid, *until_ms).await?;
                if *swept > 0 {
                    room_bars::remove_ended(sql, *app, *now_ms, *swept).await?;
                }
                let told = endings::note_kick(sql, *node, (*app, *cid), *uid).await?;
                room_stays::end_of_uid(sql, *app, *cid, *uid, *now_ms).await?;
                Ok::<_, Error>(told)
            })
        })
        .await?;
    ctx.rooms.dismiss(key, uid);
    if told {
        // The other node sees to the rest.
        ctx.sessions.tell_endings();
        return Ok(());
    }
    records::vacate(ctx, key).await
}

/// Lets somebody in again.
pub async fn pardon(ctx: &Ctx, app: &App, room: &Room, uid: RoomUid) -> Result<()> {
    ctx.db
        .write((app.id, room.name.clone(), uid.signed()), |sql, (app, name, uid)| {
            Box::pin(async move { Ok::<_, Error>(room_bars::remove(sql, *app, name, *uid).await?) })
        })
        .await
}

/// Who may not come into a room now, by number; no more than can be listed.
pub async fn barred(ctx: &Ctx, app: &App, room: &Room) -> Result<Vec<i64>> {
    let input = (app.id, room.name.clone(), ctx.clock.now_ms());
    ctx.db
        .read(input, |sql, (app, name, now_ms)| {
            Box::pin(
                async move { Ok::<_, Error>(room_bars::of_name(sql, *app, name, *now_ms, ROOM_BARS_LISTED).await?) },
            )
        })
        .await
}

pub(super) async fn must_not_be_barred(ctx: &Ctx, app: &App, uid: RoomUid, room: &RoomName) -> Result<()> {
    let input = (app.id, room.as_str().to_owned(), uid.signed(), ctx.clock.now_ms());
    let until = ctx
        .db
        .read(input, |sql, (app, name, uid, now_ms)| {
            Box::pin(async move { Ok::<_, Error>(room_bars::until(sql, *app, name, *uid, *now_ms).await?) })
        })
        .await?;
    if until.is_none() { Ok(()) } else { Err(Error::about(Code::RoomBarred, uid.to_string())) }
}

/// Makes a user leave every room of this server that it is in by the number that is its name; of other nodes it was noted with
/// the reason: see [`endings::note_user`]. What cannot be written is logged: the user is
/// out all the same, and that it is banned or gone is written already.
pub(crate) async fn dismiss_user(ctx: &Ctx, app: AppId, user: &User) {
    let Some(uid) = RoomUid::of_user(&user.username) else { return };
    for cid in ctx.rooms.rooms_of(app, Some(uid)) {
        // Before the write, which ends the stay of whoever was about to come in, too.
        ctx.rooms.dismiss((app, cid), uid);
        let input = ((app, cid), Arc::clone(&ctx.rooms), uid.signed(), ctx.node(), ctx.clock.now_ms());
        let ended = ctx.db.write(input, |sql, (key, live, uid, node, now_ms)| {
            Box::pin(async move {
                room_stays::end_of_uid(sql, key.0, key.1, *uid, *now_ms).await?;
                records::vacate_in(sql, *key, live, *node, *now_ms).await
            })
        });
        if let Err(error) = ended.await {
            tracing::warn!(%error, "the end of a stay in a room could not be written");
        }
    }
}
