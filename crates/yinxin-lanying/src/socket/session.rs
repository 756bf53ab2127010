//! A connection after its login: frames and wake-ups in, frames out. Knows no socket.

use std::sync::Arc;

use yinxin_core::conversations::{self, From};
use yinxin_core::hooks::Known;
use yinxin_core::messages::{self, Entry, Outgoing, Sender};
use yinxin_core::presence::News;
use yinxin_core::sessions::CloseReason;
use yinxin_core::{Code, Ctx, Error, Result};
use yinxin_floo::frame::decode_within;
use yinxin_floo::wire::{ErrorCode, Meta, Namespace, SyncUl, UserNoticeType, Xid};
use yinxin_floo::{Frame, encode};
use yinxin_realtime::{Answering, End, Ending, Inbox, Next, Show};

use super::deeds::Deed;
use super::login::Identity;
use super::people::People;
use super::{deeds, metas, outgoing};

/// Quirk(lanying): the web SDK asks for what was before a message by its id as a double, which is wrong in the last bits
/// of ids beyond 2^53. So much is asked for beyond it: the SDK shows a message that it has already once.
const ID_SLACK: u64 = 256;

/// A logged-in connection.
pub(super) struct Session {
    ctx: Arc<Ctx>,
    who: Identity,
    people: People,
    inbox: Inbox,
    /// The most that a frame may have.
    frame_bytes: usize,
}

impl Session {
    pub fn new(ctx: Arc<Ctx>, who: Identity, frame_bytes: usize) -> Self {
        let inbox = Inbox::new(Arc::clone(&ctx), who.app.id, who.user.user, who.device.resource.clone());
        let people = People::new(Arc::clone(&ctx), Arc::clone(&who.app));
        Self { ctx, who, people, inbox, frame_bytes }
    }

    async fn list(&mut self) -> Result<Vec<u8>> {
        let mut conversations = Vec::new();
        for (queue, count) in self.inbox.list().await? {
            let number = self.people.number(&queue).await?;
            conversations.push((number, u32::try_from(count).unwrap_or(u32::MAX)));
        }
        Ok(encode::unread(conversations))
    }

    async fn sync(&mut self, up: SyncUl) -> Result<Next> {
        if let Some(meta) = up.meta {
            return self.receive(&meta).await;
        }
        let conversation = up.xid.unwrap_or_default();
        let Some(queue) = self.people.queue(conversation.uid).await? else {
            // Groups, and users who are no more: nothing waits there.
            return Ok(Next::Send(vec![encode::end_of_conversation(conversation)]));
        };
        if up.is_full_sync {
            return self.look_back(conversation, &queue, &up).await;
        }
        let key = (up.key != 0).then_some(up.key);
        let shown = self.inbox.pull(queue, key).await?;
        self.show(shown).await.map(Next::Send)
    }

    async fn show(&mut self, shown: Vec<Show>) -> Result<Vec<Vec<u8>>> {
        let mut frames = Vec::with_capacity(shown.len());
        for show in shown {
            frames.push(match show {
                Show::Page { queue, entries, key } => {
                    let conversation = Xid::user(self.people.number(&queue).await?);
                    let metas = self.metas(&queue, entries).await?;
                    encode::page(conversation, metas, key)
                }
                Show::End(queue) => encode::end_of_conversation(Xid::user(self.people.number(&queue).await?)),
            });
        }
        Ok(frames)
    }

    async fn metas(&mut self, queue: &str, entries: Vec<Entry>) -> Result<Vec<Meta>> {
        let mut metas = Vec::with_capacity(entries.len());
        for entry in entries {
            let from = self.people.device(&entry.sender, &entry.origin).await?;
            let peer = self.people.number(queue).await?;
            let parties = metas::Parties { from, peer, is_own: entry.sender == self.who.user.username };
            metas.extend(metas::metas(&parties, self.who.xid.uid, &entry));
        }
        Ok(metas)
    }

    /// What was said in a conversation before a message, whatever the device has or has not.
    async fn look_back(&mut self, conversation: Xid, queue: &str, up: &SyncUl) -> Result<Next> {
        let before = i64::try_from(up.key.saturating_add(ID_SLACK)).ok().filter(|_| up.key != 0);
        let (app, user) = (&self.who.app, &self.who.user.username);
        let limit = i64::from(up.full_sync_num);
        let mut page = conversations::history(&self.ctx, app, user, queue, From::Before(before), limit).await?;
        page.entries.reverse();
        let oldest = page.entries.first().map_or(0, |entry| entry.message_id.cast_unsigned());
        let next = if page.next.is_some() { oldest } else { 0 };
        let metas = self.metas(queue, page.entries).await?;
        Ok(Next::Send(vec![encode::look_back(conversation, metas, next)]))
    }

    /// A meta that the client sends.
    async fn receive(&mut self, meta: &Meta) -> Result<Next> {
        let to = meta.to.unwrap_or_default();
        if Namespace::try_from(meta.ns) == Ok(Namespace::Info) {
            // What the client says of itself asks for no answer.
            return Ok(Next::Send(Vec::new()));
        }
        let refused = |error: &Error| Ok(Next::Send(vec![outgoing::refused(to, meta.id, error)]));
        match deeds::read(meta) {
            Ok(Some(deed)) => return self.keep(to, meta.id, deed).await,
            Ok(None) => {}
            Err(error) => return refused(&error),
        }
        if Namespace::try_from(meta.ns) != Ok(Namespace::Message) {
            return refused(&Code::NotOffered.into());
        }
        let said = match outgoing::read(meta) {
            Ok(said) => said,
            Err(error) => return refused(&error),
        };
        let Some(name) = self.people.user(said.to).await? else {
            return refused(&Error::about(Code::UserNotFound, said.to.to_string()));
        };
        let outgoing = match said.into_outgoing(&self.who, &name) {
            Ok(outgoing) => outgoing,
            Err(error) => return refused(&error),
        };
        Ok(Next::Wait(self.send(to, meta.id, name, outgoing)))
    }

    /// What the user does to its own side.
    async fn keep(&self, conversation: Xid, client_mid: u64, deed: Deed) -> Result<Next> {
        let Some(queue) = self.people.queue(deed.peer).await? else {
            let error = Error::about(Code::UserNotFound, deed.peer.to_string());
            return Ok(Next::Send(vec![outgoing::refused(conversation, client_mid, &error)]));
        };
        let ctx = Arc::clone(&self.ctx);
        let done = deed.act(Arc::clone(&ctx), &self.who, queue);
        Ok(Next::Wait(Box::pin(async move {
            match done.await {
                // An answer without a number of the server's looks like a failure to the SDK.
                Ok(()) => encode::sent(conversation, client_mid, ctx.mint.order().cast_unsigned(), ctx.clock.now_ms()),
                Err(error) => outgoing::refused(conversation, client_mid, &error),
            }
        })))
    }

    fn send(&self, conversation: Xid, client_mid: u64, to: String, outgoing: Outgoing) -> Answering {
        let (ctx, app, user) = (Arc::clone(&self.ctx), Arc::clone(&self.who.app), Arc::clone(&self.who.user));
        Box::pin(async move {
            match messages::send(&ctx, &app, Sender::User(&user), &to, outgoing).await {
                Ok(sent) => encode::sent(conversation, client_mid, sent.id.cast_unsigned(), sent.at_ms),
                Err(error) => outgoing::refused(conversation, client_mid, &error),
            }
        })
    }
}

impl yinxin_realtime::Session for Session {
    fn known(&self) -> Known<'_> {
        self.who.known()
    }

    async fn on_frame(&mut self, bytes: &[u8]) -> Result<Next> {
        let Ok(frame) = decode_within(bytes, self.frame_bytes) else { return Ok(Next::Close(End::Malformed)) };
        match frame {
            Frame::Unread => Ok(Next::Send(vec![self.list().await?])),
            Frame::Sync(up) => self.sync(*up).await,
            Frame::Provision(_) => Ok(Next::Close(End::LoggedInAlready)),
            Frame::Other(_) => {
                let refusal = encode::refused(Xid::default(), 0, ErrorCode::UnknownCommand, "no such command");
                Ok(Next::Send(vec![refusal]))
            }
        }
    }

    async fn on_wake(&mut self, queue: &str) -> Result<Vec<Vec<u8>>> {
        let shown = self.inbox.wake(queue).await?;
        let frames = self.show(shown).await;
        if frames.is_err() {
            self.inbox.unsent(queue);
        }
        frames
    }

    /// These SDKs know no presence.
    fn on_news(&self, _news: &News) -> Vec<Vec<u8>> {
        Vec::new()
    }

    async fn waiting_queues(&self) -> Result<Vec<String>> {
        self.inbox.waiting_queues().await
    }

    fn farewell(&self, ending: &Ending) -> Option<Vec<u8>> {
        let notice = match ending {
            Ending::Displaced(note) if *note == self.who.device.resource => UserNoticeType::KickBySameDevice,
            Ending::Displaced(_) | Ending::Asked(CloseReason::Kicked) => UserNoticeType::KickedByOtherDevice,
            Ending::Asked(CloseReason::Banned) => UserNoticeType::Frozen,
            Ending::Asked(CloseReason::PasswordChanged) => UserNoticeType::PasswordChanged,
            Ending::Asked(CloseReason::Deleted) => UserNoticeType::Removed,
            Ending::ServerStops => return None,
        };
        let id = self.ctx.mint.order().cast_unsigned();
        Some(encode::user_notice(self.who.xid, notice, id, self.ctx.clock.now_ms()))
    }
}
