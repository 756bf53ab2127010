//! What a node does each time it says that it lives: sees the others, takes work that nobody does, and clears away what the
//! dead have left.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use yinxin_store::tables::nodes::{self, NodeRow};
use yinxin_store::tables::sessions;
use yinxin_store::{NodeId, Sql};

use super::{Cluster, Piece};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::hooks;
use crate::limits::NODE_CLEAR_ROWS;
use crate::mint::NODES_MAX;

/// After so many the others have seen this node, and tell it what they touch.
const BEATS_UNTIL_KNOWN: u32 = 3;

impl Cluster {
    /// Says that this node lives, and sees who else does. A node that was taken for dead begins anew, without connections.
    pub(super) async fn beat(&self, now_ms: i64) -> Result<()> {
        let row = NodeRow { seen_ms: now_ms, ..self.row.clone() };
        let untended = self.nodes.untended();
        let is_first = self.beats.load(Ordering::Relaxed) == 0;
        let (was_there, number, rows, leases) = self
            .db
            .write((row, untended), |sql, (row, untended)| {
                Box::pin(async move {
                    let was_there = nodes::beat(sql, row.node, row.seen_ms).await?;
                    let known = nodes::all(sql).await?;
                    let number = if was_there { None } else { Some(begin(sql, row, &known).await?) };
                    for (piece, from) in untended {
                        nodes::take_lease(sql, piece.name(), row.node, *from).await?;
                    }
                    Ok::<_, Error>((was_there, number, nodes::all(sql).await?, nodes::leases(sql).await?))
                })
            })
            .await?;
        if let Some(number) = number {
            self.number.store(number, Ordering::Relaxed);
        }
        self.nodes.see(rows, leases, now_ms);
        self.touches.expect(&self.nodes.others());
        if !was_there && !is_first {
            tracing::error!("this node was taken for dead: its clients are sent away and come back");
            self.send_all_away();
        }
        if self.beats.fetch_add(1, Ordering::Relaxed) + 1 == BEATS_UNTIL_KNOWN {
            self.cache.keep_from_now_on();
        }
        Ok(())
    }

    pub(super) fn silent_ms(&self) -> u128 {
        self.nodes.silent_for().as_millis()
    }

    /// By now the others take this node for dead: whoever is connected here is offline to them, and may be banned without
    /// this node's knowing.
    pub(super) async fn fence(&self) {
        if self.silent_ms() >= self.pace.dead_after.as_millis() {
            self.cache.flush();
            self.send_all_away();
        }
        tokio::task::yield_now().await;
    }

    fn send_all_away(&self) {
        for part in 0..crate::sessions::PARTS {
            self.local.send_away(part);
        }
    }

    /// Leaves in order: the others need not wait until it counts as dead.
    pub async fn part(&self, ctx: &Ctx) -> Result<()> {
        self.forget_leftovers().await?;
        while self.clear_sessions(self.node).await? {}
        crate::rooms::records::recover_node(ctx, self.node).await?;
        self.remove(self.node).await
    }

    async fn remove(&self, node: NodeId) -> Result<()> {
        self.db.write(node, |sql, node| Box::pin(async move { Ok::<_, Error>(nodes::remove(sql, *node).await?) })).await
    }

    /// Removes some of what is on record of a node; `false` when nothing is left.
    async fn clear_sessions(&self, node: NodeId) -> Result<bool> {
        let cleared = self
            .db
            .write(node, |sql, node| {
                Box::pin(async move { Ok::<_, Error>(sessions::clear_node(sql, *node, NODE_CLEAR_ROWS).await?) })
            })
            .await?;
        Ok(cleared > 0)
    }
}

/// Adds a node's row; gives its number, the next one that nobody has.
async fn begin(sql: &mut dyn Sql, row: &NodeRow, known: &[NodeRow]) -> Result<i64> {
    let taken: HashSet<i64> = known.iter().map(|node| node.number).collect();
    let mut numbers = (0..NODES_MAX).map(|step| (row.number + step) % NODES_MAX);
    let number = numbers.find(|number| !taken.contains(number)).ok_or(Code::Busy)?;
    // A row that is there already is condemned, and removed soon.
    let is_new = nodes::insert(sql, &NodeRow { number, ..row.clone() }).await?;
    if is_new { Ok(number) } else { Err(Code::Busy.into()) }
}

/// The rest, after a beat.
pub(super) async fn step(ctx: &Ctx, cluster: &Cluster) -> Result<()> {
    cluster.forget_leftovers().await?;
    if !cluster.holds(Piece::Chores) {
        return Ok(());
    }
    for dead in cluster.nodes.dead() {
        bury(ctx, cluster, &dead).await?;
    }
    Ok(())
}

/// Clears away what a dead node has left; its own row goes last, so that whoever dies meanwhile leaves this to another.
async fn bury(ctx: &Ctx, cluster: &Cluster, dead: &NodeRow) -> Result<()> {
    let is_dead = cluster
        .db
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
