//! What the entries of an inbox are, by the numbers they are stored under.

/// What an entry of an inbox is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A message to a person: counted, kept in the history. The payload is the dialect's.
    Chat,
    /// About a message: receipts, recalls. Not counted. The payload is the dialect's.
    About,
    /// The sender asks to become a contact; the payload is its reason, a text.
    Invited,
    /// The sender has accepted an invitation.
    Accepted,
    /// The sender has declined an invitation.
    Declined,
    /// The sender is no contact any more.
    Removed,
    /// A backend has made the sender a contact.
    Added,
    /// The sender, which is the owner, has pinned the conversation.
    Pinned,
    /// The owner has unpinned the conversation.
    Unpinned,
    /// The owner has marked the conversation; the payload is the mark's number.
    Marked,
    /// The owner has taken a mark away; the payload is its number.
    Unmarked,
    /// The owner has removed the conversation from its list.
    Hidden,
    /// The owner has removed messages from the conversation; the payload is their ids, or nothing if all up to some time.
    Erased,
    /// The sender has reacted to a message, or taken a reaction back; the payload is a [`crate::reactions::Change`].
    Reacted,
    /// The sender has pinned a message; the payload is its id.
    MessagePinned,
    /// The sender has unpinned a message; the payload is its id.
    MessageUnpinned,
    /// The owner wants to see a message as one that it has not read; the payload is its id.
    Unread,
}

impl Kind {
    const ALL: [Self; 17] = [
        Self::Chat,
        Self::About,
        Self::Invited,
        Self::Accepted,
        Self::Declined,
        Self::Removed,
        Self::Added,
        Self::Pinned,
        Self::Unpinned,
        Self::Marked,
        Self::Unmarked,
        Self::Hidden,
        Self::Erased,
        Self::Reacted,
        Self::MessagePinned,
        Self::MessageUnpinned,
        Self::Unread,
    ];

    /// The number in storage.
    pub const fn number(self) -> i64 {
        match self {
            Self::Chat => 1,
            Self::About => 2,
            Self::Invited => 3,
            Self::Accepted => 4,
            Self::Declined => 5,
            Self::Removed => 6,
            Self::Added => 7,
            Self::Pinned => 8,
            Self::Unpinned => 9,
            Self::Marked => 10,
            Self::Unmarked => 11,
            Self::Hidden => 12,
            Self::Erased => 13,
            Self::Reacted => 14,
            Self::MessagePinned => 15,
            Self::MessageUnpinned => 16,
            Self::Unread => 17,
        }
    }

    /// Reads the number; `None` for an unknown one.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}
