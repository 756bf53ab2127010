//! What a client is told when the answer is no, in the numbers and exact words the SDK understands.
//!
//! Owns the two tables of refusals and the four kicks, and which error the application sees for each. Must not know why
//! somebody is refused. Source: each row was sent to the web SDK 4.21.1 and its error read.

use std::borrow::Cow;

use crate::wire::{ErrorCode, StatisticsOperation, Status};

/// Why a login is refused; the number in brackets is the SDK's error type. The SDK gives up at once, unless it was
/// reconnecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginRefusal<'a> {
    /// The token is not one, or is somebody else's (28).
    InvalidToken,
    /// The token is over (56).
    ///
    /// Quirk(easemob): the code meant for this, [`ErrorCode::TokenExpired`], says no more than "failed" to the SDK.
    TokenExpired,
    /// The user does not exist (204).
    UserNotFound,
    /// Too many users of this app are online (50).
    OnlineLimit,
    /// The app refuses (2).
    Unauthorized,
    /// The login lacks something (-3).
    WrongParameter,
    /// The user is deactivated (57).
    Disabled,
    /// The user has as many devices online as may be (214).
    TooManyDevices,
    /// The device is registered as another one (220).
    ResourceChanged,
    /// Anything else (2).
    Other(&'a str),
}

impl<'a> LoginRefusal<'a> {
    pub(crate) fn status(self) -> Status {
        let (code, reason) = self.code_and_reason();
        status(code, reason.into())
    }

    fn code_and_reason(self) -> (ErrorCode, &'a str) {
        match self {
            Self::InvalidToken => (ErrorCode::Fail, "Sorry, token or password does not match login info"),
            Self::TokenExpired => (ErrorCode::Fail, "Sorry, token expired"),
            Self::UserNotFound => (ErrorCode::Fail, "Sorry, user not found"),
            Self::OnlineLimit => (ErrorCode::PermissionDenied, "Sorry, the app online count limit"),
            Self::Unauthorized => (ErrorCode::Unauthorized, "unauthorized"),
            Self::WrongParameter => (ErrorCode::WrongParameter, "wrong parameter"),
            Self::Disabled => (ErrorCode::ImForbidden, "user not activated"),
            Self::TooManyDevices => (ErrorCode::TooManyDevices, "too many devices"),
            Self::ResourceChanged => (ErrorCode::ResourceChanged, "resource changed"),
            Self::Other(reason) => (ErrorCode::Fail, reason),
        }
    }
}

/// Why something sent is refused; the number in brackets is the SDK's error type.
///
/// There is no way to say [`ErrorCode::PermissionDenied`] with words of one's own: `send()` would never settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendRefusal<'a> {
    /// The receiver blocks the sender (603).
    Blocked,
    /// Only contacts may write to each other, and these two are none (221).
    NotContact,
    /// There is no such user (204).
    UserNotFound(&'a str),
    /// There is no such group (605).
    GroupNotFound,
    /// The sender is not in the group or room (602).
    NotInGroup,
    /// The group is disabled (608).
    GroupDisabled,
    /// Everybody in the group is muted but those on its list, and the sender is not on it (506).
    NotOnAllowList,
    /// The sender is muted in the group (507).
    MutedInGroup,
    /// The sender is muted in the app (219).
    Muted,
    /// The message is too old to be recalled (504).
    RecallTooLate,
    /// Recalls are switched off (505).
    RecallDisabled,
    /// The message to change is not there (1302).
    EditNotFound,
    /// The message to change is another's (603).
    EditForbidden,
    /// A message of that type cannot be changed so (1303).
    EditIllegal,
    /// The message was changed as often as it may be (50).
    EditsSpent,
    /// The change did not happen (1304).
    EditFailed,
    /// There is no such room (705).
    RoomNotFound(&'a str),
    /// Too many members of a group are named as receivers (50).
    TooManyReceivers,
    /// The content was found wanting by a moderator (508).
    Moderated,
    /// The content holds forbidden words (501).
    ForbiddenWords,
    /// Too much in too little time (509).
    TooFast,
    /// Too large (511).
    TooLarge,
    /// The server does not do this (604).
    Unsupported,
    /// The app's own server refuses, with its words (502).
    Vetoed(&'a str),
    /// Anything else (503, with these words, unless they happen to be those of another row).
    Other(&'a str),
}

impl<'a> SendRefusal<'a> {
    pub(crate) fn status(self) -> Status {
        let (code, reason) = self.code_and_reason();
        status(code, reason)
    }

    fn code_and_reason(self) -> (ErrorCode, Cow<'a, str>) {
        let (code, reason) = match self {
            Self::Blocked => (ErrorCode::Fail, "blocked"),
            Self::NotContact => (ErrorCode::Fail, "nonroster"),
            Self::UserNotFound(name) => return (ErrorCode::Fail, format!("username {name} doesn't exist!").into()),
            Self::GroupNotFound => (ErrorCode::Fail, "group not found"),
            Self::NotInGroup => (ErrorCode::Fail, "not in group or chatroom"),
            Self::GroupDisabled => (ErrorCode::Fail, "group is disabled"),
            Self::NotOnAllowList => (ErrorCode::Fail, "not in group or chatroom white list"),
            Self::RecallTooLate => (ErrorCode::Fail, "exceed recall time limit"),
            Self::RecallDisabled => (ErrorCode::Fail, "message recall disabled"),
            Self::EditNotFound => (ErrorCode::Fail, "Sorry, message does not exist"),
            Self::EditForbidden => (ErrorCode::Fail, "Sorry, You do not have permission"),
            Self::EditIllegal => (ErrorCode::Fail, "Sorry, format is incorrect"),
            Self::EditsSpent => (ErrorCode::Fail, "Sorry, edit limit reached"),
            Self::EditFailed => (ErrorCode::Fail, "Sorry, edit fail"),
            Self::RoomNotFound(id) => return (ErrorCode::Fail, format!("grpID {id} does not exist!").into()),
            Self::TooManyReceivers => (ErrorCode::Fail, "limit directed users"),
            Self::Moderated => (ErrorCode::Fail, "moderation"),
            Self::ForbiddenWords => (ErrorCode::PermissionDenied, "sensitive words"),
            Self::Muted => (ErrorCode::PermissionDenied, "user is mute"),
            Self::TooFast => (ErrorCode::PermissionDenied, "traffic limit"),
            Self::TooLarge => (ErrorCode::PermissionDenied, "Sorry, data is too large"),
            Self::Unsupported => (ErrorCode::UnknownCommand, "not supported"),
            Self::MutedInGroup => (ErrorCode::UserMuted, "muted"),
            Self::Vetoed(reason) => (ErrorCode::PermissionDeniedExternal, reason),
            Self::Other(reason) => (ErrorCode::Fail, reason),
        };
        (code, reason.into())
    }
}

fn status(code: ErrorCode, reason: Cow<'_, str>) -> Status {
    Status { error_code: Some(code.into()), reason: Some(reason.into_owned()), ..Status::default() }
}

/// Why a device is told to go and not to come back by itself; the number in brackets is the SDK's error type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kick {
    /// The user is deleted (207).
    UserRemoved,
    /// A newer login took this one's place (206).
    ReplacedByLogin,
    /// The password was changed (216).
    PasswordChanged,
    /// Somebody entitled to wants it gone: another device, the app's server, a ban (217).
    ///
    /// There is no kick of its own for a ban; with this one the SDK stays away, too.
    Dismissed,
}

impl From<Kick> for StatisticsOperation {
    fn from(kick: Kick) -> Self {
        match kick {
            Kick::UserRemoved => Self::UserRemoved,
            Kick::ReplacedByLogin => Self::UserLoginAnotherDevice,
            Kick::PasswordChanged => Self::UserKickedByChangePassword,
            Kick::Dismissed => Self::UserKickedByOtherDevice,
        }
    }
}
