//! Entries of an inbox as these SDKs are sent them.

use yinxin_core::messages::{Entry, Kind};
use yinxin_floo::encode::Heading;
use yinxin_floo::wire::{Meta, OperationType, RosterNoticeType, Xid};

use super::bodies;

/// Who an entry is between.
pub(super) struct Parties {
    /// The sender.
    pub from: Xid,
    /// The other of the conversation.
    pub peer: u64,
    /// Whether the owner of the inbox is the sender.
    pub is_own: bool,
}

/// What an entry of `owner`'s inbox looks like on the wire. Nothing: it is of a kind that these SDKs do not know.
pub(super) fn metas(parties: &Parties, owner: u64, entry: &Entry) -> Vec<Meta> {
    let heading = heading(parties, owner, entry);
    let conversation = Xid::user(parties.peer);
    let text = String::from_utf8_lossy(&entry.payload);
    // One for each message.
    let done = |operation: OperationType| {
        let ids = text.split(' ').filter_map(|id| id.parse().ok());
        ids.map(|mid| heading.message(&bodies::operation(operation, mid, conversation))).collect()
    };
    match Kind::from_number(entry.kind) {
        Some(Kind::Chat | Kind::About) => {
            let body = bodies::to_floo(&entry.payload, conversation);
            body.map(|body| heading.message(&body)).into_iter().collect()
        }
        Some(Kind::Erased) => done(OperationType::Delete),
        Some(Kind::Unread) => done(OperationType::ReadCancel),
        Some(Kind::Hidden) => vec![heading.removed(conversation)],
        kind => {
            let notice = ROSTER.iter().find(|(known, _)| Some(*known) == kind);
            notice.map(|(_, notice)| heading.roster(*notice, &text)).into_iter().collect()
        }
    }
}

fn heading(parties: &Parties, owner: u64, entry: &Entry) -> Heading {
    Heading {
        id: entry.message_id.cast_unsigned(),
        from: parties.from,
        to: Xid::user(if parties.is_own { parties.peer } else { owner }),
        at_ms: entry.sent_ms,
    }
}

/// What is told about contacts. Only an invitation says something beside, its reason.
const ROSTER: [(Kind, RosterNoticeType); 5] = [
    (Kind::Invited, RosterNoticeType::Applied),
    (Kind::Accepted, RosterNoticeType::Accepted),
    (Kind::Declined, RosterNoticeType::Declined),
    (Kind::Removed, RosterNoticeType::Removed),
    (Kind::Added, RosterNoticeType::Added),
];
