//! What the server does on its own, a little at a time: clears deleted apps away, tells of pushes, sweeps inboxes and the outboxes of
//! hooks.
//!
//! A step is one bounded piece of work. Whoever runs the steps waits between them as long as it is told to, or until
//! there is something to do.

use std::time::Duration;

use crate::apps;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::hooks;
use crate::limits::{SWEEP_PAUSE_MS, SWEEP_REST_MS};
use crate::pushes;
use crate::retention::Sweep;

/// The chores of a server, and how far they are. Nothing is lost with it: begun anew, it finds what is left to do.
#[derive(Debug, Default)]
pub struct Chores {
    sweep: Sweep,
    pushes: pushes::Turns,
}

impl Chores {
    /// Does one piece of work; gives the pause before the next.
    pub async fn step(&mut self, ctx: &Ctx) -> Result<Duration> {
        if apps::clear_some(ctx).await? {
            return Ok(Duration::ZERO);
        }
        if pushes::step(ctx, &mut self.pushes).await? {
            return Ok(Duration::ZERO);
        }
        let is_under_way = self.sweep.step(ctx).await?;
        if !is_under_way {
            for hook in hooks::all(ctx).await? {
                hooks::tidy(ctx, hook).await?;
            }
        }
        Ok(Duration::from_millis(if is_under_way { SWEEP_PAUSE_MS } else { SWEEP_REST_MS }))
    }
}

/// Waits until something is to be done that did not wait for its turn.
pub async fn wanted(ctx: &Ctx) {
    ctx.chores.notified().await;
}
