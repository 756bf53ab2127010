//! `inbox`, `conversations`, `inbox_cursors`, `devices`: what each user sent and received, and how far each of its
//! devices has confirmed it.
//!
//! A queue is named by the peer. A device's cursor in a queue is the last message it confirmed; the device `""` stands
//! for any of them, and what lies behind its cursor waits for the user.

use crate::{AppId, Result, Row, Sql, UserId};

/// The device that stands for any device of the user.
pub const ANY_DEVICE: &str = "";

/// One entry of an inbox.
#[derive(Clone, Debug, PartialEq)]
pub struct InboxRow {
    /// Order id, the same in the sender's and the receiver's inbox.
    pub message_id: i64,
    /// Folded name of the sender.
    pub sender: String,
    /// The sender's device; such a device is not shown its own messages.
    pub origin: String,
    /// What the payload is; the domain's number.
    pub kind: i64,
    /// Counts as a message that waits.
    pub counted: bool,
    /// The body.
    pub payload: Box<[u8]>,
    /// When it was sent.
    pub sent_ms: i64,
}

/// Makes `message` the last of a queue, which it must be before it is [`put`] there; `false` when the queue is ahead of it.
pub async fn advance(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str, message: i64) -> Result<bool> {
    const SQL: &str = "INSERT INTO conversations (app_id, user_id, queue, last_id) VALUES ($1, $2, $3, $4) \
                       ON CONFLICT (app_id, user_id, queue) DO UPDATE SET last_id = excluded.last_id \
                       WHERE conversations.last_id < excluded.last_id";
    Ok(sql.exec(SQL, &[app.arg(), owner.arg(), queue.into(), message.into()]).await? == 1)
}

/// The last message that a queue has ever had.
pub async fn last(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str) -> Result<i64> {
    const SQL: &str = "SELECT last_id FROM conversations WHERE app_id = $1 AND user_id = $2 AND queue = $3";
    sql.rows(SQL, &[app.arg(), owner.arg(), queue.into()]).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// Puts an entry into a queue of the owner.
pub async fn put(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str, entry: &InboxRow) -> Result<()> {
    const SQL: &str = "INSERT INTO inbox (app_id, user_id, queue, message_id, sender, origin, kind, counted, payload, sent_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let args = [
        app.arg(),
        owner.arg(),
        queue.into(),
        entry.message_id.into(),
        (&entry.sender).into(),
        (&entry.origin).into(),
        entry.kind.into(),
        entry.counted.into(),
        (&*entry.payload).into(),
        entry.sent_ms.into(),
    ];
    sql.exec(SQL, &args).await?;
    Ok(())
}

fn read(mut row: Row) -> Result<InboxRow> {
    Ok(InboxRow {
        message_id: row.take(0)?,
        sender: row.take(1)?,
        origin: row.take(2)?,
        kind: row.take(3)?,
        counted: row.take(4)?,
        payload: row.take(5)?,
        sent_ms: row.take(6)?,
    })
}

/// Up to `limit` entries of a queue after the id `after`, oldest first, without those that this device sent.
pub async fn after(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    queue: &str,
    resource: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<InboxRow>> {
    const SQL: &str = "SELECT message_id, sender, origin, kind, counted, payload, sent_ms FROM inbox \
                       WHERE app_id = $1 AND user_id = $2 AND queue = $3 AND message_id > $4 AND origin <> $5 \
                       ORDER BY message_id LIMIT $6";
    let args = [app.arg(), owner.arg(), queue.into(), after.into(), resource.into(), limit.into()];
    sql.rows(SQL, &args).await?.into_iter().map(read).collect()
}

/// Up to `limit` entries of a kind of a queue before the id `before`, newest first.
pub async fn history(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    queue: &str,
    kind: i64,
    before: i64,
    limit: i64,
) -> Result<Vec<InboxRow>> {
    const SQL: &str = "SELECT message_id, sender, origin, kind, counted, payload, sent_ms FROM inbox \
                       WHERE app_id = $1 AND user_id = $2 AND queue = $3 AND message_id < $4 AND kind = $5 \
                       ORDER BY message_id DESC LIMIT $6";
    let args = [app.arg(), owner.arg(), queue.into(), before.into(), kind.into(), limit.into()];
    sql.rows(SQL, &args).await?.into_iter().map(read).collect()
}

/// Up to `limit` entries of a kind of a queue after the id `after`, oldest first.
pub async fn history_from(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    queue: &str,
    kind: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<InboxRow>> {
    const SQL: &str = "SELECT message_id, sender, origin, kind, counted, payload, sent_ms FROM inbox \
                       WHERE app_id = $1 AND user_id = $2 AND queue = $3 AND message_id > $4 AND kind = $5 \
                       ORDER BY message_id LIMIT $6";
    let args = [app.arg(), owner.arg(), queue.into(), after.into(), kind.into(), limit.into()];
    sql.rows(SQL, &args).await?.into_iter().map(read).collect()
}

/// How many messages of one queue wait for the user.
pub async fn count_waiting_in(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM inbox WHERE app_id = $1 AND user_id = $2 AND queue = $3 \
                       AND message_id > $4 AND counted";
    let after = cursor(sql, app, owner, ANY_DEVICE, queue).await?;
    let args = [app.arg(), owner.arg(), queue.into(), after.into()];
    sql.rows(SQL, &args).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// Removes one message of that sender from a queue, as a recall does; `false` when it is not there.
pub async fn remove(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    queue: &str,
    sender: &str,
    message: i64,
) -> Result<bool> {
    const SQL: &str = "DELETE FROM inbox WHERE app_id = $1 AND user_id = $2 AND queue = $3 AND message_id = $4 \
                       AND sender = $5";
    let args = [app.arg(), owner.arg(), queue.into(), message.into(), sender.into()];
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// Removes what is older than the id `before`.
pub async fn trim(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str, before: i64) -> Result<()> {
    const SQL: &str = "DELETE FROM inbox WHERE app_id = $1 AND user_id = $2 AND queue = $3 AND message_id < $4";
    sql.exec(SQL, &[app.arg(), owner.arg(), queue.into(), before.into()]).await?;
    Ok(())
}

/// A queue that has moved on since a device last confirmed something of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Ahead {
    /// The queue.
    pub queue: String,
    /// Its last message.
    pub last: i64,
    /// How much of it is new to the device; 0 when it has sent everything itself.
    pub waiting: i64,
}

/// Up to `limit` queues that are ahead of the device, those first in which something waits.
pub async fn ahead_of_device(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    resource: &str,
    limit: i64,
) -> Result<Vec<Ahead>> {
    const SQL: &str = "SELECT a.queue, a.last_id, a.waiting FROM (SELECT v.queue, v.last_id, \
                       (SELECT COUNT(*) FROM inbox i WHERE i.app_id = $1 AND i.user_id = $2 \
                       AND i.queue = v.queue AND i.message_id > COALESCE(c.confirmed_id, 0) AND i.origin <> $3) AS waiting \
                       FROM conversations v LEFT JOIN inbox_cursors c ON c.app_id = v.app_id \
                       AND c.user_id = v.user_id AND c.resource = $3 AND c.queue = v.queue \
                       WHERE v.app_id = $1 AND v.user_id = $2 AND v.last_id > COALESCE(c.confirmed_id, 0)) a \
                       ORDER BY CASE WHEN a.waiting > 0 THEN 0 ELSE 1 END, a.last_id LIMIT $4";
    let rows = sql.rows(SQL, &[app.arg(), owner.arg(), resource.into(), limit.into()]).await?;
    rows.into_iter()
        .map(|mut row| Ok(Ahead { queue: row.take(0)?, last: row.take(1)?, waiting: row.take(2)? }))
        .collect()
}

/// How many messages wait for the user: none of its devices has confirmed them.
pub async fn count_waiting(sql: &mut dyn Sql, app: AppId, owner: UserId) -> Result<i64> {
    const SQL: &str = "SELECT CAST(COALESCE(SUM((SELECT COUNT(*) FROM inbox i WHERE i.app_id = $1 \
                       AND i.user_id = $2 AND i.queue = v.queue \
                       AND i.message_id > COALESCE(c.confirmed_id, 0) AND i.counted)), 0) AS BIGINT) \
                       FROM conversations v LEFT JOIN inbox_cursors c ON c.app_id = v.app_id \
                       AND c.user_id = v.user_id AND c.resource = '' AND c.queue = v.queue \
                       WHERE v.app_id = $1 AND v.user_id = $2 AND v.last_id > COALESCE(c.confirmed_id, 0)";
    sql.rows(SQL, &[app.arg(), owner.arg()]).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// Whether that message waits for the user.
pub async fn waits(sql: &mut dyn Sql, app: AppId, owner: UserId, message: i64) -> Result<bool> {
    const SQL: &str = "SELECT 1 FROM inbox i LEFT JOIN inbox_cursors c ON c.app_id = i.app_id \
                       AND c.user_id = i.user_id AND c.resource = '' AND c.queue = i.queue \
                       WHERE i.app_id = $1 AND i.user_id = $2 AND i.message_id = $3 AND i.counted \
                       AND i.message_id > COALESCE(c.confirmed_id, 0)";
    Ok(!sql.rows(SQL, &[app.arg(), owner.arg(), message.into()]).await?.is_empty())
}

/// What the device has confirmed in a queue.
pub async fn cursor(sql: &mut dyn Sql, app: AppId, owner: UserId, resource: &str, queue: &str) -> Result<i64> {
    const SQL: &str = "SELECT confirmed_id FROM inbox_cursors \
                       WHERE app_id = $1 AND user_id = $2 AND resource = $3 AND queue = $4";
    let args = [app.arg(), owner.arg(), resource.into(), queue.into()];
    sql.rows(SQL, &args).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// Moves a device's cursor in a queue forward, never back.
pub async fn confirm(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    resource: &str,
    queue: &str,
    message: i64,
) -> Result<()> {
    const SQL: &str = "INSERT INTO inbox_cursors (app_id, user_id, resource, queue, confirmed_id) \
                       VALUES ($1, $2, $3, $4, $5) ON CONFLICT (app_id, user_id, resource, queue) DO UPDATE SET \
                       confirmed_id = CASE WHEN excluded.confirmed_id > inbox_cursors.confirmed_id \
                       THEN excluded.confirmed_id ELSE inbox_cursors.confirmed_id END";
    sql.exec(SQL, &[app.arg(), owner.arg(), resource.into(), queue.into(), message.into()]).await?;
    Ok(())
}

/// Notes that a device was here; `true` when it had never been.
pub async fn see_device(sql: &mut dyn Sql, app: AppId, owner: UserId, resource: &str, now_ms: i64) -> Result<bool> {
    const NEW: &str = "INSERT INTO devices (app_id, user_id, resource, seen_ms) VALUES ($1, $2, $3, $4) \
                       ON CONFLICT (app_id, user_id, resource) DO NOTHING";
    const KNOWN: &str = "UPDATE devices SET seen_ms = $4 WHERE app_id = $1 AND user_id = $2 AND resource = $3";
    let args = [app.arg(), owner.arg(), resource.into(), now_ms.into()];
    let is_new = sql.exec(NEW, &args).await? == 1;
    if !is_new {
        sql.exec(KNOWN, &args).await?;
    }
    Ok(is_new)
}

/// Gives a new device the cursors of "any device": what waits for the user waits for it.
pub async fn start_device(sql: &mut dyn Sql, app: AppId, owner: UserId, resource: &str) -> Result<()> {
    const SQL: &str = "INSERT INTO inbox_cursors (app_id, user_id, resource, queue, confirmed_id) \
                       SELECT app_id, user_id, $3, queue, confirmed_id FROM inbox_cursors \
                       WHERE app_id = $1 AND user_id = $2 AND resource = '' \
                       ON CONFLICT (app_id, user_id, resource, queue) DO NOTHING";
    sql.exec(SQL, &[app.arg(), owner.arg(), resource.into()]).await?;
    Ok(())
}

/// Forgets all but the `keep` devices seen last, and their cursors.
pub async fn trim_devices(sql: &mut dyn Sql, app: AppId, owner: UserId, keep: i64) -> Result<()> {
    const DEVICES: &str = "DELETE FROM devices WHERE app_id = $1 AND user_id = $2 AND resource NOT IN \
                           (SELECT resource FROM devices WHERE app_id = $1 AND user_id = $2 \
                           ORDER BY seen_ms DESC, resource LIMIT $3)";
    const CURSORS: &str = "DELETE FROM inbox_cursors WHERE app_id = $1 AND user_id = $2 AND resource <> '' \
                           AND resource NOT IN (SELECT resource FROM devices WHERE app_id = $1 AND user_id = $2)";
    if sql.exec(DEVICES, &[app.arg(), owner.arg(), keep.into()]).await? > 0 {
        sql.exec(CURSORS, &[app.arg(), owner.arg()]).await?;
    }
    Ok(())
}

/// Up to `limit` conversations of the user, the newest first, before the id `before`.
pub async fn conversations(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    before: i64,
    limit: i64,
) -> Result<Vec<(String, i64)>> {
    const SQL: &str = "SELECT queue, last_id FROM conversations WHERE app_id = $1 AND user_id = $2 AND last_id < $3 \
                       ORDER BY last_id DESC LIMIT $4";
    let rows = sql.rows(SQL, &[app.arg(), owner.arg(), before.into(), limit.into()]).await?;
    rows.into_iter().map(|mut row| Ok((row.take(0)?, row.take(1)?))).collect()
}
