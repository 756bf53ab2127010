//! A connection after its login: frames and wake-ups in, frames out. Knows no socket.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use yinxin_core::messages::{self, Act, Edit, Entry, Kind, Outgoing, Sender};
use yinxin_core::presence::News;
use yinxin_core::sessions::CloseReason;
use yinxin_core::{Code, Ctx, Error, Result};
use yinxin_msync::wire::{CommSyncUl, GROUP_DOMAIN, Jid, MessageType, Meta, MucBody, Namespace, RouteType};
use yinxin_msync::{Frame, Kick, SendRefusal, body, encode};
use yinxin_realtime::{Action, Delivery, Ending, Event};

use super::edits;
use super::login::Identity;
use super::metas;

/// Entries on one page.
const PAGE: i64 = 20;

/// A logged-in connection.
pub(super) struct Session {
    ctx: Arc<Ctx>,
    who: Identity,
    app_key: String,
    delivery: Delivery,
}

/// What a frame leads to.
pub(super) enum Next {
    /// Send these frames.
    Send(Vec<Vec<u8>>),
    /// The client has logged out.
    Close,
}

impl Session {
    pub fn new(ctx: Arc<Ctx>, who: Identity) -> Self {
        let app_key = who.app.name.app_key();
        Self { ctx, who, app_key, delivery: Delivery::new() }
    }

    /// Answers a frame.
    pub async fn on_frame(&mut self, frame: Frame) -> Result<Next> {
        match frame {
            Frame::Unread => self.list().await.map(Next::Send),
            Frame::Sync(up) => self.sync(*up).await.map(Next::Send),
            // A second login on one connection is the end of it, too.
            Frame::Logout(_) | Frame::Provision(_) => Ok(Next::Close),
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

    /// Looks into all queues: wake-ups were lost.
    pub async fn resync(&mut self) -> Result<Vec<Vec<u8>>> {
        let mut frames = Vec::new();
        for (queue, _) in self.waiting().await? {
            frames.extend(self.on_wake(&queue).await?);
        }
        Ok(frames)
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

    async fn sync(&mut self, up: CommSyncUl) -> Result<Vec<Vec<u8>>> {
        if let Some(meta) = up.meta {
            return self.receive(meta).await;
        }
        match up.queue.and_then(|queue| queue.name) {
            Some(queue) => self.deliver(Event::Pulled { queue: queue.to_ascii_lowercase(), key: up.key }).await,
            // The nameless queue carries notices, which are not kept: there is never more.
            None => Ok(vec![encode::end_of_queue(Jid::server(&self.app_key), self.ctx.clock.now_ms())]),
        }
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
        messages::next_for_device(&self.ctx, app, user, &self.who.device.resource, queue, PAGE).await
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
    async fn receive(&mut self, meta: Meta) -> Result<Vec<Vec<u8>>> {
        let meta_id = meta.id.unwrap_or_default();
        match meta.ns.and_then(|ns| Namespace::try_from(ns).ok()) {
            // The client's statistics ask for no answer.
            Some(Namespace::Statistic) => Ok(Vec::new()),
            Some(Namespace::Chat) => Ok(vec![match self.send(&meta).await {
                Ok(sent) => self.sent(meta_id, &sent),
                Err(error) => refused(meta_id, &error),
            }]),
            // There are no rooms.
            Some(Namespace::Muc) => {
                let room = yinxin_msync::read::<MucBody>(meta.payload.as_deref().unwrap_or_default()).ok();
                let name = room.and_then(|body| body.muc_id?.name).unwrap_or_default();
                Ok(vec![encode::send_refused(meta_id, SendRefusal::RoomNotFound(&name))])
            }
            _ => Ok(vec![encode::send_refused(meta_id, SendRefusal::Unsupported)]),
        }
    }

    fn sent(&self, meta_id: u64, sent: &messages::Sent) -> Vec<u8> {
        let id = sent.id.cast_unsigned();
        let Some(edited) = &sent.edited else { return encode::send_ok(meta_id, id, sent.at_ms) };
        let who = &self.who;
        let device = Jid::device(&self.app_key, &who.user.username, &who.device.resource);
        encode::edit_ok(meta_id, id, sent.at_ms, device, &edits::told(edited, &who.user.username, sent.at_ms))
    }

    async fn send(&self, meta: &Meta) -> Result<messages::Sent> {
        let illegal = |_| Error::from(Code::BodyMalformed);
        let to = meta.to.as_ref();
        if to.and_then(|to| to.domain.as_deref()) == Some(GROUP_DOMAIN) {
            return Err(Code::NotOffered.into());
        }
        let to = to.and_then(|to| to.name.as_deref()).ok_or(Code::UsernameMissing)?.to_ascii_lowercase();
        let payload = meta.payload.as_deref().unwrap_or_default();
        let summary = body::inspect(payload).map_err(illegal)?;
        let (kind, act) = match summary.kind {
            None | Some(MessageType::Normal | MessageType::Chat) => (Kind::Chat, Act::Says),
            Some(MessageType::Recall) => {
                let recalled = summary.ack_message_id.ok_or(Code::BodyMalformed)?;
                (Kind::About, Act::Recalls(recalled.cast_signed()))
            }
            Some(MessageType::ReadAck | MessageType::DeliverAck | MessageType::ChannelAck) => {
                (Kind::About, Act::Confirms)
            }
            Some(MessageType::GroupChat | MessageType::ChatRoom) => return Err(Code::NotOffered.into()),
            Some(MessageType::Edit) => {
                let edited = summary.edit_message_id.ok_or(Code::BodyMalformed)?;
                (Kind::About, Act::Edits(Edit { message: edited.cast_signed(), apply: edits::apply }))
            }
        };
        let mut body = body::rewrite_identity(payload, &self.who.user.username, &to).map_err(illegal)?;
        if summary.has_meta {
            body = body::clean_meta(&body).map_err(illegal)?;
        }
        let sender = &self.who.user;
        let online_only = meta.routetype == Some(RouteType::Online.into());
        let outgoing = Outgoing {
            // What is for those only who are here now is no part of the history.
            kind: if online_only { Kind::About } else { kind },
            origin: self.who.device.resource.clone(),
            payload: body,
            act,
            online_only,
        };
        messages::send(&self.ctx, &self.who.app, Sender::User(sender), &to, outgoing).await
    }
}

/// The SDK's words for a refusal.
fn refused(meta_id: u64, error: &Error) -> Vec<u8> {
    let refusal = match error.code {
        Code::SenderBlocked => SendRefusal::Blocked,
        Code::NotContact => SendRefusal::NotContact,
        Code::SenderMuted => SendRefusal::Muted,
        Code::UserNotFound => SendRefusal::UserNotFound(&error.subject),
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
    if matches!(error.code, Code::Storage | Code::Internal) {
        tracing::error!(%error, "a message could not be stored");
    }
    encode::send_refused(meta_id, refusal)
}
