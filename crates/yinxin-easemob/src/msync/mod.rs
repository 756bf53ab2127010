//! The gateway the vendor's chat SDKs connect to: a websocket that carries MSYNC frames.
//!
//! [`login`] turns a first frame into a user, [`session`] answers the frames that follow, [`socket`] owns the socket, its
//! limits and its timers. What is sent when is decided by [`yinxin_realtime::Delivery`], who may do what by the core.

mod edits;
mod line;
mod login;
pub(crate) mod metas;
mod session;
mod socket;

use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use yinxin_core::Ctx;
use yinxin_realtime::Registry;

/// What all connections share.
pub(crate) struct Gateway {
    pub ctx: Arc<Ctx>,
    pub registry: Arc<Registry>,
}

/// The socket's paths: the one that SDKs are configured with, and the one their address book makes them use.
pub(crate) fn routes(ctx: Arc<Ctx>, registry: Arc<Registry>) -> Router {
    let gateway = Arc::new(Gateway { ctx, registry });
    Router::new().route("/ws", any(socket::upgrade)).route("/websocket", any(socket::upgrade)).with_state(gateway)
}
