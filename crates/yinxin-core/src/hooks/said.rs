//! What events and questions say of a message.

use serde_json::{Map, Value, json};

use super::Event;
use super::outbox::{self, Notes};
use crate::apps::App;
use crate::ctx::Ctx;
use crate::messages::{Act, Kind, Outgoing, Receipt};

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

/// A message in the making.
pub(crate) struct Said<'a> {
    pub app: &'a App,
    pub from: &'a str,
    pub to: &'a str,
    pub outgoing: &'a Outgoing,
}

/// The event that a message makes, if any: a receipt for a whole conversation is none.
fn event_of(act: Act) -> Option<Event> {
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
    /// The notes for hooks that want to know that it was sent.
    pub fn notes(&self, ctx: &Ctx, at_ms: i64) -> Option<Notes> {
        let event = event_of(self.outgoing.act)?;
        let data = || self.data(&self.outgoing.payload, Some(at_ms));
        outbox::notes(ctx, self.app, event, at_ms, (|| self.lane(), data))
    }

    /// Messages between two users stand one behind the other, whoever writes.
    fn lane(&self) -> String {
        let (first, second) = if self.from < self.to { (self.from, self.to) } else { (self.to, self.from) };
        // No user name has a space.
        format!("{first} {second}")
    }

    /// The data of the question whether receivers may be shown that payload.
    pub fn question(&self, payload: &[u8]) -> Value {
        self.data(payload, None)
    }

    /// The data of an event or a question: the id, and before it is sent the time, are not known.
    fn data(&self, payload: &[u8], time_ms: Option<i64>) -> Value {
        let Outgoing { origin, act, online_only, read, .. } = self.outgoing;
        let mut data = json!({
            "app": self.app.name.app_key(),
            "chat_type": "chat",
            "from": self.from,
            "to": self.to,
            "sent_by": if origin.is_empty() { "backend" } else { "device" },
        });
        if let Some(time_ms) = time_ms {
            data["time"] = time_ms.into();
        }
        if !origin.is_empty() {
            data["device"] = origin.as_str().into();
        }
        if let Some(about) = act.about() {
            data["about"] = about.to_string().into();
        }
        if act.has_content() {
            data["online_only"] = (*online_only).into();
            say(&mut data, read(payload));
        }
        data
    }
}

/// Writes into the data what is said.
pub(super) fn say(data: &mut Value, Content { bodies, ext }: Content) {
    data["bodies"] = bodies.into();
    data["ext"] = ext.into();
}

/// A question about a message of nobody, for an operator who tries a hook.
pub(super) fn sample(app: &App) -> Value {
    let read = |payload: &[u8]| {
        let body = json!({ "type": "txt", "msg": String::from_utf8_lossy(payload) });
        Content { bodies: vec![body], ext: Map::new() }
    };
    let outgoing = Outgoing {
        kind: Kind::Chat,
        origin: "test".to_owned(),
        payload: b"a test by the operator".to_vec(),
        act: Act::Says,
        online_only: true,
        read,
    };
    Said { app, from: "nobody", to: "nobody", outgoing: &outgoing }.question(&outgoing.payload)
}
