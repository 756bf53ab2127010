//! One connection with its prepared statements, how long an answer is waited for, and what a failure says about it.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error as Fault, Statement};

use crate::error::{Error, Result};
use crate::value::{Arg, Row, Value};

/// Prepared statements kept per connection; more than the product has.
const STATEMENTS_MAX: usize = 1024;

pub(super) struct Conn {
    client: Client,
    /// What carries it.
    driver: AbortHandle,
    /// How long an answer is waited for: a server, or a way to it, may hang and say nothing.
    patience: Duration,
    /// An answer was not waited for: whatever comes is of no more use.
    is_spent: AtomicBool,
    /// By the address and the length of their texts, which live as long as the program.
    prepared: HashMap<(usize, usize), Statement>,
}

/// Why a statement failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server, or the connection, says.
    Said(Fault),
    /// Nothing came within that time.
    Silence(Duration),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Said(fault)
    }
}

/// What a failure means for the transaction and for the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Met another transaction; the same again may go well.
    Conflict,
    /// The connection is of no more use; nothing says what became of what was under way.
    Lost,
    /// The same, and nothing says that another connection would be answered.
    Silent,
    /// Took longer than statements may.
    TooSlow,
    /// The statement is wrong, or breaks a constraint, or the disk is full.
    Fault,
}

impl Conn {
    /// A connection on which an answer is waited for that long.
    pub fn new(client: Client, driver: AbortHandle, patience: Duration) -> Self {
        Self { client, driver, patience, is_spent: AtomicBool::new(false), prepared: HashMap::new() }
    }

    pub fn is_closed(&self) -> bool {
        self.is_spent.load(Ordering::Relaxed) || self.client.is_closed()
    }

    /// A transaction's own words, and settings: not the product's statements.
    pub async fn control(&self, sql: &str) -> Result<(), Failure> {
        self.in_time(timeout(self.patience, self.client.batch_execute(sql)).await)
    }

    pub async fn exec(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, Failure> {
        let answer = timeout(self.patience, async {
            let statement = self.statement(sql).await?;
            self.client.execute_raw(&statement, args.iter().copied()).await
        });
        let answer = answer.await;
        self.in_time(answer)
    }

    pub async fn rows(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, Failure> {
        let answer = timeout(self.patience, async {
            let statement = self.statement(sql).await?;
            let columns = statement.columns().len();
            let found = self.client.query_raw(&statement, args.iter().copied()).await?;
            let owned = |row: tokio_postgres::Row| {
                let values = (0..columns).map(|column| row.try_get::<_, Value>(column)).collect::<Result<_, _>>()?;
                Ok(Row::new(values))
            };
            found.and_then(|row| std::future::ready(owned(row))).try_collect().await
        });
        let answer = answer.await;
        self.in_time(answer)
    }

    /// A connection whose answer did not come ends here and now: the server undoes what it hears no more of, and nothing
    /// waits for it any longer.
    fn in_time<T>(&self, answer: Result<Result<T, Fault>, tokio::time::error::Elapsed>) -> Result<T, Failure> {
        answer.map_or_else(
            |_late| {
                self.is_spent.store(true, Ordering::Relaxed);
                self.driver.abort();
                Err(Failure::Silence(self.patience))
            },
            |answer| answer.map_err(Failure::Said),
        )
    }

    async fn statement(&mut self, sql: &'static str) -> Result<Statement, Fault> {
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
    let failure = match failure {
        Failure::Said(fault) => fault,
        Failure::Silence(_) => return Kind::Silent,
    };
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

fn is_io(failure: &Fault) -> bool {
    let mut source = std::error::Error::source(failure);
    while let Some(error) = source {
        if error.is::<std::io::Error>() {
            return true;
        }
        source = error.source();
    }
    false
}

/// A failure as a text.
pub(super) fn engine(failure: &Failure) -> String {
    match failure {
        Failure::Said(fault) => text(fault),
        Failure::Silence(waited) => format!("the database has not answered within {waited:?}"),
    }
}

/// What the server says, without the details, which hold values of rows.
pub(super) fn text(failure: &Fault) -> String {
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
        Kind::Lost | Kind::Silent | Kind::Fault => Error::Engine(engine(failure).into()),
    }
}
