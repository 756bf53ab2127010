//! What a failed call answers: `{"error":{"code":"UserNotFound","message":"there is no such user: 'x'"}}`.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use yinxin_core::{Code, Error};
use yinxin_http::json_response;

/// The answer of a handler.
pub(crate) type Answer = Result<Response, Problem>;

/// A failed call.
#[derive(Debug)]
pub(crate) struct Problem {
    code: Code,
    message: String,
    cause: Option<Cause>,
}

/// What made the server fail, for the log: it stands in the answer's extensions until the guard has logged it.
#[derive(Clone, Debug)]
pub(crate) struct Cause(pub Arc<str>);

impl Problem {
    /// A problem whose text says more than the code's.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), cause: None }
    }

    /// The same problem with its place before the text.
    pub fn at(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let cause = std::error::Error::source(&error).map(|source| Cause(source.to_string().into()));
        Self { code: error.code, message: error.to_string(), cause }
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Error::from(code).into()
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    code: &'static str,
    message: &'a str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body { error: Inner { code: self.code.name(), message: &self.message } };
        let mut response = json_response(status(self.code), serde_json::to_vec(&body).unwrap_or_default());
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

/// The status of each code. Exhaustive: a new code does not compile until it has one.
#[expect(clippy::too_many_lines, reason = "a line for each code")]
pub(crate) const fn status(code: Code) -> StatusCode {
    match code {
        Code::TokenMissing
        | Code::TokenCorrupt
        | Code::TokenUnknown
        | Code::TokenExpired
        | Code::WrongPassword
        | Code::SignatureMissing
        | Code::SignatureWrong
        | Code::SignatureExpired
        | Code::RoomTokenMissing
        | Code::RoomTokenWrong
        | Code::RoomTokenExpired
        | Code::ClientIdMismatch
        | Code::ClientSecretMismatch => StatusCode::UNAUTHORIZED,
        Code::Forbidden
        | Code::UserInactive
        | Code::RegistrationClosed
        | Code::RoomTokenUnexpected
        | Code::PermissionKeyWrong
        | Code::PermissionKeyExpired
        | Code::RoomBarred
        | Code::RoomPassWrong
        | Code::MediaNeedsTokens
        | Code::SenderBlocked
        | Code::EditForbidden
        | Code::NotContact
        | Code::FileSecretWrong
        | Code::InvitationRefused
        | Code::SenderMuted
        | Code::MessageVetoed => StatusCode::FORBIDDEN,
        Code::AppNotFound
        | Code::UserNotFound
        | Code::LoginUnknownUser
        | Code::BlockTargetNotFound
        | Code::TemplateNotFound
        | Code::NotifierNotFound
        | Code::HookNotFound
        | Code::HookEventNotFound
        | Code::AdminTokenNotFound
        | Code::GroupNotFound
        | Code::FileNotFound
        | Code::RoomNotFound
        | Code::MediaServerUnset
        | Code::EditNotFound
        | Code::ConversationNotFound
        | Code::PinNotFound
        | Code::RouteNotFound => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::AppExists
        | Code::SigningKeyTaken
        | Code::ShortIdTaken
        | Code::AdminTokensFull
        | Code::LoginNameTaken
        | Code::UsernameTaken
        | Code::TemplateExists
        | Code::NotifierExists
        | Code::HooksFull
        | Code::BlocksFull
        | Code::ContactsFull
        | Code::NotContacts
        | Code::NotInvited
        | Code::RecallTooLate
        | Code::FilesFull
        | Code::CallRepeated
        | Code::RoomExists
        | Code::RoomFull
        | Code::EditsSpent
        | Code::EditRaced
        | Code::ConversationPinsFull
        | Code::ReactionExists
        | Code::ReactionsFull
        | Code::PinsFull
        | Code::BatchConflict => StatusCode::CONFLICT,
        Code::AppNameIllegal
        | Code::GrantUnknown
        | Code::ClientIdMissing
        | Code::ClientSecretMissing
        | Code::TtlIllegal
        | Code::RoomUidMissing
        | Code::RoomUidIllegal
        | Code::RoomNameIllegal
        | Code::MediaServerUnfit
        | Code::UsernameMissing
        | Code::UsernameIllegal
        | Code::UsernameTooLong
        | Code::PasswordMissing
        | Code::NewPasswordMissing
        | Code::PasswordTooLong
        | Code::NicknameTooLong
        | Code::ProfileFieldTooLong
        | Code::BatchTooLarge
        | Code::RemarkTooLong
        | Code::ImportTooLarge
        | Code::PageTooLarge
        | Code::TooManyNames
        | Code::ExtMissing
        | Code::ExtTooBig
        | Code::NamesEmpty
        | Code::NamesMissing
        | Code::TooManySubscriptions
        | Code::SubscribeSelf
        | Code::TooManyUnsubscriptions
        | Code::TooManyQueries
        | Code::PushSettingIllegal
        | Code::PushAudienceTooLarge
        | Code::PushUnavailable
        | Code::AttributesTooLarge
        | Code::AttributesBatchTooLarge
        | Code::MuteIllegal
        | Code::FileMissing
        | Code::FormMalformed
        | Code::PartsMissing
        | Code::EditIllegal
        | Code::MarkIllegal
        | Code::ReactionIllegal
        | Code::ReactionBatchTooLarge
        | Code::PinIllegal
        | Code::ReportIllegal
        | Code::BodyMalformed
        | Code::BodyIncomplete
        | Code::FieldIllegal => StatusCode::BAD_REQUEST,
        Code::BodyTimedOut => StatusCode::REQUEST_TIMEOUT,
        Code::BodyTooLarge | Code::MessageTooLarge | Code::FileTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::RangeIllegal => StatusCode::RANGE_NOT_SATISFIABLE,
        Code::MediaTypeUnsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Code::RateLimited | Code::TooManyUploads => StatusCode::TOO_MANY_REQUESTS,
        Code::NotOffered => StatusCode::NOT_IMPLEMENTED,
        Code::Busy | Code::Storage | Code::StorageAway | Code::FileStore => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
