//! Messages between two users: who may send, where they are kept, what each device still has to get.
//!
//! A message is stored, in the receiver's inbox and in the sender's own, before its sender hears of success; then the
//! connected devices of both are woken to fetch it. What a payload says is the dialect's business.

use std::sync::Arc;

pub use yinxin_store::tables::inbox::InboxRow as Entry;
use yinxin_store::tables::inbox::{self, ANY_DEVICE, Ahead};
use yinxin_store::tables::{blocks, contacts, conversations, mutes as mute_table, reactions};
use yinxin_store::{AppId, Sql, UserId};

use crate::apps::{self, App};
use crate::ctx::Ctx;
use crate::db::Db;
use crate::error::{Code, Error, Result};
use crate::hooks::{self, Content, Notes, Said};
use crate::limits::{DEVICES_KEPT, MESSAGE_BYTES_MAX, WAITING_QUEUES_MAX};
use crate::mint::Mint;
use crate::mutes::Scope;
use crate::retention::{self, Place, kept_from};
use crate::sessions::Sessions;
use crate::users::{self, User, must_exist};

mod edits;
mod kind;
mod news;

pub use edits::{Edit, Edited, Rewritten, Stamp};
pub use kind::Kind;
pub use news::By;
pub(crate) use news::{Deed, News, note};

/// A message to send.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// What the payload is.
    pub kind: Kind,
    /// The sending device; empty for a backend. It is not shown its own message.
    pub origin: String,
    /// The body, with the sender's identity written by the server.
    pub payload: Vec<u8>,
    /// What it does beside being delivered.
    pub act: Act,
    /// Only for a receiver who is connected now; nothing is kept for one who is not.
    pub online_only: bool,
    /// Reads a payload, for backends that want to know what it says.
    pub read: fn(&[u8]) -> Content,
}

impl Outgoing {
    /// Whether a user's device sends it, and not a backend.
    fn is_from_device(&self) -> bool {
        !self.origin.is_empty()
    }

    /// What is put into inboxes; it gets its id there.
    fn into_entry(self, sender: &str, sent_ms: i64) -> Entry {
        Entry {
            message_id: 0,
            sender: sender.to_owned(),
            origin: self.origin,
            kind: self.kind.number(),
            counted: self.kind == Kind::Chat && !self.online_only,
            payload: self.payload.into(),
            sent_ms,
        }
    }
}

/// What a message does beside being delivered.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// It says something.
    Says,
    /// It says something else in the place of a message of the sender.
    Edits(Edit),
    /// It confirms what the other has sent.
    Confirms(Receipt),
    /// It takes back that message of the sender.
    Recalls(i64),
}

/// What is confirmed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Receipt {
    /// That message has arrived.
    Delivered(i64),
    /// That message was read.
    Read(i64),
    /// All of the conversation was read.
    Conversation,
}

impl Act {
    /// Whether there is something in it for people, or applications, to read.
    pub const fn has_content(self) -> bool {
        matches!(self, Self::Says | Self::Edits(_))
    }

    /// The message it is about.
    pub const fn about(self) -> Option<i64> {
        match self {
            Self::Edits(Edit { message: id, .. })
            | Self::Recalls(id)
            | Self::Confirms(Receipt::Delivered(id) | Receipt::Read(id)) => Some(id),
            Self::Says | Self::Confirms(Receipt::Conversation) => None,
        }
    }

    /// Whether it changes what is kept: then those must hear of it, too, who are not here.
    const fn changes_what_is_kept(self) -> bool {
        matches!(self, Self::Edits(_) | Self::Recalls(_))
    }
}

/// A message that was sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// Its id.
    pub id: i64,
    /// Its time.
    pub at_ms: i64,
    /// What it changed, if it changed a message.
    pub edited: Option<Edited>,
}

/// Who sends.
#[derive(Clone, Copy, Debug)]
pub enum Sender<'a> {
    /// A user, or a backend in a user's name.
    User(&'a User),
    /// A backend under a name that is nobody's.
    House(&'a str),
}

impl Sender<'_> {
    fn name(&self) -> &str {
        match self {
            Self::User(user) => &user.username,
            Self::House(name) => name,
        }
    }
}

/// Sends a message to the user named. What a user's device says is first put to the app's hook, if it has one that may
/// veto.
pub async fn send(ctx: &Ctx, app: &App, sender: Sender<'_>, to: &str, mut outgoing: Outgoing) -> Result<Sent> {
    if outgoing.payload.len() > MESSAGE_BYTES_MAX {
        return Err(Error::over(Code::MessageTooLarge, 64 * 1024));
    }
    outgoing.online_only &= !outgoing.act.changes_what_is_kept();
    // A connection knows its app as it was at its login.
    let app = &*apps::current(ctx, app).await?;
    let receiver = users::find(ctx, app, to).await?;
    let is_said_by_user = outgoing.is_from_device() && outgoing.act.has_content();
    let right = Right {
        app: app.id,
        sender: if let Sender::User(user) = sender { Some(user.user) } else { None },
        receiver: receiver.user,
        contacts_only: app.settings.contacts_only_messaging && is_said_by_user,
        has_content: outgoing.act.has_content(),
        now_s: ctx.clock.now_s(),
    };
    let said = Said { app, from: sender.name(), to: &receiver.username, outgoing: &outgoing };
    if is_said_by_user && hooks::asks(app) {
        let entry = outgoing.clone().into_entry(sender.name(), ctx.clock.now_ms());
        let judged = (right, receiver.username.clone(), entry, outgoing.act);
        // What would be refused anyway is nobody's to judge.
        let payload = ctx.db.read(judged, |sql, judged| Box::pin(foresee(sql, judged))).await?;
        hooks::ask(ctx, app, || said.question(&payload)).await?;
    }
    let at_ms = ctx.clock.now_ms();
    let is_kept = !outgoing.online_only || ctx.sessions.is_online(app.id, receiver.user).await?;
    let notes = if is_kept { said.notes(ctx, at_ms) } else { None };
    let (to, act, read) = (receiver.username.clone(), outgoing.act, outgoing.read);
    let entry = outgoing.into_entry(sender.name(), at_ms);
    let input = Sending { right, to, entry, act, read, is_kept, notes, mint: Arc::clone(&ctx.mint) };
    // On its own: what is stored is told even if the sender goes while it is being stored.
    let finished = tokio::spawn(store_and_tell(ctx.db.clone(), ctx.sessions.clone(), input));
    let (id, edited) = finished.await.map_err(|lost| Error::from(Code::Internal).caused_by(lost))??;
    Ok(Sent { id, at_ms, edited })
}

async fn store_and_tell(db: Db, sessions: Sessions, input: Sending) -> Result<(i64, Option<Edited>)> {
    let Sending { right: Right { app, sender, receiver, .. }, .. } = input;
    let (from, to, origin) = (input.entry.sender.clone(), input.to.clone(), input.entry.origin.clone());
    let stored = db.write(input, |sql, input| Box::pin(store(sql, input))).await?;
    sessions.wake(app, receiver, &from);
    if let Some(sender) = sender {
        sessions.wake_others(app, sender, &to, &origin);
    }
    Ok(stored)
}

/// What decides whether one may send to another.
#[derive(Clone, Copy)]
struct Right {
    app: AppId,
    sender: Option<UserId>,
    receiver: UserId,
    /// The receiver must have the sender among its contacts.
    contacts_only: bool,
    has_content: bool,
    now_s: i64,
}

struct Sending {
    right: Right,
    to: String,
    entry: Entry,
    act: Act,
    read: fn(&[u8]) -> Content,
    is_kept: bool,
    notes: Option<Notes>,
    mint: Arc<Mint>,
}

/// What receivers would be shown if the message was sent now: of a change, all that the message becomes.
async fn foresee(sql: &mut dyn Sql, (right, to, entry, act): &(Right, String, Entry, Act)) -> Result<Box<[u8]>> {
    may_send(sql, right).await?;
    let (Act::Edits(edit), Some(sender)) = (act, right.sender) else { return Ok(entry.payload.clone()) };
    let change = edits::prepare(sql, right.app, (sender, to), entry, edit).await?;
    Ok(change.rewritten.news.into())
}

async fn store(sql: &mut dyn Sql, input: &Sending) -> Result<(i64, Option<Edited>)> {
    let Sending { right, to, entry, mint, .. } = input;
    let Right { app, sender, receiver, .. } = *right;
    must_exist(sql, app, receiver).await?;
    let mut change = None;
    if let Some(sender) = sender {
        must_exist(sql, app, sender).await?;
        may_send(sql, right).await?;
        match &input.act {
            Act::Says | Act::Confirms(_) => {}
            Act::Recalls(recalled) => recall(sql, input, sender, *recalled).await?,
            Act::Edits(edit) => change = Some(edits::make(sql, input, sender, edit).await?),
        }
    }
    if !input.is_kept {
        return Ok((mint.order(), None));
    }
    let (edited, news) = change.unzip();
    let news = news.map(|payload| Entry { payload: payload.into(), ..entry.clone() });
    let to_receiver = Place { owner: receiver, queue: &entry.sender, counted: entry.counted };
    let own = sender.map(|sender| Place { owner: sender, queue: to, counted: false });
    let places: Vec<_> = [Some(to_receiver), own.filter(|own| own.owner != receiver)].into_iter().flatten().collect();
    let id = retention::append(sql, mint, app, &places, news.as_ref().unwrap_or(entry)).await?;
    if let Some(notes) = &input.notes {
        let becomes = news.map(|news| (input.read)(&news.payload));
        notes.keep(sql, app, Some(id), becomes).await?;
    }
    Ok((id, edited))
}

/// Takes a message back, which only its sender can: his own inbox knows whose it is.
async fn recall(sql: &mut dyn Sql, input: &Sending, sender: UserId, recalled: i64) -> Result<()> {
    let Sending { right: Right { app, receiver, .. }, to, entry, .. } = input;
    if recalled < kept_from(entry.sent_ms) || !inbox::remove(sql, *app, sender, to, &entry.sender, recalled).await? {
        return Err(Code::RecallTooLate.into());
    }
    // What has not arrived yet need not: the recall tells those devices that have it.
    inbox::remove(sql, *app, *receiver, &entry.sender, &entry.sender, recalled).await?;
    for (owner, queue) in [(sender, to), (*receiver, &entry.sender)] {
        reactions::forget(sql, *app, owner, recalled).await?;
        conversations::recount(sql, *app, owner, queue, Kind::Chat.number()).await?;
    }
    Ok(())
}

async fn may_send(sql: &mut dyn Sql, right: &Right) -> Result<()> {
    let Right { app, receiver, .. } = *right;
    let Some(sender) = right.sender else { return Ok(()) };
    may_reach(sql, app, sender, receiver, right.contacts_only).await?;
    let muted = mute_table::of_user(sql, app, sender, right.now_s).await?;
    if right.has_content && muted.iter().any(|mute| mute.scope == Scope::Chat.name()) {
        return Err(Code::SenderMuted.into());
    }
    Ok(())
}

/// Whether one user may make itself heard by another.
pub(crate) async fn may_reach(
    sql: &mut dyn Sql,
    app: AppId,
    sender: UserId,
    receiver: UserId,
    contacts_only: bool,
) -> Result<()> {
    if blocks::has(sql, app, receiver, sender).await? {
        return Err(Code::SenderBlocked.into());
    }
    if contacts_only && sender != receiver && !contacts::has(sql, app, receiver, sender).await? {
        return Err(Code::NotContact.into());
    }
    Ok(())
}

/// Notes that a device logs in. One that was never here gets what waits for the user.
pub async fn greet_device(ctx: &Ctx, app: AppId, user: UserId, resource: &str) -> Result<()> {
    let input = (app, user, resource.to_owned(), ctx.sessions.clone(), ctx.clock.now_ms());
    ctx.db
        .write(input, |sql, (app, user, resource, sessions, now_ms)| {
            Box::pin(async move {
                must_exist(sql, *app, *user).await?;
                if inbox::see_device(sql, *app, *user, resource, *now_ms).await? {
                    inbox::start_device(sql, *app, *user, resource).await?;
                    for here in sessions.devices_in(sql, *app, *user).await? {
                        // However long ago it came: forgotten, it would get everything again.
                        inbox::see_device(sql, *app, *user, &here.resource, *now_ms).await?;
                    }
                    inbox::trim_devices(sql, *app, *user, DEVICES_KEPT).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Queues in which something waits for a device, with how much: all of them, or enough for the device to ask again.
pub async fn queues_for_device(ctx: &Ctx, app: AppId, user: UserId, resource: &str) -> Result<Vec<(String, i64)>> {
    loop {
        let ahead = ahead_of_device(ctx, app, user, resource).await?;
        let (waiting, own): (Vec<_>, Vec<_>) = ahead.into_iter().partition(|queue| queue.waiting > 0);
        let is_all_own = waiting.is_empty() && !own.is_empty();
        if !own.is_empty() {
            // What the device has sent itself is confirmed, so that it is not looked through again and again.
            let own = own.into_iter().map(|queue| (queue.queue, queue.last)).collect();
            confirm_all(ctx, app, user, resource, own).await?;
        }
        if !is_all_own {
            return Ok(waiting.into_iter().map(|queue| (queue.queue, queue.waiting)).collect());
        }
    }
}

async fn ahead_of_device(ctx: &Ctx, app: AppId, user: UserId, resource: &str) -> Result<Vec<Ahead>> {
    ctx.db
        .read((app, user, resource.to_owned(), kept_from(ctx.clock.now_ms())), |sql, (app, user, resource, from)| {
            Box::pin(
                async move { Ok(inbox::ahead_of_device(sql, *app, *user, resource, *from, WAITING_QUEUES_MAX).await?) },
            )
        })
        .await
}

/// The next entries of a queue that the device has not confirmed, oldest first.
pub async fn next_for_device(
    ctx: &Ctx,
    app: AppId,
    user: UserId,
    resource: &str,
    queue: &str,
    limit: i64,
) -> Result<Vec<Entry>> {
    ctx.db
        .read((app, user, resource.to_owned(), queue.to_owned(), kept_from(ctx.clock.now_ms()), limit), |sql, input| {
            Box::pin(async move {
                let (app, user, resource, queue, from, limit) = input;
                let after = inbox::cursor(sql, *app, *user, resource, queue).await?.max(from - 1);
                Ok(inbox::after(sql, *app, *user, queue, resource, after, *limit).await?)
            })
        })
        .await
}

/// Notes that a device has everything of a queue up to that message.
pub async fn confirm(ctx: &Ctx, app: AppId, user: UserId, resource: &str, queue: &str, message: i64) -> Result<()> {
    confirm_all(ctx, app, user, resource, vec![(queue.to_owned(), message)]).await
}

async fn confirm_all(ctx: &Ctx, app: AppId, user: UserId, resource: &str, confirmed: Vec<(String, i64)>) -> Result<()> {
    ctx.db
        .write((app, user, resource.to_owned(), confirmed), |sql, (app, user, resource, confirmed)| {
            Box::pin(async move {
                must_exist(sql, *app, *user).await?;
                for (queue, message) in confirmed {
                    inbox::confirm(sql, *app, *user, resource, queue, *message).await?;
                    inbox::confirm(sql, *app, *user, ANY_DEVICE, queue, *message).await?;
                }
                Ok(())
            })
        })
        .await
}
