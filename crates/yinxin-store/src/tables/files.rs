//! `files`, `file_parts` and `file_totals`: what was uploaded, which objects hold it, and how much an app has.

use crate::{AppId, FileId, ObjectId, Result, Row, Sql, UserId};

/// A row of `files`.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRow {
    /// The file's id.
    pub file: FileId,
    /// The user who uploaded it; the app's own bytes for its backend.
    pub owner: UserId,
    /// `false` while parts are still missing.
    pub complete: bool,
    /// Opens only to who shows its secret.
    pub restricted: bool,
    /// What the secret is compared with.
    pub secret_hash: Box<[u8]>,
    /// The name it was uploaded under; may be empty.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its length.
    pub bytes: i64,
    /// The thumbnail's width that was asked for.
    pub thumb_width: Option<i64>,
    /// The thumbnail's height that was asked for.
    pub thumb_height: Option<i64>,
    /// When its upload began.
    pub created_ms: i64,
}

/// A row of `file_parts`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartRow {
    /// Its place, from 1; 0 is the thumbnail.
    pub part: i64,
    /// Where its bytes are.
    pub object: ObjectId,
    /// How many.
    pub bytes: i64,
}

macro_rules! columns {
    () => {
        "file_id, owner_id, complete, restricted, secret_hash, name, content_type, bytes, thumb_width, thumb_height, \
         created_ms"
    };
}

fn read(mut row: Row) -> Result<FileRow> {
    Ok(FileRow {
        file: row.take(0)?,
        owner: row.take(1)?,
        complete: row.take(2)?,
        restricted: row.take(3)?,
        secret_hash: row.take(4)?,
        name: row.take(5)?,
        content_type: row.take(6)?,
        bytes: row.take(7)?,
        thumb_width: row.take(8)?,
        thumb_height: row.take(9)?,
        created_ms: row.take(10)?,
    })
}

/// Adds a file, or sets everything but the owner and the age of one that is there.
pub async fn put(sql: &mut dyn Sql, app: AppId, file: &FileRow) -> Result<()> {
    const SQL: &str = concat!(
        "INSERT INTO files (app_id, ",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (app_id, file_id) DO UPDATE SET \
         complete = excluded.complete, restricted = excluded.restricted, secret_hash = excluded.secret_hash, \
         name = excluded.name, content_type = excluded.content_type, bytes = excluded.bytes, \
         thumb_width = excluded.thumb_width, thumb_height = excluded.thumb_height"
    );
    let args = [
        app.arg(),
        file.file.arg(),
        file.owner.arg(),
        file.complete.into(),
        file.restricted.into(),
        (&*file.secret_hash).into(),
        (&file.name).into(),
        (&file.content_type).into(),
        file.bytes.into(),
        file.thumb_width.into(),
        file.thumb_height.into(),
        file.created_ms.into(),
    ];
    sql.exec(SQL, &args).await?;
    Ok(())
}

/// The file with that id.
pub async fn by_id(sql: &mut dyn Sql, app: AppId, file: FileId) -> Result<Option<FileRow>> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM files WHERE app_id = $1 AND file_id = $2");
    sql.rows(SQL, &[app.arg(), file.arg()]).await?.pop().map(read).transpose()
}

/// Up to so many files, complete or not, whose upload began before that time; oldest first.
pub async fn older(sql: &mut dyn Sql, app: AppId, complete: bool, before_ms: i64, limit: i64) -> Result<Vec<FileId>> {
    const SQL: &str = "SELECT file_id FROM files WHERE app_id = $1 AND complete = $2 AND created_ms < $3 \
                       ORDER BY created_ms LIMIT $4";
    let args = [app.arg(), complete.into(), before_ms.into(), limit.into()];
    sql.rows(SQL, &args).await?.into_iter().map(|mut row| row.take(0)).collect()
}

/// How many files of that owner are not complete.
pub async fn unfinished(sql: &mut dyn Sql, app: AppId, owner: UserId) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM files WHERE app_id = $1 AND owner_id = $2 AND complete = $3";
    sql.rows(SQL, &[app.arg(), owner.arg(), false.into()]).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// Removes a file; its objects become garbage.
pub async fn delete(sql: &mut dyn Sql, app: AppId, file: FileId) -> Result<()> {
    const FREE: &str = "UPDATE file_totals SET bytes = bytes - COALESCE((SELECT CAST(SUM(bytes) AS BIGINT) \
                        FROM file_parts WHERE app_id = $1 AND file_id = $2 AND part > 0), 0) WHERE app_id = $1";
    const GIVE_UP: &str = "INSERT INTO file_garbage (object_id, due_ms) SELECT object_id, 0 FROM file_parts \
                           WHERE app_id = $1 AND file_id = $2";
    let args = [app.arg(), file.arg()];
    sql.exec(FREE, &args).await?;
    sql.exec(GIVE_UP, &args).await?;
    sql.exec("DELETE FROM file_parts WHERE app_id = $1 AND file_id = $2", &args).await?;
    sql.exec("DELETE FROM files WHERE app_id = $1 AND file_id = $2", &args).await?;
    Ok(())
}

/// Gives up to `limit` objects of an app's files up, whichever files they are of; gives how many.
pub async fn give_up(sql: &mut dyn Sql, app: AppId, limit: i64) -> Result<i64> {
    const GIVE_UP: &str = "INSERT INTO file_garbage (object_id, due_ms) SELECT object_id, 0 FROM file_parts \
                           WHERE app_id = $1 ORDER BY file_id, part LIMIT $2";
    const FORGET: &str = "DELETE FROM file_parts WHERE app_id = $1 AND (file_id, part) IN (SELECT file_id, part \
                          FROM file_parts WHERE app_id = $1 ORDER BY file_id, part LIMIT $2)";
    let args = [app.arg(), limit.into()];
    sql.exec(GIVE_UP, &args).await?;
    Ok(sql.exec(FORGET, &args).await?.cast_signed())
}

/// The parts of a file in order, the thumbnail first.
pub async fn parts(sql: &mut dyn Sql, app: AppId, file: FileId) -> Result<Vec<PartRow>> {
    const SQL: &str = "SELECT part, object_id, bytes FROM file_parts WHERE app_id = $1 AND file_id = $2 ORDER BY part";
    let read = |mut row: Row| Ok(PartRow { part: row.take(0)?, object: row.take(1)?, bytes: row.take(2)? });
    sql.rows(SQL, &[app.arg(), file.arg()]).await?.into_iter().map(read).collect()
}

/// Sets a part. The object of one that it replaces is not given up here.
pub async fn put_part(sql: &mut dyn Sql, app: AppId, file: FileId, part: PartRow) -> Result<()> {
    const SQL: &str = "INSERT INTO file_parts (app_id, file_id, part, object_id, bytes) VALUES ($1, $2, $3, $4, $5) \
                       ON CONFLICT (app_id, file_id, part) DO UPDATE SET object_id = excluded.object_id, \
                       bytes = excluded.bytes";
    let args = [app.arg(), file.arg(), part.part.into(), part.object.arg(), part.bytes.into()];
    sql.exec(SQL, &args).await?;
    Ok(())
}

/// Adds to what the app has; `false`, and nothing is added, when it would be more than `most`.
pub async fn add_bytes(sql: &mut dyn Sql, app: AppId, bytes: i64, most: i64) -> Result<bool> {
    const SQL: &str = "INSERT INTO file_totals (app_id, bytes) VALUES ($1, $2) ON CONFLICT (app_id) DO UPDATE SET \
                       bytes = file_totals.bytes + excluded.bytes WHERE file_totals.bytes + excluded.bytes <= $3";
    if bytes > most {
        return Ok(false);
    }
    Ok(sql.exec(SQL, &[app.arg(), bytes.into(), most.into()]).await? == 1)
}

/// Bytes of all files of the app.
pub async fn bytes_of_app(sql: &mut dyn Sql, app: AppId) -> Result<i64> {
    let mut rows = sql.rows("SELECT bytes FROM file_totals WHERE app_id = $1", &[app.arg()]).await?;
    rows.pop().map_or(Ok(0), |mut row| row.take(0))
}
