//! What a user does to a conversation in its own list.

use prost::{Enumeration, Message};

use super::Xid;

/// What a meta of [`super::Namespace::Conversation`] says.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Conversation {
    /// A [`ConversationPayloadType`].
    #[prost(int32, tag = "1")]
    pub r#type: i32,
    /// What is done.
    #[prost(message, optional, tag = "2")]
    pub operation: Option<ConversationOperation>,
}

/// What a [`Conversation`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum ConversationPayloadType {
    /// Not said.
    Unknown = 0,
    /// Something done.
    Oper = 1,
}

/// Something done to a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct ConversationOperation {
    /// A [`ConversationOperationType`].
    #[prost(int32, tag = "1")]
    pub r#type: i32,
    /// The conversation.
    #[prost(message, optional, tag = "2")]
    pub xid: Option<Xid>,
}

/// What is done to a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum ConversationOperationType {
    /// Nothing.
    Unknown = 0,
    /// It is removed from the device that says so.
    Delete = 1,
    /// It is removed from all devices of the user.
    DeleteEverywhere = 2,
}
