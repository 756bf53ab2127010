//! `password_failures`: wrong passwords, where more than one node counts them.

use crate::{AppId, Result, Sql};

/// When the last wrong password is forgiven, of those that were tried for that user from there.
pub async fn forgiven_ms(sql: &mut dyn Sql, app: AppId, whose: &[u8]) -> Result<Option<i64>> {
    const SQL: &str = "SELECT forgiven_ms FROM password_failures WHERE app_id = $1 AND whose = $2";
    sql.rows(SQL, &[app.arg(), whose.into()]).await?.pop().map(|mut row| row.take(0)).transpose()
}

/// Notes when it is.
pub async fn put(sql: &mut dyn Sql, app: AppId, whose: &[u8], forgiven_ms: i64) -> Result<()> {
    const SQL: &str = "INSERT INTO password_failures (app_id, whose, forgiven_ms) VALUES ($1, $2, $3) \
                       ON CONFLICT (app_id, whose) DO UPDATE SET forgiven_ms = excluded.forgiven_ms";
    sql.exec(SQL, &[app.arg(), whose.into(), forgiven_ms.into()]).await?;
    Ok(())
}

/// Removes up to `limit` rows of the app in which everything is forgiven.
pub async fn remove_forgiven(sql: &mut dyn Sql, app: AppId, now_ms: i64, limit: i64) -> Result<u64> {
    const SQL: &str = "DELETE FROM password_failures WHERE app_id = $1 AND whose IN (SELECT whose FROM password_failures \
                       WHERE app_id = $1 AND forgiven_ms < $2 ORDER BY forgiven_ms LIMIT $3)";
    sql.exec(SQL, &[app.arg(), now_ms.into(), limit.into()]).await
}
