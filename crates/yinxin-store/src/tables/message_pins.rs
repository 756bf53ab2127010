//! `message_pins`: messages that stand out in their conversation. Each of the two who have the message owns a copy.

use crate::{AppId, Result, Row, Sql, UserId};

/// A pinned message.
#[derive(Clone, Debug, PartialEq)]
pub struct PinRow {
    /// The message.
    pub message_id: i64,
    /// Folded name of who pinned it last.
    pub operator: String,
    /// When, as an order id.
    pub pinned_seq: i64,
}

/// Pins a message in the owner's copy, or notes who pinned it again.
pub async fn put(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str, pin: &PinRow) -> Result<()> {
    const SQL: &str = "INSERT INTO message_pins (app_id, user_id, queue, message_id, operator, pinned_seq) \
                       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (app_id, user_id, queue, message_id) DO UPDATE SET \
                       operator = excluded.operator, pinned_seq = excluded.pinned_seq";
    let args =
        [app.arg(), owner.arg(), queue.into(), pin.message_id.into(), (&pin.operator).into(), pin.pinned_seq.into()];
    sql.exec(SQL, &args).await?;
    Ok(())
}

/// Unpins a message in the owner's copy; `false` when it is not pinned.
pub async fn remove(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str, message: i64) -> Result<bool> {
    const SQL: &str = "DELETE FROM message_pins WHERE app_id = $1 AND user_id = $2 AND queue = $3 AND message_id = $4";
    Ok(sql.exec(SQL, &[app.arg(), owner.arg(), queue.into(), message.into()]).await? == 1)
}

/// Up to `limit` pinned messages of a conversation that are still in it, with ids from `from` on, the last pinned first,
/// pinned before the order id `before`.
pub async fn page(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    queue: &str,
    from: i64,
    before: i64,
    limit: i64,
) -> Result<Vec<PinRow>> {
    const SQL: &str = "SELECT p.message_id, p.operator, p.pinned_seq FROM message_pins p \
                       JOIN inbox i ON i.app_id = p.app_id AND i.user_id = p.user_id AND i.queue = p.queue \
                       AND i.message_id = p.message_id \
                       WHERE p.app_id = $1 AND p.user_id = $2 AND p.queue = $3 AND p.message_id >= $4 \
                       AND p.pinned_seq < $5 ORDER BY p.pinned_seq DESC LIMIT $6";
    let read = |mut row: Row| Ok(PinRow { message_id: row.take(0)?, operator: row.take(1)?, pinned_seq: row.take(2)? });
    let args = [app.arg(), owner.arg(), queue.into(), from.into(), before.into(), limit.into()];
    sql.rows(SQL, &args).await?.into_iter().map(read).collect()
}

/// Removes up to `limit` pins of a conversation whose messages are not in it any more or before the id `before`.
pub async fn sweep(sql: &mut dyn Sql, app: AppId, owner: UserId, queue: &str, before: i64, limit: i64) -> Result<i64> {
    const SQL: &str = "DELETE FROM message_pins WHERE app_id = $1 AND user_id = $2 AND queue = $3 AND message_id IN \
                       (SELECT p.message_id FROM message_pins p WHERE p.app_id = $1 AND p.user_id = $2 \
                       AND p.queue = $3 AND (p.message_id < $4 OR NOT EXISTS (SELECT 1 FROM inbox i \
                       WHERE i.app_id = $1 AND i.user_id = $2 AND i.queue = $3 AND i.message_id = p.message_id)) \
                       ORDER BY p.message_id LIMIT $5)";
    let args = [app.arg(), owner.arg(), queue.into(), before.into(), limit.into()];
    Ok(sql.exec(SQL, &args).await?.cast_signed())
}
