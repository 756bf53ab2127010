//! `handles`: the names users are found by. The primary key is what makes a name unique.

use crate::{AppId, Result, Sql, UserId};

/// The kind of the name a backend gives a user, and of the one it is called by.
pub const USERNAME: &str = "username";
/// A user's number, in decimal.
pub const NUMERIC_ID: &str = "number";
/// A telephone number that a user logs in by.
pub const MOBILE: &str = "mobile";
/// A mail address that a user logs in by.
pub const EMAIL: &str = "email";

/// Claims a name for a user; `false` when it is taken.
pub async fn claim(sql: &mut dyn Sql, app: AppId, kind: &str, handle: &str, user: UserId) -> Result<bool> {
    const SQL: &str =
        "INSERT INTO handles (app_id, kind, handle, user_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    Ok(sql.exec(SQL, &[app.arg(), kind.into(), handle.into(), user.arg()]).await? == 1)
}

/// Whose name it is.
pub async fn find(sql: &mut dyn Sql, app: AppId, kind: &str, handle: &str) -> Result<Option<UserId>> {
    const SQL: &str = "SELECT user_id FROM handles WHERE app_id = $1 AND kind = $2 AND handle = $3";
    sql.rows(SQL, &[app.arg(), kind.into(), handle.into()]).await?.pop().map(|mut row| row.take(0)).transpose()
}

/// Gives up one name.
pub async fn give_up(sql: &mut dyn Sql, app: AppId, kind: &str, handle: &str, user: UserId) -> Result<()> {
    const SQL: &str = "DELETE FROM handles WHERE app_id = $1 AND kind = $2 AND handle = $3 AND user_id = $4";
    sql.exec(SQL, &[app.arg(), kind.into(), handle.into(), user.arg()]).await?;
    Ok(())
}

/// Gives up all names of that kind.
pub async fn release(sql: &mut dyn Sql, app: AppId, kind: &str, user: UserId) -> Result<()> {
    const SQL: &str = "DELETE FROM handles WHERE app_id = $1 AND user_id = $2 AND kind = $3";
    sql.exec(SQL, &[app.arg(), user.arg(), kind.into()]).await?;
    Ok(())
}

/// The names of a user, each with its kind.
pub async fn of_user(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<Vec<(String, String)>> {
    const SQL: &str = "SELECT kind, handle FROM handles WHERE app_id = $1 AND user_id = $2 ORDER BY kind, handle";
    let rows = sql.rows(SQL, &[app.arg(), user.arg()]).await?;
    rows.into_iter().map(|mut row| Ok((row.take(0)?, row.take(1)?))).collect()
}
