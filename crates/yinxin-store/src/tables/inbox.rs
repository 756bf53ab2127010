//! `inbox`, `inbox_cursors`, `devices`: what each user sent and received, and how far each of its devices has confirmed
//! it. The queues themselves are rows of [`super::conversations`].
//!
//! A queue is named by the peer. A device's cursor in a queue is the last message it confirmed; the device `""` stands
//! for any of them, and what lies behind its cursor waits for the user.

use std::ops::Range;

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

/// Puts an entry into a queue of the owner, whose last it must be already: [`super::conversations::advance`].
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

/// Up to `limit` entries of a queue after the id `after`, oldest first, without those that this device sent. Another user's
/// device may have the same resource.
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
                       WHERE app_id = $1 AND user_id = $2 AND queue = $3 AND message_id > $4 AND (origin <> $5 \
                       OR sender <> (SELECT username FROM users WHERE app_id = $1 AND user_id = $2)) \
                       ORDER BY message_id LIMIT $6";
    let args = [app.arg(), owner.arg(), queue.into(), after.into(), resource.into(), limit.into()];
    sql.rows(SQL, &args).await?.into_iter().map(read).collect()
}

/// Up to `limit` entries of a kind of a queue whose ids are in that range, newest first.
pub async fn history(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    queue: &str,
    kind: i64,
    ids: Range<i64>,
    limit: i64,
) -> Result<Vec<InboxRow>> {
    const SQL: &str = "SELECT message_id, sender, origin, kind, counted, payload, sent_ms FROM inbox \
                       WHERE app_id = $1 AND user_id = $2 AND queue = $3 AND message_id >= $4 AND message_id < $5 \
                       AND kind = $6 ORDER BY message_id DESC LIMIT $7";
    let args = [app.arg(), owner.arg(), queue.into(), ids.start.into(), ids.end.into(), kind.into(), limit.into()];
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

/// Removes up to `limit` entries of a kind of a queue with ids up to `last` that were sent until `until_ms`, the oldest
/// first; gives how many.
pub async fn erase(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    queue: &str,
    kind: i64,
    (last, until_ms): (i64, i64),
    limit: i64,
) -> Result<i64> {
    const SQL: &str = "DELETE FROM inbox WHERE app_id = $1 AND user_id = $2 AND queue = $3 AND message_id IN \
                       (SELECT message_id FROM inbox WHERE app_id = $1 AND user_id = $2 AND queue = $3 AND kind = $4 \
                       AND message_id <= $5 AND sent_ms <= $6 ORDER BY message_id LIMIT $7)";
    let args = [app.arg(), owner.arg(), queue.into(), kind.into(), last.into(), until_ms.into(), limit.into()];
    Ok(sql.exec(SQL, &args).await?.cast_signed())
}

/// Removes one entry of a kind from a queue; `false` when it is not there.
pub async fn erase_one(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    queue: &str,
    kind: i64,
    message: i64,
) -> Result<bool> {
    const SQL: &str = "DELETE FROM inbox WHERE app_id = $1 AND user_id = $2 AND queue = $3 AND message_id = $4 \
                       AND kind = $5";
    let args = [app.arg(), owner.arg(), queue.into(), message.into(), kind.into()];
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// How many messages of one queue, from the id `from` on, wait for the user.
pub async fn count_waiting_in(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str, from: i64) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM inbox WHERE app_id = $1 AND user_id = $2 AND queue = $3 \
                       AND message_id > $4 AND message_id >= $5 AND counted";
    let after = cursor(sql, app, owner, ANY_DEVICE, queue).await?;
    let args = [app.arg(), owner.arg(), queue.into(), after.into(), from.into()];
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

/// Removes all but the `keep` newest entries of a queue.
pub async fn keep_newest(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str, keep: i64) -> Result<()> {
    const SQL: &str = "SELECT COUNT(*) FROM inbox WHERE app_id = $1 AND user_id = $2 AND queue = $3";
    let counted = sql.rows(SQL, &[app.arg(), owner.arg(), queue.into()]).await?.pop();
    let count: i64 = counted.map_or(Ok(0), |mut row| row.take(0))?;
    if count > keep {
        expire(sql, app, owner, queue, i64::MAX, count - keep).await?;
    }
    Ok(())
}

/// Removes up to `limit` entries of a queue before the id `before`, the oldest first; gives how many.
pub async fn expire(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str, before: i64, limit: i64) -> Result<i64> {
    const SQL: &str = "DELETE FROM inbox WHERE app_id = $1 AND user_id = $2 AND queue = $3 AND message_id IN \
                       (SELECT message_id FROM inbox WHERE app_id = $1 AND user_id = $2 AND queue = $3 \
                       AND message_id < $4 ORDER BY message_id LIMIT $5)";
    let gone = sql.exec(SQL, &[app.arg(), owner.arg(), queue.into(), before.into(), limit.into()]).await?;
    Ok(gone.cast_signed())
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

/// Up to `limit` queues that are ahead of the device, those first that have moved least lately. Only entries from the id
/// `from` on count as waiting.
pub async fn ahead_of_device(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    resource: &str,
    from: i64,
    limit: i64,
) -> Result<Vec<Ahead>> {
    const SQL: &str = "SELECT v.queue, v.last_id, (SELECT COUNT(*) FROM inbox i WHERE i.app_id = $1 \
                       AND i.user_id = $2 AND i.queue = v.queue AND i.message_id > COALESCE(c.confirmed_id, 0) \
                       AND i.message_id >= $5 AND (i.origin <> $3 \
                       OR i.sender <> (SELECT username FROM users WHERE app_id = $1 AND user_id = $2))) \
                       FROM conversations v LEFT JOIN inbox_cursors c ON c.app_id = v.app_id \
                       AND c.user_id = v.user_id AND c.resource = $3 AND c.queue = v.queue \
                       WHERE v.app_id = $1 AND v.user_id = $2 AND v.last_id > COALESCE(c.confirmed_id, 0) \
                       ORDER BY v.last_id LIMIT $4";
    let rows = sql.rows(SQL, &[app.arg(), owner.arg(), resource.into(), limit.into(), from.into()]).await?;
    rows.into_iter()
        .map(|mut row| Ok(Ahead { queue: row.take(0)?, last: row.take(1)?, waiting: row.take(2)? }))
        .collect()
}

/// How many messages, from the id `from` on, wait for the user: none of its devices has confirmed them.
pub async fn count_waiting(sql: &mut dyn Sql, app: AppId, owner: UserId, from: i64) -> Result<i64> {
    const SQL: &str = "SELECT CAST(COALESCE(SUM((SELECT COUNT(*) FROM inbox i WHERE i.app_id = $1 \
                       AND i.user_id = $2 AND i.queue = v.queue \
                       AND i.message_id > COALESCE(c.confirmed_id, 0) AND i.message_id >= $3 AND i.counted)), 0) \
                       AS BIGINT) \
                       FROM conversations v LEFT JOIN inbox_cursors c ON c.app_id = v.app_id \
                       AND c.user_id = v.user_id AND c.resource = '' AND c.queue = v.queue \
                       WHERE v.app_id = $1 AND v.user_id = $2 AND v.last_id > COALESCE(c.confirmed_id, 0)";
    sql.rows(SQL, &[app.arg(), owner.arg(), from.into()]).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// The queue that the entry of that id is in. It is looked for queue by queue: no engine reads through all entries.
pub async fn queue_of(sql: &mut dyn Sql, app: AppId, owner: UserId, message: i64) -> Result<Option<String>> {
    const SQL: &str = "SELECT v.queue FROM conversations v WHERE v.app_id = $1 AND v.user_id = $2 AND EXISTS \
                       (SELECT 1 FROM inbox i WHERE i.app_id = $1 AND i.user_id = $2 AND i.queue = v.queue \
                       AND i.message_id = $3)";
    sql.rows(SQL, &[app.arg(), owner.arg(), message.into()]).await?.pop().map(|mut row| row.take(0)).transpose()
}

/// An entry of a queue.
pub async fn entry(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    queue: &str,
    message: i64,
) -> Result<Option<InboxRow>> {
    const SQL: &str = "SELECT message_id, sender, origin, kind, counted, payload, sent_ms FROM inbox \
                       WHERE app_id = $1 AND user_id = $2 AND queue = $3 AND message_id = $4";
    let args = [app.arg(), owner.arg(), queue.into(), message.into()];
    sql.rows(SQL, &args).await?.pop().map(read).transpose()
}

/// An entry of a queue with how often it was changed.
pub async fn to_edit(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    queue: &str,
    message: i64,
) -> Result<Option<(InboxRow, i64)>> {
    const SQL: &str = "SELECT message_id, sender, origin, kind, counted, payload, sent_ms, edits FROM inbox \
                       WHERE app_id = $1 AND user_id = $2 AND queue = $3 AND message_id = $4";
    let args = [app.arg(), owner.arg(), queue.into(), message.into()];
    let Some(mut row) = sql.rows(SQL, &args).await?.pop() else { return Ok(None) };
    let edits = row.take(7)?;
    Ok(Some((read(row)?, edits)))
}

/// Changes a message that was changed so often before; `false` when it is not there or was changed meanwhile.
pub async fn edit(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    queue: &str,
    message: i64,
    edits: i64,
    payload: &[u8],
) -> Result<bool> {
    const SQL: &str = "UPDATE inbox SET payload = $6, edits = edits + 1 WHERE app_id = $1 AND user_id = $2 \
                       AND queue = $3 AND message_id = $4 AND edits = $5";
    let args = [app.arg(), owner.arg(), queue.into(), message.into(), edits.into(), payload.into()];
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// Whether that message waits for the user.
pub async fn waits(sql: &mut dyn Sql, app: AppId, owner: UserId, message: i64) -> Result<bool> {
    let Some(queue) = queue_of(sql, app, owner, message).await? else { return Ok(false) };
    let counts = entry(sql, app, owner, &queue, message).await?.is_some_and(|entry| entry.counted);
    Ok(counts && cursor(sql, app, owner, ANY_DEVICE, &queue).await? < message)
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
