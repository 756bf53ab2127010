//! Every bound of the product that is not a queue's, by name. The configuration may change those in [`Limits`]; the
//! constants are the vendors' and part of the wire.

/// Bounds that an operator may set.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Users kept in memory.
    pub cached_users: usize,
    /// Password checks that may wait.
    pub password_queue: usize,
    /// Threads that hash passwords.
    pub password_threads: usize,
    /// Wrong passwords of one user from one address before it must wait.
    pub password_failures: u32,
    /// How long it takes for one of those to be forgiven.
    pub password_forgive_s: u32,
    /// Token calls of one address in a second.
    pub token_calls_per_s: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cached_users: 100_000,
            password_queue: 256,
            password_threads: std::thread::available_parallelism().map_or(2, usize::from),
            password_failures: 20,
            password_forgive_s: 15,
            token_calls_per_s: 100_000,
        }
    }
}

/// Bytes of a user name.
pub const USERNAME_BYTES_MAX: usize = 64;
/// Characters of a password.
pub const PASSWORD_CHARS_MAX: usize = 64;
/// Characters of a push nickname.
pub const NICKNAME_CHARS_MAX: usize = 100;
/// Characters of an app name, and of an organisation's.
pub const APP_NAME_CHARS_MAX: usize = 32;
/// Users in one registration call.
pub const REGISTER_BATCH_MAX: usize = 60;
/// Users per page.
pub const USER_PAGE_MAX: i64 = 100;
/// Users per page when the caller does not say.
pub const USER_PAGE_DEFAULT: i64 = 10;
/// Users deleted by one call; more are cut to this.
pub const USER_DELETE_MAX: i64 = 500;
/// Names in one question for online states.
pub const STATUS_BATCH_MAX: usize = 100;
/// Contacts per user when the app does not say.
pub const CONTACTS_DEFAULT: i64 = 3000;
/// Contacts per user that an app may allow, and the most that one list has.
pub const CONTACTS_MAX: i64 = 100_000;
/// Contacts, or blocked users, per page.
pub const PEOPLE_PAGE_MAX: i64 = 50;
/// Contacts, or blocked users, per page when the caller does not say.
pub const PEOPLE_PAGE_DEFAULT: i64 = 10;
/// Contacts in one import.
pub const CONTACT_IMPORT_MAX: usize = 10;
/// Names in one question for relations.
pub const RELATION_CHECK_MAX: usize = 100;
/// Characters of a remark.
pub const REMARK_CHARS_MAX: usize = 100;
/// Blocked users per user.
pub const BLOCKS_MAX: i64 = 500;
/// Groups whose pushes a user may have a setting for. They are kept in memory with the user.
pub const GROUP_IGNORES_MAX: i64 = 100;
/// Bytes of a group id in a setting.
pub const GROUP_ID_BYTES_MAX: usize = 64;
/// Bytes of one user's attributes.
pub const ATTRIBUTE_BYTES_MAX: i64 = 2048;
/// Users in one question for attributes.
pub const ATTRIBUTE_BATCH_MAX: usize = 100;
/// Pairs in one call that sets attributes: no more can be stored, even with names of one byte.
pub const ATTRIBUTE_PAIRS_MAX: usize = 300;
/// Names in one question for attributes.
pub const ATTRIBUTE_NAMES_MAX: usize = 100;
/// Bytes of a published presence text.
pub const PRESENCE_EXT_BYTES_MAX: usize = 1024;
/// Names in one presence call.
pub const PRESENCE_BATCH_MAX: usize = 100;
/// Subscriptions per page.
pub const PRESENCE_PAGE_MAX: i64 = 500;
/// Longest presence subscription.
pub const PRESENCE_EXPIRY_MAX_S: i64 = 2_592_000;
/// Presence subscriptions of one user.
pub const PRESENCE_SUBSCRIPTIONS_MAX: i64 = 3000;
/// Devices of one user whose presence is kept; the one that was silent longest gives way.
pub const PRESENCE_RESOURCES_MAX: i64 = 20;
/// Pages of mutes; what is behind them is not listed, since each page is walked to.
pub const MUTE_PAGES_MAX: i64 = 1000;
/// Mutes per page.
pub const MUTE_PAGE_MAX: i64 = 50;
/// Longest mute that is not for ever.
pub const MUTE_MAX_S: i64 = 2_147_483_647;
/// Push nicknames in one call.
pub const PUSH_NICKNAME_BATCH_MAX: usize = 50;
/// Push devices per user; the oldest binding gives way.
pub const PUSH_DEVICES_MAX: i64 = 20;
/// Push rules per user.
pub const PUSH_RULES_MAX: i64 = 2000;
/// Bytes of a push rule's, device's or notifier's short text.
pub const PUSH_TEXT_BYTES_MAX: usize = 512;
/// Longest "no pushes for the next …".
pub const PUSH_IGNORE_MAX_MS: i64 = 604_800_000;
/// Push templates, and notifiers, per app.
pub const PUSH_TEMPLATES_MAX: i64 = 100;
/// Bytes of a template's pattern.
pub const PUSH_PATTERN_BYTES_MAX: usize = 2048;
/// Bytes of a push certificate.
pub const PUSH_CERTIFICATE_BYTES_MAX: usize = 64 * 1024;
/// Longest life of a token; the wire has 32 bits for it.
pub const TOKEN_TTL_MAX_S: i64 = 4_294_967_295;
/// Life of a token when neither caller nor app say.
pub const TOKEN_TTL_DEFAULT_S: i64 = 5_184_000;
/// How far ahead of this server's clock a locally computed token may be stamped. When a user's tokens are ended, those
/// stamped up to so far ahead end, too.
pub const DYNAMIC_TOKEN_AHEAD_S: i64 = 5;
/// Bytes of one message's payload.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Days that messages are kept, for devices that were away and for the history.
pub const INBOX_DAYS: i64 = 7;
/// Entries of one queue of an inbox: one conversation of one user. With more, the oldest go.
pub const INBOX_QUEUE_MAX: i64 = 10_000;
/// A queue's length is looked at when so many have come into it; by then so many too many have made room.
pub const INBOX_TRIM_EVERY: i64 = 256;
/// Conversations that one user may pin.
pub const CONVERSATION_PINS_MAX: i64 = 50;
/// Marks that a conversation may have: 0 to 19.
pub const CONVERSATION_MARKS: u8 = 20;
/// Conversations, or messages, in one call.
pub const CONVERSATION_BATCH_MAX: usize = 50;
/// Pinned messages of one conversation.
pub const MESSAGE_PINS_MAX: i64 = 20;
/// Times that a message may be changed.
pub const EDITS_MAX: i64 = 10;
/// Different reactions to one message.
pub const REACTIONS_MAX: i64 = 20;
/// Characters of a reaction.
pub const REACTION_CHARS_MAX: usize = 128;
/// Messages in one question for reactions.
pub const REACTION_BATCH_MAX: usize = 20;
/// Reports of one user that are kept.
pub const REPORTS_MAX: i64 = 1000;
/// Reports per page.
pub const REPORT_PAGE_MAX: i64 = 100;
/// Bytes of a report's kind, reason or excerpt.
pub const REPORT_TEXT_BYTES_MAX: usize = 1024;
/// Queues that are looked at in one step of the sweep for what is too old.
pub const SWEEP_QUEUES: i64 = 256;
/// Rows that one write of a sweep may remove: the writer serves everybody else between two of them.
pub const SWEEP_ROWS: i64 = 500;
/// Pause between two steps of a sweep.
pub const SWEEP_PAUSE_MS: u64 = 1000;
/// Pause between the end of a sweep and the next.
pub const SWEEP_REST_MS: u64 = 3_600_000;
/// Queues that are announced to a device at once; the others follow when these are done.
pub const WAITING_QUEUES_MAX: i64 = 200;
/// Devices of a user whose place in its queues is remembered.
pub const DEVICES_KEPT: i64 = 20;
/// Devices of one platform that may be connected at a time.
pub const DEVICES_PER_PLATFORM: usize = 4;
/// Invitations that may wait for a user.
pub const INVITATIONS_MAX: i64 = 1000;
/// Bytes of an invitation's reason.
pub const INVITATION_BYTES_MAX: usize = 1024;
/// Messages, or conversations, per page of the history.
pub const HISTORY_PAGE_MAX: i64 = 50;
/// Receivers of one message from a backend.
pub const RECEIVERS_MAX: usize = 600;
/// Watchers who are told of one change of presence.
pub const WATCHERS_MAX: i64 = 3000;
