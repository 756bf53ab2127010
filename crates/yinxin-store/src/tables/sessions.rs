//! `sessions` and `session_endings`: who is connected to which node of a cluster, and which connections are to end.

use crate::{AppId, Arg, NodeId, Result, Row, Sql, UserId};

/// A connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionRow {
    /// The device's resource name, unique among the user's.
    pub resource: String,
    /// The node that it is on.
    pub node: NodeId,
    /// Its number there.
    pub number: i64,
    /// What the device runs on.
    pub platform: String,
    /// The device's own id.
    pub device_uuid: String,
    /// Its name for people.
    pub device_name: String,
    /// What it says about itself to the device it replaces.
    pub note: String,
    /// When it connected.
    pub since_ms: i64,
}

macro_rules! columns {
    () => {
        "resource, node_id, number, platform, device_uuid, device_name, note, since_ms"
    };
}

/// From that column on.
fn read(row: &mut Row, at: usize) -> Result<SessionRow> {
    Ok(SessionRow {
        resource: row.take(at)?,
        node: row.take(at + 1)?,
        number: row.take(at + 2)?,
        platform: row.take(at + 3)?,
        device_uuid: row.take(at + 4)?,
        device_name: row.take(at + 5)?,
        note: row.take(at + 6)?,
        since_ms: row.take(at + 7)?,
    })
}

/// Notes a connection. One of the same device must be gone.
pub async fn insert(sql: &mut dyn Sql, app: AppId, user: UserId, session: &SessionRow) -> Result<()> {
    const SQL: &str = concat!(
        "INSERT INTO sessions (app_id, user_id, ",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    );
    let args = [
        app.arg(),
        user.arg(),
        (&session.resource).into(),
        session.node.arg(),
        session.number.into(),
        (&session.platform).into(),
        (&session.device_uuid).into(),
        (&session.device_name).into(),
        (&session.note).into(),
        session.since_ms.into(),
    ];
    sql.exec(SQL, &args).await?;
    Ok(())
}

/// The connections of a user, newest first.
pub async fn of_user(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<Vec<SessionRow>> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM sessions WHERE app_id = $1 AND user_id = $2 ORDER BY since_ms DESC, number DESC, resource"
    );
    let rows = sql.rows(SQL, &[app.arg(), user.arg()]).await?;
    rows.into_iter().map(|mut row| read(&mut row, 0)).collect()
}

/// Users that one question may be about.
pub const USERS_MAX: usize = 100;

/// The connections of up to [`USERS_MAX`] users, each user's newest first.
pub async fn of_users(sql: &mut dyn Sql, app: AppId, users: &[UserId]) -> Result<Vec<(UserId, SessionRow)>> {
    const SQL: &str = concat!(
        "SELECT user_id, ",
        columns!(),
        " FROM sessions WHERE app_id = $1 AND user_id IN (
         $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
         $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, \
         $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, \
         $63, $64, $65, $66, $67, $68, $69, $70, $71, $72, $73, $74, $75, $76, $77, $78, $79, $80, $81, $82, \
         $83, $84, $85, $86, $87, $88, $89, $90, $91, $92, $93, $94, $95, $96, $97, $98, $99, $100, $101) ORDER BY user_id, since_ms DESC, number DESC, resource"
    );
    let Some(last) = users.last() else { return Ok(Vec::new()) };
    // The text has a place for each of so many; those that are not needed ask for the last one again.
    let asked = users.iter().chain(std::iter::repeat(last)).take(USERS_MAX);
    let args: Vec<Arg<'_>> = std::iter::once(app.arg()).chain(asked.map(UserId::arg)).collect();
    let rows = sql.rows(SQL, &args).await?;
    rows.into_iter().map(|mut row| Ok((row.take(0)?, read(&mut row, 1)?))).collect()
}

/// Takes a connection off the record, if it is that one that is on it.
pub async fn remove(sql: &mut dyn Sql, app: AppId, user: UserId, resource: &str, at: (NodeId, i64)) -> Result<()> {
    const SQL: &str = "DELETE FROM sessions WHERE app_id = $1 AND user_id = $2 AND resource = $3 AND node_id = $4 \
                       AND number = $5";
    sql.exec(SQL, &[app.arg(), user.arg(), resource.into(), at.0.arg(), at.1.into()]).await?;
    Ok(())
}

/// Has all connections of a user end.
pub async fn end_all(sql: &mut dyn Sql, app: AppId, user: UserId, why: &str) -> Result<()> {
    const MOVE: &str = "INSERT INTO session_endings (node_id, number, why, note) SELECT node_id, number, $3, '' \
                        FROM sessions WHERE app_id = $1 AND user_id = $2 ON CONFLICT DO NOTHING";
    const REMOVE: &str = "DELETE FROM sessions WHERE app_id = $1 AND user_id = $2";
    if sql.exec(MOVE, &[app.arg(), user.arg(), why.into()]).await? > 0 {
        sql.exec(REMOVE, &[app.arg(), user.arg()]).await?;
    }
    Ok(())
}

/// Has the connection of one device of a user end.
pub async fn end_one(
    sql: &mut dyn Sql,
    app: AppId,
    user: UserId,
    resource: &str,
    (why, note): (&str, &str),
) -> Result<()> {
    const MOVE: &str = "INSERT INTO session_endings (node_id, number, why, note) SELECT node_id, number, $4, $5 \
                        FROM sessions WHERE app_id = $1 AND user_id = $2 AND resource = $3 ON CONFLICT DO NOTHING";
    const REMOVE: &str = "DELETE FROM sessions WHERE app_id = $1 AND user_id = $2 AND resource = $3";
    sql.exec(MOVE, &[app.arg(), user.arg(), resource.into(), why.into(), note.into()]).await?;
    sql.exec(REMOVE, &[app.arg(), user.arg(), resource.into()]).await?;
    Ok(())
}

/// Has up to `limit` connections of an app's users end; says how many.
pub async fn end_some_of_app(sql: &mut dyn Sql, app: AppId, why: &str, limit: i64) -> Result<u64> {
    const SOME: &str = "SELECT user_id, resource FROM sessions WHERE app_id = $1 ORDER BY user_id, resource LIMIT $2";
    let rows = sql.rows(SOME, &[app.arg(), limit.into()]).await?;
    let mut ended = 0;
    for mut row in rows {
        end_one(sql, app, row.take(0)?, row.take::<String>(1)?.as_str(), (why, "")).await?;
        ended += 1;
    }
    Ok(ended)
}

/// A connection that is to end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndingRow {
    /// Its number on its node.
    pub number: i64,
    /// Why.
    pub why: String,
    /// What the device that takes its place says about itself.
    pub note: String,
}

/// Up to `limit` connections of a node that are to end.
pub async fn endings(sql: &mut dyn Sql, node: NodeId, limit: i64) -> Result<Vec<EndingRow>> {
    const SQL: &str = "SELECT number, why, note FROM session_endings WHERE node_id = $1 ORDER BY number LIMIT $2";
    let read = |mut row: Row| Ok(EndingRow { number: row.take(0)?, why: row.take(1)?, note: row.take(2)? });
    sql.rows(SQL, &[node.arg(), limit.into()]).await?.into_iter().map(read).collect()
}

/// A connection has been told to end.
pub async fn forget_ending(sql: &mut dyn Sql, node: NodeId, number: i64) -> Result<()> {
    const SQL: &str = "DELETE FROM session_endings WHERE node_id = $1 AND number = $2";
    sql.exec(SQL, &[node.arg(), number.into()]).await?;
    Ok(())
}

/// Removes up to `limit` rows of a node that is gone; says how many.
pub async fn clear_node(sql: &mut dyn Sql, node: NodeId, limit: i64) -> Result<u64> {
    const SESSIONS: &str = "DELETE FROM sessions WHERE (app_id, user_id, resource) IN (SELECT app_id, user_id, resource \
                            FROM sessions WHERE node_id = $1 ORDER BY number LIMIT $2)";
    const ENDINGS: &str = "DELETE FROM session_endings WHERE node_id = $1 AND number IN (SELECT number \
                           FROM session_endings WHERE node_id = $1 ORDER BY number LIMIT $2)";
    let cleared = sql.exec(SESSIONS, &[node.arg(), limit.into()]).await?;
    Ok(cleared + sql.exec(ENDINGS, &[node.arg(), limit.into()]).await?)
}
