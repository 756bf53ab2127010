//! What a user looks back on: its conversations and what was said in them.

use yinxin_store::tables::inbox;

use crate::apps::App;
use crate::contacts::Page;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::limits::HISTORY_PAGE_MAX;
use crate::messages::{Entry, Kind};
use crate::retention::kept_from;
use crate::users;

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
    order: i64,
}

/// Up to `limit` (at most 50) conversations of a user, the latest first.
pub async fn list(ctx: &Ctx, app: &App, owner: &str, before: Option<i64>, limit: i64) -> Result<Page<Conversation>> {
    let owner = users::find(ctx, app, owner).await?;
    let limit = limit.clamp(1, HISTORY_PAGE_MAX);
    let found = ctx
        .db
        .read(
            (app.id, owner.user, before.unwrap_or(i64::MAX), kept_from(ctx.clock.now_ms()), limit + 1),
            |sql, (app, owner, before, kept, limit)| {
                Box::pin(async move {
                    let mut found = Vec::new();
                    for (peer, order) in inbox::conversations(sql, *app, *owner, *before, *limit).await? {
                        let kind = Kind::Chat.number();
                        let last = inbox::history(sql, *app, *owner, &peer, kind, *kept..i64::MAX, 1).await?.pop();
                        let waiting = inbox::count_waiting_in(sql, *app, *owner, &peer, *kept).await?;
                        found.push(Conversation { peer, last, waiting, order });
                    }
                    Ok::<_, Error>(found)
                })
            },
        )
        .await?;
    Ok(Page::cut(found, limit, |conversation| conversation.order))
}
