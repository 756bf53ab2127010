//! Pinned messages: those that the two people of a conversation want to see first. Both see the same, and each may unpin
//! what the other has pinned.

use std::sync::Arc;

use yinxin_store::tables::inbox;
use yinxin_store::tables::message_pins::{self, PinRow};
use yinxin_store::{AppId, Sql};

use crate::apps::App;
use crate::contacts::Page;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{HISTORY_PAGE_MAX, MESSAGE_PINS_MAX};
use crate::messages::{self, By, Deed, Entry, Kind, News};
use crate::mint::{Mint, ORDER_BITS};
use crate::retention::kept_from;
use crate::users::{self, User, must_exist};

/// A pinned message.
#[derive(Debug)]
pub struct Pin {
    /// It.
    pub entry: Entry,
    /// Folded name of who pinned it last.
    pub operator: String,
    /// When.
    pub pinned_ms: i64,
    order: i64,
}

struct Pinning {
    app: AppId,
    owner: Arc<User>,
    peer: Option<Arc<User>>,
    queue: String,
    message: i64,
    pinned: bool,
    kept_from: i64,
    /// The peer must have the owner among its contacts.
    contacts_only: bool,
    to_owner: Option<News>,
    to_peer: Option<News>,
    mint: Arc<Mint>,
}

/// Pins a message of the conversation with a peer, or unpins it.
pub async fn set(ctx: &Ctx, app: &App, owner: &str, peer: &str, message: i64, pinned: bool, by: By<'_>) -> Result<()> {
    let owner = users::find(ctx, app, owner).await?;
    let queue = peer.to_ascii_lowercase();
    let peer = users::look_up(ctx, app.id, &queue).await?.filter(|peer| peer.user != owner.user);
    let kind = if pinned { Kind::MessagePinned } else { Kind::MessageUnpinned };
    let deed = Deed { owner: &owner, peer: &queue, by };
    let to_peer = match &peer {
        Some(peer) => News::if_online(ctx, app.id, peer, kind, &owner, &message.to_string()).await?,
        None => None,
    };
    let pinning = Pinning {
        app: app.id,
        to_owner: News::to_own_devices(ctx, app.id, deed, kind, &message.to_string()).await?,
        to_peer,
        mint: Arc::clone(&ctx.mint),
        message,
        owner: Arc::clone(&owner),
        peer: peer.clone(),
        queue: queue.clone(),
        pinned,
        kept_from: kept_from(ctx.clock.now_ms()),
        contacts_only: by.needs_contact(app),
    };
    ctx.db.write(pinning, |sql, pinning| Box::pin(store(sql, pinning))).await?;
    ctx.sessions.wake(app.id, owner.user, &queue);
    if let Some(peer) = peer {
        ctx.sessions.wake(app.id, peer.user, &owner.username);
    }
    Ok(())
}

async fn store(sql: &mut dyn Sql, pinning: &Pinning) -> Result<()> {
    let Pinning { app, owner, peer, queue, message, pinned, kept_from, contacts_only, to_owner, to_peer, mint } =
        pinning;
    let pin = PinRow { message_id: *message, operator: owner.username.clone(), pinned_seq: mint.order() };
    must_exist(sql, *app, owner.user).await?;
    if *pinned {
        let entry = inbox::entry(sql, *app, owner.user, queue, *message).await?;
        if *message < *kept_from || entry.is_none_or(|entry| entry.kind != Kind::Chat.number()) {
            return Err(Error::about(Code::PinIllegal, message.to_string()));
        }
        if let Some(peer) = peer {
            messages::may_reach(sql, *app, owner.user, peer.user, *contacts_only).await?;
        }
        message_pins::put(sql, *app, owner.user, queue, &pin).await?;
        let all = message_pins::page(sql, *app, owner.user, queue, *kept_from, i64::MAX, MESSAGE_PINS_MAX + 1).await?;
        if i64::try_from(all.len()).unwrap_or(i64::MAX) > MESSAGE_PINS_MAX {
            return Err(Error::over(Code::PinsFull, MESSAGE_PINS_MAX));
        }
    } else if !message_pins::remove(sql, *app, owner.user, queue, *message).await? {
        return Err(Error::about(Code::PinNotFound, message.to_string()));
    }
    if let Some(news) = to_owner {
        messages::note(sql, *app, owner.user, news).await?;
    }
    let Some(peer) = peer else { return Ok(()) };
    // A peer that has removed the message from its side has nothing to pin.
    if inbox::entry(sql, *app, peer.user, &owner.username, *message).await?.is_none() {
        return Ok(());
    }
    if *pinned {
        message_pins::put(sql, *app, peer.user, &owner.username, &pin).await?;
    } else {
        message_pins::remove(sql, *app, peer.user, &owner.username, *message).await?;
    }
    match to_peer {
        Some(news) => messages::note(sql, *app, peer.user, news).await,
        None => Ok(()),
    }
}

/// Up to `limit` (at most 50) pinned messages of a conversation, the last pinned first, before that place.
pub async fn list(ctx: &Ctx, app: &App, owner: &str, peer: &str, before: Option<i64>, limit: i64) -> Result<Page<Pin>> {
    let owner = users::find(ctx, app, owner).await?;
    let limit = limit.clamp(1, HISTORY_PAGE_MAX);
    let before = before.unwrap_or(i64::MAX);
    let input = (app.id, owner.user, peer.to_ascii_lowercase(), kept_from(ctx.clock.now_ms()), before, limit + 1);
    let pins = ctx
        .db
        .read(input, |sql, (app, owner, queue, from, before, limit)| {
            Box::pin(async move {
                let mut pins = Vec::new();
                for row in message_pins::page(sql, *app, *owner, queue, *from, *before, *limit).await? {
                    if let Some(entry) = inbox::entry(sql, *app, *owner, queue, row.message_id).await? {
                        let pinned_ms = row.pinned_seq >> ORDER_BITS;
                        pins.push(Pin { entry, operator: row.operator, pinned_ms, order: row.pinned_seq });
                    }
                }
                Ok::<_, Error>(pins)
            })
        })
        .await?;
    Ok(Page::cut(pins, limit, |pin| pin.order))
}
