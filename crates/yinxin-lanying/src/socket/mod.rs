//! The gateway that the vendor's IM SDKs connect to: a websocket that carries Floo frames in Socket.IO's packets.
//!
//! [`door`] answers the requests that open one, [`pipe`] turns it into frames and owns its limits and timers, [`login`]
//! turns a first frame into a user, [`session`] answers the frames that follow, and [`conversation`] joins them from the
//! first frame to the end. [`people`] knows users by number, [`bodies`] turns messages into the form that all dialects
//! keep them in, and back, [`deeds`] reads what a user makes of its own conversations. What is sent when is decided by [`yinxin_realtime`], who may do what by the core.

mod bodies;
mod conversation;
mod deeds;
mod door;
mod login;
mod metas;
mod outgoing;
mod people;
mod pipe;
mod session;

use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use yinxin_core::Ctx;
use yinxin_core::limits::SocketLimits;
use yinxin_realtime::Registry;

/// What all connections share.
struct Gateway {
    ctx: Arc<Ctx>,
    registry: Arc<Registry>,
    limits: SocketLimits,
}

/// The socket's path, which Socket.IO has by itself.
pub(crate) fn routes(ctx: Arc<Ctx>, registry: Arc<Registry>, limits: SocketLimits) -> Router {
    let gateway = Arc::new(Gateway { ctx, registry, limits });
    Router::new().route("/socket.io/", any(door::open)).with_state(gateway)
}
