//! The NetEase Yunxin dialect: the signed calls of backends, their room management, and the gate that clients join
//! rooms through, over the one user base.
//!
//! Owns routes, wire types and error texts. Must not know SQL, limits, hashing, token formats or another dialect: a
//! handler turns the wire into a use case of `yinxin_core` and its result into the wire.

mod actions;
mod admission;
mod answer;
mod errors;
mod frame;
mod gate;
mod rooms;
mod signing;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use yinxin_core::Ctx;
use yinxin_core::limits::SocketLimits;
use yinxin_core::rooms::media::MediaServers;

pub use admission::{DOCUMENT, OPERATIONS, Operation};

/// How the dialect meets the world.
#[derive(Clone, Debug)]
pub struct Options {
    /// `scheme://host[:port]` that replies name instead of the one the request was sent to.
    pub public_url: Option<String>,
    /// Bounds of a room's connection.
    pub socket: SocketLimits,
    /// How long the seat of a client whose connection was lost is kept before the others in the room are told.
    pub seat_kept: Duration,
    /// The media servers that clients get credentials for.
    pub media: MediaServers,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            public_url: None,
            socket: SocketLimits::default(),
            seat_kept: Duration::from_secs(20),
            media: MediaServers::default(),
        }
    }
}

/// The dialect's routes. It answers below its own prefixes only.
pub fn router(ctx: Arc<Ctx>, options: Options) -> Router {
    actions::routes(Arc::clone(&ctx))
        .merge(admission::routes(Arc::clone(&ctx), options.media.clone()))
        .merge(rooms::routes(Arc::clone(&ctx)))
        .merge(gate::routes(ctx, options))
}
