//! `mutes`: who may not send, in which kind of conversation, until when.

use crate::{AppId, Result, Row, Sql, UserId};

/// One mute.
#[derive(Clone, Debug)]
pub struct MuteRow {
    /// The muted user's folded name.
    pub username: String,
    /// Kind of conversation.
    pub scope: String,
    /// End; `None` = for ever.
    pub until_s: Option<i64>,
    /// When it was set, as an order id.
    pub since_seq: i64,
}

fn read(mut row: Row) -> Result<MuteRow> {
    Ok(MuteRow { username: row.take(0)?, scope: row.take(1)?, until_s: row.take(2)?, since_seq: row.take(3)? })
}

/// Sets a mute, replacing an older one of that scope.
pub async fn put(
    sql: &mut dyn Sql,
    app: AppId,
    user: UserId,
    scope: &str,
    until_s: Option<i64>,
    since_seq: i64,
) -> Result<()> {
    const SQL: &str = "INSERT INTO mutes (app_id, user_id, scope, until_s, since_seq) VALUES ($1, $2, $3, $4, $5) \
                       ON CONFLICT (app_id, user_id, scope) DO UPDATE SET until_s = excluded.until_s, \
                       since_seq = excluded.since_seq";
    sql.exec(SQL, &[app.arg(), user.arg(), scope.into(), until_s.into(), since_seq.into()]).await?;
    Ok(())
}

/// Lifts a mute.
pub async fn remove(sql: &mut dyn Sql, app: AppId, user: UserId, scope: &str) -> Result<()> {
    const SQL: &str = "DELETE FROM mutes WHERE app_id = $1 AND user_id = $2 AND scope = $3";
    sql.exec(SQL, &[app.arg(), user.arg(), scope.into()]).await?;
    Ok(())
}

/// The mutes of one user that have not ended.
pub async fn of_user(sql: &mut dyn Sql, app: AppId, user: UserId, now_s: i64) -> Result<Vec<MuteRow>> {
    const SQL: &str = "SELECT u.username, m.scope, m.until_s, m.since_seq FROM mutes m \
                       JOIN users u ON u.app_id = m.app_id AND u.user_id = m.user_id \
                       WHERE m.app_id = $1 AND m.user_id = $2 AND (m.until_s IS NULL OR m.until_s > $3)";
    sql.rows(SQL, &[app.arg(), user.arg(), now_s.into()]).await?.into_iter().map(read).collect()
}

/// Up to `limit` mutes of the app that have not ended, in the order they were set, after the order id `after_seq`.
pub async fn page(sql: &mut dyn Sql, app: AppId, now_s: i64, after_seq: i64, limit: i64) -> Result<Vec<MuteRow>> {
    const SQL: &str = "SELECT u.username, m.scope, m.until_s, m.since_seq FROM mutes m \
                       JOIN users u ON u.app_id = m.app_id AND u.user_id = m.user_id \
                       WHERE m.app_id = $1 AND m.since_seq > $2 AND (m.until_s IS NULL OR m.until_s > $3) \
                       ORDER BY m.since_seq LIMIT $4";
    let args = [app.arg(), after_seq.into(), now_s.into(), limit.into()];
    sql.rows(SQL, &args).await?.into_iter().map(read).collect()
}
