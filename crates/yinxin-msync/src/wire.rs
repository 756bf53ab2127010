//! The schema: each message of the wire as a struct, each enum with its numbers.
//!
//! Owns names, field numbers and types, and nothing else. Absent and default differ on this wire (proto2), so every
//! single field is an `Option`. Enums are plain `i32` in the structs, because a newer client may send a number unknown
//! here and the rest of its frame is still good; `Command::try_from(number)` gives the name, if there is one.
//!
//! Whoever decodes one of these from bytes of a stranger goes through [`crate::decode`] or [`crate::read`], which bound
//! the memory first; plain `Message::decode` does not.
//!
//! Source: the field numbers the web SDK 4.21.1 carries, confirmed by captured frames (`tests/vectors`). Left out:
//! conferences, and of groups everything but who and what.

mod envelope;
mod message;
mod names;
mod notices;
mod sync;

pub use envelope::{Command, ErrorCode, Logout, MSync, OsType, Provision, RedirectInfo, Status};
pub use message::{Content, ContentType, EditScope, MessageBody, MessageConfig, MessageType, Size, Stream, SubType};
pub use names::{GROUP_DOMAIN, Jid, KeyValue, USER_DOMAIN, ValueType, key_value};
pub use notices::{
    MucBody, RosterBody, RosterOperation, RosterStatus, RosterStatusCode, StatisticsBody, StatisticsOperation,
};
pub use sync::{CommNotice, CommSyncDl, CommSyncUl, CommUnreadDl, Meta, MetaQueue, Namespace, RouteType};
