//! What a node does to stay one of many: says that it lives and sees the others, takes work that nobody does, clears away
//! what the dead have left, and leaves.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use tokio::time::Instant;
use yinxin_store::tables::nodes::{self, NodeRow};
use yinxin_store::tables::sessions;
use yinxin_store::{NodeId, Sql};

use super::{Cluster, Piece};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::hooks;
use crate::limits::NODE_CLEAR_ROWS;
use crate::mint::NODES_MAX;
use crate::signed_calls;

/// After so many the others, if there were any at the first, have seen this node, and tell it what they touch. Those that
/// come later see it before they do anything.
const BEATS_UNTIL_KNOWN: u32 = 3;

impl Cluster {
    /// Says that this node lives, and sees who else does. A node that was taken for dead begins anew, without connections.
    pub(super) async fn beat(&self, now_ms: i64) -> Result<()> {
        let has_left = self.has_left.lock().await;
        if *has_left {
            return Ok(());
        }
        let began = Instant::now();
        let row = NodeRow { seen_ms: now_ms, hears: self.bus.is_there(), ..self.row.clone() };
        let untended = self.nodes.untended();
        let is_first = self.beats.load(Ordering::Relaxed) == 0;
        let is_new = self
            .vital
            .write((row, untended), |sql, (row, untended)| {
                Box::pin(async move {
                    let was_there = nodes::beat(sql, row.node, row.seen_ms, row.hears).await?;
                    if !was_there {
                        begin(sql, row).await?;
                    }
                    for (piece, from) in untended {
                        nodes::take_lease(sql, piece.name(), row.node, *from).await?;
                    }
                    Ok::<_, Error>(!was_there)
                })
            })
            .await?;
        if is_new && !is_first {
            tracing::error!("this node was taken for dead: its clients are sent away and come back");
            self.send_all_away();
        }
        // Apart from the write, which would meet those of the others.
        let (rows, leases) = self
            .vital
            .read((), |sql, ()| {
                Box::pin(async move { Ok::<_, Error>((nodes::all(sql).await?, nodes::leases(sql).await?)) })
            })
            .await?;
        // As it stands there, also when it was not heard that it was written.
        if let Some(own) = rows.iter().find(|row| row.node == self.node) {
            self.number.store(own.number, Ordering::Relaxed);
        }
        self.nodes.see(rows, leases, now_ms, began);
        self.touches.expect(&self.nodes.others());
        self.say_numbers();
        let was_alone = is_first && self.nodes.is_only();
        if self.beats.fetch_add(1, Ordering::Relaxed) + 1 == BEATS_UNTIL_KNOWN || was_alone {
            self.cache.keep_from_now_on();
        }
        Ok(())
    }

    pub(super) fn silent_ms(&self) -> u128 {
        self.nodes.silent_for().as_millis()
    }

    /// By now the others take this node for dead: whoever is connected here is offline to them, and may be banned without
    /// this node's knowing.
    pub(super) fn fence(&self) {
        tracing::error!(silent_ms = self.silent_ms(), "the others take this node for dead: its clients are sent away");
        self.cache.flush();
        self.send_all_away();
    }

    fn send_all_away(&self) {
        for part in 0..crate::sessions::PARTS {
            self.local.send_away(part);
        }
        self.rooms.send_away();
    }

    /// Leaves in order: the others need not wait until it counts as dead.
    pub async fn part(&self, ctx: &Ctx) -> Result<()> {
        // A beat that is under way ends first.
        *self.has_left.lock().await = true;
        self.forget_leftovers().await?;
        self.vital
            .write(self.node, |sql, node| Box::pin(async move { Ok::<_, Error>(nodes::retire(sql, *node).await?) }))
            .await?;
        while self.clear_sessions(self.node).await? {}
        crate::rooms::records::recover_node(ctx, self.node).await?;
        self.remove(self.node).await
    }

    async fn remove(&self, node: NodeId) -> Result<()> {
        self.vital
            .write(node, |sql, node| Box::pin(async move { Ok::<_, Error>(nodes::remove(sql, *node).await?) }))
            .await
    }

    /// Removes some of what is on record of a node that is condemned; `false` when nothing is left.
    async fn clear_sessions(&self, node: NodeId) -> Result<bool> {
        let cleared = self
            .db
            .write(node, |sql, node| {
                Box::pin(async move {
                    // Another may have buried it, and it may have come back since.
                    if !nodes::is_condemned(sql, *node).await? {
                        return Ok(0);
                    }
                    Ok::<_, Error>(sessions::clear_node(sql, *node, NODE_CLEAR_ROWS).await?)
                })
            })
            .await?;
        Ok(cleared > 0)
    }
}

/// Adds a node's row, with the next number that nobody has.
async fn begin(sql: &mut dyn Sql, row: &NodeRow) -> Result<()> {
    let taken: HashSet<i64> = nodes::all(sql).await?.iter().map(|node| node.number).collect();
    let mut numbers = (0..NODES_MAX).map(|step| (row.number + step) % NODES_MAX);
    let number = numbers.find(|number| !taken.contains(number)).ok_or(Code::Busy)?;
    // A row that is there already is condemned, and removed soon.
    let is_new = nodes::insert(sql, &NodeRow { number, ..row.clone() }).await?;
    if is_new { Ok(()) } else { Err(Code::Busy.into()) }
}

/// What is done as often as the node says that it lives, but never keeps it from saying so.
pub(super) async fn step(ctx: &Ctx, cluster: &Cluster) -> Result<()> {
    cluster.forget_leftovers().await?;
    cluster.gone.write(ctx).await?;
    if !cluster.holds(Piece::Chores) {
        return Ok(());
    }
    for dead in cluster.nodes.dead() {
        bury(ctx, cluster, &dead).await?;
    }
    signed_calls::tidy(ctx).await
}

/// Clears away what a dead node has left; its own row goes last, so that whoever dies meanwhile leaves this to another.
async fn bury(ctx: &Ctx, cluster: &Cluster, dead: &NodeRow) -> Result<()> {
    let is_dead = cluster
        .vital
        .write((dead.node, dead.seen_ms), |sql, (node, seen_ms)| {
            Box::pin(async move { Ok::<_, Error>(nodes::condemn(sql, *node, *seen_ms).await?) })
        })
        .await?;
    if !is_dead {
        // It was only slow, or another has cleared it away.
        return Ok(());
    }
    tracing::warn!(node = dead.name, "a node is dead: its connections are taken off the record");
    while cluster.clear_sessions(dead.node).await? {}
    let cut_off = hooks::recover_node(ctx, dead.node).await?;
    if cut_off > 0 {
        tracing::info!(sessions = cut_off, "sessions were cut off by the end of a node");
    }
    crate::rooms::records::recover_node(ctx, dead.node).await?;
    cluster.remove(dead.node).await
}
