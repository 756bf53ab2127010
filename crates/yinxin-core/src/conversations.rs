//! What a user looks back on: its conversations, what was said in them, and what it makes of them. All of it is the
//! owner's alone; the peer does not notice.

use std::sync::Arc;

use yinxin_store::tables::conversations::{self, ConversationRow};
use yinxin_store::tables::inbox;
use yinxin_store::{AppId, Sql, UserId};

use crate::apps::App;
use crate::contacts::Page;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{
    CONVERSATION_BATCH_MAX, CONVERSATION_MARKS, CONVERSATION_PINS_MAX, HISTORY_PAGE_MAX, MESSAGE_ID_LAG_MS, SWEEP_ROWS,
};
use crate::messages::{self, By, Deed, Entry, Kind, News};
use crate::mint::ORDER_BITS;
use crate::retention::kept_from;
use crate::users::{self, User, must_exist};

/// Where a page of the history begins, and which way it goes.
#[derive(Clone, Copy, Debug)]
pub enum From {
    /// Before that message, or at the end: newest first.
    Before(Option<i64>),
    /// After that message, or at the beginning: oldest first.
    After(Option<i64>),
}

/// Up to `limit` (at most 50) messages between a user and a peer.
pub async fn history(ctx: &Ctx, app: &App, owner: &str, peer: &str, from: From, limit: i64) -> Result<Page<Entry>> {
    let owner = users::find(ctx, app, owner).await?;
    let limit = limit.clamp(1, HISTORY_PAGE_MAX);
    let entries = ctx
        .db
        .read(
            (app.id, owner.user, peer.to_ascii_lowercase(), from, kept_from(ctx.clock.now_ms()), limit + 1),
            |sql, (app, owner, peer, from, kept, limit)| {
                Box::pin(async move {
                    let kind = Kind::Chat.number();
                    Ok::<_, Error>(match from {
                        From::Before(id) => {
                            let ids = *kept..id.unwrap_or(i64::MAX);
                            inbox::history(sql, *app, *owner, peer, kind, ids, *limit).await?
                        }
                        From::After(id) => {
                            let after = id.unwrap_or(0).max(kept - 1);
                            inbox::history_from(sql, *app, *owner, peer, kind, after, *limit).await?
                        }
                    })
                })
            },
        )
        .await?;
    Ok(Page::cut(entries, limit, |entry| entry.message_id))
}

/// A conversation as a list of them shows it.
#[derive(Debug)]
pub struct Conversation {
    /// With whom.
    pub peer: String,
    /// The last message, if one is kept.
    pub last: Option<Entry>,
    /// How many messages wait.
    pub waiting: i64,
    /// When the owner pinned it.
    pub pinned_ms: Option<i64>,
    /// Its marks, rising.
    pub marks: Vec<u8>,
    /// Its place in the list.
    order: i64,
}

/// Which conversations to list, and in which order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// All, the one with the latest message first.
    All,
    /// Those with that mark, in the same order.
    Marked(u8),
    /// Those that are pinned, the last pinned first.
    Pinned,
}

/// A page of the list.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    /// Which.
    pub which: Which,
    /// Where the page begins: what the page before it said.
    pub before: Option<i64>,
    /// How many, at most 50.
    pub limit: i64,
    /// Also those none of whose messages is kept any more.
    pub with_empty: bool,
}

/// A page of the conversations of a user.
pub async fn list(ctx: &Ctx, app: &App, owner: &str, listing: Listing) -> Result<Page<Conversation>> {
    let owner = users::find(ctx, app, owner).await?;
    if let Which::Marked(mark) = listing.which {
        bit(mark)?;
    }
    let limit = listing.limit.clamp(1, HISTORY_PAGE_MAX);
    let input = (app.id, owner.user, Listing { limit: limit + 1, ..listing }, kept_from(ctx.clock.now_ms()));
    let found = ctx
        .db
        .read(input, |sql, (app, owner, listing, kept)| {
            Box::pin(async move {
                let mut found = Vec::new();
                for row in rows(sql, *app, *owner, *listing, *kept).await? {
                    let kind = Kind::Chat.number();
                    let last = inbox::history(sql, *app, *owner, &row.queue, kind, *kept..i64::MAX, 1).await?.pop();
                    let waiting = inbox::count_waiting_in(sql, *app, *owner, &row.queue, *kept).await?;
                    let by_pin = listing.which == Which::Pinned;
                    let order = if by_pin { row.pinned_seq.unwrap_or_default() } else { row.last_chat_id };
                    let pinned_ms = row.pinned_seq.map(|seq| seq >> ORDER_BITS);
                    let marks = (0..CONVERSATION_MARKS).filter(|mark| row.marks & (1 << mark) != 0).collect();
                    found.push(Conversation { peer: row.queue, last, waiting, pinned_ms, marks, order });
                }
                Ok::<_, Error>(found)
            })
        })
        .await?;
    Ok(Page::cut(found, limit, |conversation| conversation.order))
}

async fn rows(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    listing: Listing,
    kept: i64,
) -> Result<Vec<ConversationRow>> {
    let Listing { which, before, limit, with_empty } = listing;
    let before = before.unwrap_or(i64::MAX);
    let from = if with_empty { 1 } else { kept.max(1) };
    Ok(match which {
        Which::All => conversations::latest(sql, app, owner, from..before, 0, limit).await?,
        Which::Marked(mark) => conversations::latest(sql, app, owner, from..before, 1 << mark, limit).await?,
        Which::Pinned => conversations::pinned(sql, app, owner, from, before, limit).await?,
    })
}

/// The bit of a mark.
fn bit(mark: u8) -> Result<i64> {
    if mark < CONVERSATION_MARKS {
        Ok(1 << mark)
    } else {
        Err(Error::about(Code::MarkIllegal, mark.to_string()).with_limit(CONVERSATION_MARKS))
    }
}

/// A change of one conversation, to be stored.
struct Change {
    app: AppId,
    owner: Arc<User>,
    peer: String,
    news: Option<News>,
}

impl Change {
    async fn of(ctx: &Ctx, app: &App, owner: &str, peer: &str, by: By<'_>, kind: Kind) -> Result<Self> {
        let owner = users::find(ctx, app, owner).await?;
        let peer = peer.to_ascii_lowercase();
        let news = News::to_own_devices(ctx, app.id, Deed { owner: &owner, peer: &peer, by }, kind, "").await?;
        Ok(Self { app: app.id, owner, peer, news })
    }

    fn wake(ctx: &Ctx, app: &App, owner: &User, peer: &str) {
        ctx.sessions.wake(app.id, owner.user, peer);
    }

    async fn note(&self, sql: &mut dyn Sql) -> Result<()> {
        match &self.news {
            Some(news) => messages::note(sql, self.app, self.owner.user, news).await,
            None => Ok(()),
        }
    }
}

/// Pins a conversation, or unpins it, and gives the time of the pin. The owner's other devices are told.
pub async fn set_pinned(
    ctx: &Ctx,
    app: &App,
    owner: &str,
    peer: &str,
    pinned: bool,
    by: By<'_>,
) -> Result<Option<i64>> {
    let kind = if pinned { Kind::Pinned } else { Kind::Unpinned };
    let change = Change::of(ctx, app, owner, peer, by, kind).await?;
    let (user, peer) = (Arc::clone(&change.owner), change.peer.clone());
    let pinned_seq = ctx
        .db
        .write((change, pinned, Arc::clone(&ctx.mint)), |sql, (change, pinned, mint)| {
            Box::pin(async move {
                let Change { app, owner, peer, .. } = change;
                must_exist(sql, *app, owner.user).await?;
                if !conversations::is_listed(sql, *app, owner.user, peer).await? {
                    return Err(Error::about(Code::ConversationNotFound, peer));
                }
                let beside = conversations::pins_beside(sql, *app, owner.user, peer).await?;
                if *pinned && beside >= CONVERSATION_PINS_MAX {
                    return Err(Error::over(Code::ConversationPinsFull, CONVERSATION_PINS_MAX));
                }
                let pinned_seq = pinned.then(|| mint.order());
                conversations::set_pinned(sql, *app, owner.user, peer, pinned_seq).await?;
                change.note(sql).await?;
                Ok(pinned_seq)
            })
        })
        .await?;
    Change::wake(ctx, app, &user, &peer);
    Ok(pinned_seq.map(|seq| seq >> ORDER_BITS))
}

/// Sets a mark of up to 50 conversations, or takes it away; gives the names for which there is no conversation.
pub async fn set_marked(
    ctx: &Ctx,
    app: &App,
    owner: &str,
    peers: &[String],
    mark: (u8, bool),
    by: By<'_>,
) -> Result<Vec<String>> {
    let (number, marked) = mark;
    let bits = bit(number)?;
    if peers.len() > CONVERSATION_BATCH_MAX {
        return Err(Error::over(Code::TooManyNames, CONVERSATION_BATCH_MAX));
    }
    let kind = if marked { Kind::Marked } else { Kind::Unmarked };
    let mut changes = Vec::with_capacity(peers.len());
    for peer in peers {
        let mut change = Change::of(ctx, app, owner, peer, by, kind).await?;
        if let Some(news) = &mut change.news {
            news.text = number.to_string();
        }
        changes.push(change);
    }
    let changes = Arc::new(changes);
    let ignored = ctx
        .db
        .write((Arc::clone(&changes), bits, marked), |sql, (changes, bits, marked)| {
            Box::pin(async move {
                let mut ignored = Vec::new();
                for change in changes.iter() {
                    let Change { app, owner, peer, .. } = change;
                    must_exist(sql, *app, owner.user).await?;
                    if !conversations::is_listed(sql, *app, owner.user, peer).await? {
                        ignored.push(peer.clone());
                        continue;
                    }
                    if *marked {
                        conversations::mark(sql, *app, owner.user, peer, *bits).await?;
                    } else {
                        conversations::unmark(sql, *app, owner.user, peer, *bits).await?;
                    }
                    change.note(sql).await?;
                }
                Ok::<_, Error>(ignored)
            })
        })
        .await?;
    for change in changes.iter() {
        Change::wake(ctx, app, &change.owner, &change.peer);
    }
    Ok(ignored)
}

/// Removes a conversation from the owner's list until there is a later message; `with_history`: and what was said in it.
/// None is no error.
pub async fn remove(ctx: &Ctx, app: &App, owner: &str, peer: &str, with_history: bool, by: By<'_>) -> Result<()> {
    let change = Change::of(ctx, app, owner, peer, by, Kind::Hidden).await?;
    let (user, peer) = (Arc::clone(&change.owner), change.peer.clone());
    // What comes meanwhile is later.
    let last = ctx
        .db
        .read((app.id, user.user, peer.clone()), |sql, (app, owner, peer)| {
            Box::pin(async move { Ok::<_, Error>(conversations::last(sql, *app, *owner, peer).await?) })
        })
        .await?;
    if with_history {
        erase_some(ctx, app.id, &user, &peer, (last, i64::MAX)).await?;
    }
    ctx.db
        .write((change, last), |sql, (change, last)| {
            Box::pin(async move {
                let Change { app, owner, peer, .. } = change;
                must_exist(sql, *app, owner.user).await?;
                let is_there = conversations::hide(sql, *app, owner.user, peer, *last).await?;
                if is_there { change.note(sql).await } else { Ok(()) }
            })
        })
        .await?;
    Change::wake(ctx, app, &user, &peer);
    Ok(())
}

/// Removes messages from the owner's side of a conversation. Those that are not there are no error.
pub async fn erase(ctx: &Ctx, app: &App, owner: &str, peer: &str, ids: Vec<i64>, by: By<'_>) -> Result<()> {
    if ids.len() > CONVERSATION_BATCH_MAX {
        return Err(Error::over(Code::TooManyNames, CONVERSATION_BATCH_MAX));
    }
    let mut change = Change::of(ctx, app, owner, peer, by, Kind::Erased).await?;
    if let Some(news) = &mut change.news {
        news.text = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(" ");
    }
    finish_erasing(ctx, app, change, ids).await
}

/// Has the owner's devices show a message as one that was not read, which they alone know. One that is not there is no
/// error.
pub async fn mark_unread(ctx: &Ctx, app: &App, owner: &str, peer: &str, message: i64, by: By<'_>) -> Result<()> {
    let owner = users::find(ctx, app, owner).await?;
    let peer = peer.to_ascii_lowercase();
    let deed = Deed { owner: &owner, peer: &peer, by };
    let news = News::of_own(ctx, app.id, deed, Kind::Unread, &message.to_string()).await?;
    ctx.db
        .write((app.id, owner.user, news, message), |sql, (app, owner, news, message)| {
            Box::pin(async move {
                must_exist(sql, *app, *owner).await?;
                let entry = inbox::entry(sql, *app, *owner, &news.queue, *message).await?;
                let is_there = entry.is_some_and(|entry| entry.kind == Kind::Chat.number());
                if is_there { messages::note(sql, *app, *owner, news).await } else { Ok(()) }
            })
        })
        .await?;
    ctx.sessions.wake(app.id, owner.user, &peer);
    Ok(())
}

/// Removes all messages up to that time from the owner's side of a conversation.
pub async fn erase_until(ctx: &Ctx, app: &App, owner: &str, peer: &str, until_ms: i64, by: By<'_>) -> Result<()> {
    let change = Change::of(ctx, app, owner, peer, by, Kind::Erased).await?;
    let until_ms = until_ms.clamp(0, ctx.clock.now_ms());
    let last = (until_ms + MESSAGE_ID_LAG_MS) << ORDER_BITS;
    erase_some(ctx, app.id, &change.owner, &change.peer, (last, until_ms)).await?;
    finish_erasing(ctx, app, change, Vec::new()).await
}

async fn finish_erasing(ctx: &Ctx, app: &App, change: Change, ids: Vec<i64>) -> Result<()> {
    let (user, peer) = (Arc::clone(&change.owner), change.peer.clone());
    ctx.db
        .write((change, ids), |sql, (change, ids)| {
            Box::pin(async move {
                let Change { app, owner, peer, .. } = change;
                must_exist(sql, *app, owner.user).await?;
                for id in ids {
                    inbox::erase_one(sql, *app, owner.user, peer, Kind::Chat.number(), *id).await?;
                }
                let is_there = conversations::recount(sql, *app, owner.user, peer, Kind::Chat.number()).await?;
                if is_there { change.note(sql).await } else { Ok(()) }
            })
        })
        .await?;
    Change::wake(ctx, app, &user, &peer);
    Ok(())
}

/// Removes messages up to an id and a time, a bounded number in each write: what is said to be done is done when all are.
async fn erase_some(ctx: &Ctx, app: AppId, owner: &User, peer: &str, up_to: (i64, i64)) -> Result<()> {
    loop {
        let gone = ctx
            .db
            .write((app, owner.user, peer.to_owned(), up_to), |sql, (app, owner, peer, up_to)| {
                let kind = Kind::Chat.number();
                Box::pin(async move {
                    Ok::<_, Error>(inbox::erase(sql, *app, *owner, peer, kind, *up_to, SWEEP_ROWS).await?)
                })
            })
            .await?;
        if gone < SWEEP_ROWS {
            return Ok(());
        }
    }
}

/// Removes all conversations of a user from its list, and what was said in them.
pub async fn remove_all(ctx: &Ctx, app: &App, owner: &str) -> Result<()> {
    let user = users::find(ctx, app, owner).await?;
    let mut before = None;
    loop {
        let listing = Listing { which: Which::All, before, limit: HISTORY_PAGE_MAX, with_empty: true };
        let page = list(ctx, app, owner, listing).await?;
        for conversation in page.entries {
            erase_some(ctx, app.id, &user, &conversation.peer, (conversation.order, i64::MAX)).await?;
            let input = (app.id, user.user, conversation.peer, conversation.order);
            ctx.db
                .write(input, |sql, (app, owner, peer, last)| {
                    Box::pin(async move {
                        must_exist(sql, *app, *owner).await?;
                        conversations::recount(sql, *app, *owner, peer, Kind::Chat.number()).await?;
                        conversations::hide(sql, *app, *owner, peer, *last).await?;
                        Ok::<_, Error>(())
                    })
                })
                .await?;
        }
        before = page.next;
        if before.is_none() {
            return Ok(());
        }
    }
}
