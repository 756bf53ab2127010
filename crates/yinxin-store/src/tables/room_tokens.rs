//! `room_tokens`: which number holds a token for which room, and until when.

use crate::{AppId, Result, Row, Sql, Touched, UserId};

/// A row of `room_tokens`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomTokenRow {
    /// The room it opens; empty for any.
    pub room: String,
    /// What the token was made of, beside the row's key.
    pub salt: i64,
    /// When it ends.
    pub until_ms: i64,
    /// It admits more than once.
    pub repeat_use: bool,
}

fn read(mut row: Row) -> Result<RoomTokenRow> {
    Ok(RoomTokenRow { room: row.take(0)?, salt: row.take(1)?, until_ms: row.take(2)?, repeat_use: row.take(3)? })
}

/// What is granted; the salt counts only where there is no token that lives.
#[derive(Clone, Debug)]
pub struct RoomTokenGrant {
    /// The number, in decimal.
    pub uid: String,
    /// The room; empty for any.
    pub room: String,
    /// The salt of a new token.
    pub salt: i64,
    /// The new end.
    pub until_ms: i64,
    /// `None`: as it was, and of a new one `true`.
    pub repeat_use: Option<bool>,
}

/// Gives the token of that number for that room another end, or makes one if there is none that lives; gives its salt.
/// One statement, so that two callers at once get one token.
pub async fn grant(sql: &mut dyn Sql, app: AppId, grant: &RoomTokenGrant, now_ms: i64) -> Result<i64> {
    const SQL: &str = "INSERT INTO room_tokens (app_id, uid, room, salt, until_ms, repeat_use) \
                       VALUES ($1, $2, $3, $4, $5, COALESCE($6, TRUE)) ON CONFLICT (app_id, uid, room) DO UPDATE SET \
                       salt = CASE WHEN room_tokens.until_ms > $7 THEN room_tokens.salt ELSE excluded.salt END, \
                       repeat_use = CASE WHEN room_tokens.until_ms > $7 THEN COALESCE($6, room_tokens.repeat_use) \
                       ELSE excluded.repeat_use END, until_ms = excluded.until_ms RETURNING salt";
    let args = [
        app.arg(),
        (&grant.uid).into(),
        (&grant.room).into(),
        grant.salt.into(),
        grant.until_ms.into(),
        grant.repeat_use.into(),
        now_ms.into(),
    ];
    sql.touch(Touched::RoomTokens(app, uid_number(&grant.uid)));
    sql.rows(SQL, &args).await?.pop().map_or(Ok(grant.salt), |mut row| row.take(0))
}

/// The hint carries the number as one.
fn uid_number(uid: &str) -> i64 {
    uid.parse().unwrap_or_default()
}

/// The token of that number for that room, whether it lives or not.
pub async fn find(sql: &mut dyn Sql, app: AppId, uid: &str, room: &str) -> Result<Option<RoomTokenRow>> {
    const SQL: &str =
        "SELECT room, salt, until_ms, repeat_use FROM room_tokens WHERE app_id = $1 AND uid = $2 AND room = $3";
    sql.rows(SQL, &[app.arg(), uid.into(), room.into()]).await?.pop().map(read).transpose()
}

/// The tokens of that number that open the room: the one bound to it, and the one for any.
pub async fn opening(sql: &mut dyn Sql, app: AppId, uid: &str, room: &str) -> Result<Vec<RoomTokenRow>> {
    const SQL: &str = "SELECT room, salt, until_ms, repeat_use FROM room_tokens \
                       WHERE app_id = $1 AND uid = $2 AND (room = $3 OR room = '')";
    sql.rows(SQL, &[app.arg(), uid.into(), room.into()]).await?.into_iter().map(read).collect()
}

/// Uses a token up that admits once; `false` when another was quicker, or it has ended. One that was meanwhile made to
/// admit more than once stays.
pub async fn use_up(sql: &mut dyn Sql, app: AppId, uid: &str, row: &RoomTokenRow, now_ms: i64) -> Result<bool> {
    const SPEND: &str = "DELETE FROM room_tokens WHERE app_id = $1 AND uid = $2 AND room = $3 AND salt = $4 \
                         AND until_ms > $5 AND repeat_use = FALSE";
    const STAYS: &str = "SELECT 1 FROM room_tokens WHERE app_id = $1 AND uid = $2 AND room = $3 AND salt = $4 \
                         AND until_ms > $5 AND repeat_use = TRUE";
    let args = [app.arg(), uid.into(), (&row.room).into(), row.salt.into(), now_ms.into()];
    sql.touch(Touched::RoomTokens(app, uid_number(uid)));
    Ok(sql.exec(SPEND, &args).await? == 1 || !sql.rows(STAYS, &args).await?.is_empty())
}

/// Removes up to `limit` tokens of the app that ended before then, those that ended first.
pub async fn remove_ended(sql: &mut dyn Sql, app: AppId, before_ms: i64, limit: i64) -> Result<u64> {
    const SQL: &str = "DELETE FROM room_tokens WHERE app_id = $1 AND (uid, room) IN (SELECT uid, room FROM room_tokens \
                       WHERE app_id = $1 AND until_ms < $2 ORDER BY until_ms LIMIT $3)";
    sql.exec(SQL, &[app.arg(), before_ms.into(), limit.into()]).await
}

/// Removes the tokens of the number that a user's name is, if it is one: a later owner of the name is somebody else.
pub async fn remove_of_user(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<()> {
    const NAME: &str = "SELECT username FROM users WHERE app_id = $1 AND user_id = $2";
    const SQL: &str = "DELETE FROM room_tokens WHERE app_id = $1 AND uid = $2";
    let Some(mut row) = sql.rows(NAME, &[app.arg(), user.arg()]).await?.pop() else { return Ok(()) };
    let name: String = row.take(0)?;
    let Ok(number) = name.parse() else { return Ok(()) };
    sql.touch(Touched::RoomTokens(app, number));
    sql.exec(SQL, &[app.arg(), (&name).into()]).await?;
    Ok(())
}
