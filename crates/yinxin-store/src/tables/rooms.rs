//! `rooms`: the lives of room names, the open ones and those that ended lately.

use crate::{AppId, Arg, NodeId, Result, Row, Sql};

/// One life of a room's name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomRow {
    /// Its number.
    pub cid: i64,
    /// Its name.
    pub name: String,
    /// Who asked for it first; 0 = nobody who is known.
    pub creator_uid: i64,
    /// When that was.
    pub created_ms: i64,
    /// When somebody came in for the first time.
    pub entered_ms: Option<i64>,
    /// When it ends, or ended, by itself; `None` while somebody is in it.
    pub open_until_ms: Option<i64>,
    /// It was ended, or the name has another life.
    pub closed: bool,
    /// Everybody in it was lost at once, and nobody has come back.
    pub abandoned: bool,
    /// The node of a cluster that it is on; `None` while it is on none.
    pub node: Option<NodeId>,
}

macro_rules! columns {
    () => {
        "cid, name, creator_uid, created_ms, entered_ms, open_until_ms, closed, abandoned, node"
    };
}

fn read(mut row: Row) -> Result<RoomRow> {
    Ok(RoomRow {
        cid: row.take(0)?,
        name: row.take(1)?,
        creator_uid: row.take(2)?,
        created_ms: row.take(3)?,
        entered_ms: row.take(4)?,
        open_until_ms: row.take(5)?,
        closed: row.take(6)?,
        abandoned: row.take(7)?,
        node: row.take(8)?,
    })
}

/// Adds a room; `false` when the number is taken or a room of that name is not closed.
pub async fn insert(sql: &mut dyn Sql, app: AppId, room: &RoomRow) -> Result<bool> {
    const SQL: &str = concat!(
        "INSERT INTO rooms (app_id, ",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING"
    );
    let args = [
        app.arg(),
        room.cid.into(),
        (&room.name).into(),
        room.creator_uid.into(),
        room.created_ms.into(),
        room.entered_ms.into(),
        room.open_until_ms.into(),
        room.closed.into(),
        room.abandoned.into(),
        room.node.as_ref().map_or(Arg::Null, NodeId::arg),
    ];
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// The room of that number, open or not.
pub async fn by_cid(sql: &mut dyn Sql, app: AppId, cid: i64) -> Result<Option<RoomRow>> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM rooms WHERE app_id = $1 AND cid = $2");
    sql.rows(SQL, &[app.arg(), cid.into()]).await?.pop().map(read).transpose()
}

/// The room of that name that is not closed.
pub async fn unclosed(sql: &mut dyn Sql, app: AppId, name: &str) -> Result<Option<RoomRow>> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM rooms WHERE app_id = $1 AND name = $2 AND NOT closed");
    sql.rows(SQL, &[app.arg(), name.into()]).await?.pop().map(read).transpose()
}

/// The latest closed room of that name.
pub async fn latest_closed(sql: &mut dyn Sql, app: AppId, name: &str) -> Result<Option<RoomRow>> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM rooms WHERE app_id = $1 AND name = $2 AND closed ORDER BY created_ms DESC LIMIT 1"
    );
    sql.rows(SQL, &[app.arg(), name.into()]).await?.pop().map(read).transpose()
}

/// Closes the room of that name if its time is over, so that the name can have another life; gives its number.
pub async fn close_lapsed(sql: &mut dyn Sql, app: AppId, name: &str, now_ms: i64) -> Result<Option<i64>> {
    const SQL: &str = "UPDATE rooms SET closed = TRUE WHERE app_id = $1 AND name = $2 AND NOT closed \
                       AND open_until_ms <= $3 RETURNING cid";
    sql.rows(SQL, &[app.arg(), name.into(), now_ms.into()]).await?.pop().map(|mut row| row.take(0)).transpose()
}

/// Closes a room; `false` when it is not open.
pub async fn close(sql: &mut dyn Sql, app: AppId, cid: i64, now_ms: i64) -> Result<bool> {
    const SQL: &str = "UPDATE rooms SET closed = TRUE, open_until_ms = $3 WHERE app_id = $1 AND cid = $2 AND NOT closed \
                       AND (open_until_ms IS NULL OR open_until_ms > $3)";
    Ok(sql.exec(SQL, &[app.arg(), cid.into(), now_ms.into()]).await? == 1)
}

/// Lets an open room that is empty stay open at least that long.
pub async fn keep_open(sql: &mut dyn Sql, app: AppId, cid: i64, now_ms: i64, until_ms: i64) -> Result<()> {
    const SQL: &str = "UPDATE rooms SET open_until_ms = $4 WHERE app_id = $1 AND cid = $2 AND NOT closed \
                       AND open_until_ms > $3 AND open_until_ms < $4";
    sql.exec(SQL, &[app.arg(), cid.into(), now_ms.into(), until_ms.into()]).await?;
    Ok(())
}

/// Somebody comes in; `false` when the room is not open.
pub async fn occupy(sql: &mut dyn Sql, app: AppId, cid: i64, now_ms: i64) -> Result<bool> {
    const SQL: &str = "UPDATE rooms SET open_until_ms = NULL, entered_ms = COALESCE(entered_ms, $3), abandoned = FALSE \
                       WHERE app_id = $1 AND cid = $2 AND NOT closed AND (open_until_ms IS NULL OR open_until_ms > $3)";
    Ok(sql.exec(SQL, &[app.arg(), cid.into(), now_ms.into()]).await? == 1)
}

/// The node that an open room is on; `None`: it is not open.
pub async fn node_of(sql: &mut dyn Sql, app: AppId, cid: i64) -> Result<Option<Option<NodeId>>> {
    const SQL: &str = "SELECT node FROM rooms WHERE app_id = $1 AND cid = $2 AND NOT closed";
    sql.rows(SQL, &[app.arg(), cid.into()]).await?.pop().map(|mut row| row.take(0)).transpose()
}

/// Has a room be on that node. Whoever was in it is not any more: it ends then, unless somebody comes.
pub async fn take(sql: &mut dyn Sql, app: AppId, cid: i64, node: NodeId, until_ms: i64) -> Result<()> {
    const SQL: &str = "UPDATE rooms SET node = $3, abandoned = abandoned OR open_until_ms IS NULL, \
                       open_until_ms = COALESCE(open_until_ms, $4) WHERE app_id = $1 AND cid = $2";
    sql.exec(SQL, &[app.arg(), cid.into(), node.arg(), until_ms.into()]).await?;
    Ok(())
}

/// The last one has left: it ends then, unless somebody comes.
pub async fn vacate(sql: &mut dyn Sql, app: AppId, cid: i64, until_ms: i64) -> Result<()> {
    const SQL: &str = "UPDATE rooms SET open_until_ms = $3 WHERE app_id = $1 AND cid = $2 AND NOT closed \
                       AND open_until_ms IS NULL";
    sql.exec(SQL, &[app.arg(), cid.into(), until_ms.into()]).await?;
    Ok(())
}

/// Everybody in every room was lost: each ends then, unless somebody comes back.
pub async fn abandon_all(sql: &mut dyn Sql, until_ms: i64) -> Result<()> {
    const SQL: &str = "UPDATE rooms SET open_until_ms = $1, abandoned = TRUE WHERE open_until_ms IS NULL";
    sql.exec(SQL, &[until_ms.into()]).await?;
    Ok(())
}

/// Up to `limit` rooms that are on a node.
pub async fn of_node(sql: &mut dyn Sql, node: NodeId, limit: i64) -> Result<Vec<(AppId, i64)>> {
    const SQL: &str = "SELECT app_id, cid FROM rooms WHERE node = $1 ORDER BY app_id, cid LIMIT $2";
    let rows = sql.rows(SQL, &[node.arg(), limit.into()]).await?;
    rows.into_iter().map(|mut row| Ok((row.take(0)?, row.take(1)?))).collect()
}

/// A room's node is gone, if it is still that one, and everybody in the room with it.
pub async fn abandon(sql: &mut dyn Sql, app: AppId, cid: i64, node: NodeId, until_ms: i64) -> Result<()> {
    const SQL: &str = "UPDATE rooms SET node = NULL, abandoned = abandoned OR open_until_ms IS NULL, \
                       open_until_ms = COALESCE(open_until_ms, $4) WHERE app_id = $1 AND cid = $2 AND node = $3";
    sql.exec(SQL, &[app.arg(), cid.into(), node.arg(), until_ms.into()]).await?;
    Ok(())
}

/// The same of a room that is on no node.
pub async fn abandon_orphan(sql: &mut dyn Sql, app: AppId, cid: i64, until_ms: i64) -> Result<()> {
    const SQL: &str = "UPDATE rooms SET open_until_ms = $3, abandoned = TRUE WHERE app_id = $1 AND cid = $2 \
                       AND node IS NULL AND open_until_ms IS NULL";
    sql.exec(SQL, &[app.arg(), cid.into(), until_ms.into()]).await?;
    Ok(())
}

/// Up to `limit` rooms that somebody was in when there was one server only, or a cluster that is gone.
pub async fn orphans(sql: &mut dyn Sql, limit: i64) -> Result<Vec<(AppId, i64)>> {
    const SQL: &str = "SELECT app_id, cid FROM rooms WHERE open_until_ms IS NULL AND node IS NULL \
                       ORDER BY app_id, cid LIMIT $1";
    let rows = sql.rows(SQL, &[limit.into()]).await?;
    rows.into_iter().map(|mut row| Ok((row.take(0)?, row.take(1)?))).collect()
}

/// Removes up to `limit` rooms of the app that ended before then, those that ended first.
pub async fn remove_ended(sql: &mut dyn Sql, app: AppId, before_ms: i64, limit: i64) -> Result<u64> {
    const SQL: &str = "DELETE FROM rooms WHERE app_id = $1 AND cid IN (SELECT cid FROM rooms WHERE app_id = $1 \
                       AND open_until_ms < $2 ORDER BY open_until_ms LIMIT $3)";
    sql.exec(SQL, &[app.arg(), before_ms.into(), limit.into()]).await
}

/// Forgets that a number asked for a room; 0 stands for nobody.
pub async fn forget_creator(sql: &mut dyn Sql, app: AppId, uid: i64) -> Result<()> {
    const SQL: &str = "UPDATE rooms SET creator_uid = 0 WHERE app_id = $1 AND creator_uid = $2";
    sql.exec(SQL, &[app.arg(), uid.into()]).await?;
    Ok(())
}
