//! The one place where an error becomes the dialect's code and text: one exhaustive match over [`Code`].

use std::borrow::Cow;

use yinxin_core::{Code, Error};

#[cfg(test)]
mod tests;

/// An error as the wire shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wire {
    /// `code`.
    pub code: u16,
    /// The HTTP status, for those calls that use any but 200.
    pub status: u16,
    /// `desc`.
    pub desc: Cow<'static, str>,
}

/// Which of the vendor's servers would have answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum At {
    /// A backend's signed call.
    Call,
    /// A client that joins a room.
    Join,
}

/// What the vendor says to a client whose token is not good, whatever is wrong with it.
const CHECKSUM: &str = "check checksum error";

/// The answer to an error.
#[expect(clippy::too_many_lines, reason = "a line for each code")]
pub(crate) fn wire(at: At, error: &Error) -> Wire {
    use Code as C;
    let (subject, limit) = (error.subject.as_str(), error.limit);
    match error.code {
        // A client is not told what was wrong with what.
        C::RoomUidIllegal | C::RoomNameIllegal if at == At::Join => parameter(CHECKSUM),
        C::AppNotFound if at == At::Join => wired(417, 401, "invalid appkey"),

        C::SignatureMissing => parameter("bad http header"),
        C::AppNotFound => Wire { status: 401, ..parameter("appkey") },
        C::SignatureWrong => Wire { status: 401, ..parameter("checksum") },
        C::SignatureExpired => Wire { status: 401, ..parameter("CurTime is expired") },
        C::CallRepeated => wired(431, 409, "duplicate request"),

        C::TokenMissing
        | C::TokenCorrupt
        | C::TokenUnknown
        | C::TokenExpired
        | C::WrongPassword
        | C::LoginUnknownUser
        | C::ClientIdMissing
        | C::ClientSecretMissing
        | C::ClientIdMismatch
        | C::ClientSecretMismatch => wired(302, 401, "wrong token"),
        C::Forbidden
        | C::RegistrationClosed
        | C::SenderBlocked
        | C::NotContact
        | C::MessageVetoed
        | C::EditForbidden
        | C::FileSecretWrong => wired(403, 403, "illegal operation or no permission"),
        C::UserInactive => wired(422, 403, format!("{subject} is blocked")),
        C::SenderMuted => wired(423, 403, format!("{subject} is muted")),

        C::RoomUidMissing => parameter("uid is empty"),
        C::RoomUidIllegal => parameter("uid must be a number from 0 to 9223372036854775807"),
        C::RoomNameIllegal => parameter(format!("channelName must have 1 to {limit} bytes of the allowed characters")),
        C::RoomTokenMissing => wired(403, 403, "netcall.g2 unsafe mode is closed, please contact business!"),
        C::RoomTokenWrong | C::RoomTokenExpired | C::RoomTokenUnexpected | C::RoomPassWrong => parameter(CHECKSUM),
        C::PermissionKeyWrong => wired(901, 403, "permission key error"),
        C::PermissionKeyExpired => wired(902, 403, "permission key timeout"),
        C::RoomNotFound if at == At::Join => wired(404, 404, "room not found"),
        C::RoomNotFound => wired(10404, 404, "room not found"),
        C::RoomExists => wired(10405, 400, "room exists"),
        C::RoomFull => wired(4003, 403, format!("the room has {limit} members")),
        C::RoomBarred => wired(403, 403, "removed from the room"),
        C::MediaServerUnset => wired(404, 404, error.to_string()),
        C::MediaNeedsTokens => wired(403, 403, error.code.text()),
        C::TtlIllegal => parameter(format!("expireAt must be a number from 1 to {limit}")),

        C::UsernameMissing => parameter("accid is empty"),
        C::UsernameTaken => parameter("already register"),
        C::UserNotFound | C::BlockTargetNotFound => {
            Wire { status: 404, ..parameter(format!("{subject} not register")) }
        }
        C::UsernameIllegal => parameter("accid has characters that are not allowed"),
        C::UsernameTooLong => parameter(format!("accid is longer than {limit}")),
        C::PasswordMissing | C::NewPasswordMissing => parameter("token is empty"),
        C::PasswordTooLong => parameter(format!("token is longer than {limit}")),
        C::NicknameTooLong => parameter(format!("name is longer than {limit}")),
        C::ProfileFieldTooLong => parameter(format!("{subject} is longer than {limit}")),
        C::TooManyNames => parameter(format!("more than {limit} accids")),
        C::NamesEmpty | C::NamesMissing => parameter("accids is empty"),

        C::AppExists
        | C::SigningKeyTaken
        | C::ShortIdTaken
        | C::LoginNameTaken
        | C::InvitationRefused
        | C::AppNameIllegal
        | C::GrantUnknown
        | C::BatchTooLarge
        | C::BatchConflict
        | C::RemarkTooLong
        | C::ImportTooLarge
        | C::PageTooLarge
        | C::ExtMissing
        | C::ExtTooBig
        | C::TooManySubscriptions
        | C::SubscribeSelf
        | C::TooManyUnsubscriptions
        | C::TooManyQueries
        | C::PushSettingIllegal
        | C::PushAudienceTooLarge
        | C::PushUnavailable
        | C::AttributesTooLarge
        | C::AttributesBatchTooLarge
        | C::MuteIllegal
        | C::MessageTooLarge
        | C::EditIllegal
        | C::MarkIllegal
        | C::ReactionIllegal
        | C::ReactionBatchTooLarge
        | C::PinIllegal
        | C::ReportIllegal
        | C::FileTooLarge
        | C::FileMissing
        | C::PartsMissing
        | C::RangeIllegal
        | C::FormMalformed
        | C::FieldIllegal
        | C::MediaServerUnfit
        | C::BodyTooLarge
        | C::HeadersTooLarge
        | C::MediaTypeUnsupported
        | C::BodyIncomplete => parameter(error.to_string()),
        C::BodyMalformed => parameter("the body is no form in UTF-8"),
        C::BodyTimedOut => wired(408, 408, error.code.text()),
        C::BlocksFull
        | C::ContactsFull
        | C::FilesFull
        | C::EditsSpent
        | C::EditRaced
        | C::ConversationPinsFull
        | C::ReactionExists
        | C::ReactionsFull
        | C::PinsFull
        | C::HooksFull
        | C::TooManyUploads
        | C::TemplateExists
        | C::AdminTokensFull
        | C::NotifierExists => wired(419, 409, error.code.text()),
        C::NotInvited
        | C::NotContacts
        | C::TemplateNotFound
        | C::NotifierNotFound
        | C::FileNotFound
        | C::EditNotFound
        | C::ConversationNotFound
        | C::PinNotFound
        | C::GroupNotFound
        | C::HookNotFound
        | C::AdminTokenNotFound
        | C::HookEventNotFound => wired(404, 404, error.code.text()),
        C::RecallTooLate => wired(508, 409, error.code.text()),
        C::RouteNotFound => wired(404, 404, "no such call"),
        C::MethodNotAllowed => wired(403, 405, "the call is a POST"),
        C::NotOffered => wired(403, 501, "this server does not offer the call"),

        C::RateLimited => wired(416, 429, "too many calls"),
        C::Busy | C::StorageAway => wired(503, 503, "server busy"),
        C::Storage | C::FileStore | C::Internal => wired(500, 500, "server error"),
    }
}

fn parameter(desc: impl Into<Cow<'static, str>>) -> Wire {
    wired(414, 400, desc)
}

fn wired(code: u16, status: u16, desc: impl Into<Cow<'static, str>>) -> Wire {
    Wire { code, status, desc: desc.into() }
}
