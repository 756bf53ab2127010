//! The gate that the vendor's RTC SDKs join rooms through: [`invitation`] answers what they ask first, [`socket`] opens the
//! connection that they keep while they are in a room.
//!
//! [`protoo`] reads and writes the frames, [`session`] is the conversation without I/O, [`pipe`] owns the socket's limits and
//! timers, [`line`] is how the room reaches the connection, and [`conversation`] joins them up to the [`end`]. Who may come in,
//! and who is told what, is the core's.

mod conversation;
mod end;
mod invitation;
mod line;
mod pipe;
mod protoo;
mod session;
mod socket;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use yinxin_core::Ctx;
use yinxin_core::limits::SocketLimits;
use yinxin_http::metrics::OperationMetrics;

pub(crate) use session::role_number;

use crate::Options;

/// The socket's path; clients take it from the invitation.
const SOCKET: &str = "/nrtc/room";
/// The parameter of that address that says whose room is meant, where there is more than one server.
const APP: &str = "app";
/// A client beats every 6 s, but a page in the background may be slower; then it is asked.
const SILENCE: Duration = Duration::from_secs(20);
const ANSWER: Duration = Duration::from_secs(15);

/// What all connections share.
struct Gate {
    ctx: Arc<Ctx>,
    public_url: Option<String>,
    limits: SocketLimits,
    /// How long a seat is kept for a client that was lost before the others are told.
    seat_kept: Duration,
    invitations: OperationMetrics,
}

/// The gate's paths.
pub(crate) fn routes(ctx: Arc<Ctx>, options: Options) -> Router {
    let limits =
        SocketLimits { silence: SILENCE, answer: ANSWER, frame_bytes: protoo::FRAME_BYTES_MAX, ..options.socket };
    let gate = Gate {
        ctx,
        public_url: options.public_url,
        limits,
        seat_kept: options.seat_kept,
        invitations: OperationMetrics::new("room.invite", "netease"),
    };
    Router::new()
        .route("/nrtc/getChannelInfos.action", any(invitation::answer))
        .route(SOCKET, any(socket::open))
        .with_state(Arc::new(gate))
}
