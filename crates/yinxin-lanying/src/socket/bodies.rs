//! Messages in the form that all dialects keep them in, which is a body of [`yinxin_msync`], and back: so that a message
//! of one dialect is read in the other.
//!
//! What has a place in such a body goes there. What has none, and is for these SDKs only, lies in one entry of the
//! extension, [`OWN`]: they get back what they sent, and whoever judges a message sees all of it.

use serde_json::{Map, Value, json};
use yinxin_core::messages::{Act, Receipt};
use yinxin_core::{Code, Result};
use yinxin_floo::wire::{ContentType, MessageBody, MessageType, Operation, OperationType, Xid};
use yinxin_msync::body::content::{self, Attachment};
use yinxin_msync::body::{self, Body, Description};
use yinxin_msync::wire::{Content, MessageType as KeptType, Size};

#[cfg(test)]
mod tests;

/// The entry of the extension for what has no other place.
const OWN: &str = "floo";
/// Entries of an extension that are kept one by one; one with more is kept as the text that it is.
const EXT_ENTRIES_MAX: usize = 64;
/// The name of a custom message that holds messages passed on.
const FORWARD: &str = "forward";
/// What a client that is typing says in the words of the other dialect's UI kits.
const TYPING: &str = "TypingBegin";
/// Where these SDKs say it.
const INPUT_STATUS: &str = "input_status";

/// A message of these SDKs as it is kept.
pub(super) fn from_floo(said: &MessageBody, act: Act, from: &str, to: &str) -> Result<Vec<u8>> {
    let (kind, about) = match act {
        Act::Confirms(Receipt::Read(id)) => (KeptType::ReadAck, Some(id)),
        Act::Confirms(Receipt::Delivered(id)) => (KeptType::DeliverAck, Some(id)),
        // Up to which message has no place in the act, but the user's other devices want to know.
        Act::Confirms(Receipt::Conversation) => {
            (KeptType::ChannelAck, said.operation.map(|operation| operation.mid.cast_signed()))
        }
        Act::Recalls(id) => (KeptType::Recall, Some(id)),
        _ => (KeptType::Chat, None),
    };
    let mut body = Body::new(kind, from, to);
    if let Some(id) = about {
        body = body.about(id.cast_unsigned());
    }
    if kind == KeptType::Chat {
        let (ext, attachment) = (object(&said.ext), object(&said.attachment).unwrap_or_default());
        body = body.content(content_of(said, ext.as_ref(), &attachment)).ext(&kept_ext(said, ext));
    }
    let payload = body.encode();
    // What could not be read again is not kept.
    body::inspect(&payload).map_err(|_| Code::BodyMalformed)?;
    Ok(payload)
}

fn content_of(said: &MessageBody, ext: Option<&Map<String, Value>>, attached: &Map<String, Value>) -> Content {
    let text = |names: [&str; 2]| names.iter().find_map(|name| attached.get(*name)?.as_str());
    let number = |name: &str| attached.get(name).and_then(Value::as_f64);
    let whole = |names: [&str; 2]| {
        let found = names.iter().find_map(|name| attached.get(*name)?.as_i64());
        found.and_then(|number| i32::try_from(number).ok())
    };
    let file = Attachment {
        url: text(["url", "url"]).unwrap_or_default(),
        secret: text(["secret", "secret"]),
        name: text(["dName", "displayName"]),
        length: whole(["fLen", "fileLength"]),
    };
    let size = || Some(Size { width: number("width"), height: number("height") }).filter(|size| size.width.is_some());
    match ContentType::try_from(said.ctype) {
        Ok(ContentType::Text) if said.content.is_empty() && ext.is_some_and(|ext| ext.contains_key(INPUT_STATUS)) => {
            content::command(TYPING, &Map::new())
        }
        Ok(ContentType::Text) => content::text(&said.content),
        Ok(ContentType::Image) => content::image(file, size()),
        Ok(ContentType::Audio) => content::voice(file, whole(["duration", "duration"])),
        Ok(ContentType::Video) => content::video(file, None, whole(["duration", "duration"])),
        Ok(ContentType::File) => content::file(file),
        Ok(ContentType::Location) => {
            let (latitude, longitude) = (number("lat").unwrap_or_default(), number("lon").unwrap_or_default());
            content::location(latitude, longitude, text(["addr", "address"]), None)
        }
        Ok(ContentType::Command) => content::command(&said.content, &Map::new()),
        Ok(ContentType::Forward) | Err(_) => content::custom(FORWARD, &Map::new()),
    }
}

/// The application's extension with [`OWN`] in it.
fn kept_ext(said: &MessageBody, ext: Option<Map<String, Value>>) -> Map<String, Value> {
    let (mut kept, as_text) = match ext {
        Some(ext) if ext.len() <= EXT_ENTRIES_MAX && !ext.contains_key(OWN) => (ext, ""),
        _ => (Map::new(), said.ext.as_str()),
    };
    let is_in_content = matches!(ContentType::try_from(said.ctype), Ok(ContentType::Text | ContentType::Command));
    let content = if is_in_content { "" } else { said.content.as_str() };
    let own = [
        ("attachment", said.attachment.as_str()),
        ("config", &said.config),
        ("content", content),
        ("ext", as_text),
        ("sender_name", &said.sender_name),
    ];
    let own: Map<String, Value> =
        own.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| ((*name).into(), (*text).into())).collect();
    if !own.is_empty() {
        kept.insert(OWN.to_owned(), own.into());
    }
    kept
}

/// What is kept as these SDKs are sent it; `conversation` is whose it is. `None`: it is something that they do not know.
pub(super) fn to_floo(payload: &[u8], conversation: Xid) -> Option<MessageBody> {
    let summary = body::inspect(payload).ok()?;
    let operation = match summary.kind? {
        KeptType::Normal | KeptType::Chat => return said(body::describe(payload).ok()?),
        KeptType::ReadAck => OperationType::ReadAck,
        KeptType::DeliverAck => OperationType::DeliverAck,
        KeptType::ChannelAck => OperationType::ReadAll,
        KeptType::Recall => OperationType::Recall,
        KeptType::Edit | KeptType::GroupChat | KeptType::ChatRoom => return None,
    };
    Some(self::operation(operation, summary.ack_message_id.unwrap_or_default(), conversation))
}

/// Something done to a message of a conversation.
pub(super) fn operation(operation: OperationType, mid: u64, conversation: Xid) -> MessageBody {
    MessageBody {
        r#type: MessageType::Oper.into(),
        ctype: ContentType::Command.into(),
        operation: Some(Operation { r#type: operation.into(), mid, xid: Some(conversation) }),
        ..MessageBody::default()
    }
}

fn said(description: Description) -> Option<MessageBody> {
    let Description { bodies, mut ext } = description;
    let Value::Object(content) = bodies.into_iter().next()? else { return None };
    let own = match ext.remove(OWN) {
        Some(Value::Object(own)) => own,
        _ => Map::new(),
    };
    let own = |name: &str| own.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (ctype, text, attachment) = shown(&content, &ext);
    let attached = own("attachment");
    Some(MessageBody {
        r#type: MessageType::Chat.into(),
        content: if text.is_empty() { own("content") } else { text },
        ctype: ctype.into(),
        // What is shown here is what is shown elsewhere.
        attachment: if is_of_same(&attached, &attachment) { attached } else { text_of(attachment) },
        config: own("config"),
        ext: if ext.is_empty() { own("ext") } else { text_of(ext) },
        sender_name: own("sender_name"),
        ..MessageBody::default()
    })
}

/// The type, the text and the attachment of a content.
fn shown(content: &Map<String, Value>, ext: &Map<String, Value>) -> (ContentType, String, Map<String, Value>) {
    let text = |name: &str| content.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let file = || {
        let names = [
            ("url", "url"),
            ("filename", "dName"),
            ("file_length", "fLen"),
            ("length", "duration"),
            ("secret", "secret"),
        ];
        let mut file: Map<String, Value> =
            names.iter().filter_map(|(from, to)| Some(((*to).to_owned(), content.get(*from)?.clone()))).collect();
        if let Some(Value::Object(size)) = content.get("size") {
            file.extend(size.clone());
        }
        file
    };
    let values = |name: &str| content.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    match text("type").as_str() {
        "img" => (ContentType::Image, String::new(), file()),
        "audio" => (ContentType::Audio, String::new(), file()),
        "video" => (ContentType::Video, String::new(), file()),
        "file" => (ContentType::File, String::new(), file()),
        "loc" => {
            let place = json!({ "lat": content.get("lat"), "lon": content.get("lng"), "addr": text("addr") });
            (ContentType::Location, String::new(), place.as_object().cloned().unwrap_or_default())
        }
        "cmd" if text("action") == TYPING && ext.contains_key(INPUT_STATUS) => {
            (ContentType::Text, String::new(), Map::new())
        }
        "cmd" => (ContentType::Command, text("action"), values("params")),
        "custom" if text("customEvent") == FORWARD => (ContentType::Forward, String::new(), values("customExts")),
        "custom" => (ContentType::Command, text("customEvent"), values("customExts")),
        "combine" => (ContentType::Text, text("title"), Map::new()),
        _ => (ContentType::Text, text("msg"), Map::new()),
    }
}

/// Whether the text that the sender wrote about a file or a place is about the one that all others are shown, if there is
/// one.
fn is_of_same(attached: &str, shown: &Map<String, Value>) -> bool {
    let Some(attached) = object(attached) else { return shown.is_empty() };
    let value = |of: &Map<String, Value>, name| {
        let value = of.get(name);
        (value.and_then(Value::as_f64), value.and_then(Value::as_str).map(ToOwned::to_owned))
    };
    shown.is_empty() || ["url", "lat", "lon"].iter().all(|name| value(&attached, *name) == value(shown, *name))
}

/// A text that is a JSON object.
fn object(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

/// An object as a text; an empty one as none.
fn text_of(object: Map<String, Value>) -> String {
    if object.is_empty() { String::new() } else { Value::Object(object).to_string() }
}
