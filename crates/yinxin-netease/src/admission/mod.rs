//! What media servers of others ask, and what their clients need: `/nrtc/admit`, `/nrtc/credentials`, and hooks in the form
//! that one server or another sends. Ours, not the vendor's; described in `docs/openapi/rtc.json`.
//!
//! Answers have the dialect's bodies, under HTTP statuses that mean something: most media servers look at nothing else.

mod admit;
mod body;
mod call;
mod credentials;
mod nginx_rtmp;
mod openapi;
mod table;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::routing::{any, get};
use yinxin_core::Ctx;
use yinxin_core::rooms::media::MediaServers;
use yinxin_http::metrics::OperationMetrics;

pub use openapi::DOCUMENT;
pub use table::{OPERATIONS, Operation};

/// What the calls share.
pub(crate) struct Desk {
    ctx: Arc<Ctx>,
    media: MediaServers,
}

/// The routes.
pub(crate) fn routes(ctx: Arc<Ctx>, media: MediaServers) -> Router {
    let desk = Arc::new(Desk { ctx, media });
    let add = |router: Router, operation: &'static Operation| {
        let desk = Arc::clone(&desk);
        let metrics = Arc::new(OperationMetrics::new(operation.id, "netease"));
        let answer = move |request: Request| call::answer(Arc::clone(&desk), operation, Arc::clone(&metrics), request);
        router.route(operation.path, any(answer))
    };
    OPERATIONS.iter().fold(Router::new(), add).route(openapi::PATH, get(openapi::document))
}
