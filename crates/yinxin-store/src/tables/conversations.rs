//! `conversations`: a row for each queue of an inbox, with what its owner made of it: pinned, marked, removed from the
//! list.

use std::ops::Range;

use super::inbox;
use crate::{AppId, Result, Row, Sql, UserId};

/// Makes `message` the last of a queue, which it must be before it is put there; gives how many entries the queue has ever
/// had, or `None` when it is ahead of this one. `is_chat`: lists show it as the last.
pub async fn advance(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    queue: &str,
    message: i64,
    is_chat: bool,
) -> Result<Option<i64>> {
    const SQL: &str = "INSERT INTO conversations (app_id, user_id, queue, last_id, arrived, last_chat_id) \
                       VALUES ($1, $2, $3, $4, 1, $5) ON CONFLICT (app_id, user_id, queue) DO UPDATE SET \
                       last_id = excluded.last_id, arrived = conversations.arrived + 1, \
                       last_chat_id = CASE WHEN excluded.last_chat_id > 0 THEN excluded.last_chat_id \
                       ELSE conversations.last_chat_id END \
                       WHERE conversations.last_id < excluded.last_id RETURNING arrived";
    let chat_id = if is_chat { message } else { 0 };
    let args = [app.arg(), owner.arg(), queue.into(), message.into(), chat_id.into()];
    sql.rows(SQL, &args).await?.pop().map(|mut row| row.take(0)).transpose()
}

/// The last entry that a queue has ever had.
pub async fn last(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str) -> Result<i64> {
    const SQL: &str = "SELECT last_id FROM conversations WHERE app_id = $1 AND user_id = $2 AND queue = $3";
    sql.rows(SQL, &[app.arg(), owner.arg(), queue.into()]).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// A conversation as the owner's list shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ConversationRow {
    /// Its queue.
    pub queue: String,
    /// The last message to a person; 0 = none is kept.
    pub last_chat_id: i64,
    /// When it was pinned, as an order id.
    pub pinned_seq: Option<i64>,
    /// A bit for each mark.
    pub marks: i64,
}

fn read(mut row: Row) -> Result<ConversationRow> {
    Ok(ConversationRow {
        queue: row.take(0)?,
        last_chat_id: row.take(1)?,
        pinned_seq: row.take(2)?,
        marks: row.take(3)?,
    })
}

/// Up to `limit` conversations with a last message from the id `from` on and before the id `before`, the latest first.
/// Of those removed from the list only what came later counts. `marks`: with one of these marks; 0 = all.
pub async fn latest(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    ids: Range<i64>,
    marks: i64,
    limit: i64,
) -> Result<Vec<ConversationRow>> {
    const SQL: &str = "SELECT queue, last_chat_id, pinned_seq, marks FROM conversations \
                       WHERE app_id = $1 AND user_id = $2 AND last_chat_id >= $3 AND last_chat_id < $4 \
                       AND last_chat_id > hidden_id AND ($5 = 0 OR (marks & $5) <> 0) \
                       ORDER BY last_chat_id DESC LIMIT $6";
    let args = [app.arg(), owner.arg(), ids.start.into(), ids.end.into(), marks.into(), limit.into()];
    sql.rows(SQL, &args).await?.into_iter().map(read).collect()
}

/// Up to `limit` pinned conversations with a last message from the id `from` on, the last pinned first, pinned before
/// the order id `before`.
pub async fn pinned(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    from: i64,
    before: i64,
    limit: i64,
) -> Result<Vec<ConversationRow>> {
    const SQL: &str = "SELECT queue, last_chat_id, pinned_seq, marks FROM conversations \
                       WHERE app_id = $1 AND user_id = $2 AND last_chat_id >= $3 AND pinned_seq < $4 \
                       ORDER BY pinned_seq DESC LIMIT $5";
    let args = [app.arg(), owner.arg(), from.into(), before.into(), limit.into()];
    sql.rows(SQL, &args).await?.into_iter().map(read).collect()
}

/// Whether the owner's list has, or had before its messages grew too old, that conversation.
pub async fn is_listed(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str) -> Result<bool> {
    const SQL: &str = "SELECT 1 FROM conversations WHERE app_id = $1 AND user_id = $2 AND queue = $3 \
                       AND (last_chat_id > hidden_id OR pinned_seq IS NOT NULL OR marks <> 0)";
    Ok(!sql.rows(SQL, &[app.arg(), owner.arg(), queue.into()]).await?.is_empty())
}

/// Pins a conversation, or unpins it; how many other conversations are pinned is [`pins_beside`]'s to say.
pub async fn set_pinned(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    queue: &str,
    pinned_seq: Option<i64>,
) -> Result<()> {
    const SQL: &str = "UPDATE conversations SET pinned_seq = $4 WHERE app_id = $1 AND user_id = $2 AND queue = $3";
    sql.exec(SQL, &[app.arg(), owner.arg(), queue.into(), pinned_seq.into()]).await?;
    Ok(())
}

/// How many conversations but that one are pinned.
pub async fn pins_beside(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM conversations WHERE app_id = $1 AND user_id = $2 AND queue <> $3 \
                       AND pinned_seq IS NOT NULL";
    sql.rows(SQL, &[app.arg(), owner.arg(), queue.into()]).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// Sets marks of a conversation, a bit for each.
pub async fn mark(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str, marks: i64) -> Result<()> {
    const SQL: &str = "UPDATE conversations SET marks = marks | $4 WHERE app_id = $1 AND user_id = $2 AND queue = $3";
    sql.exec(SQL, &[app.arg(), owner.arg(), queue.into(), marks.into()]).await?;
    Ok(())
}

/// Takes marks of a conversation away, a bit for each.
pub async fn unmark(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str, marks: i64) -> Result<()> {
    const SQL: &str = "UPDATE conversations SET marks = marks & $4 WHERE app_id = $1 AND user_id = $2 AND queue = $3";
    sql.exec(SQL, &[app.arg(), owner.arg(), queue.into(), (!marks).into()]).await?;
    Ok(())
}

/// Removes a conversation from the list until there is a message after `last`, with its pin and its marks; `false` when
/// there is none.
pub async fn hide(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str, last: i64) -> Result<bool> {
    const SQL: &str = "UPDATE conversations SET hidden_id = $4, pinned_seq = NULL, marks = 0 \
                       WHERE app_id = $1 AND user_id = $2 AND queue = $3";
    Ok(sql.exec(SQL, &[app.arg(), owner.arg(), queue.into(), last.into()]).await? == 1)
}

/// Finds the last message of that kind anew: some were removed. `false` when there is no such conversation.
pub async fn recount(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str, kind: i64) -> Result<bool> {
    const SQL: &str = "UPDATE conversations SET last_chat_id = COALESCE((SELECT message_id FROM inbox \
                       WHERE app_id = $1 AND user_id = $2 AND queue = $3 AND kind = $4 \
                       ORDER BY message_id DESC LIMIT 1), 0) WHERE app_id = $1 AND user_id = $2 AND queue = $3";
    Ok(sql.exec(SQL, &[app.arg(), owner.arg(), queue.into(), kind.into()]).await? == 1)
}

/// A queue of a user, as a walk through all of them finds it.
#[derive(Clone, Debug)]
pub struct QueueRow {
    /// Whose it is.
    pub owner: UserId,
    /// Its name.
    pub queue: String,
    /// Something in it, or all of it, is older than the walk asked about.
    pub is_stale: bool,
}

/// Up to `limit` queues of all users of the app after that one, and whether they hold entries before the id `before`
/// or nothing came into them since.
pub async fn queues_after(
    sql: &mut dyn Sql,
    app: AppId,
    after: (UserId, &str),
    before: i64,
    limit: i64,
) -> Result<Vec<QueueRow>> {
    const SQL: &str = "SELECT v.user_id, v.queue, v.last_id < $4 OR EXISTS (SELECT 1 FROM inbox i \
                       WHERE i.app_id = $1 AND i.user_id = v.user_id AND i.queue = v.queue AND i.message_id < $4) \
                       FROM conversations v WHERE v.app_id = $1 AND (v.user_id, v.queue) > ($2, $3) \
                       ORDER BY v.user_id, v.queue LIMIT $5";
    let (owner, queue) = after;
    let rows = sql.rows(SQL, &[app.arg(), owner.arg(), queue.into(), before.into(), limit.into()]).await?;
    let read = |mut row: Row| Ok(QueueRow { owner: row.take(0)?, queue: row.take(1)?, is_stale: row.take(2)? });
    rows.into_iter().map(read).collect()
}

/// Forgets a queue into which nothing came since the id `before` and that its owner has not pinned or marked, and how far
/// devices had confirmed it. To be called when it is empty.
pub async fn forget(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str, before: i64) -> Result<()> {
    const QUEUE: &str = "DELETE FROM conversations WHERE app_id = $1 AND user_id = $2 AND queue = $3 AND last_id < $4 \
                         AND pinned_seq IS NULL AND marks = 0";
    const CURSORS: &str = "DELETE FROM inbox_cursors WHERE app_id = $1 AND user_id = $2 AND queue = $3";
    if sql.exec(QUEUE, &[app.arg(), owner.arg(), queue.into(), before.into()]).await? == 1 {
        sql.exec(CURSORS, &[app.arg(), owner.arg(), queue.into()]).await?;
    }
    Ok(())
}

/// Removes up to `limit` queues and entries of all users of the app; gives how many.
pub async fn clear(sql: &mut dyn Sql, app: AppId, limit: i64) -> Result<i64> {
    const QUEUE: &str = "DELETE FROM conversations WHERE app_id = $1 AND user_id = $2 AND queue = $3";
    let mut room = limit;
    while room > 0 {
        let Some(row) = queues_after(sql, app, (UserId([0; 16]), ""), i64::MAX, 1).await?.pop() else { break };
        room -= inbox::expire(sql, app, row.owner, &row.queue, i64::MAX, room).await?;
        if room > 0 {
            room -= sql.exec(QUEUE, &[app.arg(), row.owner.arg(), (&row.queue).into()]).await?.cast_signed();
        }
    }
    Ok(limit - room)
}
