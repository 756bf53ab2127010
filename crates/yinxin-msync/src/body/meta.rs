//! What is said about a message beside what it says: JSON in a field of its own, partly the client's, partly the
//! server's.

use prost::encoding::{WireType, encode_key, encode_varint};
use serde_json::{Map, Value};

use super::META;
use crate::Malformed;
use crate::fields::fields;
use crate::shape::check;
use crate::wire::MessageBody;

/// What clients say there; everything else is the server's to say.
const OF_CLIENTS: [&str; 2] = [TRANSLATIONS, "thread"];
/// What the sender says the text means in other languages.
pub(super) const TRANSLATIONS: &str = "translations";

/// Leaves of what a client says about its message what is a client's to say: nobody but the server says that a message
/// was changed, or who likes it.
pub fn clean_meta(payload: &[u8]) -> Result<Vec<u8>, Malformed> {
    with_meta(payload, of_clients)
}

/// Adds what the server says about a message.
pub fn add_meta(payload: &[u8], of_server: &Map<String, Value>) -> Result<Vec<u8>, Malformed> {
    with_meta(payload, |text| {
        let mut meta: Map<String, Value> = serde_json::from_slice(text).unwrap_or_default();
        meta.extend(of_server.clone());
        meta
    })
}

/// Replaces the meta by what is made of it; none is empty.
fn with_meta(payload: &[u8], change: impl Fn(&[u8]) -> Map<String, Value>) -> Result<Vec<u8>, Malformed> {
    check::<MessageBody>(payload)?;
    let mut body = Vec::with_capacity(payload.len());
    let mut meta = &b""[..];
    for field in fields(payload) {
        let field = field?;
        if field.number == META {
            meta = field.bytes()?;
        } else {
            body.extend_from_slice(field.raw);
        }
    }
    put(&mut body, &change(meta));
    Ok(body)
}

/// The clients' part of a meta; what is no JSON object says nothing.
pub(super) fn of_clients(text: &[u8]) -> Map<String, Value> {
    let mut meta: Map<String, Value> = serde_json::from_slice(text).unwrap_or_default();
    meta.retain(|key, _| OF_CLIENTS.contains(&key.as_str()));
    meta
}

/// Adds a meta to a body; an empty one is none.
pub(super) fn put(body: &mut Vec<u8>, meta: &Map<String, Value>) {
    if meta.is_empty() {
        return;
    }
    let text = Value::Object(meta.clone()).to_string();
    encode_key(META, WireType::LengthDelimited, body);
    encode_varint(text.len() as u64, body);
    body.extend_from_slice(text.as_bytes());
}
