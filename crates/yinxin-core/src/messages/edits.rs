//! Changing a message that was sent: on both sides, by its sender, a few times.
//!
//! What the message becomes is the dialect's business: it gives a function from the message as it is and the change as
//! it was sent.

use yinxin_store::tables::inbox;
use yinxin_store::{AppId, Sql, UserId};

use super::{Entry, Kind, Right, Sending};
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

/// A change that may be made.
pub(super) struct Change {
    pub edited: Edited,
    pub rewritten: Rewritten,
}

/// Looks whether the message can be changed as `entry` says, and what comes of it.
pub(super) async fn prepare(
    sql: &mut dyn Sql,
    app: AppId,
    (sender, to): (UserId, &str),
    entry: &Entry,
    edit: &Edit,
) -> Result<Change> {
    let message = edit.message;
    let (original, edits) = inbox::to_edit(sql, app, sender, to, message)
        .await?
        .filter(|(original, _)| message >= kept_from(entry.sent_ms) && original.kind == Kind::Chat.number())
        .ok_or_else(|| Error::about(Code::EditNotFound, message.to_string()))?;
    if original.sender != entry.sender {
        return Err(Code::EditForbidden.into());
    }
    if edits >= EDITS_MAX {
        return Err(Error::over(Code::EditsSpent, EDITS_MAX));
    }
    let edited = Edited { message, count: edits + 1, sent_ms: original.sent_ms };
    let stamp = Stamp { count: edited.count, at_ms: entry.sent_ms };
    let rewritten = (edit.apply)(&original, &entry.payload, &stamp).ok_or(Code::EditIllegal)?;
    if rewritten.payload.len().max(rewritten.news.len()) > MESSAGE_BYTES_MAX {
        return Err(Error::over(Code::MessageTooLarge, MESSAGE_BYTES_MAX));
    }
    Ok(Change { edited, rewritten })
}

/// Changes both copies of the message; gives what was changed, and the payload of the news.
pub(super) async fn make(sql: &mut dyn Sql, input: &Sending, sender: UserId, edit: &Edit) -> Result<(Edited, Vec<u8>)> {
    let Sending { right: Right { app, receiver, .. }, to, entry, .. } = input;
    let Change { edited, rewritten } = prepare(sql, *app, (sender, to), entry, edit).await?;
    let (message, edits) = (edited.message, edited.count - 1);
    if !inbox::edit(sql, *app, sender, to, message, edits, &rewritten.payload).await? {
        return Err(Code::EditRaced.into());
    }
    if sender != *receiver {
        // The receiver may have removed its copy. One that has not arrived yet arrives as it is now.
        inbox::edit(sql, *app, *receiver, &entry.sender, message, edits, &rewritten.payload).await?;
    }
    Ok((edited, rewritten.news))
}
