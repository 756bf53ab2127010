//! Who is to leave rooms that are on other nodes: noted in the write that is the reason, found by the node that the room
//! is on. Where there is one server only nothing is noted.
//!
//! What is noted names a stay, which is over for good by then, a room, which is closed, or an app, which is gone: to read
//! it late, or twice, does no harm.

use std::sync::Arc;

use yinxin_store::tables::room_endings::{self, RoomEndingRow};
use yinxin_store::tables::room_stays;
use yinxin_store::{AppId, NodeId, Sql};

use super::live::{Live, RoomKey};
use super::names::RoomUid;
use super::records;
use crate::cluster::Cluster;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::limits::ROOM_ENDINGS_PAGE;

/// Somebody is made to leave a room, before its stay is ended. Gives whether another node is to be told.
pub(super) async fn note_kick(sql: &mut dyn Sql, node: Option<NodeId>, key: RoomKey, uid: i64) -> Result<bool> {
    match node {
        None => Ok(false),
        Some(node) => Ok(room_endings::add_of_uid(sql, key.0, key.1, uid, node).await?),
    }
}

/// A room is ended, likewise.
pub(super) async fn note_room(sql: &mut dyn Sql, node: Option<NodeId>, key: RoomKey) -> Result<bool> {
    match node {
        None => Ok(false),
        Some(node) => Ok(room_endings::add_of_room(sql, key.0, key.1, node).await?),
    }
}

/// An app is deleted.
pub(crate) async fn note_app(sql: &mut dyn Sql, node: Option<NodeId>, app: AppId) -> Result<()> {
    match node {
        None => Ok(()),
        Some(node) => Ok(room_endings::add_of_app(sql, app, node).await?),
    }
}

/// A user is banned or deleted: it is to leave every room, and its passes are void. The other nodes are to be told.
pub(crate) async fn note_user(
    sql: &mut dyn Sql,
    node: Option<NodeId>,
    app: AppId,
    username: &str,
    now_ms: i64,
) -> Result<()> {
    let (Some(node), Some(uid)) = (node, RoomUid::of_user(username)) else { return Ok(()) };
    room_endings::add_of_uid_everywhere(sql, app, uid.signed(), node).await?;
    Ok(room_stays::end_everywhere(sql, app, uid.signed(), now_ms).await?)
}

/// Has those leave this node's rooms who are to. Gives whether there may be more.
pub(crate) async fn heed_some(ctx: &Ctx, cluster: &Cluster) -> Result<bool> {
    let node = cluster.node();
    let rows = cluster
        .vital
        .read(node, |sql, node| {
            Box::pin(async move { Ok::<_, Error>(room_endings::of_node(sql, *node, ROOM_ENDINGS_PAGE).await?) })
        })
        .await?;
    if rows.is_empty() {
        return Ok(false);
    }
    let is_full = rows.len() >= usize::try_from(ROOM_ENDINGS_PAGE).unwrap_or(usize::MAX);
    for row in &rows {
        heed(&ctx.rooms, row);
    }
    let input = (node, rows, Arc::clone(&ctx.rooms), ctx.clock.now_ms());
    cluster
        .vital
        .write(input, |sql, (node, rows, live, now_ms)| {
            Box::pin(async move {
                for row in rows {
                    room_endings::forget(sql, *node, row).await?;
                    records::vacate_in(sql, (row.app, row.cid), live, Some(*node), *now_ms).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .await?;
    Ok(is_full)
}

fn heed(live: &Live, row: &RoomEndingRow) {
    match (row.cid, row.pass_id) {
        (0, _) => live.end_app(row.app),
        (cid, 0) => live.end((row.app, cid)),
        (cid, pass) => live.dismiss_pass((row.app, cid), pass),
    }
}
