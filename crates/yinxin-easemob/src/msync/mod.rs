//! The gateway the vendor's chat SDKs connect to: a websocket that carries MSYNC frames, bare or wrapped by SockJS.
//!
//! [`socket`] answers the requests that open one, [`pipe`] turns it into frames and owns its limits and timers,
//! [`login`] turns a first frame into a user, [`session`] answers the frames that follow, and [`conversation`] joins
//! them from the first frame to the [`end`]. What is sent when is decided by [`yinxin_realtime::Delivery`], who may do
//! what by the core.

mod conversation;
mod edits;
mod end;
mod line;
mod login;
pub(crate) mod metas;
pub(crate) mod outgoing;
mod pipe;
mod session;
mod socket;

use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use yinxin_core::Ctx;
use yinxin_core::limits::SocketLimits;
use yinxin_realtime::Registry;

/// What all connections share.
pub(crate) struct Gateway {
    pub ctx: Arc<Ctx>,
    pub registry: Arc<Registry>,
    pub limits: SocketLimits,
}

/// The socket's paths: the one that SDKs are configured with, the one their address book makes them use, and what SockJS
/// makes of the first.
pub(crate) fn routes(ctx: Arc<Ctx>, registry: Arc<Registry>, limits: SocketLimits) -> Router {
    let gateway = Arc::new(Gateway { ctx, registry, limits });
    Router::new()
        .route("/ws", any(socket::plain))
        .route("/websocket", any(socket::plain))
        .route("/ws/info", any(socket::info))
        .route("/ws/{server}/{session}/websocket", any(socket::sockjs))
        .with_state(gateway)
}
