//! `hooks`: where an app's backend wants to be told, or asked.

use crate::{AppId, Arg, HookId, Result, Row, Sql, Touched};

/// A row of `hooks`.
#[derive(Clone, Debug)]
pub struct HookRow {
    /// Its id.
    pub hook: HookId,
    /// Where it is called.
    pub url: String,
    /// Name of what it is for.
    pub kind: String,
    /// Names of the events it wants, with spaces between.
    pub events: String,
    /// How long one call may take.
    pub timeout_ms: i64,
    /// Name of what holds when it gives no answer.
    pub on_failure: String,
    /// Whether it is called at all.
    pub enabled: bool,
    /// Why the server has switched it off.
    pub disabled_why: Option<String>,
    /// The first of the failures since its last success.
    pub failing_since_ms: Option<i64>,
    /// Events that were not kept for it because its outbox was full.
    pub dropped: i64,
    /// Its secret, sealed.
    pub sealed_secret: Box<[u8]>,
    /// The secret before that.
    pub sealed_before: Option<Box<[u8]>>,
    /// Until when the secret before that signs, too.
    pub before_until_ms: Option<i64>,
    /// Creation time.
    pub created_ms: i64,
    /// Last change by an operator.
    pub modified_ms: i64,
}

macro_rules! columns {
    () => {
        "hook_id, url, kind, events, timeout_ms, on_failure, enabled, disabled_why, failing_since_ms, dropped, \
         sealed_secret, sealed_before, before_until_ms, created_ms, modified_ms"
    };
}

fn read(mut row: Row) -> Result<HookRow> {
    Ok(HookRow {
        hook: row.take(0)?,
        url: row.take(1)?,
        kind: row.take(2)?,
        events: row.take(3)?,
        timeout_ms: row.take(4)?,
        on_failure: row.take(5)?,
        enabled: row.take(6)?,
        disabled_why: row.take(7)?,
        failing_since_ms: row.take(8)?,
        dropped: row.take(9)?,
        sealed_secret: row.take(10)?,
        sealed_before: row.take(11)?,
        before_until_ms: row.take(12)?,
        created_ms: row.take(13)?,
        modified_ms: row.take(14)?,
    })
}

/// Adds a hook with one secret that has not failed yet, unless the app has `max` hooks, or `max_of_kind` of its kind.
pub async fn insert(sql: &mut dyn Sql, app: AppId, hook: &HookRow, max: i64, max_of_kind: i64) -> Result<bool> {
    const SQL: &str = "INSERT INTO hooks (app_id, hook_id, url, kind, events, timeout_ms, on_failure, enabled, dropped, \
                       sealed_secret, created_ms, modified_ms) SELECT $1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $10 \
                       WHERE (SELECT COUNT(*) FROM hooks WHERE app_id = $1) < $11 \
                       AND (SELECT COUNT(*) FROM hooks WHERE app_id = $1 AND kind = $4) < $12";
    let args = [
        app.arg(),
        hook.hook.arg(),
        (&hook.url).into(),
        (&hook.kind).into(),
        (&hook.events).into(),
        hook.timeout_ms.into(),
        (&hook.on_failure).into(),
        hook.enabled.into(),
        (&*hook.sealed_secret).into(),
        hook.created_ms.into(),
        max.into(),
        max_of_kind.into(),
    ];
    sql.touch(Touched::App(app));
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// The hooks of the app, oldest first.
pub async fn of_app(sql: &mut dyn Sql, app: AppId) -> Result<Vec<HookRow>> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM hooks WHERE app_id = $1 ORDER BY created_ms, hook_id");
    sql.rows(SQL, &[app.arg()]).await?.into_iter().map(read).collect()
}

/// One hook.
pub async fn by_id(sql: &mut dyn Sql, app: AppId, hook: HookId) -> Result<Option<HookRow>> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM hooks WHERE app_id = $1 AND hook_id = $2");
    sql.rows(SQL, &[app.arg(), hook.arg()]).await?.pop().map(read).transpose()
}

/// The hooks of all apps: what a server looks at when it starts.
pub async fn all(sql: &mut dyn Sql) -> Result<Vec<(AppId, HookId)>> {
    let rows = sql.rows("SELECT app_id, hook_id FROM hooks ORDER BY app_id, hook_id", &[]).await?;
    rows.into_iter().map(|mut row| Ok((row.take(0)?, row.take(1)?))).collect()
}

/// Changes by an operator; `None` leaves a value as it is.
#[derive(Clone, Debug, Default)]
pub struct HookUpdate {
    /// See [`HookRow`].
    pub url: Option<String>,
    /// See [`HookRow`].
    pub events: Option<String>,
    /// See [`HookRow`].
    pub timeout_ms: Option<i64>,
    /// See [`HookRow`].
    pub on_failure: Option<&'static str>,
    /// See [`HookRow`]. Switching on, or off, by hand forgets why the server did it, and since when the hook fails.
    pub enabled: Option<bool>,
}

/// Sets what is given; `false` when there is no such hook.
pub async fn update(sql: &mut dyn Sql, app: AppId, hook: HookId, changes: &HookUpdate, now_ms: i64) -> Result<bool> {
    const SQL: &str = "UPDATE hooks SET modified_ms = $3, url = COALESCE($4, url), events = COALESCE($5, events), \
                       timeout_ms = COALESCE($6, timeout_ms), on_failure = COALESCE($7, on_failure), \
                       enabled = COALESCE($8, enabled), \
                       disabled_why = CASE WHEN $8 IS NULL THEN disabled_why END, \
                       failing_since_ms = CASE WHEN $8 IS NULL THEN failing_since_ms END \
                       WHERE app_id = $1 AND hook_id = $2";
    let args = [
        app.arg(),
        hook.arg(),
        now_ms.into(),
        changes.url.as_ref().into(),
        changes.events.as_ref().into(),
        changes.timeout_ms.into(),
        changes.on_failure.into(),
        changes.enabled.into(),
    ];
    sql.touch(Touched::App(app));
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// Replaces the secret; the one that was there signs, too, until `before_until_ms`. `false` when there is no such hook.
pub async fn set_secret(
    sql: &mut dyn Sql,
    app: AppId,
    hook: HookId,
    sealed: &[u8],
    before_until_ms: i64,
    now_ms: i64,
) -> Result<bool> {
    const SQL: &str = "UPDATE hooks SET sealed_before = sealed_secret, before_until_ms = $4, sealed_secret = $3, \
                       modified_ms = $5 WHERE app_id = $1 AND hook_id = $2";
    sql.touch(Touched::App(app));
    let args = [app.arg(), hook.arg(), sealed.into(), before_until_ms.into(), now_ms.into()];
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// Notes a failure; gives since when the hook has failed without a success. `None` when there is no such hook.
pub async fn fails(sql: &mut dyn Sql, app: AppId, hook: HookId, now_ms: i64) -> Result<Option<i64>> {
    const SQL: &str = "UPDATE hooks SET failing_since_ms = COALESCE(failing_since_ms, $3) \
                       WHERE app_id = $1 AND hook_id = $2 RETURNING failing_since_ms";
    sql.rows(SQL, &[app.arg(), hook.arg(), now_ms.into()]).await?.pop().map(|mut row| row.take(0)).transpose()
}

/// Notes a success after failures.
pub async fn recovers(sql: &mut dyn Sql, app: AppId, hook: HookId) -> Result<()> {
    const SQL: &str = "UPDATE hooks SET failing_since_ms = NULL WHERE app_id = $1 AND hook_id = $2";
    sql.exec(SQL, &[app.arg(), hook.arg()]).await?;
    Ok(())
}

/// Switches the hook off for a reason.
pub async fn disable(sql: &mut dyn Sql, app: AppId, hook: HookId, why: &str) -> Result<()> {
    const SQL: &str = "UPDATE hooks SET enabled = $4, disabled_why = $3 WHERE app_id = $1 AND hook_id = $2";
    sql.touch(Touched::App(app));
    sql.exec(SQL, &[app.arg(), hook.arg(), why.into(), false.into()]).await?;
    Ok(())
}

/// Counts events that were not kept.
pub async fn count_dropped(sql: &mut dyn Sql, app: AppId, hook: HookId, count: i64) -> Result<()> {
    const SQL: &str = "UPDATE hooks SET dropped = dropped + $3 WHERE app_id = $1 AND hook_id = $2";
    sql.exec(SQL, &[app.arg(), hook.arg(), count.into()]).await?;
    Ok(())
}

/// Removes the hook with what it was to be told and what came of it; `false` when there is no such hook.
pub async fn remove(sql: &mut dyn Sql, app: AppId, hook: HookId) -> Result<bool> {
    const REST: [&str; 2] = [
        "DELETE FROM hook_outbox WHERE app_id = $1 AND hook_id = $2",
        "DELETE FROM hook_log WHERE app_id = $1 AND hook_id = $2",
    ];
    sql.touch(Touched::App(app));
    let args: [Arg<'_>; 2] = [app.arg(), hook.arg()];
    for statement in REST {
        sql.exec(statement, &args).await?;
    }
    Ok(sql.exec("DELETE FROM hooks WHERE app_id = $1 AND hook_id = $2", &args).await? == 1)
}
