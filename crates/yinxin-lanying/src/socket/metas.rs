//! Entries of an inbox as these SDKs are sent them.

use yinxin_core::messages::{Entry, Kind};
use yinxin_floo::encode::Heading;
use yinxin_floo::wire::{Meta, RosterNoticeType, Xid};

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

/// What an entry of `owner`'s inbox looks like on the wire. `None`: it is of a kind that these SDKs do not know.
pub(super) fn meta(parties: &Parties, owner: u64, entry: &Entry) -> Option<Meta> {
    let heading = Heading {
        id: entry.message_id.cast_unsigned(),
        from: parties.from,
        to: Xid::user(if parties.is_own { parties.peer } else { owner }),
        at_ms: entry.sent_ms,
    };
    match Kind::from_number(entry.kind)? {
        Kind::Chat | Kind::About => Some(heading.message(&bodies::to_floo(&entry.payload, Xid::user(parties.peer))?)),
        kind => {
            let (_, notice) = ROSTER.iter().find(|(known, _)| *known == kind)?;
            Some(heading.roster(*notice, &String::from_utf8_lossy(&entry.payload)))
        }
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
