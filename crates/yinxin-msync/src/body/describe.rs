//! What a body says, as JSON in the words of the REST API: for an app's server that is told of messages, or judges them.
//!
//! It judges what receivers will be shown. So nothing that is here is left out because the type does not ask for it,
//! and what is not UTF-8, such as half an emoji, hides nothing: it is replaced, as receivers do.

use serde_json::{Map, Value, json};

use super::{CONTENTS, EXT, META, meta};
use crate::Malformed;
use crate::fields::{self, Field, fields};
use crate::shape::check;
use crate::wire::{ContentType, MessageBody, ValueType};

/// What a body says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Description {
    /// Its contents, each with its `type` and its fields.
    pub bodies: Vec<Value>,
    /// The application's extension.
    pub ext: Map<String, Value>,
}

/// Reads what a body says, and checks the body as [`super::rewrite_identity`] does.
pub fn describe(payload: &[u8]) -> Result<Description, Malformed> {
    check::<MessageBody>(payload)?;
    let mut description = Description::default();
    let mut said_beside = &b""[..];
    for field in fields(payload) {
        let field = field?;
        match field.number {
            CONTENTS => description.bodies.push(content(field.bytes()?)?),
            EXT => entry(&mut description.ext, field.bytes()?)?,
            META => said_beside = field.bytes()?,
            _ => {}
        }
    }
    // Receivers show them with the text, in whatever form they are.
    if let Some(translations) = meta::of_clients(said_beside).remove(meta::TRANSLATIONS)
        && let Some(body) = description.bodies.first_mut()
    {
        body[meta::TRANSLATIONS] = translations;
    }
    Ok(description)
}

/// The fields of a content that have a name of their own in REST.
const fn name_of(number: u32) -> Option<&'static str> {
    Some(match number {
        2 => "msg",
        3 => "lat",
        4 => "lng",
        5 => "addr",
        6 => "filename",
        7 => "url",
        8 => "secret",
        9 => "file_length",
        10 => "action",
        12 => "length",
        13 => "size",
        14 => "thumb",
        15 => "thumb_secret",
        16 => "thumb_filename",
        17 => "thumb_file_length",
        18 => "thumb_size",
        19 => "customEvent",
        21 => "buildingName",
        22 => "subType",
        23 => "title",
        24 => "summary",
        25 => "combineLevel",
        _ => return None,
    })
}

fn content(content: &[u8]) -> Result<Value, Malformed> {
    let mut said = Map::new();
    let (mut kind, mut params, mut exts) = (0, Map::new(), Map::new());
    for field in fields(content) {
        let field = field?;
        match field.number {
            1 => kind = field.enumeration()?,
            11 => entry(&mut params, field.bytes()?)?,
            13 | 18 => {
                let name = name_of(field.number).unwrap_or_default();
                said.insert(name.to_owned(), size(field.bytes()?)?);
            }
            20 => entry(&mut exts, field.bytes()?)?,
            number => {
                if let Some(name) = name_of(number) {
                    said.insert(name.to_owned(), scalar(&field)?);
                }
            }
        }
    }
    let kind = ContentType::try_from(kind).ok();
    said.insert("type".to_owned(), type_name(kind).into());
    if !params.is_empty() {
        said.insert("params".to_owned(), params.into());
    }
    if !exts.is_empty() || kind == Some(ContentType::Custom) {
        said.insert("customExts".to_owned(), exts.into());
    }
    Ok(said.into())
}

const fn type_name(kind: Option<ContentType>) -> &'static str {
    match kind {
        Some(ContentType::Text) => "txt",
        Some(ContentType::Image) => "img",
        Some(ContentType::Video) => "video",
        Some(ContentType::Location) => "loc",
        Some(ContentType::Voice) => "audio",
        Some(ContentType::File) => "file",
        Some(ContentType::Command) => "cmd",
        Some(ContentType::Custom) => "custom",
        Some(ContentType::Combine) => "combine",
        None => "other",
    }
}

fn scalar(field: &Field<'_>) -> Result<Value, Malformed> {
    Ok(match field.value {
        fields::Value::Varint(_) => field.enumeration()?.into(),
        fields::Value::Fixed64(bytes) => f64::from_le_bytes(bytes).into(),
        fields::Value::Fixed32(bytes) => f32::from_le_bytes(bytes).into(),
        fields::Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into(),
    })
}

fn size(size: &[u8]) -> Result<Value, Malformed> {
    let mut said = json!({});
    for field in fields(size) {
        let field = field?;
        match field.number {
            1 => said["width"] = scalar(&field)?,
            2 => said["height"] = scalar(&field)?,
            _ => {}
        }
    }
    Ok(said)
}

/// Puts an entry of an extension into an object, with the value that the application wrote.
fn entry(object: &mut Map<String, Value>, entry: &[u8]) -> Result<(), Malformed> {
    let (mut key, mut kind, mut value) = (String::new(), None, Value::Null);
    for field in fields(entry) {
        let field = field?;
        match field.number {
            1 => key = String::from_utf8_lossy(field.bytes()?).into(),
            2 => kind = ValueType::try_from(field.enumeration()?).ok(),
            3 => value = field.varint()?.cast_signed().into(),
            4..=6 => value = scalar(&field)?,
            _ => {}
        }
    }
    object.insert(key, typed(kind, value));
    Ok(())
}

fn typed(kind: Option<ValueType>, value: Value) -> Value {
    match (kind, &value) {
        (Some(ValueType::Bool), Value::Number(number)) => (number.as_i64() != Some(0)).into(),
        (Some(ValueType::JsonString), Value::String(text)) => serde_json::from_str(text).unwrap_or(value),
        _ => value,
    }
}
