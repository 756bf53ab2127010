//! The REST calls, `/{org}/{app}/…`.
//!
//! A request goes through [`dispatch`]: app, rate, then the handler's arguments in order (the right to do it, as a
//! type; then the body), the use case, and an [`answer::Answer`] or an error, which only here becomes text.

mod answer;
mod body;
mod call;
mod calls;
mod cors;
mod dispatch;
mod entity;
mod errors;
mod op;
mod query;
mod rights;
mod routes;

pub use routes::router;

/// How the dialect meets the world.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `scheme://host[:port]` that replies print instead of the one the request was sent to.
    pub public_url: Option<String>,
}
