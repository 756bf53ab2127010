//! `file_garbage`: objects in the file store that belong to no file. The server's own rows: what an app leaves behind is
//! deleted after the app.

use crate::{ObjectId, Result, Sql};

/// Notes an object before it is written; garbage from that time on, unless it is claimed.
pub async fn expect(sql: &mut dyn Sql, object: ObjectId, due_ms: i64) -> Result<()> {
    sql.exec("INSERT INTO file_garbage (object_id, due_ms) VALUES ($1, $2)", &[object.arg(), due_ms.into()]).await?;
    Ok(())
}

/// Takes an object for a file; `false` when it is garbage already, and may be gone.
pub async fn claim(sql: &mut dyn Sql, object: ObjectId) -> Result<bool> {
    Ok(sql.exec("DELETE FROM file_garbage WHERE object_id = $1 AND due_ms > 0", &[object.arg()]).await? == 1)
}

/// Gives up an object that no file has any more.
pub async fn add(sql: &mut dyn Sql, object: ObjectId) -> Result<()> {
    const SQL: &str = "INSERT INTO file_garbage (object_id, due_ms) VALUES ($1, 0) \
                       ON CONFLICT (object_id) DO UPDATE SET due_ms = 0";
    sql.exec(SQL, &[object.arg()]).await?;
    Ok(())
}

/// Makes garbage of an object that was expected; from then on it cannot be claimed. One that was claimed is left alone.
pub async fn condemn(sql: &mut dyn Sql, object: ObjectId) -> Result<()> {
    sql.exec("UPDATE file_garbage SET due_ms = 0 WHERE object_id = $1", &[object.arg()]).await?;
    Ok(())
}

/// The same for all that were due by that time.
pub async fn condemn_due(sql: &mut dyn Sql, now_ms: i64) -> Result<()> {
    sql.exec("UPDATE file_garbage SET due_ms = 0 WHERE due_ms <= $1 AND due_ms > 0", &[now_ms.into()]).await?;
    Ok(())
}

/// The same for all: for when nobody is writing.
pub async fn condemn_all(sql: &mut dyn Sql) -> Result<()> {
    sql.exec("UPDATE file_garbage SET due_ms = 0 WHERE due_ms > 0", &[]).await?;
    Ok(())
}

/// Whether there is anything to do by that time.
pub async fn any_due(sql: &mut dyn Sql, now_ms: i64) -> Result<bool> {
    const SQL: &str = "SELECT object_id FROM file_garbage WHERE due_ms <= $1 ORDER BY object_id LIMIT 1";
    Ok(!sql.rows(SQL, &[now_ms.into()]).await?.is_empty())
}

/// Up to so many objects that are garbage.
pub async fn some(sql: &mut dyn Sql, limit: i64) -> Result<Vec<ObjectId>> {
    const SQL: &str = "SELECT object_id FROM file_garbage WHERE due_ms = 0 ORDER BY object_id LIMIT $1";
    sql.rows(SQL, &[limit.into()]).await?.into_iter().map(|mut row| row.take(0)).collect()
}

/// The object is gone.
pub async fn forget(sql: &mut dyn Sql, object: ObjectId) -> Result<()> {
    sql.exec("DELETE FROM file_garbage WHERE object_id = $1", &[object.arg()]).await?;
    Ok(())
}
