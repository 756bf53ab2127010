//! `user_settings`: what users have set for themselves.

use crate::{AppId, Result, Sql, UserId};

/// Sets one.
pub async fn put(sql: &mut dyn Sql, app: AppId, user: UserId, name: &str, value: &str) -> Result<()> {
    const SQL: &str = "INSERT INTO user_settings (app_id, user_id, name, value) VALUES ($1, $2, $3, $4) \
                       ON CONFLICT (app_id, user_id, name) DO UPDATE SET value = excluded.value";
    sql.exec(SQL, &[app.arg(), user.arg(), name.into(), value.into()]).await?;
    Ok(())
}

/// All of a user, by name.
pub async fn all(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<Vec<(String, String)>> {
    const SQL: &str = "SELECT name, value FROM user_settings WHERE app_id = $1 AND user_id = $2 ORDER BY name";
    let rows = sql.rows(SQL, &[app.arg(), user.arg()]).await?;
    rows.into_iter().map(|mut row| Ok((row.take(0)?, row.take(1)?))).collect()
}
