//! Bringing a database up to date: one node at a time, all of it or nothing.

use std::time::Duration;

use refinery::{Migration, Runner};

use super::address::Address;
use super::conn::{Conn, engine, said};
use crate::error::{Error, Result};
use crate::migrations;

/// What nodes that start at the same time wait for. A number of ours alone: "yinxin" in ASCII.
const LOCK: i64 = 0x7969_6e78_696e;
/// The oldest server that is tested with, as its own number.
const VERSION_MIN: &str = "150000";

/// Applies what the database lacks of `list`, in one transaction with the history that says so. The lock ends with the
/// connection, whatever happens.
pub(super) async fn to_newest(address: &Address, list: &[Migration]) -> Result<()> {
    // A migration takes its time, and another node's is waited for.
    let mut conn = address.connect(Duration::MAX).await?;
    check_server(&mut conn, address).await?;
    let lock = format!("SET client_min_messages = error; SELECT pg_advisory_lock({LOCK})");
    // As long as another node takes, which says nothing meanwhile.
    conn.client().batch_execute(&lock).await.map_err(|fault| Error::Away(said(&fault).into()))?;
    let runner = Runner::new(list).set_abort_divergent(true).set_abort_missing(true).set_grouped(true);
    // A database without a history is a new one; the run below finds out if it is something worse.
    let applied = runner.get_last_applied_migration_async(conn.client()).await.ok().flatten();
    migrations::refuse_newer("database", applied.as_ref().map(Migration::version), list)?;
    runner.run_async(conn.client()).await.map_err(|source| {
        let why = std::error::Error::source(&source).and_then(|cause| cause.downcast_ref()).map(said);
        Error::Engine(format!("cannot migrate {address}: {}", why.unwrap_or_else(|| source.to_string())).into())
    })?;
    Ok(())
}

async fn check_server(conn: &mut Conn, address: &Address) -> Result<()> {
    let shown = "SELECT current_setting('server_version'), current_setting('server_version_num') >= '150000', \
                 current_setting('server_encoding') = 'UTF8'";
    debug_assert!(shown.contains(VERSION_MIN));
    let mut rows = conn.rows(shown, &[]).await.map_err(|source| Error::Engine(engine(&source).into()))?;
    let Some(mut row) = rows.pop() else { return Ok(()) };
    let version: String = row.take(0)?;
    if !row.take::<bool>(1)? {
        return Err(Error::Engine(format!("{address} is PostgreSQL {version}: 15 or newer is needed").into()));
    }
    if !row.take::<bool>(2)? {
        return Err(Error::Engine(format!("{address} is not encoded in UTF8: create it with ENCODING 'UTF8'").into()));
    }
    Ok(())
}
