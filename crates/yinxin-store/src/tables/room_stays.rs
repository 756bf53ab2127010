//! `room_stays`: who was in which room from when to when.

use crate::{AppId, Result, Row, Sql};

/// One stay of somebody in a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StayRow {
    /// The pass it was begun with.
    pub pass_id: i64,
    /// Who.
    pub uid: i64,
    /// From when.
    pub entered_ms: i64,
    /// To when; `None` while it lasts.
    pub left_ms: Option<i64>,
}

fn read(mut row: Row) -> Result<StayRow> {
    Ok(StayRow { pass_id: row.take(0)?, uid: row.take(1)?, entered_ms: row.take(2)?, left_ms: row.take(3)? })
}

/// Begins the stay of somebody who only watches, or not; `false` when that pass has begun one before.
pub async fn begin(
    sql: &mut dyn Sql,
    app: AppId,
    cid: i64,
    pass_id: i64,
    uid: i64,
    audience: bool,
    now_ms: i64,
) -> Result<bool> {
    const SQL: &str = "INSERT INTO room_stays (app_id, cid, pass_id, uid, entered_ms, lost, audience) \
                       VALUES ($1, $2, $3, $4, $5, FALSE, $6) ON CONFLICT DO NOTHING";
    let args = [app.arg(), cid.into(), pass_id.into(), uid.into(), now_ms.into(), audience.into()];
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// Goes on with a stay that lasts, or that was lost after `since_ms`; `false` when there is none.
pub async fn resume(
    sql: &mut dyn Sql,
    app: AppId,
    cid: i64,
    pass_id: i64,
    audience: bool,
    since_ms: i64,
) -> Result<bool> {
    const SQL: &str = "UPDATE room_stays SET left_ms = NULL, lost = FALSE, audience = $4 \
                       WHERE app_id = $1 AND cid = $2 AND pass_id = $3 \
                       AND (left_ms IS NULL OR (lost AND left_ms > $5))";
    let args = [app.arg(), cid.into(), pass_id.into(), audience.into(), since_ms.into()];
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// Ends a stay; one that is lost may be gone on with.
pub async fn end(sql: &mut dyn Sql, app: AppId, cid: i64, pass_id: i64, left_ms: i64, lost: bool) -> Result<()> {
    const SQL: &str = "UPDATE room_stays SET left_ms = $4, lost = $5 WHERE app_id = $1 AND cid = $2 AND pass_id = $3 \
                       AND left_ms IS NULL";
    sql.exec(SQL, &[app.arg(), cid.into(), pass_id.into(), left_ms.into(), lost.into()]).await?;
    Ok(())
}

/// Ends the stays of that number in that room for good, those that were lost, too.
pub async fn end_of_uid(sql: &mut dyn Sql, app: AppId, cid: i64, uid: i64, left_ms: i64) -> Result<()> {
    const SQL: &str = "UPDATE room_stays SET left_ms = COALESCE(left_ms, $4), lost = FALSE \
                       WHERE app_id = $1 AND cid = $2 AND uid = $3 AND (left_ms IS NULL OR lost)";
    sql.exec(SQL, &[app.arg(), cid.into(), uid.into(), left_ms.into()]).await?;
    Ok(())
}

/// Ends every stay in that room.
pub async fn end_all(sql: &mut dyn Sql, app: AppId, cid: i64, left_ms: i64) -> Result<()> {
    const SQL: &str = "UPDATE room_stays SET left_ms = $3 WHERE app_id = $1 AND cid = $2 AND left_ms IS NULL";
    sql.exec(SQL, &[app.arg(), cid.into(), left_ms.into()]).await?;
    Ok(())
}

/// Every stay was lost.
pub async fn lose_all(sql: &mut dyn Sql, left_ms: i64) -> Result<()> {
    sql.exec("UPDATE room_stays SET left_ms = $1, lost = TRUE WHERE left_ms IS NULL", &[left_ms.into()]).await?;
    Ok(())
}

/// Every stay in a room was lost.
pub async fn lose_of_room(sql: &mut dyn Sql, app: AppId, cid: i64, left_ms: i64) -> Result<()> {
    const SQL: &str =
        "UPDATE room_stays SET left_ms = $3, lost = TRUE WHERE app_id = $1 AND cid = $2 AND left_ms IS NULL";
    sql.exec(SQL, &[app.arg(), cid.into(), left_ms.into()]).await?;
    Ok(())
}

/// Ends the stays of that number in every room for good, those that were lost, too.
pub async fn end_everywhere(sql: &mut dyn Sql, app: AppId, uid: i64, left_ms: i64) -> Result<()> {
    const SQL: &str = "UPDATE room_stays SET left_ms = COALESCE(left_ms, $3), lost = FALSE \
                       WHERE app_id = $1 AND uid = $2 AND (left_ms IS NULL OR lost)";
    sql.exec(SQL, &[app.arg(), uid.into(), left_ms.into()]).await?;
    Ok(())
}

/// Notes how the bearer of a pass takes part.
pub async fn set_audience(sql: &mut dyn Sql, app: AppId, cid: i64, pass_id: i64, audience: bool) -> Result<()> {
    const SQL: &str = "UPDATE room_stays SET audience = $4 WHERE app_id = $1 AND cid = $2 AND pass_id = $3";
    sql.exec(SQL, &[app.arg(), cid.into(), pass_id.into(), audience.into()]).await?;
    Ok(())
}

/// Somebody who is in a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PresentRow {
    /// Who.
    pub uid: i64,
    /// From when.
    pub entered_ms: i64,
    /// It only watches.
    pub audience: bool,
}

/// Up to `limit` of those who are in a room, by number.
pub async fn present(sql: &mut dyn Sql, app: AppId, cid: i64, limit: i64) -> Result<Vec<PresentRow>> {
    const SQL: &str = "SELECT uid, entered_ms, audience FROM room_stays WHERE app_id = $1 AND cid = $2 \
                       AND left_ms IS NULL ORDER BY uid LIMIT $3";
    let read = |mut row: Row| Ok(PresentRow { uid: row.take(0)?, entered_ms: row.take(1)?, audience: row.take(2)? });
    sql.rows(SQL, &[app.arg(), cid.into(), limit.into()]).await?.into_iter().map(read).collect()
}

/// How many are in a room.
pub async fn present_count(sql: &mut dyn Sql, app: AppId, cid: i64) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM room_stays WHERE app_id = $1 AND cid = $2 AND left_ms IS NULL";
    sql.rows(SQL, &[app.arg(), cid.into()]).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// Where a page of stays begins: after the stay that began then with that pass.
pub type After = (i64, i64);

/// Up to `limit` stays in that room, in the order they began.
pub async fn page(
    sql: &mut dyn Sql,
    app: AppId,
    cid: i64,
    (entered_ms, pass_id): After,
    limit: i64,
) -> Result<Vec<StayRow>> {
    const SQL: &str = "SELECT pass_id, uid, entered_ms, left_ms FROM room_stays WHERE app_id = $1 AND cid = $2 \
                       AND (entered_ms, pass_id) > ($3, $4) ORDER BY entered_ms, pass_id LIMIT $5";
    let args = [app.arg(), cid.into(), entered_ms.into(), pass_id.into(), limit.into()];
    sql.rows(SQL, &args).await?.into_iter().map(read).collect()
}

/// Removes up to `limit` stays of the app that ended before then, those that ended first.
pub async fn remove_ended(sql: &mut dyn Sql, app: AppId, before_ms: i64, limit: i64) -> Result<u64> {
    const SQL: &str = "DELETE FROM room_stays WHERE app_id = $1 AND (cid, pass_id) IN (SELECT cid, pass_id \
                       FROM room_stays WHERE app_id = $1 AND left_ms < $2 ORDER BY left_ms LIMIT $3)";
    sql.exec(SQL, &[app.arg(), before_ms.into(), limit.into()]).await
}

/// Removes every stay of that number.
pub async fn remove_of_uid(sql: &mut dyn Sql, app: AppId, uid: i64) -> Result<()> {
    sql.exec("DELETE FROM room_stays WHERE app_id = $1 AND uid = $2", &[app.arg(), uid.into()]).await?;
    Ok(())
}
