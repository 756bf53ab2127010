//! Every bound of the product that is not a queue's, by name. The configuration may change those in [`Limits`]; the
//! constants are the vendors' and part of the wire.

use std::time::Duration;

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
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of all files of an app; 0 = no limit.
    pub app_file_bytes: u64,
    /// Days after which files are deleted; 0 = never.
    pub file_days: u32,
    /// Uploads at a time.
    pub uploads: usize,
    /// Events that wait, or have failed, for one hook.
    pub hook_outbox_events: i64,
    /// Attempts of one hook in its log, and events it has taken that can be told again.
    pub hook_log_entries: i64,
    /// Questions to one hook at a time.
    pub hook_asks: usize,
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
            file_bytes: 10 * 1024 * 1024,
            app_file_bytes: 0,
            file_days: 0,
            uploads: 32,
            hook_outbox_events: 100_000,
            hook_log_entries: 1000,
            hook_asks: 256,
        }
    }
}

/// Bounds of a chat connection's socket.
#[derive(Clone, Copy, Debug)]
pub struct SocketLimits {
    /// From the handshake to the end of the first frame, which is the login.
    pub hello: Duration,
    /// A client that says nothing for so long is asked whether it is there. SDKs ask for news every 30 to 60 seconds.
    pub silence: Duration,
    /// How long it then has to say anything.
    pub answer: Duration,
    /// How long a client may leave a frame untaken.
    pub write: Duration,
    /// Between the last frame and the end of the socket: closed at once, an SDK may take it for a fault and come back.
    pub farewell: Duration,
    /// How long a line that needs a sign of life now and then may be without one.
    pub heartbeat: Duration,
    /// How long a connection outlives its token: SDKs log themselves out when it ends, and are to be let.
    pub token_grace: Duration,
    /// How often the clock is asked whether the token has ended.
    pub token_look: Duration,
    /// Bytes of one frame. A message may have [`MESSAGE_BYTES_MAX`]; one that is larger is refused by an answer, one
    /// that does not fit here ends the connection.
    pub frame_bytes: usize,
    /// Frames of one connection in a second, pings among them.
    pub frames_per_s: u32,
    /// Frames that may come at once after a silence.
    pub frames_at_once: u32,
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            hello: Duration::from_secs(15),
            silence: Duration::from_secs(75),
            answer: Duration::from_secs(30),
            write: Duration::from_secs(10),
            farewell: Duration::from_millis(300),
            heartbeat: Duration::from_secs(25),
            token_grace: Duration::from_secs(10),
            token_look: Duration::from_mins(1),
            frame_bytes: 2 * MESSAGE_BYTES_MAX,
            frames_per_s: 1000,
            frames_at_once: 10_000,
        }
    }
}

/// Bytes of a user name.
pub const USERNAME_BYTES_MAX: usize = 64;
/// Bytes of a user name under the shorter of the vendors' rules.
pub const SHORT_NAME_BYTES_MAX: usize = 32;
/// Characters of a password.
pub const PASSWORD_CHARS_MAX: usize = 64;
/// Characters of a login token that a backend chooses: a password under another name.
pub const LOGIN_TOKEN_CHARS_MAX: usize = 128;
/// Users in one question for profiles or connections.
pub const PROFILE_BATCH_MAX: usize = 200;
/// Characters of a push nickname.
pub const NICKNAME_CHARS_MAX: usize = 100;
/// Characters of an app name, and of an organisation's.
pub const APP_NAME_CHARS_MAX: usize = 32;
/// Bytes of the word that clients name an app by.
pub const SHORT_ID_BYTES_MAX: usize = 32;
/// Standing tokens of an app's backend.
pub const ADMIN_TOKENS_MAX: i64 = 20;
/// Bytes of a standing token that was made elsewhere.
pub const ADMIN_TOKEN_BYTES_MIN: usize = 32;
/// Bytes of a standing token that was made elsewhere.
pub const ADMIN_TOKEN_BYTES_MAX: usize = 1024;
/// Characters of what a standing token is called.
pub const ADMIN_TOKEN_LABEL_CHARS_MAX: usize = 64;
/// Users that a listing by page number passes over; a cursor goes on from there.
pub const LISTED_BY_NUMBER_MAX: i64 = 10_000;
/// Users that are named in one call to be changed.
pub const USERS_NAMED_MAX: usize = 100;
/// Applications to become a contact in one call.
pub const APPLICATIONS_AT_ONCE: usize = 100;
/// Characters of a text among a user's settings.
pub const SETTING_CHARS_MAX: usize = 1024;
/// Characters that an app keeps about a contact.
pub const CONTACT_EXT_CHARS_MAX: usize = 1024;
/// Bytes of the name of a device for pushes.
pub const PUSH_TOKEN_BYTES_MAX: usize = 1024;
/// Digits of a telephone number.
pub const MOBILE_DIGITS_MIN: usize = 5;
/// Digits of a telephone number.
pub const MOBILE_DIGITS_MAX: usize = 20;
/// Bytes of a mail address.
pub const EMAIL_BYTES_MAX: usize = 128;
/// Users that are given their numbers in one transaction.
pub const NUMBERS_CHUNK: usize = 500;
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
/// Bytes of an alias or a tag for pushes, or of what a backend calls a request for one.
pub const PUSH_MARK_BYTES_MAX: usize = 128;
/// Tags for pushes that a user may have.
pub const PUSH_TAGS_MAX: usize = 100;
/// Aliases of a user's devices, and of the user; the oldest gives way.
pub const PUSH_ALIASES_MAX: i64 = PUSH_DEVICES_MAX + 1;
/// Targets that one push may name.
pub const PUSH_TARGETS_MAX: usize = 500;
/// Bytes of what is pushed.
pub const PUSH_MESSAGE_BYTES_MAX: usize = 16 * 1024;
/// The highest number on an app's icon.
pub const PUSH_BADGE_MAX: i64 = 99_999;
/// Users that one event about a push names.
pub const PUSH_USERS_AT_ONCE: usize = 50;
/// Pushes of an app that may wait for being told.
pub const PUSH_TASKS_OPEN_MAX: i64 = 1000;
/// How long a push is remembered when it has been told.
pub const PUSH_TASK_KEPT_MS: i64 = 7 * 86_400_000;
/// Pushes in one question for what became of them.
pub const PUSH_TASK_BATCH_MAX: usize = 100;
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
/// How long after its time a message gets its id, which is made when it is written: more is a clock that was set back.
pub const MESSAGE_ID_LAG_MS: i64 = 60_000;
/// Entries of one queue of an inbox: one conversation of one user. With more, the oldest go.
pub const INBOX_QUEUE_MAX: i64 = 10_000;
/// A queue's length is looked at when so many have come into it; by then so many too many have made room.
pub const INBOX_TRIM_EVERY: i64 = 256;
/// Conversations that one user may pin.
pub const CONVERSATION_PINS_MAX: i64 = 50;
/// Marks that a conversation may have: 0 to 19.
pub const CONVERSATION_MARKS: u8 = 20;
/// Pages of conversations that are asked for by number; what is behind them is not listed, since each page is walked to.
pub const CONVERSATION_PAGES_MAX: i64 = 100;
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
pub const SWEEP_PAUSE_MS: i64 = 1000;
/// Pause between the end of a sweep and the next.
pub const SWEEP_REST_MS: i64 = 3_600_000;
/// Writes of 256 that remove rows whose time is over on the way, where several writes are under way at a time.
pub const SWEEPING_WRITES: u8 = 8;
/// Sessions of a deleted app that one write has end.
pub const SESSIONS_ENDED: i64 = 200;
/// How often the node of a cluster that does the chores looks for what others were asked to have done.
pub const CHORES_LOOK_MS: i64 = 1000;
/// Queues that are announced to a device at once; the others follow when these are done.
pub const WAITING_QUEUES_MAX: i64 = 200;
/// Devices of a user whose place in its queues is remembered.
pub const DEVICES_KEPT: i64 = 20;
/// Devices of one platform that may be connected at a time.
pub const DEVICES_PER_PLATFORM: usize = 4;
/// Invitations that may wait for a user.
pub const INVITATIONS_MAX: i64 = 1000;
/// How long an invitation waits for an answer.
pub const INVITATION_MS: i64 = 30 * 86_400_000;
/// Bytes of an invitation's reason.
pub const INVITATION_BYTES_MAX: usize = 1024;
/// Messages, or conversations, per page of the history.
pub const HISTORY_PAGE_MAX: i64 = 50;
/// Receivers of one message from a backend.
pub const RECEIVERS_MAX: usize = 600;
/// Uploads of one user at a time.
pub const USER_UPLOADS_MAX: usize = 8;
/// Bytes of a part of a file but the last.
pub const FILE_PART_BYTES_MIN: u64 = 5 * 1024 * 1024;
/// Bytes of a form around the file in it.
pub const FORM_BYTES_MAX: usize = 64 * 1024;
/// Uploads in parts of one owner that may wait for being finished.
pub const UNFINISHED_UPLOADS_MAX: i64 = 16;
/// An upload that is not finished by then is given up.
pub const UPLOAD_MAX_MS: i64 = 86_400_000;
/// Characters of a file's name; more are cut off.
pub const FILE_NAME_CHARS_MAX: usize = 255;
/// Bytes of a media type.
pub const MEDIA_TYPE_BYTES_MAX: usize = 127;
/// Bytes up to which a picture is its own thumbnail.
pub const THUMB_WHOLE_BYTES: u64 = 10 * 1024;
/// Bytes of a picture of which a thumbnail is made; it is in memory meanwhile.
pub const THUMB_SOURCE_BYTES_MAX: u64 = 20 * 1024 * 1024;
/// Pixels of a picture of which a thumbnail is made.
pub const THUMB_PIXELS_MAX: u64 = 16 * 1024 * 1024;
/// Bytes of such a picture when it is decoded.
pub const THUMB_DECODED_BYTES_MAX: u64 = 4 * THUMB_PIXELS_MAX;
/// Pixels of a thumbnail's side when nobody says.
pub const THUMB_SIDE_DEFAULT: i64 = 170;
/// Pixels of a thumbnail's side.
pub const THUMB_SIDE_MAX: i64 = 1024;
/// Thumbnails that may wait for being made; who asks for one more gets the picture itself.
pub const THUMB_QUEUE: usize = 64;
/// Objects, or files of one app, that are cleaned away at a time.
pub const SWEEP_MAX: i64 = 256;
/// Watchers who are told of one change of presence.
pub const WATCHERS_MAX: i64 = 3000;
/// How far the time a call was signed at may be from now, before and after.
pub const SIGNATURE_WINDOW_S: i64 = 300;
/// How long the id of a signed call is remembered: as long as a signature holds that was made as far ahead as may be.
pub const CALL_IDS_KEPT_MS: i64 = 2 * SIGNATURE_WINDOW_S * 1000;
/// Ids of signed calls that are remembered before the oldest are forgotten, twice over: some 2 MiB.
pub const CALL_IDS_KEPT: usize = 65_536;
/// Notes of signed calls that are of no more use and are removed with each beat of a node.
pub const MADE_CALLS_SWEPT: i64 = 500;
/// Parameters of one form.
pub const FORM_PAIRS_MAX: usize = 64;
/// Bytes of the key that names an app in signed calls.
pub const SIGNING_KEY_BYTES_MAX: usize = 64;
/// Bytes of the secrets that sign calls and make permission keys, when they are brought along.
pub const SIGNING_SECRET_BYTES_MAX: usize = 128;
/// Characters of a signed call's nonce.
pub const NONCE_CHARS_MAX: usize = 128;
/// Bytes of a room's name.
pub const ROOM_NAME_BYTES_MAX: usize = 64;
/// Longest life of a room token, issued here or computed by a backend, and of a permission key.
pub const ROOM_TOKEN_TTL_MAX_S: i64 = 86_400;
/// Life of a room token when the caller does not say.
pub const ROOM_TOKEN_TTL_DEFAULT_S: i64 = 600;
/// How far ahead of this server's clock a room token or permission key that a backend computed may be stamped.
pub const ROOM_TOKEN_AHEAD_S: i64 = 300;
/// An end of a room token that is less than this, and less than a hundredth of its life, before the one asked for is taken
/// to be it.
pub const ROOM_TOKEN_SLACK_MS: i64 = 10_000;
/// Room tokens that have ended and are removed with each one that is issued: more than one, so that they become fewer.
pub const ROOM_TOKENS_SWEPT: i64 = 2;
/// Seats in rooms that may be taken on a server.
pub const ROOM_SEATS_MAX: usize = 1_000_000;
/// Addresses of a room that a client is told: that of its node, and of others that may have to take its place.
pub const ROOM_ADDRESSES_MAX: usize = 4;
/// Those who are to leave rooms of a node and are heeded in one write.
pub const ROOM_ENDINGS_PAGE: i64 = 50;
/// Rooms of a dead node that are freed in one write.
pub const ROOMS_FREED: i64 = 20;
/// Members of one room.
pub const ROOM_MEMBERS_MAX: usize = 3000;
/// How long a room that was asked for, or that is empty, stays open; at least as long as a pass waits to be used.
pub const ROOM_EMPTY_MS: i64 = 60_000;
/// How long a room that a backend made waits for its first member.
pub const ROOM_WAITS_MS: i64 = 86_400_000;
/// How long a pass may wait before it is used for the first time.
pub const ROOM_PASS_MS: i64 = 60_000;
/// How long somebody who was lost may come back with the same pass.
pub const ROOM_RETURN_MS: i64 = 60_000;
/// How long before a permission ends its bearer is told.
pub const PERMISSION_NOTICE_MS: i64 = 30_000;
/// How long a kick bars when the caller does not say: as long as the longest room token lives.
pub const ROOM_BAR_DEFAULT_S: i64 = 86_400;
/// Longest bar.
pub const ROOM_BAR_MAX_S: i64 = 315_360_000;
/// Numbers in the list of those who are barred from a room.
pub const ROOM_BARS_LISTED: i64 = 1000;
/// How long rooms and stays are remembered after their end.
pub const ROOM_HISTORY_MS: i64 = 72 * 3_600_000;
/// Stays per page of a room's history.
pub const ROOM_HISTORY_PAGE_MAX: i64 = 500;
/// Stays per page of a room's history when the caller does not say.
pub const ROOM_HISTORY_PAGE_DEFAULT: i64 = 200;
/// Pages of a room's history; what is behind them is not listed, since each page is walked to.
pub const ROOM_HISTORY_PAGES_MAX: i64 = 1000;
/// Rooms, stays and bars that are over and are removed with each one that begins: more than one, so that they become
/// fewer.
pub const ROOMS_SWEPT: i64 = 2;
/// Hooks of one app.
pub const HOOKS_MAX: i64 = 10;
/// Hooks of one app that may veto: two would have to agree.
pub const HOOKS_PRE_SEND_MAX: i64 = 1;
/// Bytes of a hook's address.
pub const HOOK_URL_BYTES_MAX: usize = 2048;
/// How long telling a hook may take: least, most, and when nobody says.
pub const HOOK_EVENTS_TIMEOUT_MS: (i64, i64, i64) = (1000, 30_000, 15_000);
/// The same for asking one: the sender waits.
pub const HOOK_PRE_SEND_TIMEOUT_MS: (i64, i64, i64) = (10, 5000, 200);
/// Seconds from each failed attempt at an event to the next; a tenth more or less. Three days in all.
pub const HOOK_RETRY_DELAYS_S: [i64; 16] =
    [5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 28_800, 28_800, 28_800, 28_800, 28_800, 28_800, 28_800];
/// What these delays come to at the least: a hook that has taken nothing for so long is switched off with the last
/// attempt at an event.
pub const HOOK_FAILING_MIN_MS: i64 = 64 * 3_600_000;
/// What they come to at the most: after so long it is switched off with any attempt. One with a long outbox has none to
/// spare for last ones.
pub const HOOK_FAILING_MAX_MS: i64 = 80 * 3_600_000;
/// Longest "leave me alone" of a hook that is heeded.
pub const HOOK_RETRY_AFTER_MAX_S: i64 = 3600;
/// How long a hook's secret signs after it was replaced.
pub const HOOK_SECRET_OVERLAP_MS: i64 = 86_400_000;
/// Days after which an event that was not delivered is removed.
pub const HOOK_EVENT_DAYS: i64 = 7;
/// Bytes of a verdict.
pub const HOOK_ANSWER_BYTES_MAX: usize = 16 * 1024;
/// Characters of a veto's reason that its sender is shown.
pub const HOOK_REASON_CHARS_MAX: usize = 200;
/// Characters of an error in a hook's log.
pub const HOOK_ERROR_CHARS_MAX: usize = 200;
/// Attempts per page of a hook's log.
pub const HOOK_LOG_PAGE_MAX: i64 = 100;
/// Sessions that are ended in one write after a crash.
pub const HOOK_SESSIONS_PAGE: i64 = 500;
/// Devices of one user that may be connected at a time.
pub const SESSIONS_PER_USER: usize = 20;
/// How often a node of a cluster says that it lives.
pub const NODE_BEAT_MS: u64 = 3000;
/// A node that has not said so for this long is dead: its connections count as gone. The others see what it says up to a
/// beat later, and the promise is 15 s.
pub const NODE_DEAD_MS: u64 = 11_000;
/// A node that was last seen so long ago, by the clock, is dead for one that has just come and sees that it does not move.
pub const NODE_LONG_DEAD_MS: i64 = 60_000;
/// How often a node looks for connections of its own that are to end, whether or not it is told.
pub const ENDINGS_LOOK_MS: u64 = 2000;
/// Connections that are told to end in one look, before the next.
pub const ENDINGS_PAGE: i64 = 500;
/// How long what was read is believed where other nodes write, too, or a commit may show after its answer was lost.
pub const CACHE_TRUST_MS: u64 = 4000;
/// How long a write waits for the other nodes to forget what it changed.
pub const TOUCH_WAIT_MS: u64 = 500;
/// Touches that are told in one hint; with more, everything is forgotten.
pub const TOUCHES_TOLD: usize = 4096;
/// Users whose wake-ups wait to be told to other nodes; with more, everybody looks.
pub const WAKES_WAITING: usize = 16_384;
/// Wake-ups of one user that wait, and news for it.
pub const WAKES_PER_USER: usize = 64;
/// Connections whose end is still to be written after the database failed.
pub const LEFTOVERS_MAX: usize = 1_000_000;
/// How often a node looks whether a piece of background work is its to do, and one that does it whether it still is.
pub const LEASE_LOOK: Duration = Duration::from_secs(1);
/// Rows of a dead node that are removed in one write.
pub const NODE_CLEAR_ROWS: i64 = 50;
/// Connections of a node of a cluster that read at the same time what they have missed.
pub const LOOKS_UNDER_WAY: u32 = 4;
/// What is under way for a connection that is told to end may take so long.
pub const LAST_WORK: Duration = Duration::from_secs(1);
/// A look that finds the database busy is tried again after this, or up to twice as long.
pub const LOOK_AGAIN_MS: u64 = 1000;
/// Pause before it is asked again where users are connected, after the database could not tell.
pub const WHEREABOUTS_PAUSE_MS: u64 = 500;
/// Pause between two parts of what all connections of a node are told.
pub const PART_PAUSE_MS: u64 = 20;
/// Connections of a node that look into their inboxes in a second while the node is not told what happens.
pub const LOOKS_PER_S: u64 = 2000;
/// Rows of forgiven wrong passwords that are removed with each wrong one: more than one, so that they become fewer.
pub const FORGIVEN_SWEPT: i64 = 2;
/// How often a node counts anew what is kept for hooks, where others tell them.
pub const HOOK_RECOUNT_BEATS: u32 = 10;
