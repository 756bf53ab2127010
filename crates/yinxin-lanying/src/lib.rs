//! The Lanying dialect, which Qiniu sells as its own: the calls of clients and backends over the one user base.
//!
//! Owns routes, wire types and error texts, and the socket that the IM SDKs keep. Must not know SQL, limits, hashing, token formats or another dialect: a
//! handler turns the wire into a use case of `yinxin_core` and its result into the wire.

mod answer;
mod body;
mod call;
mod calls;
mod dispatch;
mod errors;
mod frame;
mod query;
mod rights;
mod socket;
mod table;

use std::sync::Arc;

use axum::Router;
use yinxin_core::Ctx;
use yinxin_core::limits::SocketLimits;
use yinxin_realtime::Registry;

pub use table::calls;

/// How the dialect meets the world.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `scheme://host[:port]` that replies name instead of the one the request was sent to.
    pub public_url: Option<String>,
}

/// The dialect's routes. It answers below its own prefixes only.
pub fn router(ctx: Arc<Ctx>, options: Options) -> Router {
    dispatch::routes(ctx, options)
}

/// The path of the SDKs' socket.
pub fn socket(ctx: Arc<Ctx>, registry: Arc<Registry>, limits: SocketLimits) -> Router {
    socket::routes(ctx, registry, limits)
}
