//! `room_bars`: who may not enter the rooms of which name, until when.

use crate::{AppId, Result, Sql};

/// Bars somebody, or sets another end.
pub async fn put(sql: &mut dyn Sql, app: AppId, name: &str, uid: i64, until_ms: i64) -> Result<()> {
    const SQL: &str = "INSERT INTO room_bars (app_id, name, uid, until_ms) VALUES ($1, $2, $3, $4) \
                       ON CONFLICT (app_id, name, uid) DO UPDATE SET until_ms = excluded.until_ms";
    sql.exec(SQL, &[app.arg(), name.into(), uid.into(), until_ms.into()]).await?;
    Ok(())
}

/// Lets somebody in again.
pub async fn remove(sql: &mut dyn Sql, app: AppId, name: &str, uid: i64) -> Result<()> {
    const SQL: &str = "DELETE FROM room_bars WHERE app_id = $1 AND name = $2 AND uid = $3";
    sql.exec(SQL, &[app.arg(), name.into(), uid.into()]).await?;
    Ok(())
}

/// Until when somebody is barred; `None` when it is not.
pub async fn until(sql: &mut dyn Sql, app: AppId, name: &str, uid: i64, now_ms: i64) -> Result<Option<i64>> {
    const SQL: &str = "SELECT until_ms FROM room_bars WHERE app_id = $1 AND name = $2 AND uid = $3 AND until_ms > $4";
    let args = [app.arg(), name.into(), uid.into(), now_ms.into()];
    sql.rows(SQL, &args).await?.pop().map(|mut row| row.take(0)).transpose()
}

/// Up to `limit` of those who are barred from that name, by number.
pub async fn of_name(sql: &mut dyn Sql, app: AppId, name: &str, now_ms: i64, limit: i64) -> Result<Vec<i64>> {
    const SQL: &str =
        "SELECT uid FROM room_bars WHERE app_id = $1 AND name = $2 AND until_ms > $3 ORDER BY uid LIMIT $4";
    let rows = sql.rows(SQL, &[app.arg(), name.into(), now_ms.into(), limit.into()]).await?;
    rows.into_iter().map(|mut row| row.take(0)).collect()
}

/// Removes up to `limit` bars of the app that ended before then, those that ended first.
pub async fn remove_ended(sql: &mut dyn Sql, app: AppId, before_ms: i64, limit: i64) -> Result<u64> {
    const SQL: &str = "DELETE FROM room_bars WHERE app_id = $1 AND (name, uid) IN (SELECT name, uid FROM room_bars \
                       WHERE app_id = $1 AND until_ms <= $2 ORDER BY until_ms LIMIT $3)";
    sql.exec(SQL, &[app.arg(), before_ms.into(), limit.into()]).await
}

/// Removes every bar of that number.
pub async fn remove_of_uid(sql: &mut dyn Sql, app: AppId, uid: i64) -> Result<()> {
    sql.exec("DELETE FROM room_bars WHERE app_id = $1 AND uid = $2", &[app.arg(), uid.into()]).await?;
    Ok(())
}
