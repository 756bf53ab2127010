//! Changing a message that was sent, in the SDK's words.

use serde_json::Value;
use yinxin_core::messages::{Edited, Entry, Rewritten, Stamp};
use yinxin_msync::body::{self, EditFacts};

/// What a message becomes by a change, as the core asks for it.
pub(crate) fn apply(message: &Entry, sent: &[u8], stamp: &Stamp) -> Option<Rewritten> {
    let Stamp { count, at_ms } = *stamp;
    let facts = EditFacts { sender: &message.sender, sent_ms: message.sent_ms, edited_ms: at_ms, count };
    let body::Edited { message, news } = body::edit(&message.payload, sent, &facts).ok()??;
    Some(Rewritten { payload: message, news })
}

/// What the sender's SDK wants to know of a change that was made.
pub(super) fn told(edited: &Edited, sender: &str, edited_ms: i64) -> Value {
    Value::Object(EditFacts { sender, sent_ms: edited.sent_ms, edited_ms, count: edited.count }.meta())
}
