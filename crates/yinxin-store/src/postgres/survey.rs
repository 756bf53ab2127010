//! What a database is set to, for whoever checks whether it can be relied on.

use std::time::Duration;

use super::PostgresOptions;
use super::address::Address;
use super::conn::{Conn, engine};
use crate::error::{Error, Result};

/// Settings and state of a database server.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a finding of its own")]
pub struct Survey {
    /// Where it is, without the password.
    pub place: String,
    /// Its version, as it says it.
    pub version: String,
    /// Its version as a number: 150000 is 15.0.
    pub version_number: i64,
    /// A commit reaches the disk; `false` loses data at a crash of the machine.
    pub fsync: bool,
    /// Whole pages are written to the log; `false` may damage the database at a crash of the machine.
    pub full_page_writes: bool,
    /// What a commit waits for, where we do not say.
    pub synchronous_commit: String,
    /// The encoding of the database.
    pub encoding: String,
    /// The database's own order of texts. Ours are compared byte by byte, whatever it is.
    pub collation: String,
    /// Connections that the server takes.
    pub connections_max: i64,
    /// Rows and pages that a transaction may have read, on average, before what it has read is noted more coarsely.
    pub read_locks: i64,
    /// The connection is encrypted.
    pub encrypted: bool,
    /// The schema's version; `None`: nothing has been made yet.
    pub schema: Option<i64>,
    /// A server has made its keys in it.
    pub in_use: bool,
    /// Columns of ours that are not compared byte by byte.
    pub foreign_order: i64,
    /// The server's clock, in milliseconds since 1970.
    pub clock_ms: i64,
    /// How long the question about the clock took.
    pub round_trip: Duration,
}

const SETTINGS: &str = "SELECT current_setting('server_version'), \
    CAST(current_setting('server_version_num') AS BIGINT), current_setting('fsync') = 'on', \
    current_setting('full_page_writes') = 'on', current_setting('synchronous_commit'), \
    current_setting('server_encoding'), datcollate, CAST(current_setting('max_connections') AS BIGINT), \
    CAST(current_setting('max_pred_locks_per_transaction') AS BIGINT), COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), FALSE) \
    FROM pg_database WHERE datname = current_database()";
const HAS_HISTORY: &str = "SELECT to_regclass('refinery_schema_history') IS NOT NULL";
const SCHEMA: &str = "SELECT CAST(max(version) AS BIGINT) FROM refinery_schema_history";
const HAS_KEYS_TABLE: &str = "SELECT to_regclass('server_keys') IS NOT NULL";
const IN_USE: &str = "SELECT EXISTS (SELECT 1 FROM server_keys)";
const FOREIGN_ORDER: &str = "SELECT COUNT(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
    JOIN pg_collation l ON l.oid = a.attcollation WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped \
    AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('refinery_schema_history')) \
    AND c.relname <> 'refinery_schema_history' AND l.collname <> 'C'";
const CLOCK: &str = "SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)";

/// Looks at a server, changing nothing.
pub async fn survey(options: &PostgresOptions) -> Result<Survey> {
    let address = Address::parse(options)?;
    let mut conn = address.connect(options.statement).await?;
    let mut settings = one(&mut conn, SETTINGS).await?;
    let has_history: bool = one(&mut conn, HAS_HISTORY).await?.take(0)?;
    let schema = if has_history { one(&mut conn, SCHEMA).await?.take(0)? } else { None };
    let has_keys_table: bool = one(&mut conn, HAS_KEYS_TABLE).await?.take(0)?;
    let in_use = has_keys_table && one(&mut conn, IN_USE).await?.take(0)?;
    let foreign_order = one(&mut conn, FOREIGN_ORDER).await?.take(0)?;
    // Prepared by a first run, so that the second one measures the way there and back.
    one(&mut conn, CLOCK).await?;
    let asked = tokio::time::Instant::now();
    let clock_ms = one(&mut conn, CLOCK).await?.take(0)?;
    Ok(Survey {
        place: address.to_string(),
        version: settings.take(0)?,
        version_number: settings.take(1)?,
        fsync: settings.take(2)?,
        full_page_writes: settings.take(3)?,
        synchronous_commit: settings.take(4)?,
        encoding: settings.take(5)?,
        collation: settings.take(6)?,
        connections_max: settings.take(7)?,
        read_locks: settings.take(8)?,
        encrypted: settings.take(9)?,
        schema,
        in_use,
        foreign_order,
        clock_ms,
        round_trip: asked.elapsed(),
    })
}

async fn one(conn: &mut Conn, sql: &'static str) -> Result<crate::value::Row> {
    let rows = conn.rows(sql, &[]).await.map_err(|source| Error::Engine(engine(&source).into()))?;
    rows.into_iter().next().ok_or_else(|| Error::Engine("the database gave no row".into()))
}
