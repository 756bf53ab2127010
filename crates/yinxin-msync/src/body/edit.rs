//! A message that its sender changes: what it becomes, and what those are told who have it.

use serde_json::{Map, Value, json};

use super::{CONTENTS, EDIT_SCOPE, EXT, META, inspect, meta};
use crate::Malformed;
use crate::fields::fields;
use crate::wire::{ContentType, EditScope};

/// What is known of a change.
#[derive(Clone, Copy, Debug)]
pub struct EditFacts<'a> {
    /// Who sent the message, and changes it.
    pub sender: &'a str,
    /// When it was sent, milliseconds since 1970.
    pub sent_ms: i64,
    /// When it is changed.
    pub edited_ms: i64,
    /// How often it was changed, this time counted.
    pub count: i64,
}

impl EditFacts<'_> {
    /// What clients are told of it, under the key they look for.
    pub fn meta(&self) -> Map<String, Value> {
        let edit = json!({
            "sender": self.sender,
            "send_time": self.sent_ms,
            "chat_type": "chat:user",
            "count": self.count,
            "operator": self.sender,
            "edit_time": self.edited_ms,
        });
        Map::from_iter([("edit_msg".to_owned(), edit)])
    }
}

/// The two bodies that a change makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The message as it is from now on.
    pub message: Vec<u8>,
    /// The change, complete, for those who have the message.
    pub news: Vec<u8>,
}

/// Applies a change, whose names are true already, to a message. `None`: a message of its type cannot be changed so.
///
/// Of a text and of an application's own message everything may change; of one with a file or a place only the
/// extension; of a command nothing. Source: the web SDK's type declarations, `modifyMessage`.
pub fn edit(message: &[u8], change: &[u8], facts: &EditFacts<'_>) -> Result<Option<Edited>, Malformed> {
    let (before, after) = (inspect(message)?, inspect(change)?);
    let Some(content) = before.content.filter(|content| after.content == Some(*content)) else { return Ok(None) };
    let new_contents = match content {
        ContentType::Text | ContentType::Custom => true,
        ContentType::Command => return Ok(None),
        _ => false,
    };
    let (before, after) = (Parts::of(message)?, Parts::of(change)?);
    let contents = if new_contents { &after.contents } else { &before.contents };
    let ext = if after.scope == Some(EditScope::BodyAndExt.into()) { &after.ext } else { &before.ext };
    let mut meta = meta::of_clients(if new_contents { after.meta } else { before.meta });
    meta.extend(facts.meta());
    let whole = |rest: &[u8]| {
        let mut body = [rest, contents, ext].concat();
        meta::put(&mut body, &meta);
        body
    };
    Ok(Some(Edited { message: whole(&before.rest), news: whole(&after.rest) }))
}

/// A body taken apart; each part keeps the bytes of its fields.
#[derive(Default)]
struct Parts<'a> {
    contents: Vec<u8>,
    ext: Vec<u8>,
    meta: &'a [u8],
    scope: Option<i32>,
    rest: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn of(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut parts = Self::default();
        for field in fields(body) {
            let field = field?;
            match field.number {
                CONTENTS => parts.contents.extend_from_slice(field.raw),
                EXT => parts.ext.extend_from_slice(field.raw),
                META => parts.meta = field.bytes()?,
                number => {
                    if number == EDIT_SCOPE {
                        parts.scope = Some(field.enumeration()?);
                    }
                    parts.rest.extend_from_slice(field.raw);
                }
            }
        }
        Ok(parts)
    }
}
