//! The signed calls, `POST /nimserver/<service>/<verb>.action`.
//!
//! A request goes through [`dispatch`]: the action that the path names, the signature, the call's own id, the form; then
//! the handler, which has the app because the signature was good.

mod accounts;
mod call;
mod dispatch;
pub(crate) mod form;
mod mutes;
mod online;
mod profiles;
mod table;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get};
use yinxin_core::Ctx;

use dispatch::{Actions, dispatch};

/// Where the calls are. The second is for a client that names the call in a header instead.
const PREFIX: &str = "/nimserver/";

/// The routes of the signed calls, and of the probes by which the vendor's SDKs choose between hosts.
pub(crate) fn routes(ctx: Arc<Ctx>) -> Router {
    Router::new()
        .route("/nimserver/health/liveness.action", get(|| async {}))
        .route("/index.html", get(|| async {}))
        .route("/nimserver/{*action}", any(dispatch))
        .route("/im_api/{*version}", any(dispatch))
        .with_state(Arc::new(Actions::new(ctx)))
}
