//! What a client sends to another user: a meta as an outgoing message, and the SDK's words for a refusal.

use yinxin_core::hooks::Content;
use yinxin_core::messages::{Act, Kind, Outgoing, Receipt};
use yinxin_core::{Code, Error, Result};
use yinxin_floo::encode;
use yinxin_floo::frame::read as read_message;
use yinxin_floo::wire::{ErrorCode, MessageBody, MessageType, Meta, Operation, OperationType, QoS, Xid};
use yinxin_msync::body;

use super::bodies;
use super::login::Identity;

/// What a meta says, before it is known whether there is such a receiver.
#[derive(Debug)]
pub(super) struct Said {
    /// The receiver's number.
    pub to: u64,
    act: Act,
    body: MessageBody,
}

/// Reads a meta.
pub(super) fn read(meta: &Meta) -> Result<Said> {
    let body: MessageBody = read_message(&meta.payload).map_err(|_| Error::from(Code::BodyMalformed))?;
    let to = meta.to.unwrap_or_default().uid;
    match MessageType::try_from(body.r#type) {
        Ok(MessageType::Chat) => Ok(Said { to, act: Act::Says, body }),
        Ok(MessageType::Oper) => {
            let operation = body.operation.unwrap_or_default();
            let act = act(&operation)?;
            // That all was read is said to the user's own devices; who wrote it may know, too.
            let is_to_self = matches!(act, Act::Confirms(Receipt::Conversation));
            let to = if is_to_self { operation.xid.unwrap_or_default().uid } else { to };
            Ok(Said { to, act, body })
        }
        Ok(MessageType::Normal | MessageType::GroupChat) | Err(_) => Err(Code::NotOffered.into()),
    }
}

fn act(operation: &Operation) -> Result<Act> {
    let mid = operation.mid.cast_signed();
    match OperationType::try_from(operation.r#type) {
        Ok(OperationType::ReadAck) => Ok(Act::Confirms(Receipt::Read(mid))),
        Ok(OperationType::DeliverAck) => Ok(Act::Confirms(Receipt::Delivered(mid))),
        Ok(OperationType::ReadAll) => Ok(Act::Confirms(Receipt::Conversation)),
        Ok(OperationType::Recall) => Ok(Act::Recalls(mid)),
        _ => Err(Code::NotOffered.into()),
    }
}

impl Said {
    /// As a message to the user of that name. Who sends is what the server knows.
    pub fn into_outgoing(self, who: &Identity, to: &str) -> Result<Outgoing> {
        let Self { act, body, .. } = self;
        let online_only = body.qos == QoS::AtMostOnce as i32;
        let payload = bodies::from_floo(&body, act, &who.user.username, to)?;
        Ok(Outgoing {
            // What is for those only who are here now is no part of the history.
            kind: if matches!(act, Act::Says) && !online_only { Kind::Chat } else { Kind::About },
            origin: who.device.resource.clone(),
            payload,
            act,
            online_only,
            read: content,
        })
    }
}

/// What a payload says. One that cannot be read was refused before it was stored.
fn content(payload: &[u8]) -> Content {
    let body::Description { bodies, ext } = body::describe(payload).unwrap_or_default();
    Content { bodies, ext }
}

/// The SDK's words for a refusal.
pub(super) fn refused(conversation: Xid, client_mid: u64, error: &Error) -> Vec<u8> {
    // Neither "invalid token" nor "unauthorized": the SDK would log in again.
    let code = match error.code {
        Code::SenderMuted => ErrorCode::UserBanned,
        Code::MessageVetoed => ErrorCode::WordCensored,
        Code::RateLimited | Code::Busy => ErrorCode::RateLimitExceeded,
        Code::UserNotFound | Code::MessageTooLarge | Code::BodyMalformed => ErrorCode::InvalidParameter,
        _ => ErrorCode::Fail,
    };
    if error.code.is_our_failure() {
        tracing::error!(%error, "a message could not be stored");
    }
    // What a backend says about its veto is for the sender.
    let is_vetoed = error.code == Code::MessageVetoed && !error.subject.is_empty();
    let reason = if is_vetoed { &*error.subject } else { error.code.text() };
    encode::refused(conversation, client_mid, code, reason)
}
