//! `hook_outbox`: what each hook is to be told, and for a while what it was told.

use crate::{AppId, HookId, Result, Row, Sql, Touched};

/// Waits for its next attempt.
pub const WAITING: &str = "waiting";
/// The hook has taken it.
pub const DELIVERED: &str = "delivered";
/// All attempts have failed.
pub const FAILED: &str = "failed";

/// An event to keep for a hook.
#[derive(Clone, Debug)]
pub struct NewEvent<'a> {
    /// Its order id.
    pub seq: i64,
    /// Its name.
    pub event: &'a str,
    /// Events of one lane stand one behind the other.
    pub lane: &'a str,
    /// The body of the call.
    pub payload: &'a str,
}

/// When an event is due that was not attempted yet: at once, whatever clocks say.
const AT_ONCE_MS: i64 = 0;

/// Keeps an event for the hook, to be attempted at once; `false` when there is no such hook, or it is switched off, or it has
/// an event under that order id already.
pub async fn put(sql: &mut dyn Sql, app: AppId, hook: HookId, new: &NewEvent<'_>) -> Result<bool> {
    const SQL: &str = "INSERT INTO hook_outbox (app_id, hook_id, event_seq, event, lane, payload, state, attempts, due_ms) \
                       SELECT $1, $2, $3, $4, $5, $6, $7, 0, $8 FROM hooks h WHERE h.app_id = $1 AND h.hook_id = $2 \
                       AND h.enabled ON CONFLICT DO NOTHING";
    let args = [
        app.arg(),
        hook.arg(),
        new.seq.into(),
        new.event.into(),
        new.lane.into(),
        new.payload.into(),
        WAITING.into(),
        AT_ONCE_MS.into(),
    ];
    let is_put = sql.exec(SQL, &args).await? == 1;
    if is_put {
        sql.touch(Touched::Outbox(app, hook));
    }
    Ok(is_put)
}

/// The last order id of the hook's events; 0 when there are none.
pub async fn last(sql: &mut dyn Sql, app: AppId, hook: HookId) -> Result<i64> {
    const SQL: &str = "SELECT COALESCE(MAX(event_seq), 0) FROM hook_outbox WHERE app_id = $1 AND hook_id = $2";
    sql.rows(SQL, &[app.arg(), hook.arg()]).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// An event that is due: order id and lane.
type Due = (i64, String);

fn read_due(rows: Vec<Row>) -> Result<Vec<Due>> {
    rows.into_iter().map(|mut row| Ok((row.take(0)?, row.take(1)?))).collect()
}

/// Up to `limit` events that were not attempted yet, in order.
pub async fn untried(sql: &mut dyn Sql, app: AppId, hook: HookId, limit: i64) -> Result<Vec<Due>> {
    const SQL: &str = "SELECT event_seq, lane FROM hook_outbox WHERE app_id = $1 AND hook_id = $2 AND state = $3 \
                       AND due_ms = $4 ORDER BY event_seq LIMIT $5";
    let args = [app.arg(), hook.arg(), WAITING.into(), AT_ONCE_MS.into(), limit.into()];
    read_due(sql.rows(SQL, &args).await?)
}

/// Up to `limit` events that are due for another attempt, the one that has waited longest first.
pub async fn due_again(sql: &mut dyn Sql, app: AppId, hook: HookId, now_ms: i64, limit: i64) -> Result<Vec<Due>> {
    const SQL: &str = "SELECT event_seq, lane FROM hook_outbox WHERE app_id = $1 AND hook_id = $2 AND state = $3 \
                       AND due_ms > $4 AND due_ms <= $5 ORDER BY due_ms, event_seq LIMIT $6";
    let args = [app.arg(), hook.arg(), WAITING.into(), AT_ONCE_MS.into(), now_ms.into(), limit.into()];
    read_due(sql.rows(SQL, &args).await?)
}

/// When the next event that is not due yet will be.
pub async fn next_due_ms(sql: &mut dyn Sql, app: AppId, hook: HookId, now_ms: i64) -> Result<Option<i64>> {
    const SQL: &str = "SELECT MIN(due_ms) FROM hook_outbox WHERE app_id = $1 AND hook_id = $2 AND state = $3 \
                       AND due_ms > $4";
    let args = [app.arg(), hook.arg(), WAITING.into(), now_ms.into()];
    sql.rows(SQL, &args).await?.pop().map_or(Ok(None), |mut row| row.take(0))
}

/// Makes what is due beyond that time due now: a clock that was ahead has set it. Says how many there were.
pub async fn bring_forward(sql: &mut dyn Sql, app: AppId, hook: HookId, beyond_ms: i64, now_ms: i64) -> Result<u64> {
    const SQL: &str = "UPDATE hook_outbox SET due_ms = $5 WHERE app_id = $1 AND hook_id = $2 AND state = $3 \
                       AND due_ms > $4";
    sql.exec(SQL, &[app.arg(), hook.arg(), WAITING.into(), beyond_ms.into(), now_ms.into()]).await
}

/// An event of an outbox.
#[derive(Clone, Debug)]
pub struct EventRow {
    /// Its name.
    pub event: String,
    /// The body of the call.
    pub payload: String,
    /// [`WAITING`], [`DELIVERED`] or [`FAILED`].
    pub state: String,
    /// Attempts so far.
    pub attempts: i64,
}

/// One event.
pub async fn by_seq(sql: &mut dyn Sql, app: AppId, hook: HookId, seq: i64) -> Result<Option<EventRow>> {
    const SQL: &str = "SELECT event, payload, state, attempts FROM hook_outbox \
                       WHERE app_id = $1 AND hook_id = $2 AND event_seq = $3";
    let read = |mut row: Row| {
        Ok(EventRow { event: row.take(0)?, payload: row.take(1)?, state: row.take(2)?, attempts: row.take(3)? })
    };
    sql.rows(SQL, &[app.arg(), hook.arg(), seq.into()]).await?.pop().map(read).transpose()
}

/// Notes what came of an attempt; `false` when the event is gone.
pub async fn settle(
    sql: &mut dyn Sql,
    app: AppId,
    hook: HookId,
    seq: i64,
    (state, attempts, due_ms): (&str, i64, i64),
) -> Result<bool> {
    const SQL: &str = "UPDATE hook_outbox SET state = $4, attempts = $5, due_ms = $6 \
                       WHERE app_id = $1 AND hook_id = $2 AND event_seq = $3";
    let args = [app.arg(), hook.arg(), seq.into(), state.into(), attempts.into(), due_ms.into()];
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// Makes one event wait from the beginning again, whatever its state; `false` when there is no such event.
pub async fn begin_again(sql: &mut dyn Sql, app: AppId, hook: HookId, seq: i64, now_ms: i64) -> Result<bool> {
    sql.touch(Touched::Outbox(app, hook));
    settle(sql, app, hook, seq, (WAITING, 0, now_ms)).await
}

/// Makes all that have failed wait from the beginning again; says how many.
pub async fn begin_failed_again(sql: &mut dyn Sql, app: AppId, hook: HookId, now_ms: i64) -> Result<u64> {
    const SQL: &str = "UPDATE hook_outbox SET state = $4, attempts = 0, due_ms = $5 \
                       WHERE app_id = $1 AND hook_id = $2 AND state = $3";
    sql.touch(Touched::Outbox(app, hook));
    sql.exec(SQL, &[app.arg(), hook.arg(), FAILED.into(), WAITING.into(), now_ms.into()]).await
}

/// How many events of the hook are in that state.
pub async fn count(sql: &mut dyn Sql, app: AppId, hook: HookId, state: &str) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM hook_outbox WHERE app_id = $1 AND hook_id = $2 AND state = $3";
    sql.rows(SQL, &[app.arg(), hook.arg(), state.into()]).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// Removes events from before that order id; says how many of them waited.
pub async fn expire(sql: &mut dyn Sql, app: AppId, hook: HookId, before_seq: i64) -> Result<usize> {
    const SQL: &str = "DELETE FROM hook_outbox WHERE app_id = $1 AND hook_id = $2 AND event_seq < $3 RETURNING state";
    let mut late = 0;
    for mut row in sql.rows(SQL, &[app.arg(), hook.arg(), before_seq.into()]).await? {
        late += usize::from(row.take::<String>(0)? == WAITING);
    }
    Ok(late)
}

/// Removes all but the `keep` events that were delivered last.
pub async fn trim_delivered(sql: &mut dyn Sql, app: AppId, hook: HookId, keep: i64) -> Result<()> {
    const LAST: &str = "SELECT due_ms FROM hook_outbox WHERE app_id = $1 AND hook_id = $2 AND state = $3 \
                        ORDER BY due_ms DESC, event_seq DESC LIMIT $4";
    const BEFORE: &str = "DELETE FROM hook_outbox WHERE app_id = $1 AND hook_id = $2 AND state = $3 AND due_ms < $4";
    let mut last = sql.rows(LAST, &[app.arg(), hook.arg(), DELIVERED.into(), keep.into()]).await?;
    if let Some(mut row) = last.pop() {
        let since_ms: i64 = row.take(0)?;
        sql.exec(BEFORE, &[app.arg(), hook.arg(), DELIVERED.into(), since_ms.into()]).await?;
    }
    Ok(())
}
