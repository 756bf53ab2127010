//! `server_keys`: keys of the server itself, sealed under the master key.

use crate::{Result, Row, Sql};

/// A row of `server_keys`.
#[derive(Debug)]
pub struct KeyRow {
    /// Rising number within its kind.
    pub key_id: i64,
    /// The key, sealed.
    pub sealed: Box<[u8]>,
    /// Creation time.
    pub created_ms: i64,
}

fn read(mut row: Row) -> Result<KeyRow> {
    Ok(KeyRow { key_id: row.take(0)?, sealed: row.take(1)?, created_ms: row.take(2)? })
}

/// Adds a key; `false` when the number is taken, as by another node in the same moment.
pub async fn insert(sql: &mut dyn Sql, kind: &str, key: &KeyRow) -> Result<bool> {
    const SQL: &str =
        "INSERT INTO server_keys (kind, key_id, sealed, created_ms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let args = [kind.into(), key.key_id.into(), (&*key.sealed).into(), key.created_ms.into()];
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// All keys of a kind, newest first.
pub async fn all(sql: &mut dyn Sql, kind: &str) -> Result<Vec<KeyRow>> {
    const SQL: &str = "SELECT key_id, sealed, created_ms FROM server_keys WHERE kind = $1 ORDER BY key_id DESC";
    sql.rows(SQL, &[kind.into()]).await?.into_iter().map(read).collect()
}
