//! Entries of an inbox as the metas of a page.

use serde_json::{Value, json};
use yinxin_core::messages::{Entry, Kind};
use yinxin_core::reactions::Change;
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
        // Of a reader's own devices these SDKs know only that all was read.
        Kind::Unread => None,
        Kind::Pinned
        | Kind::Unpinned
        | Kind::Marked
        | Kind::Unmarked
        | Kind::Hidden
        | Kind::Erased
        | Kind::Reacted
        | Kind::MessagePinned
        | Kind::MessageUnpinned => Some(heading.notify(&notice(kind, to, queue, &entry)?)),
    }
}

/// A notice in the vendor's JSON. Source: the web SDK's handlers of these types.
fn notice(kind: Kind, to: &str, queue: &str, entry: &Entry) -> Option<Value> {
    let text = std::str::from_utf8(&entry.payload).unwrap_or_default();
    let conversation = |operation: &str, ext: Option<String>| {
        let mut data = json!({
            "op": operation,
            "id": to,
            "type": "chat",
            "from": entry.sender,
            "res": entry.origin,
            "ts": entry.sent_ms,
        });
        if let Some(ext) = ext {
            data["ext"] = ext.into();
        }
        Some(json!({ "type": "conv", "data": data }))
    };
    let mark = || Some(format!("mark_{text}"));
    match kind {
        Kind::Pinned => conversation("top", None),
        Kind::Unpinned => conversation("not_top", None),
        Kind::Marked => conversation("mark", mark()),
        Kind::Unmarked => conversation("mark_delete", mark()),
        Kind::Hidden => conversation("del", None),
        Kind::MessagePinned => conversation("pin", Some(text.to_owned())),
        Kind::MessageUnpinned => conversation("pin_delete", Some(text.to_owned())),
        Kind::Erased => {
            let data = json!({ "to": queue, "chatType": "chat", "resource": entry.origin });
            Some(json!({ "type": "roaming_delete", "data": data }))
        }
        Kind::Reacted => {
            let change: Change = serde_json::from_str(text).ok()?;
            let deed = if change.added { "create" } else { "delete" };
            let reaction = json!({
                "reaction": change.reaction,
                "count": change.reactors.len(),
                "userList": change.reactors,
                "op": [{ "operator": entry.sender, "reactionType": deed }],
            });
            let about = json!({
                "from": entry.sender,
                "to": to,
                "channel_type": "chat",
                "messageId": change.message.to_string(),
                "reactions": [reaction],
                "ts": entry.sent_ms,
            });
            Some(json!({ "type": "reaction", "data": [about] }))
        }
        _ => None,
    }
}
