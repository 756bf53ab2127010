//! News: what stands in an inbox and is no message, such as that a contact was removed or a conversation pinned.

use std::sync::Arc;

use yinxin_store::{AppId, Sql, UserId};

use super::{Entry, Kind};
use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::mint::Mint;
use crate::retention::{self, Place};
use crate::sessions::Device;
use crate::users::User;

/// Puts news into a user's inbox, within the write that makes them; the user is woken after it.
pub(crate) async fn note(sql: &mut dyn Sql, app: AppId, to: UserId, news: &News) -> Result<()> {
    let entry = Entry {
        message_id: 0,
        sender: news.sender.clone(),
        origin: news.origin.clone(),
        kind: news.kind.number(),
        counted: false,
        payload: news.text.as_bytes().into(),
        sent_ms: news.at_ms,
    };
    let place = Place { owner: to, queue: &news.queue, counted: false };
    retention::append(sql, &news.mint, app, &[place], &entry).await?;
    Ok(())
}

/// Something to tell a user that is not a message.
#[derive(Clone)]
pub(crate) struct News {
    pub kind: Kind,
    /// The queue it stands in: the other user's.
    pub queue: String,
    /// Who did it.
    pub sender: String,
    /// The device that did it, which is not told; empty for a backend.
    pub origin: String,
    pub text: String,
    pub at_ms: i64,
    pub mint: Arc<Mint>,
}

impl News {
    /// News of another user, for one who is connected: who is away finds it when it looks.
    pub async fn if_online(
        ctx: &Ctx,
        app: AppId,
        to: &User,
        kind: Kind,
        sender: &User,
        text: &str,
    ) -> Result<Option<Self>> {
        let online = ctx.sessions.is_online(app, to.user).await?;
        Ok(online.then(|| Self::of(ctx, kind, sender, text)))
    }

    /// News of another user.
    pub fn of(ctx: &Ctx, kind: Kind, sender: &User, text: &str) -> Self {
        Self::done_by(ctx, kind, sender, "", &sender.username, text)
    }

    /// What a user did in the conversation with a peer, for its other devices, if one of them is connected: those who are
    /// away find it when they look.
    pub async fn to_own_devices(ctx: &Ctx, app: AppId, deed: Deed<'_>, kind: Kind, text: &str) -> Result<Option<Self>> {
        let devices = ctx.sessions.devices_of(app, deed.owner.user).await?;
        let news = Self::done_by_one_of(ctx, &devices, deed, kind, text);
        Ok(devices.iter().any(|one| one.resource != news.origin).then_some(news))
    }

    /// The same, for those who are away, too: of what is nowhere but in the news.
    pub async fn of_own(ctx: &Ctx, app: AppId, deed: Deed<'_>, kind: Kind, text: &str) -> Result<Self> {
        let devices = ctx.sessions.devices_of(app, deed.owner.user).await?;
        Ok(Self::done_by_one_of(ctx, &devices, deed, kind, text))
    }

    fn done_by_one_of(ctx: &Ctx, connected: &[Device], deed: Deed<'_>, kind: Kind, text: &str) -> Self {
        let Deed { owner, peer, by } = deed;
        // What a caller says of itself is believed only if it is connected.
        let known = connected.iter().map(|one| &*one.resource).find(|one| *one == by.device()).unwrap_or_default();
        Self::done_by(ctx, kind, owner, known, peer, text)
    }

    fn done_by(ctx: &Ctx, kind: Kind, sender: &User, device: &str, queue: &str, text: &str) -> Self {
        Self {
            kind,
            queue: queue.to_owned(),
            sender: sender.username.clone(),
            origin: device.to_owned(),
            text: text.to_owned(),
            at_ms: ctx.clock.now_ms(),
            mint: Arc::clone(&ctx.mint),
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
