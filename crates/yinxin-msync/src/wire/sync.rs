//! Sending, pulling and acknowledging: what goes through queues.

use prost::{Enumeration, Message};

use super::{Jid, KeyValue, Status};

/// One thing that is sent: a message, a receipt, a contact request, a kick.
#[derive(Clone, PartialEq, Message)]
pub struct Meta {
    /// Up: the client's number, unique within that client only. Down: the server's.
    #[prost(uint64, optional, tag = "1")]
    pub id: Option<u64>,
    /// Not sent by clients; the server fills it.
    #[prost(message, optional, tag = "2")]
    pub from: Option<Jid>,
    /// To whom.
    #[prost(message, optional, tag = "3")]
    pub to: Option<Jid>,
    /// Milliseconds since 1970.
    #[prost(uint64, optional, tag = "4")]
    pub timestamp: Option<u64>,
    /// A [`Namespace`]: what the payload is.
    #[prost(int32, optional, tag = "5")]
    pub ns: Option<i32>,
    /// The body of the namespace.
    #[prost(bytes = "vec", optional, tag = "6")]
    pub payload: Option<Vec<u8>>,
    /// A [`RouteType`].
    #[prost(int32, optional, tag = "7")]
    pub routetype: Option<i32>,
    /// The extension of a recall.
    #[prost(message, repeated, tag = "8")]
    pub ext: Vec<KeyValue>,
    /// JSON text, `{"is_online":1}`.
    #[prost(bytes = "vec", optional, tag = "9")]
    pub meta: Option<Vec<u8>>,
    /// Some members of a group.
    #[prost(string, repeated, tag = "10")]
    pub directed_users: Vec<String>,
}

/// What the payload of a [`Meta`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum Namespace {
    /// [`super::StatisticsBody`]: the client's state, the server's kicks.
    Statistic = 0,
    /// [`super::MessageBody`]: messages, receipts, recalls.
    Chat = 1,
    /// [`super::MucBody`]: groups and rooms.
    Muc = 2,
    /// [`super::RosterBody`]: contacts.
    Roster = 3,
    /// Calls; not used here.
    Conference = 4,
    /// JSON text: presence and the like.
    Notify = 5,
    /// Not used here.
    Query = 6,
}

/// Whom a [`Meta`] reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum RouteType {
    /// Stored for the absent.
    All = 0,
    /// Only who is online; never stored.
    Online = 1,
    /// Some members of a group.
    Direct = 2,
}

/// Up: a meta to send, or a queue to pull from, or a key that acknowledges a page of it.
#[derive(Clone, PartialEq, Message)]
pub struct CommSyncUl {
    /// To send.
    #[prost(message, optional, tag = "1")]
    pub meta: Option<Meta>,
    /// The `next_key` of the page that arrived; absent in the first pull.
    #[prost(uint64, optional, tag = "2")]
    pub key: Option<u64>,
    /// To pull from.
    #[prost(message, optional, tag = "3")]
    pub queue: Option<Jid>,
    /// Never seen.
    #[prost(bool, optional, tag = "4")]
    pub is_roam: Option<bool>,
    /// Never seen.
    #[prost(uint64, optional, tag = "5")]
    pub last_full_roam_key: Option<u64>,
}

/// Down: the answer to what was sent, or a page of a queue, or its end. Built by [`crate::encode`].
#[derive(Clone, PartialEq, Message)]
pub struct CommSyncDl {
    /// Never absent, or the SDK loses what comes with it.
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    /// The client's number of what is answered.
    #[prost(uint64, optional, tag = "2")]
    pub meta_id: Option<u64>,
    /// The server's.
    #[prost(uint64, optional, tag = "3")]
    pub server_id: Option<u64>,
    /// The page.
    #[prost(message, repeated, tag = "4")]
    pub metas: Vec<Meta>,
    /// What acknowledges this page; different for every page a device ever gets.
    #[prost(uint64, optional, tag = "5")]
    pub next_key: Option<u64>,
    /// Whose page.
    #[prost(message, optional, tag = "6")]
    pub queue: Option<Jid>,
    /// Nothing is left; never together with metas, but for a kick.
    #[prost(bool, optional, tag = "7")]
    pub is_last: Option<bool>,
    /// Milliseconds since 1970.
    #[prost(uint64, optional, tag = "8")]
    pub timestamp: Option<u64>,
    /// Never seen.
    #[prost(bool, optional, tag = "9")]
    pub is_roam: Option<bool>,
}

/// Down: something is in a queue.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CommNotice {
    /// Which.
    #[prost(message, optional, tag = "1")]
    pub queue: Option<Jid>,
}

/// A queue and how much is in it.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct MetaQueue {
    /// Which.
    #[prost(message, optional, tag = "1")]
    pub queue: Option<Jid>,
    /// How many metas.
    #[prost(uint32, optional, tag = "2")]
    pub n: Option<u32>,
}

/// Down: the queues that hold something.
#[derive(Clone, PartialEq, Message)]
pub struct CommUnreadDl {
    /// How it went.
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    /// The queues.
    #[prost(message, repeated, tag = "2")]
    pub unread: Vec<MetaQueue>,
    /// The time, milliseconds since 1970; the SDK compares it with the token's expiry.
    #[prost(uint64, optional, tag = "3")]
    pub timestamp: Option<u64>,
}
