//! `admin_tokens`: standing tokens of apps' backends, by their hashes.

use crate::{AppId, Result, Row, Sql, TokenId, Touched};

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminTokenRow {
    /// Its id, which is no secret.
    pub token: TokenId,
    /// Its hash.
    pub hash: Box<[u8]>,
    /// What its maker calls it.
    pub label: String,
    /// Creation time.
    pub created_ms: i64,
}

/// Adds a token unless the app has `max`; `false` when it has.
pub async fn insert(sql: &mut dyn Sql, app: AppId, token: &AdminTokenRow, max: i64) -> Result<bool> {
    const SQL: &str = "INSERT INTO admin_tokens (app_id, token_id, hash, label, created_ms) SELECT $1, $2, $3, $4, $5 \
                       WHERE (SELECT COUNT(*) FROM admin_tokens WHERE app_id = $1) < $6";
    let args = [
        app.arg(),
        token.token.arg(),
        (&*token.hash).into(),
        (&token.label).into(),
        token.created_ms.into(),
        max.into(),
    ];
    sql.touch(Touched::App(app));
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// All tokens of the app, oldest first.
pub async fn of_app(sql: &mut dyn Sql, app: AppId) -> Result<Vec<AdminTokenRow>> {
    const SQL: &str = "SELECT token_id, hash, label, created_ms FROM admin_tokens WHERE app_id = $1 \
                       ORDER BY created_ms, token_id";
    let read = |mut row: Row| {
        Ok(AdminTokenRow { token: row.take(0)?, hash: row.take(1)?, label: row.take(2)?, created_ms: row.take(3)? })
    };
    sql.rows(SQL, &[app.arg()]).await?.into_iter().map(read).collect()
}

/// Revokes a token; `false` when there is none of that id.
pub async fn remove(sql: &mut dyn Sql, app: AppId, token: TokenId) -> Result<bool> {
    const SQL: &str = "DELETE FROM admin_tokens WHERE app_id = $1 AND token_id = $2";
    sql.touch(Touched::App(app));
    Ok(sql.exec(SQL, &[app.arg(), token.arg()]).await? == 1)
}
