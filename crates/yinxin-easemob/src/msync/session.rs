//! A connection after its login: frames and wake-ups in, frames out. Knows no socket.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use yinxin_core::hooks::Known;
use yinxin_core::messages::{self, Entry, Outgoing, Sender};
use yinxin_core::presence::News;
use yinxin_core::sessions::CloseReason;
use yinxin_core::{Ctx, Result};
use yinxin_msync::wire::{CommSyncUl, Jid, Meta, MucBody, Namespace};
use yinxin_msync::{Frame, Kick, SendRefusal, encode};
use yinxin_realtime::{Action, Delivery, Ending, Event};

use super::end::End;
use super::login::Identity;
use super::{metas, outgoing};

/// Entries on one page.
const PAGE: i64 = 20;
/// Bytes of messages on one page, unless the first has more.
const PAGE_BYTES: usize = 128 * 1024;

/// A logged-in connection.
pub(super) struct Session {
    ctx: Arc<Ctx>,
    who: Identity,
    app_key: String,
    delivery: Delivery,
}

/// An answer that takes its time: a message is asked about and stored first.
pub(super) type Answering = BoxFuture<'static, Vec<u8>>;

/// What a frame leads to.
pub(super) enum Next {
    /// Send these frames.
    Send(Vec<Vec<u8>>),
    /// Send the answer when it is there. Meanwhile nothing is to be taken from the client, so that what it sends stays
    /// in order; what is sent to it need not wait.
    Wait(Answering),
    /// End, without another word.
    Close(End),
}

impl Session {
    pub fn new(ctx: Arc<Ctx>, who: Identity) -> Self {
        let app_key = who.app.name.app_key();
        Self { ctx, who, app_key, delivery: Delivery::new() }
    }

    /// Whose connection it is.
    pub fn known(&self) -> Known<'_> {
        self.who.known()
    }

    /// Answers a frame.
    pub async fn on_frame(&mut self, frame: Frame) -> Result<Next> {
        match frame {
            Frame::Unread => self.list().await.map(Next::Send),
            Frame::Sync(up) => self.sync(*up).await,
            Frame::Logout(_) => Ok(Next::Close(End::LoggedOut)),
            Frame::Provision(_) => Ok(Next::Close(End::LoggedInAlready)),
            Frame::Other(_) => Ok(Next::Send(Vec::new())),
        }
    }

    /// Looks into a queue that something was put into.
    pub async fn on_wake(&mut self, queue: &str) -> Result<Vec<Vec<u8>>> {
        self.deliver(Event::Woken(queue.to_owned())).await
    }

    /// Tells of somebody's presence. It is not kept: whoever misses it asks.
    pub fn on_news(&self, news: &News) -> Vec<u8> {
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
        encode::notify(to, id, key, &notice, self.ctx.clock.now_ms())
    }

    /// The queues to look into when wake-ups were lost.
    pub async fn waiting_queues(&self) -> Result<Vec<String>> {
        Ok(self.waiting().await?.into_iter().map(|(queue, _)| queue).collect())
    }

    /// The last frame of a connection that must end; without one the client comes back.
    pub fn farewell(&self, ending: &Ending) -> Option<Vec<u8>> {
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

    async fn waiting(&self) -> Result<Vec<(String, i64)>> {
        let (app, user) = (self.who.app.id, self.who.user.user);
        messages::queues_for_device(&self.ctx, app, user, &self.who.device.resource).await
    }

    async fn list(&mut self) -> Result<Vec<Vec<u8>>> {
        let mut waiting = self.waiting().await?;
        waiting.retain(|(queue, _)| !self.delivery.is_busy(queue));
        let listed = waiting.iter().map(|(queue, _)| queue.clone()).collect();
        self.delivery.on(Event::Listed(listed));
        let queues = waiting
            .iter()
            .map(|(queue, count)| (Jid::user(&self.app_key, queue), u32::try_from(*count).unwrap_or(u32::MAX)));
        Ok(vec![encode::unread(queues, self.ctx.clock.now_ms())])
    }

    async fn sync(&mut self, up: CommSyncUl) -> Result<Next> {
        if let Some(meta) = up.meta {
            return Ok(self.receive(&meta));
        }
        Ok(Next::Send(match up.queue.and_then(|queue| queue.name) {
            Some(queue) => self.deliver(Event::Pulled { queue: queue.to_ascii_lowercase(), key: up.key }).await?,
            // The nameless queue carries notices, which are not kept: there is never more.
            None => vec![encode::end_of_queue(Jid::server(&self.app_key), self.ctx.clock.now_ms())],
        }))
    }

    /// Runs an event through the state machine until nothing is left to do.
    async fn deliver(&mut self, event: Event) -> Result<Vec<Vec<u8>>> {
        let mut frames = Vec::new();
        let mut read: HashMap<String, Vec<Entry>> = HashMap::new();
        let mut actions = self.delivery.on(event);
        while !actions.is_empty() {
            for action in std::mem::take(&mut actions) {
                match action {
                    Action::Confirm { queue, up_to } => self.confirm(&queue, up_to).await?,
                    Action::Fetch(queue) => {
                        let entries = self.fetch(&queue).await?;
                        let last = entries.last().map(|entry| entry.message_id);
                        let key = self.ctx.mint.order().cast_unsigned();
                        read.insert(queue.clone(), entries);
                        actions.extend(self.delivery.on(Event::Fetched { queue, last, key }));
                    }
                    Action::SendPage { queue, key } => {
                        let entries = read.remove(&queue).unwrap_or_default();
                        frames.push(self.page(&queue, entries, key));
                    }
                    Action::SendEnd(queue) => {
                        frames.push(encode::end_of_queue(Jid::user(&self.app_key, &queue), self.ctx.clock.now_ms()));
                    }
                }
            }
        }
        Ok(frames)
    }

    async fn confirm(&self, queue: &str, up_to: i64) -> Result<()> {
        let (app, user) = (self.who.app.id, self.who.user.user);
        messages::confirm(&self.ctx, app, user, &self.who.device.resource, queue, up_to).await
    }

    async fn fetch(&self, queue: &str) -> Result<Vec<Entry>> {
        let (app, user) = (self.who.app.id, self.who.user.user);
        let mut entries =
            messages::next_for_device(&self.ctx, app, user, &self.who.device.resource, queue, PAGE).await?;
        let mut bytes = 0;
        let fitting = entries.iter().take_while(|entry| {
            bytes += entry.payload.len();
            bytes <= PAGE_BYTES
        });
        let count = fitting.count().max(1);
        entries.truncate(count);
        Ok(entries)
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
