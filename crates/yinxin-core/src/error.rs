//! The one error of the domain. [`Code`] says what happened and is field-less, so that every dialect answers it in one
//! exhaustive match; [`Error`] adds the value it happened to.

use std::fmt;

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What went wrong. A new code does not compile until each dialect has an answer to it.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code, for tables and tests.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What went wrong, for logs and for our own API.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The code's stable name in our own API and in metrics.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

codes! {
    // Who is asking.
    /// No token, or an empty one.
    TokenMissing = "no token was sent",
    /// The token is not of a form this server makes.
    TokenCorrupt = "the token is damaged",
    /// Well-formed, but not made here, of another app, or revoked.
    TokenUnknown = "the token is not valid here",
    /// Valid once.
    TokenExpired = "the token has expired",
    /// A valid token without the right to do this.
    Forbidden = "the token does not carry this right",

    // Apps.
    /// No such app.
    AppNotFound = "there is no such app",
    /// The name is taken.
    AppExists = "an app of that name exists",
    /// Another app has that name in signed calls.
    SigningKeyTaken = "another app has that key",
    /// Another app has that short id.
    ShortIdTaken = "another app has that app id",
    /// The app has as many standing tokens as it may.
    AdminTokensFull = "the app has as many admin tokens as it may",
    /// No such standing token.
    AdminTokenNotFound = "there is no such admin token",
    /// Organisation or app name not of the allowed form.
    AppNameIllegal = "the app key is not of the form ORG/APP in letters, digits, '-' and '_'",

    // Signed calls.
    /// A part of the signature is missing or of no form it can have.
    SignatureMissing = "the call is not signed completely",
    /// Made with another secret.
    SignatureWrong = "the call's signature is wrong",
    /// Signed too long ago, or ahead of this server's clock.
    SignatureExpired = "the call was signed at another time than now",
    /// The same call, by its own id, was made before.
    CallRepeated = "a call of that id was made before",

    // Tokens.
    /// The way of asking for a token is unknown.
    GrantUnknown = "the grant type is unknown",
    /// No client id given.
    ClientIdMissing = "client_id is missing",
    /// No client secret given.
    ClientSecretMissing = "client_secret is missing",
    /// Client id of another app.
    ClientIdMismatch = "client_id does not belong to this app",
    /// Wrong client secret.
    ClientSecretMismatch = "client_secret is wrong",
    /// The life asked for is negative or too long.
    TtlIllegal = "ttl is not a number of seconds within bounds",
    /// Unknown name or wrong password.
    WrongPassword = "unknown user or wrong password",
    /// A login of a user that does not exist, where that may be said.
    LoginUnknownUser = "there is no such user to log in",
    /// The right password of a banned user.
    UserInactive = "the user is banned",

    // Users.
    /// No such user.
    UserNotFound = "there is no such user",
    /// The name is taken.
    UsernameTaken = "the user name is taken",
    /// The telephone number or mail address belongs to another user.
    LoginNameTaken = "another user logs in by that name",
    /// No name given.
    UsernameMissing = "the user name is missing",
    /// Characters outside the allowed set, or empty.
    UsernameIllegal = "the user name has characters that are not allowed",
    /// Over the limit.
    UsernameTooLong = "the user name is too long",
    /// No password given, or an empty one.
    PasswordMissing = "the password is missing",
    /// No new password given, or an empty one.
    NewPasswordMissing = "the new password is missing",
    /// Over the limit.
    PasswordTooLong = "the password is too long",
    /// Over the limit.
    NicknameTooLong = "the nickname is too long",
    /// A field of a profile is over its limit.
    ProfileFieldTooLong = "a field of the profile is too long",
    /// Open registration is switched off.
    RegistrationClosed = "the app does not allow open registration",
    /// Too many users in one call.
    BatchTooLarge = "too many users in one call",
    /// One name twice in a call, with two passwords.
    BatchConflict = "one user name stands twice in the call with different passwords",

    // Lists of people.
    /// The user to be blocked does not exist.
    BlockTargetNotFound = "the user to block does not exist",
    /// The block list is full.
    BlocksFull = "the block list is full",
    /// The contact list is full.
    ContactsFull = "the contact list is full",
    /// Answering an invitation that is not there.
    NotInvited = "there is no such invitation",
    /// The user does not want to be asked, or the answer to its question is wrong.
    InvitationRefused = "the user does not take the application",
    /// A remark about somebody who is no contact.
    NotContacts = "the two users are not contacts",
    /// Over the limit.
    RemarkTooLong = "the remark is too long",
    /// Too many contacts in one import.
    ImportTooLarge = "too many contacts in one import",
    /// A page larger than the limit.
    PageTooLarge = "the page is larger than allowed",
    /// Too many names in one question.
    TooManyNames = "too many names in one call",

    // Rooms.
    /// No number given.
    RoomUidMissing = "the uid is missing",
    /// No number, negative, or too large.
    RoomUidIllegal = "the uid is not a whole number from 0 to 2^63 - 1",
    /// A room's name of another form.
    RoomNameIllegal = "the room's name is not of the allowed form",
    /// The app lets nobody join without a token.
    RoomTokenMissing = "a token is needed to join a room of this app",
    /// Not made for this number and room, or used up.
    RoomTokenWrong = "the room token is not valid here",
    /// Good once.
    RoomTokenExpired = "the room token has expired",
    /// The app's rooms are open; a token was sent all the same.
    RoomTokenUnexpected = "rooms of this app are joined without a token",
    /// Not made for this number and room.
    PermissionKeyWrong = "the permission key is not valid here",
    /// Good once.
    PermissionKeyExpired = "the permission key has expired",
    /// No such room, or it is over.
    RoomNotFound = "there is no such room",
    /// A room of that name is open.
    RoomExists = "a room of that name is open",
    /// The room has as many members as it may.
    RoomFull = "the room is full",
    /// Made to leave, and not yet let in again.
    RoomBarred = "whoever was made to leave the room may not come in yet",
    /// Not made here, used up, or too old.
    RoomPassWrong = "the pass for the room is not valid any more",
    /// A media server that is not configured, or not for this app.
    MediaServerUnset = "this server gives no credentials for that media server to users of this app",
    /// What is asked for cannot be said in its credentials.
    MediaServerUnfit = "the media server's credentials cannot say this",
    /// The app lets anybody in, and no token says whom.
    MediaNeedsTokens = "credentials for media servers are given for room tokens, and rooms of this app have none",

    // Messages.
    /// The receiver blocks the sender.
    SenderBlocked = "the receiver blocks the sender",
    /// In this app users may write to contacts only, and these two are none.
    NotContact = "the receiver does not have the sender among its contacts",
    /// The message to recall is not there any more, or is not the caller's.
    RecallTooLate = "there is no such message of yours to recall",
    /// The sender is muted.
    SenderMuted = "the sender is muted",
    /// No such message to change: it is gone, or was never there.
    EditNotFound = "there is no such message to change",
    /// The message to change is another user's.
    EditForbidden = "the message to change is not yours",
    /// What it is to become does not go with what it is.
    EditIllegal = "a message of that type cannot be changed so",
    /// Changed too often already.
    EditsSpent = "the message was changed as often as it may be",
    /// Changed by another device at the same time.
    EditRaced = "the message was changed by another device meanwhile",
    /// No such conversation in the owner's list.
    ConversationNotFound = "there is no such conversation",
    /// Too many conversations are pinned.
    ConversationPinsFull = "too many conversations are pinned",
    /// A mark that there is not.
    MarkIllegal = "there is no such mark",
    /// The message to react to is none of the user's, or the reaction to take back is not there.
    ReactionIllegal = "there is no such message, or reaction, of yours",
    /// The user has reacted so already.
    ReactionExists = "you have reacted to this message so already",
    /// Too many different reactions to one message.
    ReactionsFull = "the message has as many reactions as it may have",
    /// Too many messages in one question for reactions.
    ReactionBatchTooLarge = "too many messages in one call for reactions",
    /// The message to pin is not in the conversation.
    PinIllegal = "there is no such message to pin",
    /// The message to unpin is not pinned.
    PinNotFound = "the message is not pinned",
    /// Too many messages of a conversation are pinned.
    PinsFull = "too many messages of the conversation are pinned",
    /// The message to report is none of the user's.
    ReportIllegal = "there is no such message of yours to report",
    /// There are no groups and no rooms.
    GroupNotFound = "there is no such group or room",
    /// Over the limit.
    MessageTooLarge = "the message is too large",
    /// The app's own server does not want it sent; the subject is its reason.
    MessageVetoed = "the app's server refuses the message",

    // Hooks.
    /// No such hook.
    HookNotFound = "there is no such hook",
    /// No such event, or not any more.
    HookEventNotFound = "there is no such event in the hook's outbox",
    /// The app has as many hooks, or of that kind, as it may.
    HooksFull = "the app has as many such hooks as it may",

    // Files.
    /// No such file, or it is not complete.
    FileNotFound = "there is no such file",
    /// A file that opens only with its secret, and the secret is missing or wrong.
    FileSecretWrong = "the file opens only with its secret",
    /// Over the limit.
    FileTooLarge = "the file is too large",
    /// The form has no file in it.
    FileMissing = "there is no file in the form",
    /// The app has as many bytes as it may.
    FilesFull = "the app's files are as large as they may be together",
    /// Too many uploads of one owner that are not finished.
    TooManyUploads = "too many uploads that are not finished",
    /// An upload that is to end while parts are missing or too small.
    PartsMissing = "parts of the upload are missing or too small",
    /// A range that the file does not have.
    RangeIllegal = "the file does not have that range",
    /// The body is no form.
    FormMalformed = "the body is not a valid form",

    // Presence.
    /// No ext given.
    ExtMissing = "ext is missing",
    /// Over the limit.
    ExtTooBig = "ext is too long",
    /// A list of names that is empty.
    NamesEmpty = "the list of names is empty",
    /// A list of names that is missing.
    NamesMissing = "the list of names is missing",
    /// Subscribing to too many at once.
    TooManySubscriptions = "too many users to subscribe to in one call",
    /// Subscribing to oneself.
    SubscribeSelf = "a user cannot subscribe to itself",
    /// Unsubscribing from too many at once.
    TooManyUnsubscriptions = "too many users to unsubscribe from in one call",
    /// Too many per page.
    TooManyQueries = "the page is larger than allowed for subscriptions",

    // Push, attributes, mutes.
    /// A push setting that is not of the documented form.
    PushSettingIllegal = "the push setting is not of the documented form",
    /// No hook of the app is told of pushes, so that nobody would send one.
    PushUnavailable = "no hook of the app takes pushes",
    /// More targets than one push may name.
    PushAudienceTooLarge = "the push names too many targets",
    /// No such template.
    TemplateNotFound = "there is no such push template",
    /// The template's name is taken, or the app has too many.
    TemplateExists = "a push template of that name exists, or the app has too many",
    /// No such notifier.
    NotifierNotFound = "there is no such push certificate",
    /// The notifier's name is taken, or the app has too many.
    NotifierExists = "a push certificate of that name exists, or the app has too many",
    /// The user's attributes are over the limit.
    AttributesTooLarge = "the user's attributes are larger than allowed",
    /// Too many users in one question for attributes.
    AttributesBatchTooLarge = "too many users in one call for attributes",
    /// A mute's seconds are out of bounds.
    MuteIllegal = "the seconds of a mute are out of bounds",

    // The request itself.
    /// The body is no JSON.
    BodyMalformed = "the body is not valid JSON",
    /// A field or parameter of the wrong type or form.
    FieldIllegal = "a field is not of the expected form",
    /// The body is over the limit.
    BodyTooLarge = "the body is too large",
    /// The headers are over the limit.
    HeadersTooLarge = "the headers are too large",
    /// A content type that this call does not take.
    MediaTypeUnsupported = "the content type is not supported",
    /// The body was cut off, or its chunks are malformed.
    BodyIncomplete = "the body did not arrive completely",
    /// The body did not arrive in time.
    BodyTimedOut = "the body did not arrive in time",
    /// No such path.
    RouteNotFound = "there is no such path",
    /// The path exists, not with this method.
    MethodNotAllowed = "the path does not take this method",
    /// A documented call that this server does not offer.
    NotOffered = "this server does not offer the call",

    // The server.
    /// More calls than the limit allows.
    RateLimited = "too many calls; slow down",
    /// A bounded queue is full.
    Busy = "the server is busy; try again",
    /// The database failed; nothing was changed.
    Storage = "the database failed; nothing was changed",
    /// The database could not be reached, or was lost: the same call may go well soon.
    StorageAway = "the database is away; try again",
    /// The place of the files failed; nothing was changed.
    FileStore = "the file store failed; nothing was changed",
    /// A bug.
    Internal = "the server made a mistake",
}

impl Code {
    /// Not what the caller did: whoever runs the server must hear of it.
    pub const fn is_our_failure(self) -> bool {
        matches!(self, Self::Storage | Self::StorageAway | Self::FileStore | Self::Internal)
    }
}

/// What went wrong, and with what.
#[derive(Debug)]
pub struct Error {
    /// What went wrong.
    pub code: Code,
    /// The value it went wrong with, as the caller spelled it; empty when there is none.
    pub subject: String,
    /// The limit that was passed, or a second number the text needs; 0 when there is none.
    pub limit: i64,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error about that value.
    pub fn about(code: Code, subject: impl Into<String>) -> Self {
        Self { code, subject: subject.into(), limit: 0, source: None }
    }

    /// An error about a limit.
    pub fn over(code: Code, limit: impl TryInto<i64>) -> Self {
        Self::from(code).with_limit(limit)
    }

    /// The same error with its limit.
    #[must_use]
    pub fn with_limit(mut self, limit: impl TryInto<i64>) -> Self {
        self.limit = limit.try_into().unwrap_or(i64::MAX);
        self
    }

    /// Nobody knows whether the write stands that ended with this.
    pub fn is_unsure(&self) -> bool {
        let cause = self.source.as_deref().and_then(|source| source.downcast_ref());
        matches!(cause, Some(yinxin_store::Error::Unsure(_)))
    }

    /// The same error with what caused it, for the log.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self { code, subject: String::new(), limit: 0, source: None }
    }
}

impl From<yinxin_store::Error> for Error {
    fn from(source: yinxin_store::Error) -> Self {
        let code = match source {
            yinxin_store::Error::Busy(_) => Code::Busy,
            yinxin_store::Error::Awaited | yinxin_store::Error::Panicked | yinxin_store::Error::Decode { .. } => {
                Code::Internal
            }
            yinxin_store::Error::Away(_) | yinxin_store::Error::Unsure(_) => Code::StorageAway,
            yinxin_store::Error::Engine(_) | yinxin_store::Error::Closed => Code::Storage,
        };
        Self::from(code).caused_by(source)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.text())?;
        if !self.subject.is_empty() {
            write!(f, ": '{}'", self.subject)?;
        }
        if self.limit != 0 {
            write!(f, " (limit {})", self.limit)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
