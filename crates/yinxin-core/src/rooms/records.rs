//! The rooms themselves: making one, finding it, its state, its end, and who was in it.
//!
//! A name may have many lives, one after the other, each with its own number. When a life ends by itself stands in its row,
//! so that nobody has to watch the time: whoever looks knows.

use std::sync::Arc;

use yinxin_store::tables::nodes;
use yinxin_store::tables::room_stays::{self, PresentRow, StayRow};
use yinxin_store::tables::rooms::{self, RoomRow};
use yinxin_store::{AppId, NodeId, Sql};

use super::live::{Live, Role, RoomKey};
use super::names::{RoomName, RoomUid};
use super::{endings, homes};
use crate::apps::{self, App};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{
    ROOM_EMPTY_MS, ROOM_HISTORY_MS, ROOM_HISTORY_PAGE_DEFAULT, ROOM_HISTORY_PAGE_MAX, ROOM_HISTORY_PAGES_MAX,
    ROOM_MEMBERS_MAX, ROOM_RETURN_MS, ROOM_WAITS_MS, ROOMS_FREED, ROOMS_SWEPT,
};
use crate::rng;

pub use super::live::Member;
pub use yinxin_store::tables::rooms::RoomRow as Room;

/// How far a room's life has gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It waits for its first member.
    Waiting,
    /// Somebody is in it, or was a moment ago.
    Running,
    /// It is over.
    Ended,
    /// It is over because everybody in it was lost.
    Abandoned,
}

/// How a caller names a room.
#[derive(Clone, Debug)]
pub enum Which {
    /// By its number.
    Cid(i64),
    /// By its name: the room that is open, or else the last one.
    Name(RoomName),
}

/// A room's state now.
pub fn state(room: &Room, now_ms: i64) -> State {
    match (is_open(room, now_ms), room.entered_ms, room.abandoned) {
        (true, None, _) => State::Waiting,
        (true, Some(_), _) => State::Running,
        (false, _, false) => State::Ended,
        (false, _, true) => State::Abandoned,
    }
}

/// Whether a room can be entered.
pub fn is_open(room: &Room, now_ms: i64) -> bool {
    !room.closed && room.open_until_ms.is_none_or(|until_ms| until_ms > now_ms)
}

/// The room that is meant, open or over.
pub async fn find(ctx: &Ctx, app: &App, which: &Which) -> Result<Room> {
    let found = match which {
        Which::Cid(cid) => by_cid(ctx, app.id, *cid).await?,
        Which::Name(name) => {
            ctx.db
                .read((app.id, name.as_str().to_owned()), |sql, (app, name)| {
                    Box::pin(async move {
                        match rooms::unclosed(sql, *app, name).await? {
                            Some(room) => Ok::<_, Error>(Some(room)),
                            None => Ok(rooms::latest_closed(sql, *app, name).await?),
                        }
                    })
                })
                .await?
        }
    };
    found.ok_or_else(|| not_found(which))
}

/// The room that is meant, if it is open.
pub async fn find_open(ctx: &Ctx, app: &App, which: &Which) -> Result<Room> {
    let room = find(ctx, app, which).await?;
    if is_open(&room, ctx.clock.now_ms()) { Ok(room) } else { Err(not_found(which)) }
}

fn not_found(which: &Which) -> Error {
    match which {
        Which::Cid(cid) => Error::about(Code::RoomNotFound, cid.to_string()),
        Which::Name(name) => Error::about(Code::RoomNotFound, name.as_str()),
    }
}

pub(super) async fn by_cid(ctx: &Ctx, app: AppId, cid: i64) -> Result<Option<Room>> {
    ctx.db
        .read((app, cid), |sql, (app, cid)| {
            Box::pin(async move { Ok::<_, Error>(rooms::by_cid(sql, *app, *cid).await?) })
        })
        .await
}

/// The open room of that name, if there is one.
pub(super) async fn open_of_name(ctx: &Ctx, app: AppId, name: &RoomName) -> Result<Option<Room>> {
    let room = ctx
        .db
        .read((app, name.as_str().to_owned()), |sql, (app, name)| {
            Box::pin(async move { Ok::<_, Error>(rooms::unclosed(sql, *app, name).await?) })
        })
        .await?;
    Ok(room.filter(|room| is_open(room, ctx.clock.now_ms())))
}

/// Makes a room for its members to come; fails with the number of the one that is open under that name.
pub async fn create(ctx: &Ctx, app: &App, name: &RoomName, creator: RoomUid) -> Result<Room> {
    match make(ctx, app, name, creator, ROOM_WAITS_MS, None).await? {
        (room, true) => Ok(room),
        (room, false) => Err(Error::about(Code::RoomExists, room.cid.to_string())),
    }
}

/// The open room of that name, for somebody who is about to come in: `found`, or the one that is made if
/// there is none. It stays open until the pass for it has run out.
pub(super) async fn open(ctx: &Ctx, app: &App, found: Option<Room>, name: &RoomName, creator: RoomUid) -> Result<Room> {
    let long_enough_ms = ctx.clock.now_ms() + ROOM_EMPTY_MS;
    match found {
        // An occupied room stays open so long from when the last one leaves: nothing is to be written.
        Some(room) if room.open_until_ms.is_none_or(|until_ms| until_ms >= long_enough_ms) => Ok(room),
        _ => Ok(make(ctx, app, name, creator, ROOM_EMPTY_MS, ctx.node()).await?.0),
    }
}

/// The open room of that name, and whether it was made now, on that node.
async fn make(
    ctx: &Ctx,
    app: &App,
    name: &RoomName,
    creator: RoomUid,
    waits_ms: i64,
    node: Option<NodeId>,
) -> Result<(Room, bool)> {
    let now_ms = ctx.clock.now_ms();
    let row = RoomRow {
        cid: new_cid(ctx),
        name: name.as_str().to_owned(),
        creator_uid: creator.signed(),
        created_ms: now_ms,
        entered_ms: None,
        open_until_ms: Some(now_ms + waits_ms),
        closed: false,
        abandoned: false,
        node,
    };
    ctx.db
        .write((app.id, row, ctx.swept(ROOMS_SWEPT)), |sql, (app, row, swept)| {
            Box::pin(make_in(sql, *app, row, *swept))
        })
        .await
}

async fn make_in(sql: &mut dyn Sql, app: AppId, row: &RoomRow, swept: i64) -> Result<(Room, bool)> {
    let now_ms = row.created_ms;
    apps::must_exist(sql, app).await?;
    if let Some(lapsed) = rooms::close_lapsed(sql, app, &row.name, now_ms).await? {
        room_stays::end_all(sql, app, lapsed, now_ms).await?;
    }
    if swept > 0 {
        rooms::remove_ended(sql, app, now_ms - ROOM_HISTORY_MS, swept).await?;
    }
    if rooms::insert(sql, app, row).await? {
        return Ok((row.clone(), true));
    }
    let open = rooms::unclosed(sql, app, &row.name).await?;
    let room = open.ok_or_else(|| Error::about(Code::Internal, "a room's number was drawn twice"))?;
    rooms::keep_open(sql, app, room.cid, now_ms, now_ms + ROOM_EMPTY_MS).await?;
    Ok((room, false))
}

/// A number with 52 bits, the highest of them set: 16 decimal digits that fit a double, and hardly ever one that was
/// drawn before.
fn new_cid(ctx: &Ctx) -> i64 {
    let random = i64::from_be_bytes(rng::bytes(ctx.rng.as_ref()));
    (random & ((1 << 52) - 1)) | (1 << 52)
}

/// Ends a room: everybody in it has to go.
pub async fn end(ctx: &Ctx, app: &App, which: &Which) -> Result<Room> {
    let room = find_open(ctx, app, which).await?;
    let (known, told) = ctx
        .db
        .write((app.id, room.cid, ctx.node(), ctx.clock.now_ms()), |sql, (app, cid, node, now_ms)| {
            Box::pin(async move {
                let known = rooms::close(sql, *app, *cid, *now_ms).await?;
                let told = known && endings::note_room(sql, *node, (*app, *cid)).await?;
                room_stays::end_all(sql, *app, *cid, *now_ms).await?;
                Ok::<_, Error>((known, told))
            })
        })
        .await?;
    ctx.rooms.end((app.id, room.cid));
    if told {
        ctx.sessions.tell_endings();
    }
    if known { Ok(room) } else { Err(not_found(which)) }
}

/// Who is in a room now, by number. Of a room that is on another node the record is asked, which does not say what they said
/// about themselves.
pub async fn members(ctx: &Ctx, app: &App, room: &Room) -> Result<Vec<Member>> {
    if !homes::is_elsewhere(ctx, room) {
        return Ok(ctx.rooms.members((app.id, room.cid)));
    }
    let limit = i64::try_from(ROOM_MEMBERS_MAX).unwrap_or(i64::MAX);
    let present = ctx
        .db
        .read((app.id, room.cid, limit), |sql, (app, cid, limit)| {
            Box::pin(async move { Ok::<_, Error>(room_stays::present(sql, *app, *cid, *limit).await?) })
        })
        .await?;
    let member = |row: PresentRow| {
        let role = if row.audience { Role::Audience } else { Role::Host };
        let uid = u64::try_from(row.uid).ok().and_then(RoomUid::new)?;
        Some(Member { uid, role, entered_ms: row.entered_ms, about: Arc::default() })
    };
    Ok(present.into_iter().filter_map(member).collect())
}

/// How many are in a room now.
pub async fn count(ctx: &Ctx, app: &App, room: &Room) -> Result<usize> {
    if !homes::is_elsewhere(ctx, room) {
        return Ok(ctx.rooms.count((app.id, room.cid)));
    }
    let count = ctx
        .db
        .read((app.id, room.cid), |sql, (app, cid)| {
            Box::pin(async move { Ok::<_, Error>(room_stays::present_count(sql, *app, *cid).await?) })
        })
        .await?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// Page `number` (from 1) of the stays in a room, in the order they began; empty behind the last possible page.
pub async fn history(ctx: &Ctx, app: &App, room: &Room, number: i64, size: Option<i64>) -> Result<Vec<StayRow>> {
    let size = size.unwrap_or(ROOM_HISTORY_PAGE_DEFAULT);
    if number < 1 || !(1..=ROOM_HISTORY_PAGE_MAX).contains(&size) {
        return Err(
            Error::about(Code::FieldIllegal, format!("page {number} of {size}")).with_limit(ROOM_HISTORY_PAGE_MAX)
        );
    }
    if number > ROOM_HISTORY_PAGES_MAX {
        return Ok(Vec::new());
    }
    let mut after = (i64::MIN, i64::MIN);
    for _ in 1..number {
        // Keyset paging under a page number: walk to it.
        match stays(ctx, app.id, room.cid, after, size).await?.last() {
            Some(last) => after = (last.entered_ms, last.pass_id),
            None => return Ok(Vec::new()),
        }
    }
    stays(ctx, app.id, room.cid, after, size).await
}

async fn stays(ctx: &Ctx, app: AppId, cid: i64, after: room_stays::After, limit: i64) -> Result<Vec<StayRow>> {
    ctx.db
        .read((app, cid, after, limit), |sql, (app, cid, after, limit)| {
            Box::pin(async move { Ok::<_, Error>(room_stays::page(sql, *app, *cid, *after, *limit).await?) })
        })
        .await
}

/// Lets a room's time begin to run out if nobody is in it, and if it is on this node: no other knows. The room is read
/// first: only once a write has seen a database of its own may memory be asked, or who came in between would be in neither.
/// Somebody who has a seat by then, or is about to, keeps the room open.
pub(super) async fn vacate_in(
    sql: &mut dyn Sql,
    key: RoomKey,
    live: &Live,
    node: Option<NodeId>,
    now_ms: i64,
) -> Result<()> {
    let Some(owner) = rooms::node_of(sql, key.0, key.1).await? else { return Ok(()) };
    let is_here = node.is_none_or(|node| owner == Some(node));
    if is_here && !live.is_occupied(key) {
        rooms::vacate(sql, key.0, key.1, now_ms + ROOM_EMPTY_MS).await?;
    }
    Ok(())
}

/// The same in a write of its own.
pub(super) async fn vacate(ctx: &Ctx, key: RoomKey) -> Result<()> {
    ctx.db
        .write((key, Arc::clone(&ctx.rooms), ctx.node(), ctx.clock.now_ms()), |sql, (key, live, node, now_ms)| {
            Box::pin(vacate_in(sql, *key, live, *node, *now_ms))
        })
        .await
}

/// Frees the rooms of a node that is dead, or goes: whoever was in them may come back by way of another.
pub(crate) async fn recover_node(ctx: &Ctx, node: NodeId) -> Result<()> {
    while ctx
        .db
        .write((node, ctx.node() == Some(node), ctx.clock.now_ms()), |sql, (node, goes, now_ms)| {
            Box::pin(free_some(sql, *node, *goes, *now_ms))
        })
        .await?
    {}
    Ok(())
}

/// A few at a time: those who come back take their rooms over meanwhile, and are not to be kept waiting.
async fn free_some(sql: &mut dyn Sql, node: NodeId, goes: bool, now_ms: i64) -> Result<bool> {
    if !goes && !nodes::is_condemned(sql, node).await? {
        return Ok(false);
    }
    let some = rooms::of_node(sql, node, ROOMS_FREED).await?;
    for (app, cid) in &some {
        room_stays::lose_of_room(sql, *app, *cid, now_ms).await?;
        rooms::abandon(sql, *app, *cid, node, now_ms + ROOM_RETURN_MS).await?;
    }
    Ok(!some.is_empty())
}

/// What a node does before it serves: there may have been one server only, that was killed with people in its rooms.
pub(crate) async fn recover_orphans(db: &yinxin_store::Db, now_ms: i64) -> Result<()> {
    loop {
        let orphans = db
            .read((), |sql, ()| Box::pin(async move { Ok::<_, Error>(rooms::orphans(sql, ROOMS_FREED).await?) }))
            .await?;
        if orphans.is_empty() {
            return Ok(());
        }
        db.write((orphans, now_ms), |sql, (orphans, now_ms)| {
            Box::pin(async move {
                for (app, cid) in orphans {
                    room_stays::lose_of_room(sql, *app, *cid, *now_ms).await?;
                    rooms::abandon_orphan(sql, *app, *cid, now_ms + ROOM_RETURN_MS).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .await?;
    }
}

/// What a server does before it serves: the last one may have been killed with people in its rooms. They may come back.
pub(crate) async fn recover(db: &yinxin_store::Db, now_ms: i64) -> Result<()> {
    db.write(now_ms, |sql, now_ms| {
        Box::pin(async move {
            rooms::abandon_all(sql, now_ms + ROOM_RETURN_MS).await?;
            room_stays::lose_all(sql, *now_ms).await?;
            Ok::<_, Error>(())
        })
    })
    .await
}
