//! `blocks`: whom a user does not want to hear from. Independent of `contacts`.

use crate::{AppId, Result, Sql, UserId};

/// A blocked user as the owner's list shows it.
#[derive(Clone, Debug)]
pub struct BlockRow {
    /// The blocked user.
    pub user: UserId,
    /// Its folded name.
    pub username: String,
    /// Since when, as an order id.
    pub since_seq: i64,
}

/// Blocks a user unless the owner's list holds `max`; `false` when nothing was added, because of that or because it
/// was there.
pub async fn add(
    sql: &mut dyn Sql,
    app: AppId,
    owner: UserId,
    blocked: UserId,
    since_seq: i64,
    max: i64,
) -> Result<bool> {
    const SQL: &str = "INSERT INTO blocks (app_id, user_id, blocked_id, since_seq) SELECT $1, $2, $3, $4 \
                       WHERE (SELECT COUNT(*) FROM blocks WHERE app_id = $1 AND user_id = $2) < $5 \
                       ON CONFLICT (app_id, user_id, blocked_id) DO NOTHING";
    Ok(sql.exec(SQL, &[app.arg(), owner.arg(), blocked.arg(), since_seq.into(), max.into()]).await? == 1)
}

/// Lifts a block; `false` when there was none.
pub async fn remove(sql: &mut dyn Sql, app: AppId, owner: UserId, blocked: UserId) -> Result<bool> {
    const SQL: &str = "DELETE FROM blocks WHERE app_id = $1 AND user_id = $2 AND blocked_id = $3";
    Ok(sql.exec(SQL, &[app.arg(), owner.arg(), blocked.arg()]).await? == 1)
}

/// Whether the owner blocks that user.
pub async fn has(sql: &mut dyn Sql, app: AppId, owner: UserId, blocked: UserId) -> Result<bool> {
    const SQL: &str = "SELECT 1 FROM blocks WHERE app_id = $1 AND user_id = $2 AND blocked_id = $3";
    Ok(!sql.rows(SQL, &[app.arg(), owner.arg(), blocked.arg()]).await?.is_empty())
}

/// Up to `limit` blocked users, newest first, older than the order id `before_seq`.
pub async fn page(sql: &mut dyn Sql, app: AppId, owner: UserId, before_seq: i64, limit: i64) -> Result<Vec<BlockRow>> {
    const SQL: &str = "SELECT u.user_id, u.username, b.since_seq FROM blocks b \
                       JOIN users u ON u.app_id = b.app_id AND u.user_id = b.blocked_id \
                       WHERE b.app_id = $1 AND b.user_id = $2 AND b.since_seq < $3 \
                       ORDER BY b.since_seq DESC LIMIT $4";
    let rows = sql.rows(SQL, &[app.arg(), owner.arg(), before_seq.into(), limit.into()]).await?;
    rows.into_iter()
        .map(|mut row| Ok(BlockRow { user: row.take(0)?, username: row.take(1)?, since_seq: row.take(2)? }))
        .collect()
}
