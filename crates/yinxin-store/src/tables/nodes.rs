//! `nodes` and `leases`: the nodes of a cluster, and which of them does what only one should do.

use crate::{NodeId, Result, Row, Sql};

/// A node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeRow {
    /// Made anew by each start.
    pub node: NodeId,
    /// No other node has it.
    pub number: i64,
    /// As the operator calls it.
    pub name: String,
    /// Where clients reach this node and no other; may be empty.
    pub url: String,
    /// Moves as long as it lives, by its own clock; 0: it was found dead.
    pub seen_ms: i64,
    /// Whether the others can tell it something, and it them.
    pub hears: bool,
}

/// Adds a node; `false` when it is there, condemned, or another has its number.
pub async fn insert(sql: &mut dyn Sql, node: &NodeRow) -> Result<bool> {
    const SQL: &str = "INSERT INTO nodes (node_id, number, name, url, seen_ms, hears) \
                       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    let NodeRow { node, number, name, url, seen_ms, hears } = node;
    let args = [node.arg(), (*number).into(), name.into(), url.into(), (*seen_ms).into(), (*hears).into()];
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// Notes that a node lives; `false` when it was taken for dead.
pub async fn beat(sql: &mut dyn Sql, node: NodeId, seen_ms: i64, hears: bool) -> Result<bool> {
    const SQL: &str = "UPDATE nodes SET seen_ms = $2, hears = $3 WHERE node_id = $1 AND seen_ms > 0";
    Ok(sql.exec(SQL, &[node.arg(), seen_ms.into(), hears.into()]).await? == 1)
}

/// Every node.
pub async fn all(sql: &mut dyn Sql) -> Result<Vec<NodeRow>> {
    const SQL: &str = "SELECT node_id, number, name, url, seen_ms, hears FROM nodes ORDER BY node_id";
    let read = |mut row: Row| {
        Ok(NodeRow {
            node: row.take(0)?,
            number: row.take(1)?,
            name: row.take(2)?,
            url: row.take(3)?,
            seen_ms: row.take(4)?,
            hears: row.take(5)?,
        })
    };
    sql.rows(SQL, &[]).await?.into_iter().map(read).collect()
}

/// Whether a node may have connections.
pub async fn is_member(sql: &mut dyn Sql, node: NodeId) -> Result<bool> {
    const SQL: &str = "SELECT 1 FROM nodes WHERE node_id = $1 AND seen_ms > 0";
    Ok(!sql.rows(SQL, &[node.arg()]).await?.is_empty())
}

/// Where clients reach a node, if it may have connections.
pub async fn url_of(sql: &mut dyn Sql, node: NodeId) -> Result<Option<String>> {
    const SQL: &str = "SELECT url FROM nodes WHERE node_id = $1 AND seen_ms > 0";
    sql.rows(SQL, &[node.arg()]).await?.pop().map(|mut row| row.take(0)).transpose()
}

/// Takes a node for dead if it still stands as it was last seen: from then on it can have no connections. Its row stays until
/// what it left is cleared away, so that nobody forgets to.
pub async fn condemn(sql: &mut dyn Sql, node: NodeId, seen_ms: i64) -> Result<bool> {
    const SQL: &str = "UPDATE nodes SET seen_ms = 0 WHERE node_id = $1 AND seen_ms = $2";
    Ok(sql.exec(SQL, &[node.arg(), seen_ms.into()]).await? == 1)
}

/// Condemns a node that leaves.
pub async fn retire(sql: &mut dyn Sql, node: NodeId) -> Result<()> {
    sql.exec("UPDATE nodes SET seen_ms = 0 WHERE node_id = $1", &[node.arg()]).await?;
    Ok(())
}

/// Whether a node is condemned, and its row still there.
pub async fn is_condemned(sql: &mut dyn Sql, node: NodeId) -> Result<bool> {
    const SQL: &str = "SELECT 1 FROM nodes WHERE node_id = $1 AND seen_ms = 0";
    Ok(!sql.rows(SQL, &[node.arg()]).await?.is_empty())
}

/// Removes a node that is condemned, with who is to leave its rooms, and gives its leases back. What it had besides must be
/// gone.
pub async fn remove(sql: &mut dyn Sql, node: NodeId) -> Result<()> {
    if sql.exec("DELETE FROM nodes WHERE node_id = $1 AND seen_ms = 0", &[node.arg()]).await? == 1 {
        sql.exec("DELETE FROM leases WHERE node_id = $1", &[node.arg()]).await?;
        sql.exec("DELETE FROM room_endings WHERE node_id = $1", &[node.arg()]).await?;
    }
    Ok(())
}

/// Who holds which lease.
pub async fn leases(sql: &mut dyn Sql) -> Result<Vec<(String, NodeId)>> {
    const SQL: &str = "SELECT piece, node_id FROM leases ORDER BY piece";
    sql.rows(SQL, &[]).await?.into_iter().map(|mut row| Ok((row.take(0)?, row.take(1)?))).collect()
}

/// Takes the lease of a piece of work from whoever is known to hold it, or that nobody holds.
pub async fn take_lease(sql: &mut dyn Sql, piece: &str, node: NodeId, from: Option<NodeId>) -> Result<()> {
    const SQL: &str = "INSERT INTO leases (piece, node_id) VALUES ($1, $2) ON CONFLICT (piece) \
                       DO UPDATE SET node_id = excluded.node_id WHERE leases.node_id = $3";
    sql.exec(SQL, &[piece.into(), node.arg(), from.unwrap_or(node).arg()]).await?;
    Ok(())
}
