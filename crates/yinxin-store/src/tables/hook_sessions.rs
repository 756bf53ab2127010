//! `hook_sessions`: sessions whose end a hook wants to hear of, as long as they last.

use crate::{AppId, Arg, NodeId, Result, Row, Sql};

/// A session.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// Its order id.
    pub session_seq: i64,
    /// Events of one lane stand one behind the other.
    pub lane: String,
    /// What an event says of it, as JSON.
    pub data: String,
}

/// Notes that a session has begun on that node, if there is such an app.
pub async fn begin(sql: &mut dyn Sql, app: AppId, session: &SessionRow, node: Option<NodeId>) -> Result<()> {
    const SQL: &str = "INSERT INTO hook_sessions (app_id, session_seq, lane, data, node) SELECT $1, $2, $3, $4, $5 \
                       FROM apps WHERE app_id = $1 ON CONFLICT DO NOTHING";
    let node = node.as_ref().map_or(Arg::Null, NodeId::arg);
    let args = [app.arg(), session.session_seq.into(), (&session.lane).into(), (&session.data).into(), node];
    sql.exec(SQL, &args).await?;
    Ok(())
}

/// Notes that a session has ended; `false` when that was noted before.
pub async fn end(sql: &mut dyn Sql, app: AppId, session_seq: i64) -> Result<bool> {
    const SQL: &str = "DELETE FROM hook_sessions WHERE app_id = $1 AND session_seq = $2";
    Ok(sql.exec(SQL, &[app.arg(), session_seq.into()]).await? == 1)
}

/// Up to `limit` sessions of whichever app: what a server that starts finds was cut off.
pub async fn any(sql: &mut dyn Sql, limit: i64) -> Result<Vec<(AppId, SessionRow)>> {
    const SQL: &str = "SELECT app_id, session_seq, lane, data FROM hook_sessions ORDER BY app_id, session_seq LIMIT $1";
    sql.rows(SQL, &[limit.into()]).await?.into_iter().map(read).collect()
}

/// Up to `limit` sessions of a node.
pub async fn of_node(sql: &mut dyn Sql, node: NodeId, limit: i64) -> Result<Vec<(AppId, SessionRow)>> {
    const SQL: &str = "SELECT app_id, session_seq, lane, data FROM hook_sessions WHERE node = $1 \
                       ORDER BY app_id, session_seq LIMIT $2";
    sql.rows(SQL, &[node.arg(), limit.into()]).await?.into_iter().map(read).collect()
}

/// Up to `limit` sessions of no node that there is.
pub async fn orphans(sql: &mut dyn Sql, limit: i64) -> Result<Vec<(AppId, SessionRow)>> {
    const SQL: &str = "SELECT app_id, session_seq, lane, data FROM hook_sessions \
                       WHERE NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.node_id = hook_sessions.node) \
                       ORDER BY app_id, session_seq LIMIT $1";
    sql.rows(SQL, &[limit.into()]).await?.into_iter().map(read).collect()
}

fn read(mut row: Row) -> Result<(AppId, SessionRow)> {
    Ok((row.take(0)?, SessionRow { session_seq: row.take(1)?, lane: row.take(2)?, data: row.take(3)? }))
}
