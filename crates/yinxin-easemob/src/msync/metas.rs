//! Entries of an inbox as the metas of a page.

use yinxin_core::messages::{Entry, Kind};
use yinxin_msync::encode::Heading;
use yinxin_msync::wire::{Jid, Meta, RosterOperation, RouteType};

/// What an entry of `owner`'s queue looks like on the wire. `None`: of a kind this server does not know any more.
pub(crate) fn meta(app_key: &str, owner: &str, queue: &str, entry: Entry, was_online: bool) -> Option<Meta> {
    let kind = Kind::from_number(entry.kind)?;
    let to = if entry.sender == owner { queue } else { owner };
    let heading = Heading {
        id: entry.message_id.cast_unsigned(),
        from: Jid::device(app_key, &entry.sender, &entry.origin),
        to: Jid::user(app_key, to),
        timestamp_ms: entry.sent_ms,
    };
    let roster = |heading: Heading, operation| Some(heading.roster(operation, None));
    match kind {
        Kind::Chat | Kind::About => Some(heading.chat(entry.payload.into(), RouteType::All, was_online)),
        Kind::Invited => {
            let reason = String::from_utf8_lossy(&entry.payload).into_owned();
            Some(heading.roster(RosterOperation::Add, Some(&reason)))
        }
        Kind::Accepted => roster(heading, RosterOperation::RemoteAccept),
        Kind::Declined => roster(heading, RosterOperation::RemoteDecline),
        Kind::Removed => roster(heading, RosterOperation::Remove),
        Kind::Added => roster(heading, RosterOperation::Accept),
    }
}
