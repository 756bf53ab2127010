//! What a server says by itself: about contacts, and about the user.

use prost::{Enumeration, Message};

use super::Xid;

/// Something about a contact.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RosterNotice {
    /// A [`RosterNoticeType`].
    #[prost(int32, tag = "1")]
    pub r#type: i32,
    /// Who did it.
    #[prost(message, optional, tag = "2")]
    pub from: Option<Xid>,
    /// To whom.
    #[prost(message, repeated, tag = "3")]
    pub to: Vec<Xid>,
    /// The reason that was given.
    #[prost(string, tag = "4")]
    pub content: String,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum RosterNoticeType {
    /// Nothing.
    Unknown = 0,
    /// Became a contact.
    Added = 1,
    /// Is one no more.
    Removed = 2,
    /// Has accepted.
    Accepted = 3,
    /// Has declined.
    Declined = 4,
    /// Asks to become one.
    Applied = 7,
}

/// Something about the user itself.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct UserNotice {
    /// A [`UserNoticeType`].
    #[prost(int32, tag = "1")]
    pub r#type: i32,
    /// In words.
    #[prost(string, tag = "2")]
    pub content: String,
}

/// What happened. After each but the kick by the same device the SDK forgets its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum UserNoticeType {
    /// Nothing.
    Unknown = 0,
    /// The password is another.
    PasswordChanged = 1,
    /// The user may not log in any more.
    Frozen = 2,
    /// The user is gone.
    Removed = 3,
    /// The same device has connected again; this connection is not to come back.
    KickBySameDevice = 4,
    /// Somebody wanted this device off.
    KickedByOtherDevice = 5,
}
