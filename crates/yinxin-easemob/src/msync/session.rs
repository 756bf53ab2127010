//! A connection after its login: frames and wake-ups in, frames out. Knows no socket.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use yinxin_core::hooks::Known;
use yinxin_core::messages::{self, Entry, Outgoing, Sender};
use yinxin_core::presence::News;
use yinxin_core::sessions::CloseReason;
use yinxin_core::{Ctx, Result};
use yinxin_msync::frame::decode_within;
use yinxin_msync::wire::{CommSyncUl, Jid, Meta, MucBody, Namespace};
use yinxin_msync::{Frame, Kick, SendRefusal, encode};
use yinxin_realtime::{Answering, End, Ending, Inbox, Next, Show};

use super::login::Identity;
use super::{metas, outgoing};

/// A logged-in connection.
pub(super) struct Session {
    ctx: Arc<Ctx>,
    who: Identity,
    app_key: String,
    frame_bytes: usize,
    inbox: Inbox,
}

impl Session {
    /// `frame_bytes` is the most that a frame may have.
    pub fn new(ctx: Arc<Ctx>, who: Identity, frame_bytes: usize) -> Self {
        let app_key = who.app.name.app_key();
        let inbox = Inbox::new(Arc::clone(&ctx), who.app.id, who.user.user, who.device.resource.clone());
        Self { ctx, who, app_key, frame_bytes, inbox }
    }

    async fn list(&mut self) -> Result<Vec<u8>> {
        let waiting = self.inbox.list().await?;
        let queues = waiting
            .iter()
            .map(|(queue, count)| (Jid::user(&self.app_key, queue), u32::try_from(*count).unwrap_or(u32::MAX)));
        Ok(encode::unread(queues, self.ctx.clock.now_ms()))
    }

    async fn sync(&mut self, up: CommSyncUl) -> Result<Next> {
        if let Some(meta) = up.meta {
            return Ok(self.receive(&meta));
        }
        Ok(Next::Send(match up.queue.and_then(|queue| queue.name) {
            Some(queue) => {
                let shown = self.inbox.pull(queue.to_ascii_lowercase(), up.key).await?;
                self.show(shown)
            }
            // The nameless queue carries notices, which are not kept: there is never more.
            None => vec![encode::end_of_queue(Jid::server(&self.app_key), self.ctx.clock.now_ms())],
        }))
    }

    fn show(&self, shown: Vec<Show>) -> Vec<Vec<u8>> {
        let frame = |show| match show {
            Show::Page { queue, entries, key } => self.page(&queue, entries, key),
            Show::End(queue) => encode::end_of_queue(Jid::user(&self.app_key, &queue), self.ctx.clock.now_ms()),
        };
        shown.into_iter().map(frame).collect()
    }

    fn page(&self, queue: &str, entries: Vec<Entry>, key: u64) -> Vec<u8> {
        let now_ms = self.ctx.clock.now_ms();
        let owner = &self.who.user.username;
        let shown = |entry: Entry| {
            // What was sent before this connection came is not news to it.
            let was_online = entry.sent_ms >= now_ms - 1000;
            metas::meta(&self.app_key, owner, queue, entry, was_online)
        };
        let metas: Vec<Meta> = entries.into_iter().filter_map(shown).collect();
        encode::page(Jid::user(&self.app_key, queue), metas, key, now_ms)
    }

    /// A meta that the client sends.
    fn receive(&self, meta: &Meta) -> Next {
        let meta_id = meta.id.unwrap_or_default();
        match meta.ns.and_then(|ns| Namespace::try_from(ns).ok()) {
            // The client's statistics ask for no answer.
            Some(Namespace::Statistic) => Next::Send(Vec::new()),
            Some(Namespace::Chat) => match outgoing::read(meta, &self.who) {
                Ok((to, outgoing)) => Next::Wait(self.send(meta_id, to, outgoing)),
                Err(error) => Next::Send(vec![outgoing::refused(meta_id, &error)]),
            },
            // There are no rooms.
            Some(Namespace::Muc) => {
                let room = yinxin_msync::read::<MucBody>(meta.payload.as_deref().unwrap_or_default()).ok();
                let name = room.and_then(|body| body.muc_id?.name).unwrap_or_default();
                Next::Send(vec![encode::send_refused(meta_id, SendRefusal::RoomNotFound(&name))])
            }
            _ => Next::Send(vec![encode::send_refused(meta_id, SendRefusal::Unsupported)]),
        }
    }

    fn send(&self, meta_id: u64, to: String, outgoing: Outgoing) -> Answering {
        let (ctx, app, user) = (Arc::clone(&self.ctx), Arc::clone(&self.who.app), Arc::clone(&self.who.user));
        let device = Jid::device(&self.app_key, &user.username, &self.who.device.resource);
        Box::pin(async move {
            match messages::send(&ctx, &app, Sender::User(&user), &to, outgoing).await {
                Ok(sent) => outgoing::sent(meta_id, &sent, device, &user.username),
                Err(error) => outgoing::refused(meta_id, &error),
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
            Frame::Logout(_) => Ok(Next::Close(End::LoggedOut)),
            Frame::Provision(_) => Ok(Next::Close(End::LoggedInAlready)),
            Frame::Other(_) => Ok(Next::Send(Vec::new())),
        }
    }

    async fn on_wake(&mut self, queue: &str) -> Result<Vec<Vec<u8>>> {
        let shown = self.inbox.wake(queue).await?;
        Ok(self.show(shown))
    }

    fn on_news(&self, news: &News) -> Vec<Vec<u8>> {
        let status: Map<String, Value> =
            news.devices.iter().map(|(resource, status)| (resource.clone(), status.to_string().into())).collect();
        let value = json!({
            "uid": news.username,
            "last_time": news.last_s,
            "expiry": news.expires_in_s,
            "ext": news.ext,
            "status": status,
        });
        let notice = json!({ "type": "presence", "data": { "values": [value] } });
        let to = Jid::user(&self.app_key, &self.who.user.username);
        let [id, key] = [(); 2].map(|()| self.ctx.mint.order().cast_unsigned());
        vec![encode::notify(to, id, key, &notice, self.ctx.clock.now_ms())]
    }

    async fn waiting_queues(&self) -> Result<Vec<String>> {
        self.inbox.waiting_queues().await
    }

    /// Without one the client comes back.
    fn farewell(&self, ending: &Ending) -> Option<Vec<u8>> {
        let (kick, note) = match ending {
            Ending::Displaced(note) => (Kick::ReplacedByLogin, Some(note.as_str())),
            Ending::Asked(CloseReason::Kicked | CloseReason::Banned) => (Kick::Dismissed, None),
            Ending::Asked(CloseReason::PasswordChanged) => (Kick::PasswordChanged, None),
            Ending::Asked(CloseReason::Deleted) => (Kick::UserRemoved, None),
            Ending::ServerStops => return None,
        };
        let device = Jid::device(&self.app_key, &self.who.user.username, &self.who.device.resource);
        Some(encode::kick(
            kick,
            note.filter(|note| !note.is_empty()),
            device,
            self.ctx.mint.order().cast_unsigned(),
            self.ctx.clock.now_ms(),
        ))
    }
}
