//! `attributes` and `attribute_totals`: free key-value pairs of a user's profile, and how much all of an app's take.
//! Whoever changes pairs notes the difference they make.

use crate::{AppId, Result, Sql, UserId};

/// Sets one pair.
pub async fn put(sql: &mut dyn Sql, app: AppId, user: UserId, name: &str, value: &str) -> Result<()> {
    const SQL: &str = "INSERT INTO attributes (app_id, user_id, name, value) VALUES ($1, $2, $3, $4) \
                       ON CONFLICT (app_id, user_id, name) DO UPDATE SET value = excluded.value";
    sql.exec(SQL, &[app.arg(), user.arg(), name.into(), value.into()]).await?;
    Ok(())
}

/// Removes one pair.
pub async fn remove(sql: &mut dyn Sql, app: AppId, user: UserId, name: &str) -> Result<()> {
    const SQL: &str = "DELETE FROM attributes WHERE app_id = $1 AND user_id = $2 AND name = $3";
    sql.exec(SQL, &[app.arg(), user.arg(), name.into()]).await?;
    Ok(())
}

/// Removes all pairs of the user.
pub async fn remove_all(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<()> {
    sql.exec("DELETE FROM attributes WHERE app_id = $1 AND user_id = $2", &[app.arg(), user.arg()]).await?;
    Ok(())
}

/// All pairs of the user, by name.
pub async fn all(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<Vec<(String, String)>> {
    const SQL: &str = "SELECT name, value FROM attributes WHERE app_id = $1 AND user_id = $2 ORDER BY name";
    let rows = sql.rows(SQL, &[app.arg(), user.arg()]).await?;
    rows.into_iter().map(|mut row| Ok((row.take(0)?, row.take(1)?))).collect()
}

/// Stored bytes of one user: the length of its pairs as one JSON object, six bytes a pair and one for the object.
pub async fn bytes_of_user(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<i64> {
    const SQL: &str = "SELECT CAST(COALESCE(SUM(octet_length(name) + octet_length(value) + 6), 0) AS BIGINT) \
                       + COUNT(DISTINCT user_id) FROM attributes WHERE app_id = $1 AND user_id = $2";
    sql.rows(SQL, &[app.arg(), user.arg()]).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// Notes by how much the bytes of one user have changed.
pub async fn add_to_total(sql: &mut dyn Sql, app: AppId, bytes: i64) -> Result<()> {
    const SQL: &str = "INSERT INTO attribute_totals (app_id, bytes) VALUES ($1, $2) \
                       ON CONFLICT (app_id) DO UPDATE SET bytes = attribute_totals.bytes + excluded.bytes";
    if bytes != 0 {
        sql.exec(SQL, &[app.arg(), bytes.into()]).await?;
    }
    if bytes < 0 {
        sql.exec("DELETE FROM attribute_totals WHERE app_id = $1 AND bytes = 0", &[app.arg()]).await?;
    }
    Ok(())
}

/// Stored bytes of the whole app: what was noted of all its users.
pub async fn bytes_of_app(sql: &mut dyn Sql, app: AppId) -> Result<i64> {
    let rows = sql.rows("SELECT bytes FROM attribute_totals WHERE app_id = $1", &[app.arg()]).await?.pop();
    rows.map_or(Ok(0), |mut row| row.take(0))
}
