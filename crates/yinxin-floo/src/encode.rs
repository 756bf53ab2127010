//! What a server sends: the frames, each by a function that cannot build a wrong one.
//!
//! Owns which fields an answer must have for the SDK to understand it. Must not know when one is sent. Each function
//! returns one whole frame. Times are milliseconds since 1970.

use prost::Message;

use crate::wire::{
    Command, Conversation, ConversationOperation, ConversationOperationType, ConversationPayloadType, ConversationType,
    ConversationUnread, ErrorCode, Frame, MessageBody, Meta, Namespace, Provision, RosterNotice, RosterNoticeType,
    Status, SyncDl, UnreadDl, UserNotice, UserNoticeType, Xid,
};

/// The client is in, as that device.
pub fn provision_ok(xid: Xid) -> Vec<u8> {
    provision(xid, status(ErrorCode::Ok, ""))
}

/// The client is not let in.
pub fn provision_refused(xid: Xid, code: ErrorCode, reason: &str) -> Vec<u8> {
    provision(xid, status(code, reason))
}

fn provision(xid: Xid, status: Status) -> Vec<u8> {
    frame(Command::Provision, &Provision { status: Some(status), xid: Some(xid), ..Provision::default() })
}

/// In which conversations something waits, and how much.
pub fn unread(conversations: impl IntoIterator<Item = (u64, u32)>) -> Vec<u8> {
    let unread = conversations.into_iter().map(|(uid, n)| ConversationUnread {
        xid: Some(Xid::user(uid)),
        n,
        r#type: ConversationType::Chat.into(),
    });
    frame(Command::Unread, &UnreadDl { status: Some(status(ErrorCode::Ok, "")), unread: unread.collect() })
}

/// A page of a conversation. The client confirms it by asking for the next with `key`, which is not 0.
pub fn page(conversation: Xid, metas: Vec<Meta>, key: u64) -> Vec<u8> {
    frame(Command::Sync, &SyncDl { metas, next_key: key, ..sync(conversation) })
}

/// Nothing more waits in a conversation.
pub fn end_of_conversation(conversation: Xid) -> Vec<u8> {
    frame(Command::Sync, &sync(conversation))
}

/// What a client looked back on; `next` is where to go on, 0 for nowhere.
pub fn look_back(conversation: Xid, metas: Vec<Meta>, next: u64) -> Vec<u8> {
    frame(Command::Sync, &SyncDl { metas, next_key: next, is_full_sync: true, ..sync(conversation) })
}

/// What the client sent is stored.
pub fn sent(conversation: Xid, client_mid: u64, server_mid: u64, at_ms: i64) -> Vec<u8> {
    let server_time = at_ms.cast_unsigned();
    frame(Command::Sync, &SyncDl { client_mid, server_mid, server_time, ..sync(conversation) })
}

/// What the client sent, or asked for, is refused. With a `client_mid` that is not 0 the SDK tells its page which.
pub fn refused(conversation: Xid, client_mid: u64, code: ErrorCode, reason: &str) -> Vec<u8> {
    frame(Command::Sync, &SyncDl { status: Some(status(code, reason)), client_mid, ..sync(conversation) })
}

/// Something about the user itself, as a page that asks for no confirmation.
pub fn user_notice(user: Xid, notice: UserNoticeType, id: u64, at_ms: i64) -> Vec<u8> {
    let about = UserNotice { r#type: notice.into(), content: String::new() };
    let heading = Heading { id, from: Xid::default(), to: user, at_ms };
    let metas = vec![heading.meta(Namespace::UserNotice, &about)];
    frame(Command::Sync, &SyncDl { metas, ..sync(Xid::default()) })
}

/// What every meta of a server says.
#[derive(Clone, Copy, Debug)]
pub struct Heading {
    /// The server's number.
    pub id: u64,
    /// Who it is from.
    pub from: Xid,
    /// To whom.
    pub to: Xid,
    /// When it was sent.
    pub at_ms: i64,
}

impl Heading {
    /// A message, or something done to one.
    pub fn message(&self, body: &MessageBody) -> Meta {
        self.meta(Namespace::Message, body)
    }

    /// A conversation was removed from the user's list.
    pub fn removed(&self, conversation: Xid) -> Meta {
        let r#type = ConversationOperationType::DeleteEverywhere.into();
        let operation = Some(ConversationOperation { r#type, xid: Some(conversation) });
        let said = Conversation { r#type: ConversationPayloadType::Oper.into(), operation };
        self.meta(Namespace::Conversation, &said)
    }

    /// Something about a contact.
    pub fn roster(&self, notice: RosterNoticeType, reason: &str) -> Meta {
        let content = reason.to_owned();
        let notice = RosterNotice { r#type: notice.into(), from: Some(self.from), to: vec![self.to], content };
        self.meta(Namespace::RosterNotice, &notice)
    }

    fn meta(&self, ns: Namespace, payload: &impl Message) -> Meta {
        Meta {
            id: self.id,
            from: Some(self.from),
            to: Some(self.to),
            timestamp: self.at_ms.cast_unsigned(),
            ns: ns.into(),
            payload: payload.encode_to_vec(),
        }
    }
}

fn sync(conversation: Xid) -> SyncDl {
    SyncDl { status: Some(status(ErrorCode::Ok, "")), xid: Some(conversation), ..SyncDl::default() }
}

fn status(code: ErrorCode, reason: &str) -> Status {
    Status { code: code.into(), reason: reason.to_owned() }
}

fn frame(command: Command, payload: &impl Message) -> Vec<u8> {
    Frame { command: command.into(), payload: payload.encode_to_vec(), ..Frame::default() }.encode_to_vec()
}
