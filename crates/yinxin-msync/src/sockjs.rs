//! The part of SockJS that SDKs 4.0 to 4.8 need: the texts a frame is wrapped in on a websocket.
//!
//! Owns these texts. Must not know what is inside a frame, when a heartbeat is due, or the paths they are served at
//! (`/ws/info`, `/ws/{server}/{session}/websocket`). Source: the SockJS protocol 0.3.3, and what those SDKs were seen
//! to send.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};

use crate::Malformed;
use crate::limits::{FRAME_BYTES, SOCKJS_FRAMES, SOCKJS_ROOM_BYTES};

#[cfg(test)]
mod tests;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The answer to `GET …/info`; `entropy` is a random number.
pub fn info(entropy: u32) -> String {
    format!(r#"{{"websocket":true,"origins":["*:*"],"cookie_needed":false,"entropy":{entropy}}}"#)
}

/// The first text on a new connection.
pub const fn open() -> &'static str {
    "o"
}

/// Sent when nothing else was for a while; the SDK expects one about every 25 s.
pub const fn heartbeat() -> &'static str {
    "h"
}

/// One frame to the client.
pub fn message(frame: &[u8]) -> String {
    let mut text = String::with_capacity(frame.len().div_ceil(3) * 4 + 5);
    text.push_str("a[\"");
    BASE64.encode_string(frame, &mut text);
    text.push_str("\"]");
    text
}

/// The last text before the server closes, such as `3000` and `Go away!`.
pub fn close(code: u16, reason: &str) -> String {
    format!("c[{code},{}]", serde_json::Value::from(reason))
}

/// How much a client may send in one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of the text in bytes.
    pub text_bytes: usize,
    /// Number of frames.
    pub frames: usize,
    /// Length of one frame in bytes.
    pub frame_bytes: usize,
}

impl Limits {
    /// Room for one frame of that size, or several that are as large together.
    pub const fn for_frames_of(frame_bytes: usize) -> Self {
        let text_bytes = frame_bytes.div_ceil(3) * 4 + SOCKJS_ROOM_BYTES;
        Self { text_bytes, frames: SOCKJS_FRAMES, frame_bytes }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::for_frames_of(FRAME_BYTES)
    }
}

/// The frames in a client's text, `["<base64>", …]`; an empty text holds none.
pub fn parse_client(text: &str, limits: Limits) -> Result<Vec<Vec<u8>>, Malformed> {
    if text.len() > limits.text_bytes {
        return Err(Malformed("a text beyond the limit"));
    }
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let frames = Frames(limits).deserialize(&mut json).map_err(|_| Malformed("not a list of frames"))?;
    json.end().map_err(|_| Malformed("more than a list of frames"))?;
    Ok(frames)
}

/// Reads the list one element at a time, so that the limits hold before memory is taken.
struct Frames(Limits);

impl<'de> DeserializeSeed<'de> for Frames {
    type Value = Vec<Vec<u8>>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Frames {
    type Value = Vec<Vec<u8>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of frames")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut frames = Vec::new();
        while let Some(frame) = list.next_element_seed(Frame(self.0.frame_bytes))? {
            if frames.len() == self.0.frames {
                return Err(A::Error::custom("too many frames"));
            }
            frames.push(frame);
        }
        Ok(frames)
    }
}

/// Decodes one element where it lies, of at most so many bytes.
struct Frame(usize);

impl<'de> DeserializeSeed<'de> for Frame {
    type Value = Vec<u8>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Frame {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a frame in base64")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        BASE64.decode(text).ok().filter(|frame| frame.len() <= self.0).ok_or_else(|| E::custom("not a frame"))
    }
}
