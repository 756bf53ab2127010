//! Bodies that a server writes itself: for an app's server that sends messages over REST.

use prost::Message as _;
use serde_json::{Map, Value};

use super::{content, key_values};
use crate::wire::{Content, Jid, MessageBody, MessageType};

/// A body in the making.
#[derive(Clone, Debug, PartialEq)]
pub struct Body(MessageBody);

impl Body {
    /// A body without content yet.
    pub fn new(kind: MessageType, from: &str, to: &str) -> Self {
        Self(MessageBody {
            r#type: Some(kind.into()),
            from: Some(Jid::named(from)),
            to: Some(Jid::named(to)),
            ..MessageBody::default()
        })
    }

    /// With one more content.
    #[must_use]
    pub fn content(mut self, content: Content) -> Self {
        self.0.contents.push(content);
        self
    }

    /// With the application's extension.
    #[must_use]
    pub fn ext(mut self, ext: &Map<String, Value>) -> Self {
        self.0.ext = key_values(ext);
        self
    }

    /// About a message, by the server's id: for receipts and recalls.
    #[must_use]
    pub fn about(mut self, message_id: u64) -> Self {
        self.0.ack_message_id = Some(message_id);
        self
    }

    /// The payload of a meta.
    pub fn encode(&self) -> Vec<u8> {
        self.0.encode_to_vec()
    }
}

/// A text to a user.
pub fn text_body(from: &str, to: &str, text: &str) -> Vec<u8> {
    Body::new(MessageType::Chat, from, to).content(content::text(text)).encode()
}
