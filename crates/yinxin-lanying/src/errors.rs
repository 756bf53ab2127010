//! The one place where an error becomes the dialect's code and text: one exhaustive match over [`Code`].
//!
//! What the caller did wrong is told under HTTP 200: of any other status the SDKs lose code and text, and after five of
//! them they look for another server. So those are kept for what is no call of the dialect, and for what is our failure.

use std::borrow::Cow;

use yinxin_core::apps::AppSettings;
use yinxin_core::{App, Code, Error};

#[cfg(test)]
mod tests;

/// An error as the wire shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wire {
    /// `code`.
    pub code: u32,
    /// The HTTP status.
    pub status: u16,
    /// `message`.
    pub message: Cow<'static, str>,
}

/// What kind of call it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum At {
    /// For where the servers are.
    Dns,
    /// For a token.
    Login,
    /// Whose body is a file, and is read as it comes.
    Upload,
    /// Any other.
    Call,
}

/// How an error is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub at: At,
    /// What a token that is not good is answered by.
    pub token_error_code: u32,
}

impl Manner {
    /// That of an app, or as apps are by default.
    pub fn of(at: At, app: Option<&App>) -> Self {
        let settings = app.map_or_else(AppSettings::default, |app| app.settings);
        Self { at, token_error_code: u32::try_from(settings.token_error_code).unwrap_or(402) }
    }
}

/// What the web SDK's pages know a refused login by. Source: docs/dialects/lanying.md.
const REJECTED: &str = "Operation rejected";

/// There is no such user.
pub(crate) const NO_SUCH_USER: u32 = 10000;

/// The answer to an error.
#[expect(clippy::too_many_lines, reason = "a line for each code")]
pub(crate) fn wire(manner: Manner, error: &Error) -> Wire {
    use Code as C;
    let Manner { at, token_error_code } = manner;
    let (subject, limit) = (error.subject.as_str(), error.limit);
    match error.code {
        C::AppNotFound if at == At::Dns => told(99997, "invalid app_id"),
        C::AppNotFound => told(40000, "app_id does not exist"),

        // 402 is the only code by which SDKs log in again. Source: docs/dialects/lanying.md.
        C::TokenCorrupt | C::TokenUnknown | C::TokenExpired => {
            told(token_error_code, "access-token is invalid or has expired")
        }
        C::TokenMissing => told(10003, "header access-token is missing"),
        C::WrongPassword if at == At::Login => told(402, REJECTED),
        C::WrongPassword => told(11001, "the password is wrong"),
        C::LoginUnknownUser | C::UserNotFound | C::BlockTargetNotFound => told(NO_SUCH_USER, "the user does not exist"),
        C::UserInactive => told(10010, "the user is disabled"),
        C::RateLimited => told(10028, "too many failures or calls, try again later"),
        C::Forbidden => told(10010, "no permission"),

        C::RegistrationClosed => told(40001, "registration is closed"),
        C::UsernameTaken => told(10004, "the user exists"),
        C::LoginNameTaken => told(11012, "it is bound to another user"),
        C::SenderBlocked | C::NotContact => told(10006, "in the block list"),
        C::NotInvited => told(10007, "there is no such application"),
        C::InvitationRefused => told(10012, "the user rejects applications"),
        C::GroupNotFound => told(20001, "the group does not exist"),
        C::FileNotFound => told(10009, "there is no such file"),
        C::SignatureMissing | C::SignatureWrong | C::SignatureExpired => told(10010, "sdk_sign is wrong"),

        C::PushAudienceTooLarge => told(12005, format!("more than {limit} push targets")),
        C::NotifierNotFound => told(12006, "push is not enabled: there is no such certificate"),
        C::PushUnavailable => told(12006, "push is not enabled: no hook of the app is told of push.requested"),

        C::UsernameMissing => parameter("username"),
        C::PasswordMissing => parameter("password"),
        C::NewPasswordMissing => parameter("new_password"),
        C::FieldIllegal if limit > 0 => told(10002, format!("invalid request parameter: {subject} (limit {limit})")),
        C::FieldIllegal => parameter(subject),
        C::UsernameIllegal => parameter(
            "username may have letters, digits, _ and Chinese characters, not digits only, and not begin with mta or maxim",
        ),
        C::UsernameTooLong => parameter(&format!("username is longer than {limit} bytes")),
        C::PasswordTooLong => parameter(&format!("password is longer than {limit} characters")),
        C::NicknameTooLong => parameter(&format!("nick_name is longer than {limit} characters")),
        C::ProfileFieldTooLong => parameter(&format!("{subject} is longer than {limit} characters")),
        C::RemarkTooLong => parameter(&format!("alias is longer than {limit} characters")),
        C::BodyMalformed => parameter("the body is not valid JSON"),

        C::ClientIdMissing
        | C::ClientSecretMissing
        | C::ClientIdMismatch
        | C::ClientSecretMismatch
        | C::GrantUnknown
        | C::AppExists
        | C::SigningKeyTaken
        | C::ShortIdTaken
        | C::AppNameIllegal
        | C::CallRepeated
        | C::TtlIllegal
        | C::BatchTooLarge
        | C::BatchConflict
        | C::ImportTooLarge
        | C::PageTooLarge
        | C::TooManyNames
        | C::NamesEmpty
        | C::NamesMissing
        | C::ExtMissing
        | C::ExtTooBig
        | C::TooManySubscriptions
        | C::SubscribeSelf
        | C::TooManyUnsubscriptions
        | C::TooManyQueries
        | C::PushSettingIllegal
        | C::AttributesTooLarge
        | C::AttributesBatchTooLarge
        | C::MuteIllegal
        | C::MessageTooLarge
        | C::FileTooLarge
        | C::FileMissing
        | C::PartsMissing
        | C::FormMalformed
        | C::EditIllegal
        | C::MarkIllegal
        | C::ReactionIllegal
        | C::ReactionBatchTooLarge
        | C::PinIllegal
        | C::ReportIllegal
        | C::RoomUidMissing
        | C::RoomUidIllegal
        | C::RoomNameIllegal
        | C::MediaServerUnfit
        | C::MediaTypeUnsupported => parameter(&error.to_string()),

        C::BlocksFull
        | C::ContactsFull
        | C::FilesFull
        | C::HooksFull
        | C::AdminTokensFull
        | C::TooManyUploads
        | C::TemplateExists
        | C::NotifierExists
        | C::RoomFull
        | C::RoomExists
        | C::NotContacts
        | C::RecallTooLate
        | C::EditNotFound
        | C::EditForbidden
        | C::EditsSpent
        | C::EditRaced
        | C::ConversationNotFound
        | C::ConversationPinsFull
        | C::ReactionExists
        | C::ReactionsFull
        | C::PinNotFound
        | C::PinsFull
        | C::TemplateNotFound
        | C::HookNotFound
        | C::HookEventNotFound
        | C::AdminTokenNotFound
        | C::RoomNotFound
        | C::MediaServerUnset
        | C::FileSecretWrong
        | C::SenderMuted
        | C::MessageVetoed
        | C::RoomTokenMissing
        | C::RoomTokenWrong
        | C::RoomTokenExpired
        | C::RoomTokenUnexpected
        | C::RoomPassWrong
        | C::RoomBarred
        | C::PermissionKeyWrong
        | C::PermissionKeyExpired
        | C::MediaNeedsTokens => told(10010, error.code.text()),

        C::RouteNotFound => told_as(404, 404, "there is no such call"),
        C::MethodNotAllowed => told_as(405, 405, "the call does not take this method"),
        C::NotOffered => told_as(501, 501, "this server does not offer the call"),
        C::BodyTooLarge => told_as(413, 413, "the body is too large"),
        C::HeadersTooLarge => told_as(431, 431, "the headers are too large"),
        C::RangeIllegal => told_as(416, 416, "the file does not have that range"),
        C::BodyIncomplete => told_as(400, 400, "the body did not arrive completely"),
        C::BodyTimedOut => told_as(408, 408, "the body did not arrive in time"),
        C::Busy | C::StorageAway => told_as(503, 503, "the server is busy, try again"),
        C::Storage | C::FileStore | C::Internal => told_as(500, 500, "server error"),
    }
}

fn parameter(what: &str) -> Wire {
    told(10002, format!("invalid request parameter: {what}"))
}

fn told(code: u32, message: impl Into<Cow<'static, str>>) -> Wire {
    told_as(200, code, message)
}

fn told_as(status: u16, code: u32, message: impl Into<Cow<'static, str>>) -> Wire {
    Wire { code, status, message: message.into() }
}
