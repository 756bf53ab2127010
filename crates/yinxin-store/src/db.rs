//! [`Db`]: the handle the domain holds. A read or a write is a closure over the seam, given together with its input,
//! so that an engine may run it on another thread or, after a serialisation failure, once more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::seam::{BoxFuture, Sql, Touched};
use crate::sqlite::{Sqlite, SqliteOptions};

/// Input of a storage closure: moved to wherever the closure runs.
pub trait Input: Send + Sync + 'static {}
impl<T: Send + Sync + 'static> Input for T {}

/// An open database of whichever engine. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    engine: Sqlite,
    reads: Arc<AtomicU64>,
}

impl Db {
    /// Opens (and migrates) an embedded database. `on_commit` is called on the writer's thread after each commit, before
    /// its callers are answered: it must be quick and must not call back into the database.
    pub fn open_sqlite(options: &SqliteOptions, on_commit: impl Fn(&[Touched]) + Send + 'static) -> Result<Self> {
        Ok(Self { engine: Sqlite::open(options, Box::new(on_commit))?, reads: Arc::default() })
    }

    /// Runs `work` in a transaction. When this returns `Ok`, the change is on disk. Any `Err` undoes all of it.
    ///
    /// Once begun the write is finished and its hints are told even if the caller stops waiting.
    pub async fn write<C: Input, T, E>(
        &self,
        input: C,
        work: for<'a> fn(&'a mut dyn Sql, &'a C) -> BoxFuture<'a, Result<T, E>>,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.engine.write(input, work).await
    }

    /// Runs `work` on a read-only connection. Each statement sees all that was committed before it began.
    #[expect(clippy::unused_async, reason = "the embedded engine reads at once; a networked one waits here")]
    pub async fn read<C: Input, T, E: From<Error>>(
        &self,
        input: C,
        work: for<'a> fn(&'a mut dyn Sql, &'a C) -> BoxFuture<'a, Result<T, E>>,
    ) -> Result<T, E> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.engine.read(&input, work)
    }

    /// Reads since the start: for metrics.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// How many writes are queued, and how large the last group commit was: for metrics.
    pub fn writer_gauge(&self) -> crate::sqlite::WriterGauge {
        self.engine.gauge()
    }

    /// Finishes the queued writes and closes the files. Blocks; for the end of a process.
    pub fn close(&self) {
        self.engine.close();
    }
}
