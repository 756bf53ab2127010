//! Who is connected: the registry of sessions behind the domain's port [`Sessions`](yinxin_core::sessions::Sessions).
//!
//! Owns the list of connections and their bounds. Must not know a wire format, a socket or a timer: a connection gives
//! a [`Closer`], which tells it to end, and drops its [`Registration`] when it has.

mod registry;

pub use registry::{Bounds, Closer, Ending, Refused, Registration, Registry, SessionId};
