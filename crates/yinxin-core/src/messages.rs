//! Messages between two users: who may send, where they are kept, what each device still has to get.
//!
//! A message is stored, in the receiver's inbox and in the sender's own, before its sender hears of success; then the
//! connected devices of both are woken to fetch it. What a payload says is the dialect's business.

use std::sync::Arc;

pub use yinxin_store::tables::inbox::InboxRow as Entry;
use yinxin_store::tables::inbox::{self, ANY_DEVICE};
use yinxin_store::tables::{blocks, contacts, conversations, mutes as mute_table, reactions};
use yinxin_store::{AppId, Sql, UserId};

use crate::apps::{self, App};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{DEVICES_KEPT, MESSAGE_BYTES_MAX, WAITING_QUEUES_MAX};
use crate::mutes::Scope;
use crate::retention::{self, kept_from};
use crate::users::{self, User, must_exist};

mod edits;

pub use edits::{Edit, Edited, Rewritten, Stamp};

/// What an entry of an inbox is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A message to a person: counted, kept in the history. The payload is the dialect's.
    Chat,
    /// About a message: receipts, recalls. Not counted. The payload is the dialect's.
    About,
    /// The sender asks to become a contact; the payload is its reason, a text.
    Invited,
    /// The sender has accepted an invitation.
    Accepted,
    /// The sender has declined an invitation.
    Declined,
    /// The sender is no contact any more.
    Removed,
    /// A backend has made the sender a contact.
    Added,
    /// The sender, which is the owner, has pinned the conversation.
    Pinned,
    /// The owner has unpinned the conversation.
    Unpinned,
    /// The owner has marked the conversation; the payload is the mark's number.
    Marked,
    /// The owner has taken a mark away; the payload is its number.
    Unmarked,
    /// The owner has removed the conversation from its list.
    Hidden,
    /// The owner has removed messages from the conversation.
    Erased,
    /// The sender has reacted to a message, or taken a reaction back; the payload is a [`crate::reactions::Change`].
    Reacted,
    /// The sender has pinned a message; the payload is its id.
    MessagePinned,
    /// The sender has unpinned a message; the payload is its id.
    MessageUnpinned,
}

impl Kind {
    const ALL: [Self; 16] = [
        Self::Chat,
        Self::About,
        Self::Invited,
        Self::Accepted,
        Self::Declined,
        Self::Removed,
        Self::Added,
        Self::Pinned,
        Self::Unpinned,
        Self::Marked,
        Self::Unmarked,
        Self::Hidden,
        Self::Erased,
        Self::Reacted,
        Self::MessagePinned,
        Self::MessageUnpinned,
    ];

    /// The number in storage.
    pub const fn number(self) -> i64 {
        match self {
            Self::Chat => 1,
            Self::About => 2,
            Self::Invited => 3,
            Self::Accepted => 4,
            Self::Declined => 5,
            Self::Removed => 6,
            Self::Added => 7,
            Self::Pinned => 8,
            Self::Unpinned => 9,
            Self::Marked => 10,
            Self::Unmarked => 11,
            Self::Hidden => 12,
            Self::Erased => 13,
            Self::Reacted => 14,
            Self::MessagePinned => 15,
            Self::MessageUnpinned => 16,
        }
    }

    /// Reads the number; `None` for an unknown one.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// Puts news into a user's inbox, within the write that makes them; the user is woken after it.
pub(crate) async fn note(sql: &mut dyn Sql, app: AppId, to: UserId, news: &News) -> Result<()> {
    let entry = Entry {
        message_id: news.order,
        sender: news.sender.clone(),
        origin: news.origin.clone(),
        kind: news.kind.number(),
        counted: false,
        payload: news.text.as_bytes().into(),
        sent_ms: news.at_ms,
    };
    retention::put(sql, app, to, &news.queue, &entry).await
}

/// Something to tell a user that is not a message.
#[derive(Clone, Debug)]
pub(crate) struct News {
    pub kind: Kind,
    /// The queue it stands in: the other user's.
    pub queue: String,
    /// Who did it.
    pub sender: String,
    /// The device that did it, which is not told; empty for a backend.
    pub origin: String,
    pub text: String,
    pub order: i64,
    pub at_ms: i64,
}

impl News {
    /// News of another user.
    pub fn of(ctx: &Ctx, kind: Kind, sender: &User, text: &str) -> Self {
        Self::done_by(ctx, kind, sender, "", &sender.username, text)
    }

    /// What a user did in the conversation with a peer, for its other devices, if one of them is connected: those who are
    /// away find it when they look.
    pub fn to_own_devices(ctx: &Ctx, app: AppId, deed: Deed<'_>, kind: Kind, text: &str) -> Option<Self> {
        let Deed { owner, peer, by } = deed;
        let devices = ctx.sessions.devices_of(app, owner.user);
        // What a caller says of itself is believed only if it is connected.
        let known = devices.iter().map(|one| &*one.resource).find(|one| *one == by.device()).unwrap_or_default();
        devices.iter().any(|one| one.resource != known).then(|| Self::done_by(ctx, kind, owner, known, peer, text))
    }

    fn done_by(ctx: &Ctx, kind: Kind, sender: &User, device: &str, queue: &str, text: &str) -> Self {
        Self {
            kind,
            queue: queue.to_owned(),
            sender: sender.username.clone(),
            origin: device.to_owned(),
            text: text.to_owned(),
            order: ctx.mint.order(),
            at_ms: ctx.clock.now_ms(),
        }
    }
}

/// Something that a user does in a conversation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deed<'a> {
    pub owner: &'a User,
    /// Folded name of the other user.
    pub peer: &'a str,
    pub by: By<'a>,
}

/// Through what a user does something.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// A device of its own; empty when it does not say which.
    Device(&'a str),
    /// A backend in its name.
    Backend,
}

impl<'a> By<'a> {
    fn device(self) -> &'a str {
        match self {
            Self::Device(device) => device,
            Self::Backend => "",
        }
    }

    /// Whether the other of a conversation must have the user among its contacts.
    pub(crate) fn needs_contact(self, app: &App) -> bool {
        app.settings.contacts_only_messaging && matches!(self, Self::Device(_))
    }
}

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
}

impl Outgoing {
    /// Whether a user's device sends it, and not a backend.
    fn is_from_device(&self) -> bool {
        !self.origin.is_empty()
    }
}

/// What a message does beside being delivered.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// It says something.
    Says,
    /// It confirms what the other has sent: a receipt.
    Confirms,
    /// It takes back that message of the sender.
    Recalls(i64),
    /// It changes a message of the sender.
    Edits(Edit),
}

impl Act {
    /// Whether the receiver hears something of the sender's own words.
    fn speaks(self) -> bool {
        matches!(self, Self::Says | Self::Edits(_))
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

/// Sends a message to the user named.
pub async fn send(ctx: &Ctx, app: &App, sender: Sender<'_>, to: &str, outgoing: Outgoing) -> Result<Sent> {
    if outgoing.payload.len() > MESSAGE_BYTES_MAX {
        return Err(Error::over(Code::MessageTooLarge, 64 * 1024));
    }
    // A connection knows its app as it was at its login.
    let app = &*apps::current(ctx, app).await?;
    let receiver = users::find(ctx, app, to).await?;
    let contacts_only = app.settings.contacts_only_messaging && outgoing.is_from_device() && outgoing.act.speaks();
    let (id, at_ms) = (ctx.mint.order(), ctx.clock.now_ms());
    let is_kept = !outgoing.online_only || ctx.sessions.is_online(app.id, receiver.user);
    let entry = Entry {
        message_id: id,
        sender: sender.name().to_owned(),
        origin: outgoing.origin,
        kind: outgoing.kind.number(),
        counted: outgoing.kind == Kind::Chat && !outgoing.online_only,
        payload: outgoing.payload.into(),
        sent_ms: at_ms,
    };
    let input = Sending {
        app: app.id,
        sender: if let Sender::User(user) = sender { Some(user.user) } else { None },
        receiver: Arc::clone(&receiver),
        entry,
        act: outgoing.act,
        contacts_only,
        is_kept,
        now_s: ctx.clock.now_s(),
    };
    let edited = ctx.db.write(input, |sql, input| Box::pin(store(sql, input))).await?;
    ctx.sessions.wake(app.id, receiver.user, sender.name());
    if let Sender::User(user) = sender {
        ctx.sessions.wake(app.id, user.user, &receiver.username);
    }
    Ok(Sent { id, at_ms, edited })
}

struct Sending {
    app: AppId,
    sender: Option<UserId>,
    receiver: Arc<User>,
    entry: Entry,
    act: Act,
    /// The receiver must have the sender among its contacts.
    contacts_only: bool,
    is_kept: bool,
    now_s: i64,
}

async fn store(sql: &mut dyn Sql, input: &Sending) -> Result<Option<Edited>> {
    let Sending { app, sender, receiver, entry, .. } = input;
    must_exist(sql, *app, receiver.user).await?;
    let mut rewritten = None;
    if let Some(sender) = *sender {
        must_exist(sql, *app, sender).await?;
        may_send(sql, input, sender).await?;
        match input.act {
            Act::Says | Act::Confirms => {}
            Act::Recalls(recalled) => recall(sql, input, sender, recalled).await?,
            Act::Edits(edit) => rewritten = Some(edits::rewrite(sql, input, sender, edit).await?),
        }
    }
    let edited = rewritten.as_ref().map(|(edited, _)| *edited);
    let entry =
        &rewritten.map_or_else(|| entry.clone(), |(_, payload)| Entry { payload: payload.into(), ..entry.clone() });
    if !input.is_kept {
        return Ok(edited);
    }
    retention::put(sql, *app, receiver.user, &entry.sender, entry).await?;
    if let Some(sender) = sender.filter(|sender| *sender != receiver.user) {
        let own = Entry { counted: false, ..entry.clone() };
        retention::put(sql, *app, sender, &receiver.username, &own).await?;
    }
    Ok(edited)
}

/// Takes a message back, which only its sender can: his own inbox knows whose it is.
async fn recall(sql: &mut dyn Sql, input: &Sending, sender: UserId, recalled: i64) -> Result<()> {
    let Sending { app, receiver, entry, .. } = input;
    if recalled < kept_from(entry.sent_ms)
        || !inbox::remove(sql, *app, sender, &receiver.username, &entry.sender, recalled).await?
    {
        return Err(Code::RecallTooLate.into());
    }
    // What has not arrived yet need not: the recall tells those devices that have it.
    inbox::remove(sql, *app, receiver.user, &entry.sender, &entry.sender, recalled).await?;
    for (owner, queue) in [(sender, &receiver.username), (receiver.user, &entry.sender)] {
        reactions::forget(sql, *app, owner, recalled).await?;
        conversations::recount(sql, *app, owner, queue, Kind::Chat.number()).await?;
    }
    Ok(())
}

async fn may_send(sql: &mut dyn Sql, input: &Sending, sender: UserId) -> Result<()> {
    may_reach(sql, input.app, sender, input.receiver.user, input.contacts_only).await?;
    let muted = mute_table::of_user(sql, input.app, sender, input.now_s).await?;
    if input.act.speaks() && muted.iter().any(|mute| mute.scope == Scope::Chat.name()) {
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
    ctx.db
        .write((app, user, resource.to_owned(), ctx.clock.now_ms()), |sql, (app, user, resource, now_ms)| {
            Box::pin(async move {
                must_exist(sql, *app, *user).await?;
                if inbox::see_device(sql, *app, *user, resource, *now_ms).await? {
                    inbox::start_device(sql, *app, *user, resource).await?;
                    inbox::trim_devices(sql, *app, *user, DEVICES_KEPT).await?;
                }
                Ok(())
            })
        })
        .await
}

/// The queues in which something waits for a device, with how much.
pub async fn queues_for_device(ctx: &Ctx, app: AppId, user: UserId, resource: &str) -> Result<Vec<(String, i64)>> {
    ctx.db
        .read((app, user, resource.to_owned(), kept_from(ctx.clock.now_ms())), |sql, (app, user, resource, from)| {
            Box::pin(async move {
                Ok(inbox::waiting_for_device(sql, *app, *user, resource, *from, WAITING_QUEUES_MAX).await?)
            })
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
    ctx.db
        .write((app, user, resource.to_owned(), queue.to_owned(), message), |sql, input| {
            Box::pin(async move {
                let (app, user, resource, queue, message) = input;
                must_exist(sql, *app, *user).await?;
                inbox::confirm(sql, *app, *user, resource, queue, *message).await?;
                inbox::confirm(sql, *app, *user, ANY_DEVICE, queue, *message).await?;
                Ok(())
            })
        })
        .await
}
