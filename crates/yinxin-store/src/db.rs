//! [`Db`]: the handle the domain holds. A read or a write is a closure over the seam, given together with its input,
//! so that an engine may run it on another thread or, after a serialisation failure, once more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::postgres::{Lane, Postgres, PostgresOptions};
use crate::seam::{Touched, Work};
use crate::sqlite::{Sqlite, SqliteOptions, WriterGauge};

/// Input of a storage closure: moved to wherever the closure runs.
pub trait Input: Send + Sync + 'static {}
impl<T: Send + Sync + 'static> Input for T {}

/// An open database of whichever engine. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    engine: Engine,
    lane: Lane,
    reads: Arc<AtomicU64>,
}

/// Each future of the networked engine is boxed: those of the embedded one, which is quicker, stay small.
#[derive(Clone)]
enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl From<Engine> for Db {
    fn from(engine: Engine) -> Self {
        Self { engine, lane: Lane::Common, reads: Arc::default() }
    }
}

/// Which database to open.
#[derive(Clone, Debug)]
pub enum Options {
    /// The embedded one.
    Sqlite(SqliteOptions),
    /// A server's.
    Postgres(PostgresOptions),
}

impl Db {
    /// Opens, and migrates, a database. `on_commit` is called after each commit, before its callers are answered, from
    /// whichever thread: it must be quick and must not call back into the database.
    pub async fn open(options: &Options, on_commit: impl Fn(&[Touched]) + Send + Sync + 'static) -> Result<Self> {
        match options {
            Options::Sqlite(options) => Self::open_sqlite(options, on_commit),
            Options::Postgres(options) => {
                let postgres = Postgres::open(options, Box::new(on_commit)).await?;
                Ok(Engine::Postgres(postgres).into())
            }
        }
    }

    /// Opens an embedded database, see [`Db::open`].
    pub fn open_sqlite(
        options: &SqliteOptions,
        on_commit: impl Fn(&[Touched]) + Send + Sync + 'static,
    ) -> Result<Self> {
        Ok(Engine::Sqlite(Sqlite::open(options, Box::new(on_commit))?).into())
    }

    /// The same database for what must go on however busy the server is: on connections of its own, past those that wait.
    #[must_use]
    pub fn vital(&self) -> Self {
        Self { lane: Lane::Vital, ..self.clone() }
    }

    /// Runs `work` in a transaction. When this returns `Ok`, the change is on disk. Any `Err` undoes all of it; only when
    /// the connection to a database server is lost during the commit may an error leave the change made.
    ///
    /// Once begun the write is finished and its hints are told even if the caller stops waiting. `work` may run several
    /// times, of which one counts.
    pub async fn write<C: Input, T, E>(&self, input: C, work: Work<C, T, E>) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(engine) => engine.write(input, work).await,
            Engine::Postgres(engine) => Box::pin(engine.write(self.lane, input, work)).await,
        }
    }

    /// Runs `work` on a read-only connection. Each statement sees all that was committed before it began.
    pub async fn read<C: Input, T, E: From<Error>>(&self, input: C, work: Work<C, T, E>) -> Result<T, E> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        match &self.engine {
            Engine::Sqlite(engine) => engine.read(&input, work),
            Engine::Postgres(engine) => Box::pin(engine.read(self.lane, &input, work)).await,
        }
    }

    /// Whether it is the embedded engine.
    pub fn is_embedded(&self) -> bool {
        matches!(self.engine, Engine::Sqlite(_))
    }

    /// Reads since the start: for metrics.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// How many writes are queued, and how large the last group commit was: for metrics.
    pub fn writer_gauge(&self) -> WriterGauge {
        match &self.engine {
            Engine::Sqlite(engine) => engine.gauge(),
            Engine::Postgres(engine) => engine.gauge(),
        }
    }

    /// Finishes the queued writes and refuses later ones; for the end of a process.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(engine) => engine.close().await,
            Engine::Postgres(engine) => engine.close().await,
        }
    }
}
