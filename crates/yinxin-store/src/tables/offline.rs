//! `offline_messages`: what waits for a user who was away.

use crate::{AppId, Result, Sql, UserId};

/// How many messages wait for the user.
pub async fn count(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM offline_messages WHERE app_id = $1 AND user_id = $2";
    sql.rows(SQL, &[app.arg(), user.arg()]).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// Whether that message waits.
pub async fn waits(sql: &mut dyn Sql, app: AppId, user: UserId, message: i64) -> Result<bool> {
    const SQL: &str = "SELECT 1 FROM offline_messages WHERE app_id = $1 AND user_id = $2 AND message_id = $3";
    Ok(!sql.rows(SQL, &[app.arg(), user.arg(), message.into()]).await?.is_empty())
}
