//! Which node of a cluster a room is on. Everybody in a room is connected to one node, so that who is in it, and in which
//! order what happens, is decided in one memory; where there is one server only every room is there, and nothing is asked.
//!
//! A room comes to be on the node that somebody is invited at, or comes in at, while no living node has it. It stays
//! there until that node goes, or is dead.

use yinxin_store::tables::{nodes, room_stays, rooms};
use yinxin_store::{NodeId, Sql};

use super::live::RoomKey;
use super::records::Room;
use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{ROOM_ADDRESSES_MAX, ROOM_RETURN_MS};

/// A node that would have a room, and which others it knows to be dead, each with when it was seen last.
#[derive(Clone)]
pub(crate) struct Claimant {
    pub node: NodeId,
    pub dead: Vec<(NodeId, i64)>,
}

/// The node that a room is on now: this one if no living node has it. Where there is one server only, none.
pub(super) async fn settle(ctx: &Ctx, app: &App, room: &Room) -> Result<Option<NodeId>> {
    let Some(cluster) = &ctx.cluster else { return Ok(None) };
    if let Some(node) = room.node.filter(|node| cluster.lives(*node)) {
        return Ok(Some(node));
    }
    ctx.db
        .write(((app.id, room.cid), cluster.claimant(), ctx.clock.now_ms()), |sql, (key, claimant, now_ms)| {
            Box::pin(async move { claim(sql, *key, claimant, *now_ms).await.map(Some) })
        })
        .await
}

/// Makes a room that is on no living node the claimant's; gives whose it is. Whoever was in it on a dead one may come back.
pub(super) async fn claim(sql: &mut dyn Sql, key: RoomKey, claimant: &Claimant, now_ms: i64) -> Result<NodeId> {
    let (app, cid) = key;
    let owner =
        rooms::node_of(sql, app, cid).await?.ok_or_else(|| Error::about(Code::RoomNotFound, cid.to_string()))?;
    if let Some(owner) = owner {
        if let Some((_, seen_ms)) = claimant.dead.iter().find(|(dead, _)| *dead == owner) {
            // From here on it lets nobody in, whatever becomes of it.
            nodes::condemn(sql, owner, *seen_ms).await?;
        }
        if nodes::is_member(sql, owner).await? {
            return Ok(owner);
        }
    }
    if !nodes::is_member(sql, claimant.node).await? {
        return Err(Code::Busy.into());
    }
    room_stays::lose_of_room(sql, app, cid, now_ms).await?;
    rooms::take(sql, app, cid, claimant.node, now_ms + ROOM_RETURN_MS).await?;
    Ok(claimant.node)
}

/// Makes a write fail when the room is on another node.
pub(super) async fn must_be_here(sql: &mut dyn Sql, key: RoomKey, claimant: &Claimant, now_ms: i64) -> Result<()> {
    if claim(sql, key, claimant, now_ms).await? == claimant.node {
        return Ok(());
    }
    Err(Error::about(Code::Busy, "the room is on another server: ask again where it is"))
}

/// Whether a room is on that node; of one server every room is.
pub(super) async fn is_here(sql: &mut dyn Sql, key: RoomKey, node: Option<NodeId>) -> Result<bool> {
    match node {
        None => Ok(true),
        Some(node) => Ok(rooms::node_of(sql, key.0, key.1).await? == Some(Some(node))),
    }
}

/// Whether another node has the room.
pub(super) fn is_elsewhere(ctx: &Ctx, room: &Room) -> bool {
    ctx.node().is_some_and(|own| room.node.is_some_and(|node| node != own))
}

/// Whether somebody who comes to this node for that room is to go to another, where it is.
pub async fn is_wrong_door(ctx: &Ctx, app: &App, cid: i64) -> Result<bool> {
    let Some(cluster) = &ctx.cluster else { return Ok(false) };
    ctx.db
        .read(((app.id, cid), cluster.claimant()), |sql, ((app, cid), claimant)| {
            Box::pin(async move {
                let Some(owner) = rooms::node_of(sql, *app, *cid).await?.flatten() else { return Ok(false) };
                // As a claim would find it, or somebody who could wait would be refused.
                let is_free = owner == claimant.node || claimant.dead.iter().any(|(dead, _)| *dead == owner);
                Ok(!is_free && nodes::is_member(sql, owner).await?)
            })
        })
        .await
}

/// Where clients reach a room that is on that node, and then where they are let in should it die; the likeliest first.
pub(super) async fn addresses(ctx: &Ctx, node: Option<NodeId>) -> Result<Vec<String>> {
    let (Some(cluster), Some(node)) = (&ctx.cluster, node) else { return Ok(Vec::new()) };
    let first = match cluster.url_of(node) {
        Some(url) => url,
        // One that has just started is known with the next beat: a token must not be used up for nothing until then.
        None => url_on_record(ctx, node).await?.ok_or(Code::Busy)?,
    };
    let others = cluster.living().into_iter().filter(|other| *other != node);
    let others = others.filter_map(|other| cluster.url_of(other));
    Ok(std::iter::once(first).chain(others).take(ROOM_ADDRESSES_MAX).collect())
}

async fn url_on_record(ctx: &Ctx, node: NodeId) -> Result<Option<String>> {
    ctx.db.read(node, |sql, node| Box::pin(async move { Ok::<_, Error>(nodes::url_of(sql, *node).await?) })).await
}
