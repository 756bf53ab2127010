//! Cleans the place of uploaded files while the server runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use yinxin_core::cluster::Piece;
use yinxin_core::{Ctx, Result, files};

/// How often it looks for what has grown old.
const EVERY: Duration = Duration::from_mins(10);
/// How long it waits when the place, or the database, fails.
const PAUSE: Duration = Duration::from_mins(1);

/// Never ends. The first look is at what the last process left.
pub(super) async fn keep_clean(ctx: Arc<Ctx>) {
    let mut clock = tokio::time::interval(EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_time = tokio::select! {
            _ = clock.tick() => true,
            () = files::has_work(&ctx) => false,
        };
        let done = if ctx.holds(Piece::Files) {
            clean(&ctx, is_time).await
        } else {
            // Another node deletes what is written down.
            files::give_up(&ctx).await
        };
        if let Err(error) = done {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%error, cause, "what no file needs any more could not be deleted; trying again");
            tokio::time::sleep(PAUSE).await;
            clock.reset_immediately();
        }
    }
}

async fn clean(ctx: &Ctx, is_time: bool) -> Result<()> {
    while is_time && files::expire(ctx).await? {}
    while files::sweep(ctx).await? {}
    Ok(())
}
