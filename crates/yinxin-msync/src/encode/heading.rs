//! The metas a server puts on a page.

use prost::Message as _;

use super::wire_ms;
use crate::wire::{ErrorCode, Jid, Meta, Namespace, RosterBody, RosterOperation, RosterStatus, RouteType};

/// What every meta down has, whatever it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// The server's id: unique for the receiver, the same as the sender was told.
    pub id: u64,
    /// The sender, with its device if it has one.
    pub from: Jid,
    /// The receiver; for a group message the group.
    pub to: Jid,
    /// When the server accepted it, milliseconds since 1970.
    pub timestamp_ms: i64,
}

impl Heading {
    /// A message, a receipt, a recall. `body` comes from [`crate::body`], so that it tells the truth about from and to.
    /// `was_online`: whether the receiver was, when it was sent; the application sees it.
    pub fn chat(self, body: Vec<u8>, route: RouteType, was_online: bool) -> Meta {
        let meta = if was_online { r#"{"is_online":1}"# } else { r#"{"is_online":0}"# };
        Meta { routetype: Some(route.into()), meta: Some(meta.into()), ..self.meta(Namespace::Chat, body) }
    }

    /// A change among contacts, done by [`Self::from`]. `reason`: the inviter's words.
    pub fn roster(self, operation: RosterOperation, reason: Option<&str>) -> Meta {
        let body = RosterBody {
            operation: Some(operation.into()),
            status: Some(RosterStatus { error_code: Some(ErrorCode::Ok.into()), description: None }),
            from: Some(self.from.clone()),
            to: vec![self.to.clone()],
            reason: reason.map(Into::into),
            ..RosterBody::default()
        };
        self.meta(Namespace::Roster, body.encode_to_vec())
    }

    /// A notice in JSON.
    pub fn notify(self, json: &serde_json::Value) -> Meta {
        self.meta(Namespace::Notify, json.to_string().into_bytes())
    }

    pub(super) fn meta(self, namespace: Namespace, payload: Vec<u8>) -> Meta {
        Meta {
            id: Some(self.id),
            from: Some(self.from),
            to: Some(self.to),
            timestamp: Some(wire_ms(self.timestamp_ms)),
            ns: Some(namespace.into()),
            payload: Some(payload),
            ..Meta::default()
        }
    }
}
