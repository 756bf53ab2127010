//! Runs the server's own chores beside everything else.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use yinxin_core::Ctx;
use yinxin_core::chores::{self, Chores};
use yinxin_core::cluster::Piece;
use yinxin_core::limits::LEASE_LOOK;

/// After a failure: the database may have more urgent things to fail at.
const AFTER_FAILURE: Duration = Duration::from_mins(1);

/// Never ends.
pub(super) async fn run(ctx: Arc<Ctx>) {
    let mut todo = Chores::default();
    loop {
        if !ctx.holds(Piece::Chores) {
            tokio::time::sleep(LEASE_LOOK).await;
            continue;
        }
        let pause = todo.step(&ctx).await.unwrap_or_else(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(%error, cause, "a chore failed; it is tried again");
            AFTER_FAILURE
        });
        if !pause.is_zero() {
            // Either is a reason to go on.
            let _wanted = timeout(pause, chores::wanted(&ctx)).await;
        }
    }
}
