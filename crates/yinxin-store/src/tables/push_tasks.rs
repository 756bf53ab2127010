//! `push_tasks`: the pushes that an app's backend has asked for, until and a while after they are told.

use crate::{AppId, Result, Sql};

/// A task to add.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// Its number.
    pub task_id: i64,
    /// What its asker calls the request, if it does.
    pub request_id: Option<String>,
    /// When it was asked for.
    pub made_ms: i64,
    /// What is pushed to whom.
    pub asked: String,
    /// How far it is.
    pub progress: String,
}

/// Adds a task; `false` when the number is taken.
pub async fn insert(sql: &mut dyn Sql, app: AppId, new: &NewTask) -> Result<bool> {
    const SQL: &str = "INSERT INTO push_tasks (app_id, task_id, request_id, made_ms, asked, progress, done) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    let args = [
        app.arg(),
        new.task_id.into(),
        new.request_id.as_ref().into(),
        new.made_ms.into(),
        (&new.asked).into(),
        (&new.progress).into(),
        false.into(),
    ];
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// The task that was made of that request.
pub async fn by_request(sql: &mut dyn Sql, app: AppId, request: &str) -> Result<Option<i64>> {
    const SQL: &str = "SELECT task_id FROM push_tasks WHERE app_id = $1 AND request_id = $2";
    sql.rows(SQL, &[app.arg(), request.into()]).await?.pop().map(|mut row| row.take(0)).transpose()
}

/// Forgets the task that was made of that request if it is done and was made before that time.
pub async fn forget_request(sql: &mut dyn Sql, app: AppId, request: &str, before_ms: i64) -> Result<()> {
    const SQL: &str = "DELETE FROM push_tasks WHERE app_id = $1 AND request_id = $2 AND done AND made_ms < $3";
    sql.exec(SQL, &[app.arg(), request.into(), before_ms.into()]).await?;
    Ok(())
}

/// How many tasks of the app are not done.
pub async fn open_count(sql: &mut dyn Sql, app: AppId) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM push_tasks WHERE app_id = $1 AND NOT done";
    sql.rows(SQL, &[app.arg()]).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// Of the next app behind that one with a task that is not done, the one that has waited longest.
pub async fn next_open(sql: &mut dyn Sql, after: AppId) -> Result<Option<(AppId, i64)>> {
    const SQL: &str = "SELECT app_id, task_id FROM push_tasks WHERE app_id > $1 AND NOT done \
                       ORDER BY app_id, made_ms, task_id LIMIT 1";
    sql.rows(SQL, &[after.arg()]).await?.pop().map(|mut row| Ok((row.take(0)?, row.take(1)?))).transpose()
}

/// What is asked, and how far it is; `None` when there is no such task.
pub async fn one(sql: &mut dyn Sql, app: AppId, task: i64) -> Result<Option<(String, String)>> {
    const SQL: &str = "SELECT asked, progress FROM push_tasks WHERE app_id = $1 AND task_id = $2";
    let mut rows = sql.rows(SQL, &[app.arg(), task.into()]).await?;
    rows.pop().map(|mut row| Ok((row.take(0)?, row.take(1)?))).transpose()
}

/// Notes how far a task is.
pub async fn advance(sql: &mut dyn Sql, app: AppId, task: i64, progress: &str) -> Result<()> {
    const SQL: &str = "UPDATE push_tasks SET progress = $3 WHERE app_id = $1 AND task_id = $2";
    sql.exec(SQL, &[app.arg(), task.into(), progress.into()]).await?;
    Ok(())
}

/// Ends a task: what was asked is no longer kept.
pub async fn finish(sql: &mut dyn Sql, app: AppId, task: i64) -> Result<()> {
    const SQL: &str = "UPDATE push_tasks SET asked = '', done = $3 WHERE app_id = $1 AND task_id = $2";
    sql.exec(SQL, &[app.arg(), task.into(), true.into()]).await?;
    Ok(())
}

/// Forgets up to `limit` tasks that are done and were made before that time.
pub async fn forget(sql: &mut dyn Sql, app: AppId, before_ms: i64, limit: i64) -> Result<()> {
    const SQL: &str = "DELETE FROM push_tasks WHERE app_id = $1 AND task_id IN (SELECT task_id FROM push_tasks \
                       WHERE app_id = $1 AND done AND made_ms < $2 ORDER BY made_ms LIMIT $3)";
    sql.exec(SQL, &[app.arg(), before_ms.into(), limit.into()]).await?;
    Ok(())
}
