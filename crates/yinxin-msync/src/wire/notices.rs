//! The bodies of the other namespaces: contacts, statistics and kicks, groups.

use prost::{Enumeration, Message};

use super::Jid;

/// The payload of [`super::Namespace::Roster`]: a change among contacts.
#[derive(Clone, PartialEq, Message)]
pub struct RosterBody {
    /// A [`RosterOperation`].
    #[prost(int32, optional, tag = "1")]
    pub operation: Option<i32>,
    /// How it went.
    #[prost(message, optional, tag = "2")]
    pub status: Option<RosterStatus>,
    /// Who did it.
    #[prost(message, optional, tag = "3")]
    pub from: Option<Jid>,
    /// To whom; the SDK reads the first without looking whether there is one.
    #[prost(message, repeated, tag = "4")]
    pub to: Vec<Jid>,
    /// The inviter's words.
    #[prost(string, optional, tag = "5")]
    pub reason: Option<String>,
    /// Never seen.
    #[prost(string, optional, tag = "6")]
    pub roster_ver: Option<String>,
    /// Never seen.
    #[prost(bool, optional, tag = "7")]
    pub bi_direction: Option<bool>,
}

/// What happened among contacts; behind the dash what the web SDK makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum RosterOperation {
    /// Never seen.
    GetRoster = 0,
    /// Never seen.
    GetBlacklist = 1,
    /// An invitation, to the invited - onContactInvited.
    Add = 2,
    /// The end of a contact, to the other side - onContactDeleted.
    Remove = 3,
    /// An acceptance, to who accepted - onContactAdded.
    Accept = 4,
    /// A refusal - onContactRefuse.
    Decline = 5,
    /// A block - ignored.
    Ban = 6,
    /// The end of a block - ignored.
    Allow = 7,
    /// An acceptance, to the inviter - onContactAgreed.
    RemoteAccept = 8,
    /// A refusal, to the inviter - onContactRefuse.
    RemoteDecline = 9,
}

/// How a change among contacts went.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RosterStatus {
    /// A [`RosterStatusCode`].
    #[prost(int32, optional, tag = "1")]
    pub error_code: Option<i32>,
    /// In words.
    #[prost(string, optional, tag = "2")]
    pub description: Option<String>,
}

/// The codes of a [`RosterStatus`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
#[expect(missing_docs, reason = "the names say it")]
pub enum RosterStatusCode {
    Ok = 0,
    UserNotExist = 1,
    UserAlreadyFriend = 2,
    UserAlreadyBlacklist = 3,
}

/// The payload of [`super::Namespace::Statistic`]. Up: figures nobody needs. Down: a kick.
#[derive(Clone, PartialEq, Message)]
pub struct StatisticsBody {
    /// A [`StatisticsOperation`].
    #[prost(int32, optional, tag = "1")]
    pub operation: Option<i32>,
    /// An [`super::OsType`].
    #[prost(int32, optional, tag = "2")]
    pub os: Option<i32>,
    /// The SDK's version.
    #[prost(string, optional, tag = "3")]
    pub version: Option<String>,
    /// Never seen.
    #[prost(int32, optional, tag = "4")]
    pub network: Option<i32>,
    /// Never seen.
    #[prost(uint32, optional, tag = "5")]
    pub im_time: Option<u32>,
    /// Never seen.
    #[prost(uint32, optional, tag = "6")]
    pub chat_time: Option<u32>,
    /// Never seen.
    #[prost(string, optional, tag = "7")]
    pub location: Option<String>,
    /// With [`StatisticsOperation::UserLoginAnotherDevice`]: the text the newer login gave.
    #[prost(string, optional, tag = "10")]
    pub reason: Option<String>,
}

/// What a [`StatisticsBody`] is. The kicks are also [`crate::Kick`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum StatisticsOperation {
    /// Figures of the client.
    Information = 0,
    /// The user was deleted.
    UserRemoved = 1,
    /// A newer login took the place of this one.
    UserLoginAnotherDevice = 2,
    /// The password was changed.
    UserKickedByChangePassword = 3,
    /// Somebody wanted this device gone.
    UserKickedByOtherDevice = 4,
}

/// The payload of [`super::Namespace::Muc`]: groups and rooms. Only what it takes to refuse it by name.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct MucBody {
    /// Which group.
    #[prost(message, optional, tag = "1")]
    pub muc_id: Option<Jid>,
    /// 0 to 45; 2 joins, 3 leaves.
    #[prost(int32, optional, tag = "2")]
    pub operation: Option<i32>,
}
