//! `handles`: the names users are found by. The primary key is what makes a name unique.

use crate::{AppId, Result, Sql, UserId};

/// The kind of the name a backend gives a user; other kinds (numbers, telephones) come with other dialects.
pub const USERNAME: &str = "username";

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
