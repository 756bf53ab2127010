//! The schema: each message of the wire as a struct, each enum with its numbers.
//!
//! Owns names, field numbers and types, and nothing else. A number or text that is absent is 0 or empty. Enums are plain
//! `i32` in the structs, because a newer client may send a number unknown here and the rest of its frame is still good;
//! `Command::try_from(number)` gives the name, if there is one.
//!
//! What a client sends holds no list, so a decoded frame takes no more memory than its bytes and the fixed size of these
//! structs.
//!
//! Source: the field numbers the web SDK 1.0.5 carries, confirmed by captured frames (`tests/vectors.rs`). Left out:
//! groups, and the encryption that this SDK never uses.

mod conversation;
mod envelope;
mod message;
mod notices;
mod sync;

pub use conversation::{Conversation, ConversationOperation, ConversationOperationType, ConversationPayloadType};
pub use envelope::{Command, ErrorCode, Frame, OsType, Provision, Status, Xid};
pub use message::{ContentType, MessageBody, MessageType, Operation, OperationType, QoS};
pub use notices::{RosterNotice, RosterNoticeType, UserNotice, UserNoticeType};
pub use sync::{ConversationType, ConversationUnread, Meta, Namespace, SyncDl, SyncUl, UnreadDl};
