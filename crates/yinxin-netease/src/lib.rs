//! The NetEase Yunxin dialect: the signed calls of backends over the one user base.
//!
//! Owns routes, wire types and error texts. Must not know SQL, limits, hashing, token formats or another dialect: a
//! handler turns the wire into a use case of `yinxin_core` and its result into the wire.

mod actions;
mod admission;
mod answer;
mod errors;
mod frame;
mod signing;

use std::sync::Arc;

use axum::Router;
use yinxin_core::Ctx;
use yinxin_core::rooms::media::MediaServers;

pub use admission::{DOCUMENT, OPERATIONS, Operation};

/// How the dialect meets the world.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `scheme://host[:port]` that replies name instead of the one the request was sent to.
    pub public_url: Option<String>,
    /// The media servers that clients get credentials for.
    pub media: MediaServers,
}

/// The dialect's routes. It answers below its own prefixes only.
pub fn router(ctx: Arc<Ctx>, options: Options) -> Router {
    actions::routes(Arc::clone(&ctx)).merge(admission::routes(ctx, options.media))
}
