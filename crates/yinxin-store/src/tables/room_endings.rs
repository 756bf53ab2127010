//! `room_endings`: who is to leave rooms that are on another node than the one that says so.
//!
//! In the write that is the reason; the node that the room is on finds it, and then it is removed. Of what is on the node
//! that says so nothing is noted: it knows.

use crate::{AppId, NodeId, Result, Row, Sql};

/// An ending.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RoomEndingRow {
    /// The app.
    pub app: AppId,
    /// The room; 0: every room of the app.
    pub cid: i64,
    /// The pass of whoever is to leave; 0: everybody.
    pub pass_id: i64,
}

/// Somebody is to leave a room, says that node. Asked before its stay is ended; `false`: it is in none on another node.
pub async fn add_of_uid(sql: &mut dyn Sql, app: AppId, cid: i64, uid: i64, from: NodeId) -> Result<bool> {
    const SQL: &str = "INSERT INTO room_endings (node_id, app, cid, pass_id) SELECT r.node, s.app_id, s.cid, s.pass_id \
                       FROM room_stays s JOIN rooms r ON r.app_id = s.app_id AND r.cid = s.cid WHERE s.app_id = $1 \
                       AND s.cid = $2 AND s.uid = $3 AND (s.left_ms IS NULL OR s.lost) AND r.node IS NOT NULL \
                       AND r.node <> $4 ON CONFLICT DO NOTHING";
    Ok(sql.exec(SQL, &[app.arg(), cid.into(), uid.into(), from.arg()]).await? > 0)
}

/// Somebody is to leave every room, likewise.
pub async fn add_of_uid_everywhere(sql: &mut dyn Sql, app: AppId, uid: i64, from: NodeId) -> Result<()> {
    const SQL: &str = "INSERT INTO room_endings (node_id, app, cid, pass_id) SELECT r.node, s.app_id, s.cid, s.pass_id \
                       FROM room_stays s JOIN rooms r ON r.app_id = s.app_id AND r.cid = s.cid WHERE s.app_id = $1 \
                       AND s.uid = $2 AND (s.left_ms IS NULL OR s.lost) AND r.node IS NOT NULL AND r.node <> $3 \
                       ON CONFLICT DO NOTHING";
    sql.exec(SQL, &[app.arg(), uid.into(), from.arg()]).await?;
    Ok(())
}

/// Everybody is to leave a room; `false`: it is on no other node, or that was said before.
pub async fn add_of_room(sql: &mut dyn Sql, app: AppId, cid: i64, from: NodeId) -> Result<bool> {
    const SQL: &str = "INSERT INTO room_endings (node_id, app, cid, pass_id) SELECT node, app_id, cid, 0 FROM rooms \
                       WHERE app_id = $1 AND cid = $2 AND node IS NOT NULL AND node <> $3 ON CONFLICT DO NOTHING";
    Ok(sql.exec(SQL, &[app.arg(), cid.into(), from.arg()]).await? > 0)
}

/// Everybody is to leave the rooms of an app. A node that is condemned has none any more.
pub async fn add_of_app(sql: &mut dyn Sql, app: AppId, from: NodeId) -> Result<()> {
    const SQL: &str = "INSERT INTO room_endings (node_id, app, cid, pass_id) SELECT node_id, $1, 0, 0 FROM nodes \
                       WHERE node_id <> $2 AND seen_ms > 0 ON CONFLICT DO NOTHING";
    sql.exec(SQL, &[app.arg(), from.arg()]).await?;
    Ok(())
}

/// Up to `limit` endings that a node is to see to.
pub async fn of_node(sql: &mut dyn Sql, node: NodeId, limit: i64) -> Result<Vec<RoomEndingRow>> {
    const SQL: &str =
        "SELECT app, cid, pass_id FROM room_endings WHERE node_id = $1 ORDER BY app, cid, pass_id LIMIT $2";
    let read = |mut row: Row| Ok(RoomEndingRow { app: row.take(0)?, cid: row.take(1)?, pass_id: row.take(2)? });
    sql.rows(SQL, &[node.arg(), limit.into()]).await?.into_iter().map(read).collect()
}

/// An ending has been seen to.
pub async fn forget(sql: &mut dyn Sql, node: NodeId, ending: &RoomEndingRow) -> Result<()> {
    const SQL: &str = "DELETE FROM room_endings WHERE node_id = $1 AND app = $2 AND cid = $3 AND pass_id = $4";
    let RoomEndingRow { app, cid, pass_id } = ending;
    sql.exec(SQL, &[node.arg(), app.arg(), (*cid).into(), (*pass_id).into()]).await?;
    Ok(())
}
