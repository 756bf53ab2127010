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
pub const VERSION_MIN: i64 = 150_000;

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
    const SQL: &str = "SELECT current_setting('server_version'), \
                       CAST(current_setting('server_version_num') AS BIGINT), current_setting('server_encoding') = 'UTF8'";
    let mut rows = conn.rows(SQL, &[]).await.map_err(|source| Error::Engine(engine(&source).into()))?;
    let Some(mut row) = rows.pop() else { return Ok(()) };
    match fault(&row.take::<String>(0)?, row.take(1)?, row.take(2)?) {
        None => Ok(()),
        Some(fault) => Err(Error::Engine(format!("{address} is {fault}").into())),
    }
}

/// Why a server of that version cannot be used.
fn fault(version: &str, number: i64, is_utf8: bool) -> Option<String> {
    if number < VERSION_MIN {
        return Some(format!("PostgreSQL {version}: 15 or newer is needed"));
    }
    (!is_utf8).then(|| "not encoded in UTF8: create it with ENCODING 'UTF8'".to_owned())
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn an_old_server_is_refused_however_its_number_is_spelled() {
        assert!(fault("9.6.24", 90_624, true).is_some_and(|fault| fault.contains("15 or newer")));
        assert!(fault("14.12", 140_012, true).is_some());
        assert_eq!(fault("15.0", 150_000, true), None);
        assert!(fault("18.1", 180_001, false).is_some_and(|fault| fault.contains("UTF8")));
    }
}
