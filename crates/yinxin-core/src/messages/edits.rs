//! Changing a message that was sent: on both sides, by its sender, a few times.
//!
//! What the message becomes is the dialect's business: it gives a function from the message as it is and the change as
//! it was sent.

use yinxin_store::tables::inbox;
use yinxin_store::{Sql, UserId};

use super::{Entry, Kind, Sending};
use crate::error::{Code, Error, Result};
use crate::limits::{EDITS_MAX, MESSAGE_BYTES_MAX};
use crate::retention::kept_from;

/// A change of a message.
#[derive(Clone, Copy, Debug)]
pub struct Edit {
    /// The message.
    pub message: i64,
    /// What it becomes; `None`: a message of its type cannot be changed so.
    pub apply: fn(message: &Entry, sent: &[u8], stamp: &Stamp) -> Option<Rewritten>,
}

/// When a message is changed, and how often that makes it.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// This change counted.
    pub count: i64,
    /// The time of the change.
    pub at_ms: i64,
}

/// What comes of a change.
#[derive(Clone, Debug)]
pub struct Rewritten {
    /// The message as it is kept from now on.
    pub payload: Vec<u8>,
    /// What those are told who have it already.
    pub news: Vec<u8>,
}

/// A change that was made.
#[derive(Clone, Copy, Debug)]
pub struct Edited {
    /// The message.
    pub message: i64,
    /// How often it was changed, this time counted.
    pub count: i64,
    /// When it was sent.
    pub sent_ms: i64,
}

/// Changes both copies of the message; gives what was changed, and the payload of the news.
pub(super) async fn rewrite(
    sql: &mut dyn Sql,
    input: &Sending,
    sender: UserId,
    edit: Edit,
) -> Result<(Edited, Vec<u8>)> {
    let Sending { app, receiver, entry, .. } = input;
    let message = edit.message;
    let found = inbox::to_edit(sql, *app, sender, &receiver.username, message).await?;
    let (original, edits) = found
        .filter(|(original, _)| message >= kept_from(entry.sent_ms) && original.kind == Kind::Chat.number())
        .ok_or_else(|| Error::about(Code::EditNotFound, message.to_string()))?;
    if original.sender != entry.sender {
        return Err(Code::EditForbidden.into());
    }
    if edits >= EDITS_MAX {
        return Err(Error::over(Code::EditsSpent, EDITS_MAX));
    }
    let count = edits + 1;
    let stamp = Stamp { count, at_ms: entry.sent_ms };
    let Rewritten { payload, news } = (edit.apply)(&original, &entry.payload, &stamp).ok_or(Code::EditIllegal)?;
    if payload.len().max(news.len()) > MESSAGE_BYTES_MAX {
        return Err(Error::over(Code::MessageTooLarge, MESSAGE_BYTES_MAX));
    }
    if !inbox::edit(sql, *app, sender, &receiver.username, message, edits, &payload).await? {
        return Err(Code::EditRaced.into());
    }
    if sender != receiver.user {
        // The receiver may have removed its copy. One that has not arrived yet arrives as it is now.
        inbox::edit(sql, *app, receiver.user, &entry.sender, message, edits, &payload).await?;
    }
    Ok((Edited { message, count, sent_ms: original.sent_ms }, news))
}
