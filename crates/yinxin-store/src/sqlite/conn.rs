//! One SQLite connection as a [`Sql`]: opening with the right pragmas, binding, reading rows.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OpenFlags, StatementStatus, ToSql};

use super::{SqliteOptions, migrate};
use crate::error::{Error, Result};
use crate::migrations;
use crate::seam::{BoxFuture, Sql, Touched};
use crate::value::{Arg, Row, Value};

/// Prepared statements kept per connection; more than the product has.
const STATEMENTS_MAX: usize = 256;
/// How long to wait for a lock that only a checkpoint or a backup may hold.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Pages in the write-ahead log before they are folded back into the file: 32 MiB. Rows are spread over the file, so a
/// longer log folds many changes of one page into one write; a crash replays it in a fraction of a second.
const CHECKPOINT_PAGES: u32 = 8192;
/// Past this size the write-ahead log is folded back into the file even if readers must wait for it.
const LOG_BYTES_MAX: u64 = 256 * 1024 * 1024;

pub(super) struct Conn {
    db: Connection,
    /// Statements say `$1`, which SQLite would number by first appearance: the same texts with `?1`, by address and
    /// length.
    texts: HashMap<(usize, usize), String>,
    /// Every statement must run within a transaction.
    writes: bool,
    pub touched: Vec<Touched>,
    /// Statements run; whoever reads it takes it.
    pub statements: usize,
}

impl Conn {
    pub fn open_for_writing(options: &SqliteOptions) -> Result<Self> {
        let mut db = Connection::open(&options.path)?;
        tune(&db)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        db.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
        if let Some(pages) = options.pages_max {
            db.pragma_update(None, "max_page_count", pages)?;
        }
        migrate::to_newest(&mut db, &options.path, &migrations::for_sqlite()?)?;
        Ok(Self::new(db, true))
    }

    pub fn open_for_reading(options: &SqliteOptions) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&options.path, flags)?;
        tune(&db)?;
        db.pragma_update(None, "query_only", true)?;
        Ok(Self::new(db, false))
    }

    fn new(db: Connection, writes: bool) -> Self {
        db.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Self { db, texts: HashMap::new(), writes, touched: Vec::new(), statements: 0 }
    }

    /// A transaction's own words (`BEGIN`, `COMMIT`, savepoints), which are not the product's statements.
    pub fn control(&self, sql: &str) -> Result<()> {
        self.db.prepare_cached(sql)?.raw_execute()?;
        Ok(())
    }

    /// True while a transaction is open, so that a failed one can be undone.
    pub fn in_transaction(&self) -> bool {
        !self.db.is_autocommit()
    }

    /// Folds the log back into the file when it has outgrown its bound.
    pub fn bound_log(&self, path: &Path) {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        if std::fs::metadata(log).is_ok_and(|meta| meta.len() > LOG_BYTES_MAX) {
            self.fold_log_away();
        }
    }

    /// Folds the log back and empties it, so that the database is one file.
    pub fn fold_log_away(&self) {
        if let Err(source) = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            tracing::warn!(%source, "the write-ahead log could not be folded back; the next start reads it");
        }
    }

    fn statement(&mut self, sql: &'static str) -> Result<CachedStatement<'_>> {
        // A full disk ends the whole transaction by itself. What a closure that overlooked the error does next would
        // then be committed alone.
        if self.writes && !self.in_transaction() {
            return Err(Error::Engine("the transaction has failed already".into()));
        }
        self.statements += 1;
        let text = self.texts.entry((sql.as_ptr().addr(), sql.len())).or_insert_with(|| sql.replace('$', "?"));
        Ok(self.db.prepare_cached(text)?)
    }

    fn exec_now(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64> {
        let mut statement = self.statement(sql)?;
        bind(&mut statement, args)?;
        let changed = statement.raw_execute()? as u64;
        debug_assert!(is_prepared_for_good(&statement), "prepared anew at each run: {sql}");
        Ok(changed)
    }

    fn rows_now(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>> {
        let mut statement = self.statement(sql)?;
        bind(&mut statement, args)?;
        let columns = statement.column_count();
        let mut found = statement.raw_query();
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let values = (0..columns).map(|column| Ok(owned(row.get_ref(column)?))).collect::<Result<_>>()?;
            rows.push(Row::new(values));
        }
        drop(found);
        debug_assert!(is_prepared_for_good(&statement), "prepared anew at each run: {sql}");
        Ok(rows)
    }
}

impl Sql for Conn {
    fn exec<'a>(&'a mut self, sql: &'static str, args: &'a [Arg<'a>]) -> BoxFuture<'a, Result<u64>> {
        let done = self.exec_now(sql, args);
        Box::pin(std::future::ready(done))
    }

    fn rows<'a>(&'a mut self, sql: &'static str, args: &'a [Arg<'a>]) -> BoxFuture<'a, Result<Vec<Row>>> {
        let found = self.rows_now(sql, args);
        Box::pin(std::future::ready(found))
    }

    fn touch(&mut self, touched: Touched) {
        self.touched.push(touched);
    }
}

impl ToSql for Arg<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(number),
            Self::Bool(truth) => ValueRef::Integer(i64::from(truth)),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn bind(statement: &mut CachedStatement<'_>, args: &[Arg<'_>]) -> Result<()> {
    for (position, arg) in args.iter().enumerate() {
        statement.raw_bind_parameter(position + 1, arg)?;
    }
    Ok(())
}

fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        // No column of ours is a floating point number; the text shows what was found.
        ValueRef::Real(number) => Value::Text(number.to_string()),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.into()),
    }
}

/// Whether the statement was compiled once, or once more: a connection's first statement may find that it does not know
/// the schema yet.
fn is_prepared_for_good(statement: &CachedStatement<'_>) -> bool {
    statement.get_status(StatementStatus::RePrepare) <= 1
}

/// What every connection needs. Memory-mapped reads stay off: a truncated file would kill the process, not the read.
fn tune(db: &Connection) -> Result<()> {
    db.busy_timeout(LOCK_WAIT)?;
    // One plan for a text, whatever is bound: without it, joins and sorted lists are prepared anew at each run.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.pragma_update(None, "mmap_size", 0)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "cache_size", -16_384)?;
    db.pragma_update(None, "foreign_keys", false)?;
    Ok(())
}

/// Reads the whole file and says what is wrong with its structure; `Ok(None)`: nothing. Safe beside a running server.
pub fn quick_check(path: &Path) -> Result<Option<String>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(LOCK_WAIT)?;
    let found: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok((found != "ok").then_some(found))
}
