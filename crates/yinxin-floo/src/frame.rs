//! What a client sends: one frame in, one typed command out.
//!
//! Owns the envelope. Must not know whether a token is good, who is logged in, or what an answer looks like
//! ([`crate::encode`]).

use std::fmt;

use crate::Malformed;
use crate::limits::FRAME_BYTES;
use crate::wire::{self, Command, Provision, SyncUl};

/// A frame of a client.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// Login. Anything else before a successful one is out of order.
    Provision(Box<Login>),
    /// Asks in which conversations something waits; also the sign of life.
    Unread,
    /// Sends a meta, pulls from a conversation, acknowledges a page, or looks back.
    Sync(Box<SyncUl>),
    /// A command clients do not send, by its number.
    Other(i32),
}

/// A login as the client puts it; nothing of it is believed yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    /// The token.
    pub token: Token,
    /// The rest, with what is secret taken out.
    pub provision: Provision,
}

/// A token as the client sent it. Neither printed nor logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token's text, perhaps empty.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Reads a frame of at most [`FRAME_BYTES`].
pub fn decode(bytes: &[u8]) -> Result<Frame, Malformed> {
    decode_within(bytes, FRAME_BYTES)
}

/// Reads a frame of at most `max_bytes`. What is compressed or encrypted cannot be read: these SDKs do neither.
pub fn decode_within(bytes: &[u8], max_bytes: usize) -> Result<Frame, Malformed> {
    if bytes.len() > max_bytes {
        return Err(Malformed("a frame beyond the limit"));
    }
    let frame: wire::Frame = read(bytes)?;
    if frame.compress_method != 0 || frame.encrypt_method != 0 {
        return Err(Malformed("a frame that is compressed or encrypted"));
    }
    Ok(match Command::try_from(frame.command) {
        Ok(Command::Provision) => {
            let mut provision: Provision = read(&frame.payload)?;
            let token = Token(std::mem::take(&mut provision.token));
            provision.password.clear();
            Frame::Provision(Box::new(Login { token, provision }))
        }
        Ok(Command::Unread) => Frame::Unread,
        Ok(Command::Sync) => Frame::Sync(Box::new(read(&frame.payload)?)),
        Ok(Command::Notice) | Err(_) => Frame::Other(frame.command),
    })
}

/// Reads a message that lies in a frame.
pub fn read<T: prost::Message + Default>(bytes: &[u8]) -> Result<T, Malformed> {
    T::decode(bytes).map_err(|_| Malformed("bytes that are not of their message"))
}
