//! Sending, pulling and acknowledging: what goes through conversations.

use prost::{Enumeration, Message};

use super::{Status, Xid};

/// One thing that is sent: a message, something done to one, a notice.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Meta {
    /// Up: the client's number, unique within that client only. Down: the server's.
    #[prost(uint64, tag = "1")]
    pub id: u64,
    /// Who it is from. Down it must be there.
    #[prost(message, optional, tag = "2")]
    pub from: Option<Xid>,
    /// To whom. Down it must be there.
    #[prost(message, optional, tag = "3")]
    pub to: Option<Xid>,
    /// Milliseconds since 1970.
    #[prost(uint64, tag = "4")]
    pub timestamp: u64,
    /// A [`Namespace`]: what the payload is.
    #[prost(int32, tag = "5")]
    pub ns: i32,
    /// The message of the namespace.
    #[prost(bytes = "vec", tag = "6")]
    pub payload: Vec<u8>,
}

/// What the payload of a [`Meta`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum Namespace {
    /// Not said.
    Unknown = 0,
    /// [`super::MessageBody`].
    Message = 1,
    /// About a group.
    GroupNotice = 2,
    /// [`super::RosterNotice`].
    RosterNotice = 3,
    /// [`super::UserNotice`].
    UserNotice = 4,
    /// About the client.
    Info = 5,
    /// Something done to a conversation.
    Conversation = 6,
    /// A push.
    Push = 7,
}

/// What waits in a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct ConversationUnread {
    /// With whom.
    #[prost(message, optional, tag = "1")]
    pub xid: Option<Xid>,
    /// How much; the SDK pulls what is not 0.
    #[prost(uint32, tag = "2")]
    pub n: u32,
    /// A [`ConversationType`].
    #[prost(int32, tag = "3")]
    pub r#type: i32,
}

/// With whom a conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum ConversationType {
    /// Not said.
    Unknown = 0,
    /// One user.
    Chat = 1,
    /// A group.
    GroupChat = 2,
}

/// The conversations in which something waits.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct UnreadDl {
    /// How it went.
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    /// Those conversations.
    #[prost(message, repeated, tag = "2")]
    pub unread: Vec<ConversationUnread>,
}

/// Sends a meta, pulls from a conversation, or looks back into one.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SyncUl {
    /// The conversation to pull from.
    #[prost(message, optional, tag = "1")]
    pub xid: Option<Xid>,
    /// The key of the page that the client has; looking back, the id of a message.
    #[prost(uint64, tag = "2")]
    pub key: u64,
    /// What is sent.
    #[prost(message, optional, tag = "3")]
    pub meta: Option<Meta>,
    /// Looks back, and confirms nothing.
    #[prost(bool, tag = "4")]
    pub is_full_sync: bool,
    /// How many messages to look back on.
    #[prost(sint32, tag = "5")]
    pub full_sync_num: i32,
}

/// A page of a conversation, or what became of something that was sent.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SyncDl {
    /// How it went. It must be there.
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    /// What is in the conversation.
    #[prost(message, repeated, tag = "2")]
    pub metas: Vec<Meta>,
    /// With a key the client has not all, and asks again with it, which confirms this page.
    #[prost(uint64, tag = "3")]
    pub next_key: u64,
    /// The conversation. It must be there.
    #[prost(message, optional, tag = "4")]
    pub xid: Option<Xid>,
    /// The client's number of what it sent.
    #[prost(uint64, tag = "5")]
    pub client_mid: u64,
    /// The server's number of the same.
    #[prost(uint64, tag = "6")]
    pub server_mid: u64,
    /// When it was sent, milliseconds since 1970.
    #[prost(uint64, tag = "7")]
    pub server_time: u64,
    /// Whether this is a look back.
    #[prost(bool, tag = "8")]
    pub is_full_sync: bool,
}
