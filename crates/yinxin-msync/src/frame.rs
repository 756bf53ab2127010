//! What a client sends: one frame in, one typed command out.
//!
//! Owns the envelope and where a token may be. Must not know whether a token is good, who is logged in, or what an
//! answer looks like ([`crate::encode`]).

use std::fmt;

use serde::Deserialize;

use crate::Malformed;
use crate::fields::fields;
use crate::limits::FRAME_BYTES;
use crate::shape::read;
use crate::wire::{CommSyncUl, Command, Jid, Logout, Provision};

#[cfg(test)]
mod tests;

/// What clients put before a token.
const TOKEN_PREFIX: &str = "$t$";

/// A frame of a client.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// Login. Anything else before a successful one is out of order.
    Provision(Box<Login>),
    /// Asks which queues hold something; also the heartbeat. Always to be answered.
    Unread,
    /// Sends a meta, pulls from a queue, or acknowledges a page.
    Sync(Box<CommSyncUl>),
    /// Logout. The client closes at once and reads no answer.
    Logout(Logout),
    /// A command clients do not send, by its number.
    Other(i32),
}

/// A login as the client puts it; nothing of it is believed yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    /// Who claims to log in.
    pub guid: Jid,
    /// The token without its prefix. `None`: there was none.
    pub token: Option<Token>,
    /// The rest, with everything that held the token taken out.
    pub provision: Provision,
}

/// A token as the client sent it. Neither printed nor logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let token = text.strip_prefix(TOKEN_PREFIX).unwrap_or(text);
        (!token.is_empty()).then(|| Self(token.into()))
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

/// Reads a frame of at most `max_bytes`.
pub fn decode_within(bytes: &[u8], max_bytes: usize) -> Result<Frame, Malformed> {
    if bytes.len() > max_bytes {
        return Err(Malformed("a frame beyond the limit"));
    }
    let envelope = Envelope::open(bytes)?;
    Ok(match Command::try_from(envelope.command) {
        Ok(Command::Provision) => Frame::Provision(Box::new(envelope.login()?)),
        Ok(Command::Unread) => Frame::Unread,
        Ok(Command::Sync) => Frame::Sync(Box::new(read(envelope.payload)?)),
        Ok(Command::Logout) => Frame::Logout(read(envelope.payload)?),
        Ok(Command::Notice) | Err(_) => Frame::Other(envelope.command),
    })
}

/// Of [`crate::wire::MSync`] what the server looks at, where it lies.
#[derive(Default)]
struct Envelope<'a> {
    guid: Option<&'a [u8]>,
    auth: Option<&'a str>,
    command: i32,
    payload: &'a [u8],
}

impl<'a> Envelope<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut envelope = Self::default();
        for field in fields(bytes) {
            let field = field?;
            match field.number {
                2 => envelope.guid = Some(field.bytes()?),
                3 => envelope.auth = Some(field.text()?),
                8 => envelope.command = field.enumeration()?,
                9 => envelope.payload = field.bytes()?,
                _ => {}
            }
        }
        Ok(envelope)
    }

    /// Quirk(easemob): SDKs up to 4.21 send the token twice, in the envelope and in the JSON of the payload; the SDK in
    /// UI kit 3 only in the latter. The envelope's counts first.
    fn login(&self) -> Result<Login, Malformed> {
        let guid = read(self.guid.ok_or(Malformed("a login of nobody"))?)?;
        let mut provision: Provision = read(self.payload)?;
        let in_payload = provision.auth_token.take();
        provision.auth = None;
        let token = self.auth.and_then(Token::parse).or_else(|| token_of_json(&in_payload?));
        Ok(Login { guid, token, provision })
    }
}

/// The token in `{"token":"$t$…"}`. What is no such JSON holds no token.
fn token_of_json(text: &str) -> Option<Token> {
    #[derive(Deserialize)]
    struct AuthToken {
        token: String,
    }
    Token::parse(&serde_json::from_str::<AuthToken>(text).ok()?.token)
}
