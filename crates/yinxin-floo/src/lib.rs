//! Floo, the protocol that the vendor's IM SDKs speak over Socket.IO: texts and bytes to typed frames and back.
//!
//! Owns the packets of Engine.IO 3 and Socket.IO 2 as far as these SDKs use them ([`packet`], [`handshake`]), the schema
//! of the frames ([`wire`]), what a client may send ([`frame`]) and what a server sends ([`encode`]).
//!
//! Must not know sockets, the time, users, queues or tokens' meaning: everything here is a pure function of its
//! arguments. No input makes it panic, and no input makes it hold more memory than a small multiple of its own length.
//!
//! Source of the numbers and the rules: what the published web SDK (qnweb-im 1.0.5) was seen to send, to accept and to
//! choke on. Rules that the SDK makes a server pay for when broken are kept by construction: there is no way to build an
//! answer without a status or without a conversation, which the SDK reads without looking whether they are there.

pub mod encode;
pub mod frame;
pub mod handshake;
pub mod limits;
pub mod packet;
pub mod wire;

pub use frame::{Frame, decode};
pub use packet::Packet;

/// The text or the bytes are not what they should be; this says what is wrong with them and contains nothing of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed: {0}")]
pub struct Malformed(pub(crate) &'static str);
