//! One connection with its prepared statements, and what a failure says about it.

use std::collections::HashMap;
use std::fmt::Write;

use futures_util::TryStreamExt;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error as Failure, Statement};

use crate::error::{Error, Result};
use crate::value::{Arg, Row, Value};

/// Prepared statements kept per connection; more than the product has.
const STATEMENTS_MAX: usize = 1024;

pub(super) struct Conn {
    client: Client,
    /// By the address and the length of their texts, which live as long as the program.
    prepared: HashMap<(usize, usize), Statement>,
}

/// What a failure means for the transaction and for the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Met another transaction; the same again may go well.
    Conflict,
    /// The connection is of no more use; nothing says what became of what was under way.
    Lost,
    /// Took longer than statements may.
    TooSlow,
    /// The statement is wrong, or breaks a constraint, or the disk is full.
    Fault,
}

impl Conn {
    pub fn new(client: Client) -> Self {
        Self { client, prepared: HashMap::new() }
    }

    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// A transaction's own words, and settings: not the product's statements.
    pub async fn control(&self, sql: &str) -> Result<(), Failure> {
        self.client.batch_execute(sql).await
    }

    pub async fn exec(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, Failure> {
        let statement = self.statement(sql).await?;
        self.client.execute_raw(&statement, args.iter().copied()).await
    }

    pub async fn rows(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, Failure> {
        let statement = self.statement(sql).await?;
        let columns = statement.columns().len();
        let found = self.client.query_raw(&statement, args.iter().copied()).await?;
        let owned = |row: tokio_postgres::Row| {
            let values = (0..columns).map(|column| row.try_get::<_, Value>(column)).collect::<Result<_, _>>()?;
            Ok(Row::new(values))
        };
        found.and_then(|row| std::future::ready(owned(row))).try_collect().await
    }

    async fn statement(&mut self, sql: &'static str) -> Result<Statement, Failure> {
        let address = (sql.as_ptr().addr(), sql.len());
        if let Some(statement) = self.prepared.get(&address) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        if self.prepared.len() >= STATEMENTS_MAX {
            self.prepared.clear();
        }
        self.prepared.insert(address, statement.clone());
        Ok(statement)
    }

    /// For the migrations, which bring their own way of running.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }
}

/// What a failure of a statement means.
pub(super) fn kind(failure: &Failure) -> Kind {
    let Some(state) = failure.code() else {
        return if failure.is_closed() || is_io(failure) { Kind::Lost } else { Kind::Fault };
    };
    match *state {
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => Kind::Conflict,
        SqlState::QUERY_CANCELED | SqlState::LOCK_NOT_AVAILABLE => Kind::TooSlow,
        // A primary that is none any more; a server that stops; a schema that moved on under a prepared statement.
        SqlState::READ_ONLY_SQL_TRANSACTION
        | SqlState::ADMIN_SHUTDOWN
        | SqlState::CRASH_SHUTDOWN
        | SqlState::CANNOT_CONNECT_NOW
        | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        | SqlState::INVALID_SQL_STATEMENT_NAME
        | SqlState::FEATURE_NOT_SUPPORTED => Kind::Lost,
        _ if state.code().starts_with("08") => Kind::Lost,
        _ => Kind::Fault,
    }
}

fn is_io(failure: &Failure) -> bool {
    let mut source = std::error::Error::source(failure);
    while let Some(error) = source {
        if error.is::<std::io::Error>() {
            return true;
        }
        source = error.source();
    }
    false
}

/// A failure as a text: what the server says, without the details, which hold values of rows.
pub(super) fn engine(failure: &Failure) -> String {
    if let Some(said) = failure.as_db_error() {
        return format!("{} ({})", said.message(), said.code().code());
    }
    let mut text = failure.to_string();
    let mut source = std::error::Error::source(failure);
    while let Some(error) = source {
        let said = error.to_string();
        if !text.contains(&said) {
            let _infallible = write!(text, ": {said}");
        }
        source = error.source();
    }
    text
}

/// A failure of a statement, as whoever asked hears it.
pub(super) fn told(failure: &Failure) -> Error {
    match kind(failure) {
        Kind::TooSlow => Error::Busy("a statement took longer than statements may".into()),
        Kind::Conflict => Error::Busy("a write met another".into()),
        Kind::Lost | Kind::Fault => Error::Engine(engine(failure).into()),
    }
}
