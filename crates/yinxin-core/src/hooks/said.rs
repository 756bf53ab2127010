//! What events and questions say of a message.

use serde_json::{Map, Value, json};

use super::Event;
use crate::messages::{Act, Receipt};

/// What a message says, in words that are no dialect's: the form in which a backend sees it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Content {
    /// In practice one. Each has a `type`: `txt` with `msg`; `img`, `audio`, `video` and `file` with `url`, `secret`,
    /// `filename`, `file_length` and what else belongs to it; `loc` with `lat`, `lng`, `addr`; `cmd` with `action`;
    /// `custom` with `customEvent` and `customExts`.
    pub bodies: Vec<Value>,
    /// The application's extension.
    pub ext: Map<String, Value>,
}

/// A message in the making, or made.
pub(crate) struct Said<'a> {
    pub app_key: &'a str,
    pub from: &'a str,
    pub to: &'a str,
    /// The sending device; empty for a backend.
    pub origin: &'a str,
    pub act: Act,
    pub online_only: bool,
    /// Its id and time, once it has them.
    pub sent: Option<(i64, i64)>,
}

/// The event that a message makes, if any: a receipt for a whole conversation is none.
pub(crate) fn event_of(act: Act) -> Option<Event> {
    match act {
        Act::Says => Some(Event::MessageSent),
        Act::Edits(_) => Some(Event::MessageEdited),
        Act::Recalls(_) => Some(Event::MessageRecalled),
        Act::Confirms(Receipt::Delivered(_)) => Some(Event::MessageDelivered),
        Act::Confirms(Receipt::Read(_)) => Some(Event::MessageRead),
        Act::Confirms(Receipt::Conversation) => None,
    }
}

impl Said<'_> {
    /// Messages between two users stand one behind the other, whoever writes.
    pub fn lane(&self) -> String {
        let (first, second) = if self.from < self.to { (self.from, self.to) } else { (self.to, self.from) };
        // No user name has a space.
        format!("{first} {second}")
    }

    /// The data of an event or a question; `content` is asked for only when the message has one.
    pub fn data(&self, content: impl FnOnce() -> Content) -> Value {
        let mut data = json!({
            "app": self.app_key,
            "chat_type": "chat",
            "from": self.from,
            "to": self.to,
            "sent_by": if self.origin.is_empty() { "backend" } else { "device" },
        });
        if let Some((id, time_ms)) = self.sent {
            // JavaScript's numbers end before such an id does.
            data["id"] = id.to_string().into();
            data["time"] = time_ms.into();
        }
        if !self.origin.is_empty() {
            data["device"] = self.origin.into();
        }
        if let Some(about) = self.act.about() {
            data["about"] = about.to_string().into();
        }
        if self.act.has_content() {
            let Content { bodies, ext } = content();
            data["online_only"] = self.online_only.into();
            data["bodies"] = bodies.into();
            data["ext"] = ext.into();
        }
        data
    }
}

/// A question about a message of nobody, for an operator who tries a hook.
pub(super) fn sample(app_key: &str) -> Value {
    let body = json!({ "type": "txt", "msg": "a test by the operator" });
    let content = Content { bodies: vec![body], ext: Map::new() };
    let said =
        Said { app_key, from: "nobody", to: "nobody", origin: "test", act: Act::Says, online_only: true, sent: None };
    said.data(|| content)
}
