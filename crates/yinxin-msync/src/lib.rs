//! MSYNC, the protocol that the vendor's chat SDKs speak over a websocket: bytes to typed frames and back.
//!
//! Owns the schema of the frames, what a client may send ([`frame`]), what a server sends ([`encode`], [`refusal`]),
//! the body of a message ([`body`]) and the SockJS wrapping that SDKs up to 4.8 put around a frame ([`sockjs`]).
//!
//! Must not know sockets, the time, users, queues or tokens' meaning: everything here is a pure function of its
//! arguments. No input makes it panic, and no input makes it hold more memory than a small multiple of its own length
//! and of the limits in [`limits`].
//!
//! Source of the numbers and the rules: what the published web SDK (easemob-websdk 4.0.8 to 4.21.1) was seen to send,
//! to accept and to choke on, and the vendor's public documentation. Rules the SDK makes a server pay for when broken
//! are kept by construction: there is no way to build a page that claims to be the last one, an answer without a
//! status, or a refusal that leaves the SDK waiting for ever.

pub mod body;
pub mod encode;
pub mod fields;
pub mod frame;
pub mod limits;
pub mod refusal;
mod shape;
pub mod sockjs;
pub mod wire;

pub use frame::{Frame, decode};
pub use refusal::{Kick, LoginRefusal, SendRefusal};
pub use shape::{Shaped, read};

/// The bytes are not what they should be; the text says what is wrong with them and contains nothing of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed: {0}")]
pub struct Malformed(pub(crate) &'static str);
