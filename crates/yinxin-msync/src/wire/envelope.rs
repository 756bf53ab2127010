//! The envelope of every frame, login and logout.

use std::fmt;

use prost::{Enumeration, Message};

use super::Jid;

/// The envelope: exactly one per binary websocket message.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub struct MSync {
    /// 0.
    #[prost(int32, optional, tag = "1")]
    pub version: Option<i32>,
    /// Who sends; in logins and logouts only, since afterwards the connection is the session.
    #[prost(message, optional, tag = "2")]
    pub guid: Option<Jid>,
    /// `$t$` and the token; logins and logouts only.
    #[prost(string, optional, tag = "3")]
    pub auth: Option<String>,
    /// Not used. The spelling is the vendor's.
    #[prost(uint32, optional, tag = "4")]
    pub compress_algorimth: Option<u32>,
    /// Not used.
    #[prost(uint32, optional, tag = "5")]
    pub crypto: Option<u32>,
    /// Never seen.
    #[prost(string, optional, tag = "6")]
    pub user_agent: Option<String>,
    /// Never seen.
    #[prost(uint64, optional, tag = "7")]
    pub pov: Option<u64>,
    /// A [`Command`]: what the payload is.
    #[prost(int32, optional, tag = "8")]
    pub command: Option<i32>,
    /// The message of the command.
    #[prost(bytes = "vec", optional, tag = "9")]
    pub payload: Option<Vec<u8>>,
    /// 0.
    #[prost(uint32, optional, tag = "10")]
    pub device_id: Option<u32>,
    /// Offered by clients, ignored: a server that says nothing gets plain frames.
    #[prost(int32, repeated, packed = "false", tag = "11")]
    pub encrypt_type: Vec<i32>,
    /// Never seen.
    #[prost(string, optional, tag = "12")]
    pub encrypt_key: Option<String>,
    /// The client's own, for its logs.
    #[prost(uint64, optional, tag = "20")]
    pub trace_id: Option<u64>,
}

/// Leaves out the token, and the payload, which may hold it again.
impl fmt::Debug for MSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MSync").field("command", &self.command).field("guid", &self.guid).finish_non_exhaustive()
    }
}

/// What a frame is for. Absent means [`Command::Sync`], the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum Command {
    /// Send, pull, acknowledge; both directions.
    Sync = 0,
    /// Which queues hold something; also the client's heartbeat.
    Unread = 1,
    /// Server to client: something is in a queue.
    Notice = 2,
    /// Login.
    Provision = 3,
    /// Logout.
    Logout = 4,
}

/// How it went.
#[derive(Clone, PartialEq, Message)]
pub struct Status {
    /// An [`ErrorCode`].
    #[prost(int32, optional, tag = "1")]
    pub error_code: Option<i32>,
    /// The SDK compares some of these texts to the letter: [`crate::refusal`].
    #[prost(string, optional, tag = "2")]
    pub reason: Option<String>,
    /// The SDK does not follow these.
    #[prost(message, repeated, tag = "3")]
    pub redirect_info: Vec<RedirectInfo>,
}

impl Status {
    /// It went well.
    pub fn ok() -> Self {
        Self { error_code: Some(ErrorCode::Ok.into()), ..Self::default() }
    }
}

/// Another server.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RedirectInfo {
    /// Its name or address.
    #[prost(string, optional, tag = "1")]
    pub host: Option<String>,
    /// Its port.
    #[prost(uint32, optional, tag = "2")]
    pub port: Option<u32>,
}

/// The codes of a [`Status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
#[expect(missing_docs, reason = "the names are all that is known; refusal.rs says what the SDK makes of them")]
pub enum ErrorCode {
    Ok = 0,
    Fail = 1,
    Unauthorized = 2,
    MissingParameter = 3,
    WrongParameter = 4,
    Redirect = 5,
    TokenExpired = 6,
    PermissionDenied = 7,
    NoRoute = 8,
    UnknownCommand = 9,
    PbParserError = 10,
    BindAnotherDevice = 11,
    ImForbidden = 12,
    TooManyDevices = 13,
    PlatformLimit = 14,
    UserMuted = 15,
    EncryptDisable = 16,
    EncryptEnable = 17,
    DecryptFailure = 18,
    PermissionDeniedExternal = 19,
    ResourceChanged = 20,
}

/// Login: the client says what it is, the server how it went.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub struct Provision {
    /// An [`OsType`].
    #[prost(int32, optional, tag = "1")]
    pub os_type: Option<i32>,
    /// The SDK's version, `4.21.1`.
    #[prost(string, optional, tag = "2")]
    pub version: Option<String>,
    /// Never seen.
    #[prost(int32, optional, tag = "3")]
    pub network_type: Option<i32>,
    /// Never seen.
    #[prost(string, optional, tag = "4")]
    pub app_sign: Option<String>,
    /// Offered, ignored.
    #[prost(int32, repeated, packed = "false", tag = "5")]
    pub compress_type: Vec<i32>,
    /// Offered, ignored.
    #[prost(int32, repeated, packed = "false", tag = "6")]
    pub encrypt_type: Vec<i32>,
    /// Never seen.
    #[prost(string, optional, tag = "7")]
    pub encrypt_key: Option<String>,
    /// The server's answer.
    #[prost(message, optional, tag = "8")]
    pub status: Option<Status>,
    /// The client's installation.
    #[prost(string, optional, tag = "9")]
    pub device_uuid: Option<String>,
    /// Set by one platform only.
    #[prost(bool, optional, tag = "10")]
    pub is_manual_login: Option<bool>,
    /// Never seen; SDKs exchange it for a token first.
    #[prost(string, optional, tag = "11")]
    pub password: Option<String>,
    /// For people, `webim`.
    #[prost(string, optional, tag = "12")]
    pub device_name: Option<String>,
    /// The device, `webim_web_1795278914035`.
    #[prost(string, optional, tag = "13")]
    pub resource: Option<String>,
    /// Never seen.
    #[prost(string, optional, tag = "14")]
    pub auth: Option<String>,
    /// Sent by the newest SDKs.
    #[prost(string, optional, tag = "16")]
    pub service_id: Option<String>,
    /// `v5.2`.
    #[prost(string, optional, tag = "17")]
    pub action_version: Option<String>,
    /// JSON. Up: the token. Down: its expiry.
    #[prost(string, optional, tag = "18")]
    pub auth_token: Option<String>,
    /// 1 to 100, with [`OsType::Custom`].
    #[prost(uint32, optional, tag = "19")]
    pub os_custom_value: Option<u32>,
    /// The client's, said again at logout.
    #[prost(string, optional, tag = "20")]
    pub session_id: Option<String>,
    /// The application's text for whichever device this login pushes out.
    #[prost(string, optional, tag = "21")]
    pub reason: Option<String>,
    /// Offered by clients; absent in the answer means no compression.
    #[prost(int32, repeated, tag = "22")]
    pub protocol_compress_type: Vec<i32>,
    /// Goes with the former.
    #[prost(int32, optional, tag = "23")]
    pub protocol_compress_direction: Option<i32>,
}

/// Leaves out what may hold a token or a password.
impl fmt::Debug for Provision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provision")
            .field("os_type", &self.os_type)
            .field("version", &self.version)
            .field("device_uuid", &self.device_uuid)
            .field("resource", &self.resource)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// The platform of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
#[expect(missing_docs, reason = "names of platforms")]
pub enum OsType {
    Ios = 0,
    Android = 1,
    Linux = 2,
    Osx = 3,
    Win = 4,
    Custom = 5,
    /// What the web SDK says.
    Other = 16,
}

/// Logout.
#[derive(Clone, PartialEq, Message)]
pub struct Logout {
    /// The one from the login.
    #[prost(string, optional, tag = "1")]
    pub session_id: Option<String>,
    /// `inner:logout`, `inner:token expired`.
    #[prost(string, optional, tag = "2")]
    pub reason: Option<String>,
    /// The server's answer.
    #[prost(message, optional, tag = "3")]
    pub status: Option<Status>,
}
