//! The Easemob dialect: its REST calls and its chat SDK's protocol over the one user base.
//!
//! Owns routes, wire types, envelopes and error texts. Must not know SQL, limits, hashing, token formats or another
//! dialect: a handler turns the wire into a use case of `yinxin_core` and its result into the wire.

mod msync;
mod rest;

use std::sync::Arc;

use axum::Router;
use yinxin_core::Ctx;
use yinxin_realtime::Registry;

pub use rest::{Options, Route, routes};

/// The dialect's routes: REST and the chat SDK's socket. It answers every path, unknown ones too.
pub fn router(ctx: Arc<Ctx>, registry: Arc<Registry>, options: Options) -> Router {
    msync::routes(Arc::clone(&ctx), registry, options.socket).merge(rest::router(ctx, options))
}
