//! Who is connected: the registry of sessions behind the domain's port [`LocalSessions`](yinxin_core::sessions::LocalSessions).
//!
//! Owns the list of connections and their bounds, and what every chat gateway does alike: a connection takes a [`Place`] and
//! is served by [`serve`] until its [`End`], between a [`Pipe`], which turns its socket into frames, and a [`Session`], which
//! answers them; [`line`] is how the registry reaches it. [`Delivery`] decides what a connection sends next; it is a state
//! machine without I/O, and [`Inbox`] reads and confirms for it. Must not know a wire format or a socket.

mod delivery;
mod end;
mod exchange;
mod inbox;
pub mod line;
mod registry;

pub use delivery::{Action, Delivery, Event};
pub use end::End;
pub use exchange::{Answering, Next, Pipe, Place, Session, serve};
pub use inbox::{Inbox, Show};
pub use registry::{Bounds, Line, Refused, Registration, Registry, SessionId};
pub use yinxin_core::sessions::Ending;
