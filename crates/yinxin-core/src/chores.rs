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
use crate::limits::{CHORES_LOOK_MS, SWEEP_PAUSE_MS, SWEEP_REST_MS};
use crate::pushes;
use crate::retention::Sweep;

/// The chores of a server, and how far they are. Nothing is lost with it: begun anew, it finds what is left to do.
#[derive(Debug, Default)]
pub struct Chores {
    sweep: Sweep,
    pushes: pushes::Turns,
    /// Until when nothing is swept.
    swept_until_ms: i64,
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
        let now_ms = ctx.clock.now_ms();
        // A time further ahead than a rest was set by a clock that was ahead.
        if !(now_ms..=now_ms + SWEEP_REST_MS).contains(&self.swept_until_ms) {
            let pause_ms = self.sweep(ctx).await?;
            self.swept_until_ms = now_ms + pause_ms;
        }
        let pause_ms = self.swept_until_ms - now_ms;
        // What is to be done may have been asked for at another node.
        let pause_ms = if ctx.cluster.is_some() { pause_ms.min(CHORES_LOOK_MS) } else { pause_ms };
        Ok(Duration::from_millis(pause_ms.cast_unsigned()))
    }

    /// Sweeps a little; gives the pause before the next time.
    async fn sweep(&mut self, ctx: &Ctx) -> Result<i64> {
        if self.sweep.step(ctx).await? {
            return Ok(SWEEP_PAUSE_MS);
        }
        for hook in hooks::all(ctx).await? {
            hooks::tidy(ctx, hook).await?;
        }
        Ok(SWEEP_REST_MS)
    }
}

/// Waits until something is to be done that did not wait for its turn.
pub async fn wanted(ctx: &Ctx) {
    ctx.chores.notified().await;
}
