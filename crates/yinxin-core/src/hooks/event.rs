//! The events, and the form in which one travels.

use serde::Serialize;
use serde_json::Value;

use crate::clock::rfc3339;

/// What a backend can be told of, or asked about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A message was stored, or given to a receiver who is there.
    MessageSent,
    /// A message got another content.
    MessageEdited,
    /// A message was taken back by its sender.
    MessageRecalled,
    /// A receiver's device says that it has a message.
    MessageDelivered,
    /// A receiver's device says that a message was read.
    MessageRead,
    /// A device has logged in.
    SessionStarted,
    /// A device is gone.
    SessionEnded,
    /// The app's backend has asked for a push: this is part of whom it is for.
    PushRequested,
    /// A user wants to send a message: the question to a hook that may veto.
    MessageSending,
    /// An operator tries a hook.
    Test,
}

impl Event {
    /// What a hook can be told of.
    pub const ALL: [Self; 8] = [
        Self::MessageSent,
        Self::MessageEdited,
        Self::MessageRecalled,
        Self::MessageDelivered,
        Self::MessageRead,
        Self::SessionStarted,
        Self::SessionEnded,
        Self::PushRequested,
    ];

    /// What a hook is told of when nobody says. Receipts, of which there may be two a message, are not among it; nor are
    /// pushes: whoever takes them is to send them.
    pub const DEFAULT: [Self; 5] =
        [Self::MessageSent, Self::MessageEdited, Self::MessageRecalled, Self::SessionStarted, Self::SessionEnded];

    /// The name on the wire, in storage and in our own API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MessageSent => "message.sent",
            Self::MessageEdited => "message.edited",
            Self::MessageRecalled => "message.recalled",
            Self::MessageDelivered => "message.delivered",
            Self::MessageRead => "message.read",
            Self::SessionStarted => "session.started",
            Self::SessionEnded => "session.ended",
            Self::PushRequested => "push.requested",
            Self::MessageSending => "message.sending",
            Self::Test => "hook.test",
        }
    }

    /// Reads the name of one a hook can be told of; `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == text)
    }
}

/// The body of a call.
pub(super) fn payload(event: Event, at_ms: i64, data: &Value) -> String {
    #[derive(Serialize)]
    struct Payload<'a> {
        r#type: &'a str,
        timestamp: String,
        data: &'a Value,
    }
    let payload = Payload { r#type: event.name(), timestamp: rfc3339(at_ms), data };
    // Texts and values always serialize.
    serde_json::to_string(&payload).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_read_back() {
        for event in Event::ALL {
            assert_eq!(Event::parse(event.name()), Some(event));
        }
        assert_eq!(Event::parse("message.sending"), None, "a question is not subscribed to");
        assert_eq!(Event::parse("hook.test"), None);
    }

    #[test]
    fn a_payload_says_what_when_and_the_rest() {
        let payload = payload(Event::MessageSent, 0, &json!({ "app": "o#a" }));
        assert_eq!(payload, r#"{"type":"message.sent","timestamp":"1970-01-01T00:00:00.000Z","data":{"app":"o#a"}}"#);
    }
}
