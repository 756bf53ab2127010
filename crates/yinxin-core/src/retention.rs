//! How long and how much is kept in inboxes.
//!
//! What is too old is gone for every reader at once, since an order id says when it was made: a reader begins at
//! [`kept_from`]. A sweep removes it later, a little at a time. A queue that is too long loses its oldest when something
//! comes into it.

use yinxin_store::tables::conversations::{self, QueueRow};
use yinxin_store::tables::inbox::{self, InboxRow};
use yinxin_store::tables::{message_pins, reactions};
use yinxin_store::{AppId, Sql, UserId};

use crate::apps;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::limits::{INBOX_DAYS, INBOX_QUEUE_MAX, INBOX_TRIM_EVERY, SWEEP_QUEUES, SWEEP_ROWS};
use crate::messages::Kind;
use crate::mint::{Mint, ORDER_BITS};

/// The first order id that is still kept.
pub(crate) fn kept_from(now_ms: i64) -> i64 {
    (now_ms - INBOX_DAYS * 86_400_000) << ORDER_BITS
}

/// A queue that an entry goes into.
pub(crate) struct Place<'a> {
    pub owner: UserId,
    pub queue: &'a str,
    /// Whether it counts there as waiting.
    pub counted: bool,
}

/// Puts an entry at the end of each queue, within its bound, and gives the id it has there. The id is made here, in the
/// write: were it older than what a queue holds, the entry would stand behind the cursors of devices, where none looks.
pub(crate) async fn append(
    sql: &mut dyn Sql,
    mint: &Mint,
    app: AppId,
    places: &[Place<'_>],
    entry: &InboxRow,
) -> Result<i64> {
    let is_chat = entry.kind == Kind::Chat.number();
    let (id, arrived) = advance(sql, mint, app, places, is_chat).await?;
    for (Place { owner, queue, counted }, arrived) in places.iter().zip(arrived) {
        let entry = InboxRow { message_id: id, counted: *counted, ..entry.clone() };
        inbox::put(sql, app, *owner, queue, &entry).await?;
        if arrived % INBOX_TRIM_EVERY == 0 {
            inbox::keep_newest(sql, app, *owner, queue, INBOX_QUEUE_MAX - INBOX_TRIM_EVERY).await?;
        }
    }
    Ok(id)
}

/// A new id that is the last of all these queues now, and how many entries each has ever had.
async fn advance(
    sql: &mut dyn Sql,
    mint: &Mint,
    app: AppId,
    places: &[Place<'_>],
    is_chat: bool,
) -> Result<(i64, Vec<i64>)> {
    'mint: loop {
        let id = mint.order();
        let mut arrived = Vec::with_capacity(places.len());
        for Place { owner, queue, .. } in places {
            if let Some(count) = conversations::advance(sql, app, *owner, queue, id, is_chat).await? {
                arrived.push(count);
            } else {
                // The clock was ahead when the queue's last entry came.
                mint.rise_above(conversations::last(sql, app, *owner, queue).await?);
                continue 'mint;
            }
        }
        return Ok((id, arrived));
    }
}

/// A walk through all inboxes, for what is too old. It is in memory only: begun again, it finds what is left.
#[derive(Debug, Default)]
pub struct Sweep {
    /// The apps still to go through; the last is the one it is in.
    apps: Vec<AppId>,
    /// The last queue it has seen of that app.
    seen: Option<(UserId, String)>,
    under_way: bool,
}

impl Sweep {
    /// Goes one step; `false` when the round is finished, and the next call begins another.
    pub async fn step(&mut self, ctx: &Ctx) -> Result<bool> {
        if !self.under_way {
            self.apps = apps::list(ctx).await?.iter().map(|app| app.id).collect();
            self.under_way = true;
        }
        let Some(app) = self.apps.last().copied() else {
            self.under_way = false;
            return Ok(false);
        };
        let before = kept_from(ctx.clock.now_ms());
        let found = read(ctx, app, self.seen.clone(), before).await?;
        let is_end = found.len() < usize::try_from(SWEEP_QUEUES).unwrap_or(usize::MAX);
        let last = found.last().map(|row| (row.owner, row.queue.clone()));
        clean(ctx, app, found.into_iter().filter(|row| row.is_stale).collect(), before).await?;
        self.seen = last.filter(|_| !is_end);
        if is_end {
            self.apps.pop();
        }
        Ok(true)
    }
}

async fn read(ctx: &Ctx, app: AppId, seen: Option<(UserId, String)>, before: i64) -> Result<Vec<QueueRow>> {
    let seen = seen.unwrap_or((UserId([0; 16]), String::new()));
    ctx.db
        .read((app, seen, before), |sql, (app, (owner, queue), before)| {
            Box::pin(async move {
                Ok::<_, Error>(conversations::queues_after(sql, *app, (*owner, queue), *before, SWEEP_QUEUES).await?)
            })
        })
        .await
}

/// Removes what is older from those queues, and queues that are over, a bounded number of rows in each write.
async fn clean(ctx: &Ctx, app: AppId, mut stale: Vec<QueueRow>, before: i64) -> Result<()> {
    while !stale.is_empty() {
        let done = ctx.db.write((app, stale.clone(), before), |sql, input| Box::pin(clean_some(sql, input))).await?;
        stale.drain(..done);
    }
    Ok(())
}

/// Cleans queues until so many rows are gone; gives how many queues are clean.
async fn clean_some(sql: &mut dyn Sql, (app, stale, before): &(AppId, Vec<QueueRow>, i64)) -> Result<usize> {
    let mut room = SWEEP_ROWS;
    for (done, QueueRow { owner, queue, .. }) in stale.iter().enumerate() {
        room -= inbox::expire(sql, *app, *owner, queue, *before, room).await?;
        room -= reactions::expire(sql, *app, *owner, *before, room.max(1)).await?;
        room -= message_pins::sweep(sql, *app, *owner, queue, *before, room.max(1)).await?;
        if room <= 0 {
            return Ok(done);
        }
        conversations::forget(sql, *app, *owner, queue, *before).await?;
    }
    Ok(stale.len())
}
