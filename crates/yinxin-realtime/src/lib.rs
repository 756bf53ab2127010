//! Who is connected: the registry of sessions behind the domain's port [`Sessions`](yinxin_core::sessions::Sessions).
//!
//! Owns the list of connections and their bounds. Must not know a wire format, a socket or a timer: a connection gives
//! a [`Line`] by which it is told to look into its inbox or to end, and drops its [`Registration`] when it has. [`Delivery`]
//! decides what a connection sends next; it is a state machine without I/O.

mod delivery;
mod registry;

pub use delivery::{Action, Delivery, Event};
pub use registry::{Bounds, Ending, Line, Refused, Registration, Registry, SessionId};
