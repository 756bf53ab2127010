//! The embedded engine: one writer thread with group commit, a few read-only connections. The only module that names
//! rusqlite (beside the error conversion). Knows no table.

mod conn;
mod migrate;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::seam::{BoxFuture, OnCommit, Work};
use conn::Conn;
pub use conn::quick_check;
use writer::Writer;
pub use writer::WriterGauge;

/// How to open an embedded database.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// The database file; its folder must exist and be on a local disk.
    pub path: PathBuf,
    /// Read-only connections; one per thread that serves requests is enough.
    pub readers: usize,
    /// Writes that may wait for the writer; more are answered "busy".
    pub queue: usize,
    /// Writes that may share one commit.
    pub group: usize,
    /// Upper bound of the file in pages of 4096 bytes; `None`: the disk is the bound.
    pub pages_max: Option<u32>,
}

impl SqliteOptions {
    /// The defaults for a file at `path`.
    pub fn at(path: PathBuf) -> Self {
        let readers = std::thread::available_parallelism().map_or(2, usize::from) + 2;
        Self { path, readers, queue: 4096, group: 512, pages_max: None }
    }
}

#[derive(Clone)]
pub(crate) struct Sqlite {
    writer: Writer,
    readers: Arc<[Mutex<Conn>]>,
    next_reader: Arc<AtomicUsize>,
}

impl Sqlite {
    pub fn open(options: &SqliteOptions, on_commit: OnCommit) -> Result<Self> {
        let writing = Conn::open_for_writing(options)?;
        let readers = (0..options.readers.max(1))
            .map(|_| Conn::open_for_reading(options).map(Mutex::new))
            .collect::<Result<_>>()?;
        let writer = Writer::start(writing, options, on_commit)?;
        Ok(Self { writer, readers, next_reader: Arc::default() })
    }

    pub async fn write<C, T, E>(&self, input: C, work: Work<C, T, E>) -> Result<T, E>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.writer.write(input, work).await
    }

    /// Reads in the caller's thread: a point read from the page cache takes microseconds, a thread hop costs more.
    pub fn read<C, T, E: From<Error>>(&self, input: &C, work: Work<C, T, E>) -> Result<T, E> {
        let start = self.next_reader.fetch_add(1, Ordering::Relaxed);
        let count = self.readers.len();
        let free = (0..count).find_map(|step| self.readers[(start + step) % count].try_lock());
        let mut conn = free.unwrap_or_else(|| self.readers[start % count].lock());
        ready(work(&mut *conn, input)).unwrap_or_else(|| Err(Error::Awaited.into()))
    }

    pub fn gauge(&self) -> WriterGauge {
        self.writer.gauge()
    }

    /// Finishes the queued writes and closes the file for writing.
    pub async fn close(&self) {
        let writer = self.writer.clone();
        // It waits for the writer's thread, which is not for a thread of the runtime to do.
        if tokio::task::spawn_blocking(move || writer.close()).await.is_err() {
            tracing::error!("the database was not closed in order");
        }
    }
}

/// Polls a closure's future once. The seam's own futures are ready at once here; `None` says it awaited another.
pub(crate) fn ready<T>(mut future: BoxFuture<'_, T>) -> Option<T> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}
