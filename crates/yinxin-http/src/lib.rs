//! The HTTP kit: the accept loop, its limits and timeouts, request ids, the client's address, forms and ranges, the last
//! net under a panic, metrics and probes.
//!
//! Owns the sockets and everything that is the same for every call. Must not know a vendor, the domain or the store:
//! every answer with a body is made by a dialect, and what this crate answers itself has an empty body.
//!
//! The path of a request is one hyper service around one axum router: no stack of layers, one request extension
//! ([`Arrival`]), metrics through handles made beforehand, no log line at info level.
//!
//! HTTP/1.1 only; [`websocket`] is what it is upgraded to.

mod arrival;
mod body;
mod connection;
mod form;
mod listen;
pub mod metrics;
mod options;
pub mod panics;
pub mod probes;
mod proxies;
mod range;
mod registry;
mod reply;
mod serve;
mod service;
pub mod websocket;

pub use arrival::{Arrival, RequestId, head_bytes};
pub use body::{BodyFault, PacedBody, read_body};
pub use form::{Field, Form, FormFault};
pub use listen::bind;
pub use options::{Network, NetworkFault, ServeOptions};
pub use range::{Asked, asked_range};
pub use reply::json_response;
pub use serve::{Drained, serve};
