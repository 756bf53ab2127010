//! The frame itself, and how a client comes in.

use prost::{Enumeration, Message};

/// What is sent, up and down.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Frame {
    /// The version: 0 from these SDKs.
    #[prost(int32, tag = "1")]
    pub vsn: i32,
    /// How the payload is compressed: 0, not at all.
    #[prost(int32, tag = "2")]
    pub compress_method: i32,
    /// A [`Command`].
    #[prost(int32, tag = "3")]
    pub command: i32,
    /// The command's message.
    #[prost(bytes = "vec", tag = "4")]
    pub payload: Vec<u8>,
    /// How the payload is encrypted: 0, not at all.
    #[prost(int32, tag = "5")]
    pub encrypt_method: i32,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum Command {
    /// Up: what is there? Also the sign of life. Down: [`super::UnreadDl`].
    Unread = 0,
    /// [`super::SyncUl`] and [`super::SyncDl`].
    Sync = 1,
    /// Down: something new in a conversation.
    Notice = 2,
    /// [`Provision`], both ways.
    Provision = 3,
}

/// A user, one of its devices, or a group.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Xid {
    /// The number.
    #[prost(uint64, tag = "1")]
    pub uid: u64,
    /// The device's; 0 = all of them.
    #[prost(uint32, tag = "2")]
    pub device_sn: u32,
}

impl Xid {
    /// A user, with all its devices.
    pub const fn user(uid: u64) -> Self {
        Self { uid, device_sn: 0 }
    }
}

/// How it went.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Status {
    /// An [`ErrorCode`].
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// In words.
    #[prost(string, tag = "2")]
    pub reason: String,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum ErrorCode {
    /// Not said.
    Unknown = 0,
    /// Nothing.
    Ok = 1,
    /// Something that has no number of its own.
    Fail = 2,
    /// A command that is not known.
    UnknownCommand = 3,
    /// Bytes that cannot be read.
    PbParserError = 4,
    /// Bytes that cannot be deciphered.
    DecryptFailure = 5,
    /// The key to cipher with is another by now.
    PublicKeyChanged = 6,
    /// A token that is not good: the SDK logs in again.
    InvalidToken = 7,
    /// A value that is not good.
    InvalidParameter = 8,
    /// Not without a login: the SDK logs in again.
    Unauthorized = 9,
    /// The user may not log in: the SDK asks its human.
    UserFrozen = 10,
    /// The user may not speak.
    UserBanned = 11,
    /// Words that may not be said.
    WordCensored = 12,
    /// More devices than one may have.
    TooManyDevices = 13,
    /// A cipher that is not known.
    EncryptMethodUnsupported = 14,
    /// Two devices of one name.
    DeviceGuidConflict = 15,
    /// A sum that does not match.
    CheckSumFailure = 16,
    /// No licence.
    InvalidLicense = 17,
    /// More users than the licence has.
    LicenseLimit = 18,
    /// The app may not be used.
    AppFrozen = 19,
    /// Too much at once. Not in the web SDK 1.0.5, which shows the number.
    RateLimitExceeded = 20,
}

/// A login and its answer.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Provision {
    /// Down: how it went. The SDK does not look whether it is there.
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    /// Up: who. Down: the same with the number that the device has from now on; it must be there.
    #[prost(message, optional, tag = "2")]
    pub xid: Option<Xid>,
    /// Not used by these SDKs, which have a token.
    #[prost(string, tag = "5")]
    pub password: String,
    /// What proves it.
    #[prost(string, tag = "6")]
    pub token: String,
    /// An [`OsType`].
    #[prost(int32, tag = "7")]
    pub os_type: i32,
    /// The SDK's version.
    #[prost(string, tag = "8")]
    pub sdk_vsn: String,
    /// Whether a human typed the password.
    #[prost(bool, tag = "9")]
    pub is_manual_login: bool,
    /// What the device calls itself, the same each time.
    #[prost(string, tag = "10")]
    pub device_guid: String,
    /// What it is, for people.
    #[prost(string, tag = "13")]
    pub device_info: String,
}

/// What a client runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum OsType {
    /// Not said.
    Unknown = 0,
    /// A telephone or tablet of Apple's.
    Ios = 1,
    /// Android.
    Android = 2,
    /// Windows.
    Windows = 3,
    /// A computer of Apple's.
    Osx = 4,
    /// Linux.
    Linux = 5,
    /// A browser.
    Web = 6,
}
