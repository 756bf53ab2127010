//! The room management of backends: signed calls with JSON, by a room's number below `/v2/api/`, by its name below
//! `/v3/api/`. Failures have HTTP statuses of their own here.
//!
//! [`path`] reads what is meant out of a request, [`dispatch`] is the frame around every handler, [`calls`] are the handlers.

mod calls;
mod dispatch;
mod path;

use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use yinxin_core::Ctx;

use dispatch::{Management, dispatch};

/// The routes of the calls by number and by name.
pub(crate) fn routes(ctx: Arc<Ctx>) -> Router {
    Router::new()
        .route("/v2/api/{*call}", any(dispatch))
        .route("/v3/api/{*call}", any(dispatch))
        .with_state(Arc::new(Management::new(ctx)))
}
