//! One connection with its prepared statements, and what a failure says about it.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt;
use tokio::task::AbortHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error as Fault, Statement};

use crate::error::{Error, Result};
use crate::value::{Arg, Row, Value};

/// Prepared statements kept per connection; more than the product has.
const STATEMENTS_MAX: usize = 1024;

pub(super) struct Conn {
    client: Client,
    /// By the address and the length of their texts, which live as long as the program.
    prepared: HashMap<(usize, usize), Statement>,
    /// What carries its bytes.
    driver: AbortHandle,
    patience: Patience,
    era: Era,
}

/// How long an answer may take to come, when the other side may be frozen or cut off without a word.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    statement: Duration,
    commit: Duration,
}

impl Patience {
    /// What the server takes to answer beyond the time that a statement may run.
    const GRACE: Duration = Duration::from_secs(2);

    /// A statement is ended by the server in its time. A commit must be given up before the server does so: it would end
    /// the wait for its standbys and call the commit a success.
    pub fn new(statement: Duration) -> Self {
        Self { statement: statement.saturating_add(Self::GRACE), commit: statement / 4 * 3 }
    }
}

/// Ends when a server was found not to be the primary any more: no connection from before is used again.
#[derive(Clone, Default)]
pub(super) struct Era {
    current: Arc<AtomicU64>,
    own: u64,
}

impl Era {
    /// The one that has begun last.
    pub fn now(&self) -> Self {
        Self { current: Arc::clone(&self.current), own: self.current.load(Ordering::Acquire) }
    }

    fn is_over(&self) -> bool {
        self.current.load(Ordering::Acquire) != self.own
    }

    fn end(&self) {
        self.current.fetch_max(self.own + 1, Ordering::AcqRel);
    }
}

/// What went wrong between here and there.
#[derive(Debug)]
pub(super) enum Failure {
    /// Said by the server, or by the connection when it broke.
    Said(Fault),
    /// Nothing was said for that long.
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
    /// Nothing came in time; the connection is of no more use, and another would fare no better.
    Silent,
    /// Took longer than statements may.
    TooSlow,
    /// The statement is wrong, or breaks a constraint, or the disk is full.
    Fault,
}

impl Conn {
    pub fn new(client: Client, driver: AbortHandle, patience: Patience, era: Era) -> Self {
        Self { client, prepared: HashMap::new(), driver, patience, era }
    }

    /// It can be used no more.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed() || self.era.is_over()
    }

    /// A transaction's own words, and settings: not the product's statements.
    pub async fn control(&self, sql: &str) -> Result<(), Failure> {
        self.heard(self.patience.statement, self.client.batch_execute(sql)).await
    }

    pub async fn commit(&self) -> Result<(), Failure> {
        self.heard(self.patience.commit, self.client.batch_execute("COMMIT")).await
    }

    pub async fn exec(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, Failure> {
        let statement = self.statement(sql).await?;
        self.heard(self.patience.statement, self.client.execute_raw(&statement, args.iter().copied())).await
    }

    pub async fn rows(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, Failure> {
        let statement = self.statement(sql).await?;
        let columns = statement.columns().len();
        let owned = |row: tokio_postgres::Row| {
            let values = (0..columns).map(|column| row.try_get::<_, Value>(column)).collect::<Result<_, _>>()?;
            Ok(Row::new(values))
        };
        let answer = async {
            let found = self.client.query_raw(&statement, args.iter().copied()).await?;
            found.and_then(|row| std::future::ready(owned(row))).try_collect().await
        };
        self.heard(self.patience.statement, answer).await
    }

    async fn statement(&mut self, sql: &'static str) -> Result<Statement, Failure> {
        let address = (sql.as_ptr().addr(), sql.len());
        if let Some(statement) = self.prepared.get(&address) {
            return Ok(statement.clone());
        }
        let statement = self.heard(self.patience.statement, self.client.prepare(sql)).await?;
        if self.prepared.len() >= STATEMENTS_MAX {
            self.prepared.clear();
        }
        self.prepared.insert(address, statement.clone());
        Ok(statement)
    }

    /// What the server answers, if it does.
    async fn heard<T>(&self, patience: Duration, answer: impl Future<Output = Result<T, Fault>>) -> Result<T, Failure> {
        let Ok(said) = tokio::time::timeout(patience, answer).await else {
            self.driver.abort();
            return Err(Failure::Silence(patience));
        };
        if said.as_ref().is_err_and(|fault| fault.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION)) {
            self.era.end();
        }
        Ok(said?)
    }

    /// For the migrations, which bring their own way of running.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }
}

/// What a failure of a statement means.
pub(super) fn kind(failure: &Failure) -> Kind {
    let Failure::Said(fault) = failure else { return Kind::Silent };
    let Some(state) = fault.code() else {
        return if fault.is_closed() || is_io(fault) { Kind::Lost } else { Kind::Fault };
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

fn is_io(fault: &Fault) -> bool {
    let mut source = std::error::Error::source(fault);
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
    match failure {
        Failure::Said(fault) => said(fault),
        Failure::Silence(patience) => format!("nothing was heard of it for {patience:?}"),
    }
}

/// The same of what a library of ours was told.
pub(super) fn said(fault: &Fault) -> String {
    if let Some(said) = fault.as_db_error() {
        return format!("{} ({})", said.message(), said.code().code());
    }
    let mut text = fault.to_string();
    let mut source = std::error::Error::source(fault);
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
        Kind::Lost | Kind::Silent => Error::Away(engine(failure).into()),
        Kind::Fault => Error::Engine(engine(failure).into()),
    }
}
