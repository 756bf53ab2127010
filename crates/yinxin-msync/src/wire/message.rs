//! The body of a message.

use prost::{Enumeration, Message};

use super::{Jid, KeyValue};

/// The payload of [`super::Namespace::Chat`].
///
/// For building, and for reading a body's content. A body that is passed on is never decoded and encoded again, which
/// would lose fields of newer SDKs: [`crate::body::rewrite_identity`].
#[derive(Clone, PartialEq, Message)]
pub struct MessageBody {
    /// A [`MessageType`].
    #[prost(int32, optional, tag = "1")]
    pub r#type: Option<i32>,
    /// Name only. What the receiving SDK shows, so never what the sender wrote.
    #[prost(message, optional, tag = "2")]
    pub from: Option<Jid>,
    /// Name only.
    #[prost(message, optional, tag = "3")]
    pub to: Option<Jid>,
    /// In practice one.
    #[prost(message, repeated, tag = "4")]
    pub contents: Vec<Content>,
    /// The application's extension.
    #[prost(message, repeated, tag = "5")]
    pub ext: Vec<KeyValue>,
    /// The server's id of the message a receipt or a recall is about.
    #[prost(uint64, optional, tag = "6")]
    pub ack_message_id: Option<u64>,
    /// Of groups.
    #[prost(message, optional, tag = "7")]
    pub msg_config: Option<MessageConfig>,
    /// Of groups' read receipts.
    #[prost(string, optional, tag = "8")]
    pub ack_content: Option<String>,
    /// JSON text, filled by the server for edits.
    #[prost(string, optional, tag = "9")]
    pub meta: Option<String>,
    /// The server's id of the message an edit is about.
    #[prost(uint64, optional, tag = "11")]
    pub edit_message_id: Option<u64>,
    /// An [`EditScope`].
    #[prost(int32, optional, tag = "12")]
    pub edit_scope: Option<i32>,
    /// A message that grows while it is shown.
    #[prost(message, optional, tag = "13")]
    pub stream: Option<Stream>,
}

/// What a [`MessageBody`] is. Absent means [`MessageType::Normal`], the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum MessageType {
    /// Never seen.
    Normal = 0,
    /// A message to a user.
    Chat = 1,
    /// A message to a group.
    GroupChat = 2,
    /// A message to a room.
    ChatRoom = 3,
    /// The message was read.
    ReadAck = 4,
    /// The message arrived.
    DeliverAck = 5,
    /// The message is to disappear.
    Recall = 6,
    /// The conversation was read.
    ChannelAck = 7,
    /// The message is to change.
    Edit = 8,
}

/// What an edit replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum EditScope {
    /// The contents.
    Body = 1,
    /// The contents and the extension.
    BodyAndExt = 2,
}

/// Settings of one message.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct MessageConfig {
    /// Members of the group are to send read receipts.
    #[prost(bool, optional, tag = "1")]
    pub allow_group_ack: Option<bool>,
}

/// A message that grows while it is shown. Passed on, not interpreted.
#[derive(Clone, PartialEq, Eq, Message)]
#[expect(missing_docs, reason = "the names are all that is known")]
pub struct Stream {
    #[prost(string, optional, tag = "1")]
    pub stream_type: Option<String>,
    #[prost(uint64, optional, tag = "2")]
    pub stream_seq: Option<u64>,
    #[prost(int32, optional, tag = "3")]
    pub stream_status: Option<i32>,
    #[prost(uint32, optional, tag = "4")]
    pub stream_error: Option<u32>,
    #[prost(int32, optional, tag = "5")]
    pub stream_finish_reason: Option<i32>,
}

/// One content of a message. Which fields matter depends on its type.
#[derive(Clone, PartialEq, Message)]
#[expect(missing_docs, reason = "the names say it; units are in the builders of body::content")]
pub struct Content {
    /// A [`ContentType`].
    #[prost(int32, optional, tag = "1")]
    pub r#type: Option<i32>,
    #[prost(string, optional, tag = "2")]
    pub text: Option<String>,
    #[prost(double, optional, tag = "3")]
    pub latitude: Option<f64>,
    #[prost(double, optional, tag = "4")]
    pub longitude: Option<f64>,
    #[prost(string, optional, tag = "5")]
    pub address: Option<String>,
    #[prost(string, optional, tag = "6")]
    pub display_name: Option<String>,
    #[prost(string, optional, tag = "7")]
    pub remote_path: Option<String>,
    #[prost(string, optional, tag = "8")]
    pub secret_key: Option<String>,
    #[prost(int32, optional, tag = "9")]
    pub file_length: Option<i32>,
    #[prost(string, optional, tag = "10")]
    pub action: Option<String>,
    #[prost(message, repeated, tag = "11")]
    pub params: Vec<KeyValue>,
    #[prost(int32, optional, tag = "12")]
    pub duration: Option<i32>,
    #[prost(message, optional, tag = "13")]
    pub size: Option<Size>,
    #[prost(string, optional, tag = "14")]
    pub thumbnail_remote_path: Option<String>,
    #[prost(string, optional, tag = "15")]
    pub thumbnail_secret_key: Option<String>,
    #[prost(string, optional, tag = "16")]
    pub thumbnail_display_name: Option<String>,
    #[prost(int32, optional, tag = "17")]
    pub thumbnail_file_length: Option<i32>,
    #[prost(message, optional, tag = "18")]
    pub thumbnail_size: Option<Size>,
    #[prost(string, optional, tag = "19")]
    pub custom_event: Option<String>,
    #[prost(message, repeated, tag = "20")]
    pub custom_exts: Vec<KeyValue>,
    #[prost(string, optional, tag = "21")]
    pub building_name: Option<String>,
    /// A [`SubType`]. Present at all, even as 0, it changes what the SDK takes the message for.
    #[prost(int32, optional, tag = "22")]
    pub sub_type: Option<i32>,
    #[prost(string, optional, tag = "23")]
    pub title: Option<String>,
    #[prost(string, optional, tag = "24")]
    pub summary: Option<String>,
    #[prost(int32, optional, tag = "25")]
    pub combine_level: Option<i32>,
}

/// What a [`Content`] is. Absent means [`ContentType::Text`], the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ContentType {
    Text = 0,
    Image = 1,
    Video = 2,
    Location = 3,
    Voice = 4,
    File = 5,
    Command = 6,
    Custom = 7,
    Combine = 8,
}

/// The kinds within a [`ContentType`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum SubType {
    /// A bundle of forwarded messages.
    Combine = 0,
    /// A moving image.
    Gif = 1,
    /// A message that grows.
    Stream = 10,
}

/// Of an image, in pixels.
#[derive(Clone, Copy, PartialEq, Message)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Size {
    #[prost(double, optional, tag = "1")]
    pub width: Option<f64>,
    #[prost(double, optional, tag = "2")]
    pub height: Option<f64>,
}
