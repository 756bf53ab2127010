//! What a cluster knows for rooms: which nodes can have one, and who has gone from one, where that is still to be written.

use std::sync::atomic::Ordering;

use parking_lot::Mutex;
use yinxin_store::NodeId;

use super::Cluster;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::limits::LEFTOVERS_MAX;
use crate::rooms::doors::{self, Gone};
use crate::rooms::homes::Claimant;

/// After so many a node that is called dead was not seen to move: one that was called so at first sight, by its clock, may
/// be alive.
const BEATS_UNTIL_SURE: u32 = 3;

/// What could not be written when it was to be.
#[derive(Default)]
pub(crate) struct Leftovers(Mutex<Vec<Gone>>);

impl Leftovers {
    pub fn leave_over(&self, gone: Gone) {
        let mut left = self.0.lock();
        // There are no more of them than there were seats.
        if left.len() < LEFTOVERS_MAX {
            left.push(gone);
        }
    }

    /// Writes it now.
    pub async fn write(&self, ctx: &Ctx) -> Result<()> {
        let mut left = std::mem::take(&mut *self.0.lock());
        while let Some(gone) = left.pop() {
            if let Err(error) = doors::note_gone(ctx, gone).await {
                left.push(gone);
                self.0.lock().append(&mut left);
                return Err(error);
            }
        }
        Ok(())
    }
}

impl Cluster {
    /// Whether a node can have rooms.
    pub(crate) fn lives(&self, node: NodeId) -> bool {
        node == self.node || self.nodes.others().contains(&node)
    }

    /// All that live, always in the same order.
    pub(crate) fn living(&self) -> Vec<NodeId> {
        let mut living: Vec<_> = self.nodes.others().into_iter().chain([self.node]).collect();
        living.sort_unstable();
        living
    }

    /// This node as one that would have a room.
    pub(crate) fn claimant(&self) -> Claimant {
        let is_sure = self.beats.load(Ordering::Relaxed) >= BEATS_UNTIL_SURE;
        let dead = if is_sure { self.nodes.dead() } else { Vec::new() };
        Claimant { node: self.node, dead: dead.iter().map(|dead| (dead.node, dead.seen_ms)).collect() }
    }
}
