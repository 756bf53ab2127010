//! A body as the vendor's REST replies spell it.

use serde_json::{Map, Value, json};

use super::ext::values;
use crate::wire::{Content, ContentType, MessageBody, SubType};
use crate::{Malformed, read};

/// What of a message replies show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Digest {
    /// Its contents, in practice one.
    pub bodies: Vec<Value>,
    /// The application's extension.
    pub ext: Map<String, Value>,
    /// What is said about it beside that: changes, reactions.
    pub meta: Map<String, Value>,
}

/// Reads a body for a reply. Contents of a kind unknown here are left out.
pub fn digest(payload: &[u8]) -> Result<Digest, Malformed> {
    let body: MessageBody = read(payload)?;
    Ok(Digest {
        bodies: body.contents.iter().filter_map(shown).collect(),
        ext: values(&body.ext),
        meta: body.meta.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
    })
}

fn shown(content: &Content) -> Option<Value> {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let file = |kind: &str| {
        json!({
            "type": kind,
            "url": text(&content.remote_path),
            "secret": text(&content.secret_key),
            "filename": text(&content.display_name),
            "file_length": content.file_length.unwrap_or_default(),
        })
    };
    let with = |mut value: Value, key: &str, more: Value| {
        value[key] = more;
        value
    };
    let length = || content.duration.unwrap_or_default().into();
    // Absent, a type is the first.
    Some(match ContentType::try_from(content.r#type.unwrap_or_default()).ok()? {
        ContentType::Text if content.sub_type == Some(SubType::Combine.into()) => combined(content, file("txt")),
        ContentType::Combine => combined(content, file("txt")),
        ContentType::Text => json!({ "type": "txt", "msg": text(&content.text) }),
        ContentType::Image => {
            let size = content.size.unwrap_or_default();
            let size = json!({ "width": size.width.unwrap_or_default(), "height": size.height.unwrap_or_default() });
            let image = with(file("img"), "size", size);
            let is_gif = content.sub_type == Some(SubType::Gif.into());
            if is_gif { with(image, "subType", "sub_gif".into()) } else { image }
        }
        ContentType::Voice => with(file("audio"), "length", length()),
        ContentType::Video => {
            let video = with(file("video"), "length", length());
            let video = with(video, "thumb", text(&content.thumbnail_remote_path).into());
            with(video, "thumb_secret", text(&content.thumbnail_secret_key).into())
        }
        ContentType::File => file("file"),
        ContentType::Location => json!({
            "type": "loc",
            "lat": content.latitude.unwrap_or_default(),
            "lng": content.longitude.unwrap_or_default(),
            "addr": text(&content.address),
            "buildingName": text(&content.building_name),
        }),
        ContentType::Command => json!({ "type": "cmd", "action": text(&content.action) }),
        ContentType::Custom => {
            let exts = [values(&content.custom_exts)];
            json!({ "type": "custom", "customEvent": text(&content.custom_event), "customExts": exts })
        }
    })
}

/// A bundle of forwarded messages, which is a text to clients that do not know bundles.
fn combined(content: &Content, mut value: Value) -> Value {
    let text = |field: &Option<String>| Value::from(field.clone().unwrap_or_default());
    value["subType"] = "sub_combine".into();
    value["msg"] = text(&content.text);
    value["title"] = text(&content.title);
    value["summary"] = text(&content.summary);
    value["combineLevel"] = content.combine_level.unwrap_or_default().into();
    value
}
