//! What a client makes of its user's own conversations, of which the other does not hear.

use std::sync::Arc;

use yinxin_core::messages::By;
use yinxin_core::{Code, Ctx, Error, Result, conversations};
use yinxin_floo::frame::read as read_message;
use yinxin_floo::wire::{
    Conversation, ConversationOperationType, MessageBody, MessageType, Meta, Namespace, OperationType,
};

use super::login::Identity;

/// Something that a user does in the conversation with `peer`.
#[derive(Debug)]
pub(super) struct Deed {
    /// The number of the other.
    pub peer: u64,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// Removes a message from its side.
    Erases(i64),
    /// Has a message look as if it was not read.
    MarksUnread(i64),
    /// Removes the conversation from the list, and what was said in it.
    Removes,
    /// Has removed the conversation from this device, whose list nobody keeps but the device.
    Forgets,
}

/// Reads a meta. `None`: it is for somebody else.
pub(super) fn read(meta: &Meta) -> Result<Option<Deed>> {
    match Namespace::try_from(meta.ns) {
        Ok(Namespace::Message) => of_message(meta),
        Ok(Namespace::Conversation) => of_conversation(meta).map(Some),
        _ => Ok(None),
    }
}

fn of_message(meta: &Meta) -> Result<Option<Deed>> {
    let body: MessageBody = read_message(&meta.payload).map_err(|_| Error::from(Code::BodyMalformed))?;
    let Some(operation) = body.operation.filter(|_| body.r#type == MessageType::Oper as i32) else { return Ok(None) };
    let mid = operation.mid.cast_signed();
    let what = match OperationType::try_from(operation.r#type) {
        Ok(OperationType::Delete) => What::Erases(mid),
        Ok(OperationType::ReadCancel) => What::MarksUnread(mid),
        _ => return Ok(None),
    };
    Ok(Some(Deed { peer: operation.xid.unwrap_or_default().uid, what }))
}

fn of_conversation(meta: &Meta) -> Result<Deed> {
    let said: Conversation = read_message(&meta.payload).map_err(|_| Error::from(Code::BodyMalformed))?;
    let operation = said.operation.unwrap_or_default();
    let what = match ConversationOperationType::try_from(operation.r#type) {
        Ok(ConversationOperationType::Delete) => What::Forgets,
        Ok(ConversationOperationType::DeleteEverywhere) => What::Removes,
        Ok(ConversationOperationType::Unknown) | Err(_) => return Err(Code::NotOffered.into()),
    };
    Ok(Deed { peer: operation.xid.unwrap_or_default().uid, what })
}

impl Deed {
    /// Does it, in the queue of that name.
    pub fn act(self, ctx: Arc<Ctx>, who: &Identity, queue: String) -> impl Future<Output = Result<()>> + use<> {
        let (app, user, device) = (Arc::clone(&who.app), Arc::clone(&who.user), who.device.resource.clone());
        async move {
            let (owner, by) = (&user.username, By::Device(&device));
            match self.what {
                What::Erases(id) => conversations::erase(&ctx, &app, owner, &queue, vec![id], by).await,
                What::MarksUnread(id) => conversations::mark_unread(&ctx, &app, owner, &queue, id, by).await,
                What::Removes => conversations::remove(&ctx, &app, owner, &queue, true, by).await,
                What::Forgets => Ok(()),
            }
        }
    }
}
