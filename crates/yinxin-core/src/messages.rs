//! Messages between two users: who may send, where they are kept, what each device still has to get.
//!
//! A message is stored, in the receiver's inbox and in the sender's own, before its sender hears of success; then the
//! connected devices of both are woken to fetch it. What a payload says is the dialect's business.

use std::sync::Arc;

pub use yinxin_store::tables::inbox::InboxRow as Entry;
use yinxin_store::tables::inbox::{self, ANY_DEVICE, Ahead};
use yinxin_store::tables::{blocks, contacts, mutes as mute_table};
use yinxin_store::{AppId, Db, Sql, UserId};

use crate::apps::{self, App};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::hooks::{self, Content, Notes, Said};
use crate::limits::{DEVICES_KEPT, MESSAGE_BYTES_MAX, WAITING_QUEUES_MAX};
use crate::mint::Mint;
use crate::mutes::Scope;
use crate::retention::{self, Place, kept_from};
use crate::sessions::Sessions;
use crate::users::{self, User, must_exist};

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
}

impl Kind {
    const ALL: [Self; 7] =
        [Self::Chat, Self::About, Self::Invited, Self::Accepted, Self::Declined, Self::Removed, Self::Added];

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
        }
    }

    /// Reads the number; `None` for an unknown one.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// Puts news about contacts into a user's inbox, within the write that makes them; the user is woken after it.
pub(crate) async fn note(sql: &mut dyn Sql, app: AppId, to: UserId, news: &News) -> Result<()> {
    let entry = Entry {
        message_id: 0,
        sender: news.sender.clone(),
        origin: String::new(),
        kind: news.kind.number(),
        counted: false,
        payload: news.text.as_bytes().into(),
        sent_ms: news.at_ms,
    };
    let place = Place { owner: to, queue: &news.sender, counted: false };
    retention::append(sql, &news.mint, app, &[place], &entry).await?;
    Ok(())
}

/// Something to tell a user about another.
#[derive(Clone)]
pub(crate) struct News {
    pub kind: Kind,
    pub sender: String,
    pub text: String,
    pub at_ms: i64,
    mint: Arc<Mint>,
}

impl News {
    pub fn of(ctx: &Ctx, kind: Kind, sender: &User, text: &str) -> Self {
        let (at_ms, mint) = (ctx.clock.now_ms(), Arc::clone(&ctx.mint));
        Self { kind, sender: sender.username.clone(), text: text.to_owned(), at_ms, mint }
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
    /// Reads a payload, for backends that want to know what it says.
    pub read: fn(&[u8]) -> Content,
}

impl Outgoing {
    /// Whether a user's device sends it, and not a backend.
    fn is_from_device(&self) -> bool {
        !self.origin.is_empty()
    }
}

/// What a message does beside being delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// It says something.
    Says,
    /// It says something else in the place of that message.
    Edits(i64),
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
            Self::Edits(id) | Self::Recalls(id) | Self::Confirms(Receipt::Delivered(id) | Receipt::Read(id)) => {
                Some(id)
            }
            Self::Says | Self::Confirms(Receipt::Conversation) => None,
        }
    }
}

/// A message that was sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// Its id.
    pub id: i64,
    /// Its time.
    pub at_ms: i64,
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
pub async fn send(ctx: &Ctx, app: &App, sender: Sender<'_>, to: &str, outgoing: Outgoing) -> Result<Sent> {
    if outgoing.payload.len() > MESSAGE_BYTES_MAX {
        return Err(Error::over(Code::MessageTooLarge, 64 * 1024));
    }
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
        // What would be refused anyway is nobody's to judge.
        ctx.db.read(right, |sql, right| Box::pin(may_send(sql, right))).await?;
        hooks::ask(ctx, app, || said.data(None)).await?;
    }
    let at_ms = ctx.clock.now_ms();
    let is_kept = !outgoing.online_only || ctx.sessions.is_online(app.id, receiver.user);
    let notes = if is_kept { said.notes(ctx, at_ms) } else { None };
    let entry = Entry {
        message_id: 0,
        sender: sender.name().to_owned(),
        origin: outgoing.origin.clone(),
        kind: outgoing.kind.number(),
        counted: outgoing.kind == Kind::Chat && !outgoing.online_only,
        payload: outgoing.payload.into(),
        sent_ms: at_ms,
    };
    let (to, act, mint) = (receiver.username.clone(), outgoing.act, Arc::clone(&ctx.mint));
    let input = Sending { right, to, entry, act, is_kept, notes, mint };
    // On its own: what is stored is told even if the sender goes while it is being stored.
    let finished = tokio::spawn(store_and_tell(ctx.db.clone(), Arc::clone(&ctx.sessions), input));
    let id = finished.await.map_err(|lost| Error::from(Code::Internal).caused_by(lost))??;
    Ok(Sent { id, at_ms })
}

async fn store_and_tell(db: Db, sessions: Arc<dyn Sessions>, input: Sending) -> Result<i64> {
    let Sending { right: Right { app, sender, receiver, .. }, .. } = input;
    let (from, to, origin) = (input.entry.sender.clone(), input.to.clone(), input.entry.origin.clone());
    let id = db.write(input, |sql, input| Box::pin(store(sql, input))).await?;
    sessions.wake(app, receiver, &from);
    if let Some(sender) = sender {
        sessions.wake_others(app, sender, &to, &origin);
    }
    Ok(id)
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
    is_kept: bool,
    notes: Option<Notes>,
    mint: Arc<Mint>,
}

async fn store(sql: &mut dyn Sql, input: &Sending) -> Result<i64> {
    let Sending { right: Right { app, sender, receiver, .. }, to, entry, mint, .. } = input;
    must_exist(sql, *app, *receiver).await?;
    if let Some(sender) = *sender {
        must_exist(sql, *app, sender).await?;
        may_send(sql, &input.right).await?;
        if let Act::Recalls(recalled) = input.act {
            recall(sql, input, sender, recalled).await?;
        }
    }
    if !input.is_kept {
        return Ok(mint.order());
    }
    let to_receiver = Place { owner: *receiver, queue: &entry.sender, counted: entry.counted };
    let own = sender.map(|sender| Place { owner: sender, queue: to, counted: false });
    let places: Vec<_> = [Some(to_receiver), own.filter(|own| own.owner != *receiver)].into_iter().flatten().collect();
    let id = retention::append(sql, mint, *app, &places, entry).await?;
    if let Some(notes) = &input.notes {
        notes.keep(sql, *app, Some(id)).await?;
    }
    Ok(id)
}

/// Takes a message back, which only its sender can: his own inbox knows whose it is.
async fn recall(sql: &mut dyn Sql, input: &Sending, sender: UserId, recalled: i64) -> Result<()> {
    let Sending { right: Right { app, receiver, .. }, to, entry, .. } = input;
    if recalled < kept_from(entry.sent_ms) || !inbox::remove(sql, *app, sender, to, &entry.sender, recalled).await? {
        return Err(Code::RecallTooLate.into());
    }
    // What has not arrived yet need not: the recall tells those devices that have it.
    inbox::remove(sql, *app, *receiver, &entry.sender, &entry.sender, recalled).await?;
    Ok(())
}

async fn may_send(sql: &mut dyn Sql, right: &Right) -> Result<()> {
    let Right { app, receiver, .. } = *right;
    let Some(sender) = right.sender else { return Ok(()) };
    if blocks::has(sql, app, receiver, sender).await? {
        return Err(Code::SenderBlocked.into());
    }
    if right.contacts_only && sender != receiver && !contacts::has(sql, app, receiver, sender).await? {
        return Err(Code::NotContact.into());
    }
    let muted = mute_table::of_user(sql, app, sender, right.now_s).await?;
    if right.has_content && muted.iter().any(|mute| mute.scope == Scope::Chat.name()) {
        return Err(Code::SenderMuted.into());
    }
    Ok(())
}

/// Notes that a device logs in. One that was never here gets what waits for the user.
pub async fn greet_device(ctx: &Ctx, app: AppId, user: UserId, resource: &str) -> Result<()> {
    let here = ctx.sessions.devices_of(app, user).into_iter().map(|device| device.resource).collect::<Vec<_>>();
    ctx.db
        .write(
            (app, user, resource.to_owned(), here, ctx.clock.now_ms()),
            |sql, (app, user, resource, here, now_ms)| {
                Box::pin(async move {
                    must_exist(sql, *app, *user).await?;
                    if inbox::see_device(sql, *app, *user, resource, *now_ms).await? {
                        inbox::start_device(sql, *app, *user, resource).await?;
                        for here in here {
                            // However long ago it came: forgotten, it would get everything again.
                            inbox::see_device(sql, *app, *user, here, *now_ms).await?;
                        }
                        inbox::trim_devices(sql, *app, *user, DEVICES_KEPT).await?;
                    }
                    Ok(())
                })
            },
        )
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
