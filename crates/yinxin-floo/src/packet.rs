//! Packets: Engine.IO 3 around Socket.IO 2 around frames.
//!
//! Owns the few packets that these SDKs use. Must not know what a frame says.
//!
//! A frame is an event `frame` with one binary attachment, which takes two messages of the websocket: a text
//! (`451-["frame",{"_placeholder":true,"num":0}]`) that announces it, and a binary one, whose first byte is 4.

use serde::Deserialize;
use serde_json::json;

use crate::Malformed;
use crate::limits::{ATTACHMENTS, TEXT_BYTES};

#[cfg(test)]
mod tests;

/// The event that frames travel in.
const EVENT: &str = "frame";
/// Engine.IO's number for a message.
const MESSAGE: u8 = 4;

/// A text that a client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A sign of life, to be answered with the same text.
    Ping(&'a str),
    /// So many binary messages follow; with `is_frame` there is one, and it is a frame.
    Announced {
        /// Binary messages to come, at least one.
        attachments: u8,
        /// Whether they are a frame.
        is_frame: bool,
    },
    /// The client hangs up.
    Close,
    /// Nothing to do.
    Nothing,
}

/// Reads a text of a client.
pub fn parse(text: &str) -> Result<Packet<'_>, Malformed> {
    if text.len() > TEXT_BYTES {
        return Err(Malformed("a text beyond the limit"));
    }
    let (kind, rest) = text.split_at_checked(1).ok_or(Malformed("an empty packet"))?;
    match kind {
        "1" => Ok(Packet::Close),
        "2" => Ok(Packet::Ping(rest)),
        // A pong, an upgrade's end, nothing.
        "3" | "5" | "6" => Ok(Packet::Nothing),
        "4" => message(rest),
        _ => Err(Malformed("a packet of an unknown kind")),
    }
}

/// The frame in a binary message.
pub fn attachment(bytes: &[u8]) -> Result<&[u8], Malformed> {
    match bytes.split_first() {
        Some((&MESSAGE, frame)) => Ok(frame),
        _ => Err(Malformed("bytes that are no message")),
    }
}

fn message(text: &str) -> Result<Packet<'_>, Malformed> {
    let (kind, rest) = text.split_at_checked(1).ok_or(Malformed("an empty message"))?;
    match kind {
        "1" => Ok(Packet::Close),
        // Coming to a namespace, events and acknowledgements without a frame, errors.
        "0" | "2" | "3" | "4" => Ok(Packet::Nothing),
        "5" => announced(rest, true),
        "6" => announced(rest, false),
        _ => Err(Malformed("a message of an unknown kind")),
    }
}

/// `COUNT-/namespace,IDJSON`, of which the namespace, its comma and the id may be missing.
fn announced(text: &str, is_event: bool) -> Result<Packet<'_>, Malformed> {
    let (count, rest) = text.split_once('-').ok_or(Malformed("attachments that are not counted"))?;
    let attachments = count.parse().ok().filter(|count| (1..=ATTACHMENTS).contains(count));
    let attachments = attachments.ok_or(Malformed("a number of attachments out of bounds"))?;
    let is_ours = !rest.starts_with('/');
    let json = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let is_frame = is_event && is_ours && attachments == 1 && is_event_of_one(json);
    Ok(Packet::Announced { attachments, is_frame })
}

fn is_event_of_one(json: &str) -> bool {
    #[derive(Deserialize)]
    struct Placeholder {
        #[serde(rename = "_placeholder")]
        is_placeholder: bool,
        num: u8,
    }
    matches!(
        serde_json::from_str::<(&str, Placeholder)>(json),
        Ok((EVENT, Placeholder { is_placeholder: true, num: 0 }))
    )
}

/// The first packet of a server: the session and how often the client gives a sign of life.
pub fn open(sid: &str, ping_interval_ms: u128, ping_timeout_ms: u128) -> String {
    let opening =
        json!({ "sid": sid, "upgrades": [], "pingInterval": ping_interval_ms, "pingTimeout": ping_timeout_ms });
    format!("0{opening}")
}

/// The second: the client has come in to the one namespace there is.
pub const CONNECTED: &str = "40";

/// The last, when the server ends it: without it the client's library connects again by itself.
pub const DISCONNECT: &str = "41";

/// What announces a frame of the server.
pub const ANNOUNCEMENT: &str = r#"451-["frame",{"_placeholder":true,"num":0}]"#;

/// The answer to a sign of life.
pub fn pong(said: &str) -> String {
    format!("3{said}")
}

/// A frame as the binary message that follows its announcement.
pub fn attach(frame: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(frame.len() + 1);
    bytes.push(MESSAGE);
    bytes.extend_from_slice(frame);
    bytes
}
