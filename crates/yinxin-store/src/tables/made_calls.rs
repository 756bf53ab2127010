//! `made_calls`: calls that name themselves and were made, where there is more than one node to make them.

use crate::{AppId, Result, Sql};

/// Notes a call; `false` when it was made before, and is remembered.
pub async fn note(sql: &mut dyn Sql, app: AppId, call_hash: &[u8], now_ms: i64, until_ms: i64) -> Result<bool> {
    const SQL: &str = "INSERT INTO made_calls (app_id, call_hash, until_ms) VALUES ($1, $2, $3) \
                       ON CONFLICT (app_id, call_hash) DO UPDATE SET until_ms = excluded.until_ms \
                       WHERE made_calls.until_ms <= $4";
    Ok(sql.exec(SQL, &[app.arg(), call_hash.into(), until_ms.into(), now_ms.into()]).await? == 1)
}

/// Takes back the note of a call that is remembered until then: another's stays.
pub async fn forget(sql: &mut dyn Sql, app: AppId, call_hash: &[u8], until_ms: i64) -> Result<()> {
    const SQL: &str = "DELETE FROM made_calls WHERE app_id = $1 AND call_hash = $2 AND until_ms = $3";
    sql.exec(SQL, &[app.arg(), call_hash.into(), until_ms.into()]).await?;
    Ok(())
}

/// Removes up to `limit` calls that need not be remembered any more, those that ended first.
pub async fn remove_ended(sql: &mut dyn Sql, now_ms: i64, limit: i64) -> Result<u64> {
    const SQL: &str = "DELETE FROM made_calls WHERE (app_id, call_hash) IN (SELECT app_id, call_hash FROM made_calls \
                       WHERE until_ms <= $1 ORDER BY until_ms, app_id, call_hash LIMIT $2)";
    sql.exec(SQL, &[now_ms.into(), limit.into()]).await
}
