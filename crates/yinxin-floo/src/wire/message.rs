//! Messages, and what is done to them.

use prost::{Enumeration, Message};

use super::Xid;

/// What a meta of [`super::Namespace::Message`] says.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct MessageBody {
    /// A [`MessageType`].
    #[prost(int32, tag = "1")]
    pub r#type: i32,
    /// The text.
    #[prost(string, tag = "4")]
    pub content: String,
    /// A [`ContentType`].
    #[prost(int32, tag = "5")]
    pub ctype: i32,
    /// What is done to a message, if anything.
    #[prost(message, optional, tag = "6")]
    pub operation: Option<Operation>,
    /// What the SDK itself adds, JSON.
    #[prost(string, tag = "7")]
    pub config: String,
    /// The file or place, JSON.
    #[prost(string, tag = "8")]
    pub attachment: String,
    /// What the application adds, by custom JSON.
    #[prost(string, tag = "9")]
    pub ext: String,
    /// A [`QoS`].
    #[prost(int32, tag = "10")]
    pub qos: i32,
    /// What the sender calls itself.
    #[prost(string, tag = "11")]
    pub sender_name: String,
    /// Whether it is from the house.
    #[prost(bool, tag = "12")]
    pub is_system: bool,
    /// How much it matters, in groups.
    #[prost(uint32, tag = "13")]
    pub priority: u32,
    /// How far it has come.
    #[prost(int32, tag = "14")]
    pub status: i32,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum MessageType {
    /// Not used by these SDKs.
    Normal = 0,
    /// Something done to a message.
    Oper = 1,
    /// To a user.
    Chat = 2,
    /// To a group.
    GroupChat = 3,
}

/// What a message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum ContentType {
    /// A text.
    Text = 0,
    /// A picture.
    Image = 1,
    /// A recording.
    Audio = 2,
    /// A film.
    Video = 3,
    /// A file.
    File = 4,
    /// A place.
    Location = 5,
    /// Something for the application.
    Command = 6,
    /// Messages passed on.
    Forward = 7,
}

/// How sure it is to arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum QoS {
    /// Kept until it does.
    AtLeastOnce = 0,
    /// For those who are here.
    AtMostOnce = 1,
    /// As the first, here.
    ExactlyOnce = 2,
}

/// Something done to a message.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Operation {
    /// An [`OperationType`].
    #[prost(int32, tag = "1")]
    pub r#type: i32,
    /// The message, by the server's number.
    #[prost(uint64, tag = "2")]
    pub mid: u64,
    /// The conversation it is in.
    #[prost(message, optional, tag = "3")]
    pub xid: Option<Xid>,
}

/// What is done to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum OperationType {
    /// Nothing.
    Unknown = 0,
    /// It was read.
    ReadAck = 1,
    /// All up to it was read.
    ReadAll = 2,
    /// It is to look unread again.
    ReadCancel = 3,
    /// It has arrived.
    DeliverAck = 4,
    /// Its sender takes it back.
    Recall = 5,
    /// One of its readers wants to see it no more.
    Delete = 6,
    /// It was listened to.
    PlayAck = 7,
}
