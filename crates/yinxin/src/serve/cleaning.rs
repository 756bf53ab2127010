//! Cleans the place of uploaded files while the server runs.

use std::sync::Arc;
use std::time::Duration;

use yinxin_core::{Ctx, files};

/// How often it looks around by itself.
const EVERY: Duration = Duration::from_mins(10);
/// How long it waits when the place, or the database, fails.
const PAUSE: Duration = Duration::from_mins(1);

/// Never ends.
pub(super) async fn keep_clean(ctx: Arc<Ctx>) {
    loop {
        match files::sweep(&ctx).await {
            Ok(true) => tokio::task::yield_now().await,
            Ok(false) => drop(tokio::time::timeout(EVERY, files::has_work(&ctx)).await),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "what no file needs any more could not be deleted; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
