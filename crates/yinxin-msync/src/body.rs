//! The body of a message: who it says it is from, what it is about, and bodies of the server's own.
//!
//! Owns the reading and rewriting of [`crate::wire::MessageBody`] in its bytes. Must not know who may write
//! to whom.
//!
//! A body is passed on as it came, not decoded and encoded again: fields of newer SDKs would be lost, and a field that
//! appears with its default value (`subType` 0) turns a text into something else for the receiving SDK.

use std::borrow::Cow;

use prost::Message as _;

use crate::Malformed;
use crate::fields::{Field, fields};
use crate::shape::check;
use crate::wire::{ContentType, Jid, MessageBody, MessageType};

mod build;
pub mod content;
mod describe;
mod digest;
mod edit;
mod ext;
mod meta;

pub use build::{Body, text_body};
pub use describe::{Description, describe};
pub use digest::{Digest, digest};
pub use edit::{EditFacts, Edited, edit};
pub use ext::{key_values, values};
pub use meta::{add_meta, clean_meta};

#[cfg(test)]
mod tests;

const TYPE: u32 = 1;
const FROM: u32 = 2;
const TO: u32 = 3;
const CONTENTS: u32 = 4;
const EXT: u32 = 5;
const ACK_MESSAGE_ID: u32 = 6;
const META: u32 = 9;
const EDIT_MESSAGE_ID: u32 = 11;
const EDIT_SCOPE: u32 = 12;

/// Replaces what the sender wrote as `from` and `to` by the given names, and copies every other field's bytes as they
/// are and in their order, known or not.
///
/// The receiving SDK shows these two names, so this is what keeps one user from speaking as another. That is also why
/// the whole body is checked first, to its depth: a length where a number belongs, an inner field that reaches beyond
/// its message, or a tag of more than 32 bits makes readers in JavaScript find a `from` where there is none.
pub fn rewrite_identity(payload: &[u8], from: &str, to: &str) -> Result<Vec<u8>, Malformed> {
    check::<MessageBody>(payload)?;
    let identity = MessageBody { from: Some(Jid::named(from)), to: Some(Jid::named(to)), ..MessageBody::default() }
        .encode_to_vec();
    let mut body = Vec::with_capacity(payload.len() + identity.len());
    let mut identity = Some(identity);
    for field in fields(payload) {
        let field = field?;
        // Where an SDK writes them: after the type.
        if field.number != TYPE {
            body.extend(identity.take().unwrap_or_default());
        }
        if field.number != FROM && field.number != TO {
            body.extend_from_slice(field.raw);
        }
    }
    body.extend(identity.unwrap_or_default());
    Ok(body)
}

/// What a server wants to know of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodySummary<'a> {
    /// What it is. `None`: a number unknown here.
    pub kind: Option<MessageType>,
    /// The server's id of the message that a receipt or recall is about.
    pub ack_message_id: Option<u64>,
    /// The server's id of the message that an edit is about.
    pub edit_message_id: Option<u64>,
    /// Something is said about it beside what it says: see [`clean_meta`].
    pub has_meta: bool,
    /// What its first content is. `None`: it has none, or of a kind unknown here.
    pub content: Option<ContentType>,
    /// The text, if its first content is one. What is not UTF-8, such as half an emoji cut off by JavaScript, is
    /// replaced; only then is this a copy.
    pub text: Option<Cow<'a, str>>,
}

/// Reads what a server wants to know of a body, and checks the body as [`rewrite_identity`] does.
pub fn inspect(payload: &[u8]) -> Result<BodySummary<'_>, Malformed> {
    check::<MessageBody>(payload)?;
    let mut kind = 0;
    let mut first = None;
    let mut summary = BodySummary {
        kind: None,
        ack_message_id: None,
        edit_message_id: None,
        has_meta: false,
        content: None,
        text: None,
    };
    for field in fields(payload) {
        let field = field?;
        match field.number {
            TYPE => kind = field.enumeration()?,
            CONTENTS if first.is_none() => first = Some(field.bytes()?),
            ACK_MESSAGE_ID => summary.ack_message_id = Some(field.varint()?),
            META => summary.has_meta = true,
            EDIT_MESSAGE_ID => summary.edit_message_id = Some(field.varint()?),
            _ => {}
        }
    }
    summary.kind = MessageType::try_from(kind).ok();
    if let Some(content) = first {
        let (content_type, text) = inspect_content(content)?;
        summary.content = ContentType::try_from(content_type).ok();
        summary.text = text.filter(|_| summary.content == Some(ContentType::Text)).map(String::from_utf8_lossy);
    }
    Ok(summary)
}

fn inspect_content(content: &[u8]) -> Result<(i32, Option<&[u8]>), Malformed> {
    fields(content).try_fold((0, None), |(content_type, text), field| match field? {
        field @ Field { number: 1, .. } => Ok((field.enumeration()?, text)),
        field @ Field { number: 2, .. } => Ok((content_type, Some(field.bytes()?))),
        _ => Ok((content_type, text)),
    })
}
