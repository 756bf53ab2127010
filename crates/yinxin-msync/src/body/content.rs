//! The contents of the messages a server writes itself.
//!
//! Each sets the fields its kind needs and no more: one too many, even with its default value, and the SDK takes the
//! content for something else.

use serde_json::{Map, Value};

use super::key_values;
use crate::wire::{Content, ContentType, Size};

/// A file that lies somewhere else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attachment<'a> {
    /// Where.
    pub url: &'a str,
    /// What it takes to download it, if anything.
    pub secret: Option<&'a str>,
    /// Its name.
    pub name: Option<&'a str>,
    /// Its length in bytes.
    pub length: Option<i32>,
}

/// A text.
pub fn text(text: &str) -> Content {
    Content { text: Some(text.into()), ..of(ContentType::Text) }
}

/// An image; `size` in pixels.
pub fn image(file: Attachment<'_>, size: Option<Size>) -> Content {
    Content { size, ..attached(ContentType::Image, file) }
}

/// A recording; `duration_s` in seconds.
pub fn voice(file: Attachment<'_>, duration_s: Option<i32>) -> Content {
    Content { duration: duration_s, ..attached(ContentType::Voice, file) }
}

/// A video; `duration_s` in seconds, `thumbnail` its still.
pub fn video(file: Attachment<'_>, thumbnail: Option<Attachment<'_>>, duration_s: Option<i32>) -> Content {
    let still = thumbnail.unwrap_or_default();
    Content {
        duration: duration_s,
        thumbnail_remote_path: thumbnail.map(|still| still.url.into()),
        thumbnail_secret_key: still.secret.map(Into::into),
        thumbnail_display_name: still.name.map(Into::into),
        thumbnail_file_length: still.length,
        ..attached(ContentType::Video, file)
    }
}

/// A file.
pub fn file(file: Attachment<'_>) -> Content {
    attached(ContentType::File, file)
}

/// A place, in degrees, with its address and the name of the building.
pub fn location(latitude: f64, longitude: f64, address: Option<&str>, building: Option<&str>) -> Content {
    Content {
        latitude: Some(latitude),
        longitude: Some(longitude),
        address: address.map(Into::into),
        building_name: building.map(Into::into),
        ..of(ContentType::Location)
    }
}

/// Something for the application, shown to nobody.
pub fn command(action: &str, params: &Map<String, Value>) -> Content {
    Content { action: Some(action.into()), params: key_values(params), ..of(ContentType::Command) }
}

/// The application's own kind of message.
pub fn custom(event: &str, exts: &Map<String, Value>) -> Content {
    Content { custom_event: Some(event.into()), custom_exts: key_values(exts), ..of(ContentType::Custom) }
}

fn of(content_type: ContentType) -> Content {
    Content { r#type: Some(content_type.into()), ..Content::default() }
}

fn attached(content_type: ContentType, file: Attachment<'_>) -> Content {
    Content {
        remote_path: Some(file.url.into()),
        secret_key: file.secret.map(Into::into),
        display_name: file.name.map(Into::into),
        file_length: file.length,
        ..of(content_type)
    }
}
