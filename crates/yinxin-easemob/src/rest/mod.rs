//! The REST calls, `/{org}/{app}/…`.
//!
//! A request goes through [`dispatch`]: app, rate, then the handler's arguments in order (the right to do it, as a
//! type; then the body), the use case, and an [`answer::Answer`] or an error, which only here becomes text.

mod answer;
mod body;
mod call;
mod calls;
pub(crate) mod cors;
mod dispatch;
mod entity;
mod errors;
mod op;
mod query;
mod rights;
mod routes;

use axum::response::Response;
pub use routes::{Route, router, routes};
use yinxin_core::apps::Profile;
use yinxin_core::limits::SocketLimits;
use yinxin_core::{Code, Error};

/// How the dialect meets the world.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `scheme://host[:port]` that replies print instead of the one the request was sent to.
    pub public_url: Option<String>,
    /// Bounds of the chat SDK's connections.
    pub socket: SocketLimits,
}

/// The answer to a path outside every app.
pub(crate) fn no_such_path(path: &str, now_ms: i64) -> Response {
    let error = Error::about(Code::AppNotFound, path.trim_start_matches('/'));
    errors::render(op::Op::Unknown, Profile::default(), &error, now_ms)
}
