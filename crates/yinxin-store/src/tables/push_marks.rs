//! `push_aliases` and `push_tags`: what devices and users are called by those who push to them.

use crate::{AppId, Result, Sql, UserId};

/// Gives a device an alias, in place of the one before; with device `''`, the user.
pub async fn set_alias(
    sql: &mut dyn Sql,
    app: AppId,
    user: UserId,
    (device, alias): (&str, &str),
    since_seq: i64,
) -> Result<()> {
    const SQL: &str = "INSERT INTO push_aliases (app_id, user_id, device_id, alias, since_seq) \
                       VALUES ($1, $2, $3, $4, $5) ON CONFLICT (app_id, user_id, device_id) DO UPDATE SET \
                       alias = excluded.alias, since_seq = excluded.since_seq";
    sql.exec(SQL, &[app.arg(), user.arg(), device.into(), alias.into(), since_seq.into()]).await?;
    Ok(())
}

/// Takes the alias of a device, or of the user, away.
pub async fn unset_alias(sql: &mut dyn Sql, app: AppId, user: UserId, device: &str) -> Result<()> {
    const SQL: &str = "DELETE FROM push_aliases WHERE app_id = $1 AND user_id = $2 AND device_id = $3";
    sql.exec(SQL, &[app.arg(), user.arg(), device.into()]).await?;
    Ok(())
}

/// Keeps the `keep` newest aliases of the user.
pub async fn trim_aliases(sql: &mut dyn Sql, app: AppId, user: UserId, keep: i64) -> Result<()> {
    const SQL: &str = "DELETE FROM push_aliases WHERE app_id = $1 AND user_id = $2 AND device_id NOT IN \
                       (SELECT device_id FROM push_aliases WHERE app_id = $1 AND user_id = $2 \
                       ORDER BY since_seq DESC LIMIT $3)";
    sql.exec(SQL, &[app.arg(), user.arg(), keep.into()]).await?;
    Ok(())
}

/// The user's aliases, each behind its device.
pub async fn aliases(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<Vec<(String, String)>> {
    const SQL: &str = "SELECT device_id, alias FROM push_aliases WHERE app_id = $1 AND user_id = $2 ORDER BY device_id";
    let rows = sql.rows(SQL, &[app.arg(), user.arg()]).await?;
    rows.into_iter().map(|mut row| Ok((row.take(0)?, row.take(1)?))).collect()
}

/// Gives the user a tag; again is no error.
pub async fn add_tag(sql: &mut dyn Sql, app: AppId, user: UserId, tag: &str) -> Result<()> {
    const SQL: &str = "INSERT INTO push_tags (app_id, user_id, tag) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    sql.exec(SQL, &[app.arg(), user.arg(), tag.into()]).await?;
    Ok(())
}

/// Takes a tag away.
pub async fn remove_tag(sql: &mut dyn Sql, app: AppId, user: UserId, tag: &str) -> Result<()> {
    const SQL: &str = "DELETE FROM push_tags WHERE app_id = $1 AND user_id = $2 AND tag = $3";
    sql.exec(SQL, &[app.arg(), user.arg(), tag.into()]).await?;
    Ok(())
}

/// Takes all tags away.
pub async fn clear_tags(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<()> {
    sql.exec("DELETE FROM push_tags WHERE app_id = $1 AND user_id = $2", &[app.arg(), user.arg()]).await?;
    Ok(())
}

/// The user's tags.
pub async fn tags(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<Vec<String>> {
    const SQL: &str = "SELECT tag FROM push_tags WHERE app_id = $1 AND user_id = $2 ORDER BY tag";
    sql.rows(SQL, &[app.arg(), user.arg()]).await?.into_iter().map(|mut row| row.take(0)).collect()
}

/// Up to `limit` users with that tag, behind that user.
pub async fn tagged(sql: &mut dyn Sql, app: AppId, tag: &str, after: UserId, limit: i64) -> Result<Vec<UserId>> {
    const SQL: &str =
        "SELECT user_id FROM push_tags WHERE app_id = $1 AND tag = $2 AND user_id > $3 ORDER BY user_id LIMIT $4";
    let rows = sql.rows(SQL, &[app.arg(), tag.into(), after.arg(), limit.into()]).await?;
    rows.into_iter().map(|mut row| row.take(0)).collect()
}

/// Up to `limit` users who have that alias, or a device that has, behind that user.
pub async fn aliased(sql: &mut dyn Sql, app: AppId, alias: &str, after: UserId, limit: i64) -> Result<Vec<UserId>> {
    const SQL: &str = "SELECT DISTINCT user_id FROM push_aliases WHERE app_id = $1 AND alias = $2 AND user_id > $3 \
                       ORDER BY user_id LIMIT $4";
    let rows = sql.rows(SQL, &[app.arg(), alias.into(), after.arg(), limit.into()]).await?;
    rows.into_iter().map(|mut row| row.take(0)).collect()
}
