//! `hook_log`: what came of the last attempts of each hook.

use crate::{AppId, HookId, Result, Row, Sql};

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    /// Its order id.
    pub attempt_seq: i64,
    /// The event's.
    pub event_seq: i64,
    /// The event's name.
    pub event: String,
    /// Its number among the attempts of that event, from 1.
    pub attempt: i64,
    /// The status of the answer, if there was one.
    pub status: Option<i64>,
    /// What went wrong.
    pub error: Option<String>,
    /// How long it took.
    pub duration_ms: i64,
    /// When it began.
    pub at_ms: i64,
}

/// Notes an attempt, if there is such a hook. After a clock was set back two may get one order id: the log then lacks the second.
pub async fn add(sql: &mut dyn Sql, app: AppId, hook: HookId, attempt: &AttemptRow) -> Result<()> {
    const SQL: &str = "INSERT INTO hook_log (app_id, hook_id, attempt_seq, event_seq, event, attempt, status, error, \
                       duration_ms, at_ms) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM hooks \
                       WHERE app_id = $1 AND hook_id = $2 ON CONFLICT DO NOTHING";
    let args = [
        app.arg(),
        hook.arg(),
        attempt.attempt_seq.into(),
        attempt.event_seq.into(),
        (&attempt.event).into(),
        attempt.attempt.into(),
        attempt.status.into(),
        attempt.error.as_ref().into(),
        attempt.duration_ms.into(),
        attempt.at_ms.into(),
    ];
    sql.exec(SQL, &args).await?;
    Ok(())
}

/// Up to `limit` attempts before the order id `before`, the last first.
pub async fn page(sql: &mut dyn Sql, app: AppId, hook: HookId, before: i64, limit: i64) -> Result<Vec<AttemptRow>> {
    const SQL: &str = "SELECT attempt_seq, event_seq, event, attempt, status, error, duration_ms, at_ms FROM hook_log \
                       WHERE app_id = $1 AND hook_id = $2 AND attempt_seq < $3 ORDER BY attempt_seq DESC LIMIT $4";
    let read = |mut row: Row| {
        Ok(AttemptRow {
            attempt_seq: row.take(0)?,
            event_seq: row.take(1)?,
            event: row.take(2)?,
            attempt: row.take(3)?,
            status: row.take(4)?,
            error: row.take(5)?,
            duration_ms: row.take(6)?,
            at_ms: row.take(7)?,
        })
    };
    sql.rows(SQL, &[app.arg(), hook.arg(), before.into(), limit.into()]).await?.into_iter().map(read).collect()
}

/// Keeps the `keep` last attempts of the hook.
pub async fn trim(sql: &mut dyn Sql, app: AppId, hook: HookId, keep: i64) -> Result<()> {
    const LAST: &str = "SELECT attempt_seq FROM hook_log WHERE app_id = $1 AND hook_id = $2 \
                        ORDER BY attempt_seq DESC LIMIT $3";
    const BEFORE: &str = "DELETE FROM hook_log WHERE app_id = $1 AND hook_id = $2 AND attempt_seq < $3";
    if let Some(mut row) = sql.rows(LAST, &[app.arg(), hook.arg(), keep.into()]).await?.pop() {
        let first: i64 = row.take(0)?;
        sql.exec(BEFORE, &[app.arg(), hook.arg(), first.into()]).await?;
    }
    Ok(())
}
