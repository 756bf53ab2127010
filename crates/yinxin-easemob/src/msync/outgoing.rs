//! What a client sends to another user: a meta as an outgoing message, and the SDK's words for a refusal.

use yinxin_core::hooks::Content;
use yinxin_core::messages::{Act, Edit, Kind, Outgoing, Receipt, Sent};
use yinxin_core::{Code, Error, Result};
use yinxin_msync::wire::{GROUP_DOMAIN, Jid, MessageType, Meta, RouteType};
use yinxin_msync::{SendRefusal, body, encode};

use super::edits;
use super::login::Identity;

/// To whom, and what. Who sends is what the server knows.
pub(super) fn read(meta: &Meta, who: &Identity) -> Result<(String, Outgoing)> {
    let illegal = |_| Error::from(Code::BodyMalformed);
    let to = meta.to.as_ref();
    if to.and_then(|to| to.domain.as_deref()) == Some(GROUP_DOMAIN) {
        return Err(Code::NotOffered.into());
    }
    let to = to.and_then(|to| to.name.as_deref()).ok_or(Code::UsernameMissing)?.to_ascii_lowercase();
    let payload = meta.payload.as_deref().unwrap_or_default();
    let summary = body::inspect(payload).map_err(illegal)?;
    let act = act(&summary)?;
    let mut body = body::rewrite_identity(payload, &who.user.username, &to).map_err(illegal)?;
    if summary.has_meta {
        body = body::clean_meta(&body).map_err(illegal)?;
    }
    let online_only = meta.routetype == Some(RouteType::Online.into());
    let outgoing = Outgoing {
        // What is for those only who are here now is no part of the history.
        kind: if matches!(act, Act::Says) && !online_only { Kind::Chat } else { Kind::About },
        origin: who.device.resource.clone(),
        payload: body,
        act,
        online_only,
        read: content,
    };
    Ok((to, outgoing))
}

/// What a payload says. One that cannot be read was refused before it was stored.
pub(crate) fn content(payload: &[u8]) -> Content {
    let body::Description { bodies, ext } = body::describe(payload).unwrap_or_default();
    Content { bodies, ext }
}

/// What a message does, by what its body says it is.
fn act(body: &body::BodySummary<'_>) -> Result<Act> {
    let about = || body.ack_message_id.map(u64::cast_signed).ok_or_else(|| Error::from(Code::BodyMalformed));
    Ok(match body.kind {
        None | Some(MessageType::Normal | MessageType::Chat) => Act::Says,
        Some(MessageType::Edit) => {
            let message = body.edit_message_id.ok_or(Code::BodyMalformed)?.cast_signed();
            Act::Edits(Edit { message, apply: edits::apply })
        }
        Some(MessageType::Recall) => Act::Recalls(about()?),
        Some(MessageType::DeliverAck) => Act::Confirms(Receipt::Delivered(about()?)),
        Some(MessageType::ReadAck) => Act::Confirms(Receipt::Read(about()?)),
        Some(MessageType::ChannelAck) => Act::Confirms(Receipt::Conversation),
        Some(MessageType::GroupChat | MessageType::ChatRoom) => return Err(Code::NotOffered.into()),
    })
}

/// The SDK's words for a message that was taken; what it changed, if anything, goes with them.
pub(super) fn sent(meta_id: u64, sent: &Sent, device: Jid, sender: &str) -> Vec<u8> {
    let id = sent.id.cast_unsigned();
    match &sent.edited {
        None => encode::send_ok(meta_id, id, sent.at_ms),
        Some(edited) => encode::edit_ok(meta_id, id, sent.at_ms, device, &edits::told(edited, sender, sent.at_ms)),
    }
}

/// The SDK's words for a refusal.
pub(super) fn refused(meta_id: u64, error: &Error) -> Vec<u8> {
    let refusal = match error.code {
        Code::SenderBlocked => SendRefusal::Blocked,
        Code::NotContact => SendRefusal::NotContact,
        Code::SenderMuted => SendRefusal::Muted,
        Code::UserNotFound => SendRefusal::UserNotFound(&error.subject),
        Code::MessageVetoed => SendRefusal::Vetoed(&error.subject),
        Code::MessageTooLarge => SendRefusal::TooLarge,
        Code::RecallTooLate => SendRefusal::RecallTooLate,
        Code::EditNotFound => SendRefusal::EditNotFound,
        Code::EditForbidden => SendRefusal::EditForbidden,
        Code::EditIllegal => SendRefusal::EditIllegal,
        Code::EditsSpent => SendRefusal::EditsSpent,
        Code::EditRaced => SendRefusal::EditFailed,
        Code::NotOffered => SendRefusal::GroupNotFound,
        Code::RateLimited | Code::Busy => SendRefusal::TooFast,
        _ => SendRefusal::Other(error.code.text()),
    };
    if error.code.is_our_failure() {
        tracing::error!(%error, "a message could not be stored");
    }
    encode::send_refused(meta_id, refusal)
}
