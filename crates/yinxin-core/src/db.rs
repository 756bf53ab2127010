//! [`Db`]: the database as use cases have it. A write that changes what other nodes may have in memory ends when they have
//! forgotten it, or are too late to be waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use yinxin_store::{Arg, BoxFuture, Error, Input, Row, Sql, Touched, Work, WriterGauge};

use crate::cluster::Touches;

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    engine: yinxin_store::Db,
    touches: Option<Arc<Touches>>,
}

impl Db {
    pub(crate) fn new(engine: yinxin_store::Db, touches: Option<Arc<Touches>>) -> Self {
        Self { engine, touches }
    }

    /// Runs `work` in a transaction. When this returns `Ok`, the change is on disk, and nobody reads the older value. Any
    /// `Err` undoes all of it.
    pub async fn write<C: Input, T, E>(&self, input: C, work: Work<C, T, E>) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &self.touches {
            None => self.engine.write(input, work).await,
            Some(touches) => Box::pin(self.write_and_settle(touches, input, work)).await,
        }
    }

    async fn write_and_settle<C: Input, T, E>(&self, touches: &Touches, input: C, work: Work<C, T, E>) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let touches_any = Arc::new(AtomicBool::new(false));
        let noted = Noted { input, work, touches_any: Arc::clone(&touches_any) };
        let written = self
            .engine
            .write(noted, |sql, noted| {
                Box::pin(async move {
                    let mut noting = Noting { sql, touches_any: &noted.touches_any };
                    (noted.work)(&mut noting, &noted.input).await
                })
            })
            .await?;
        if touches_any.load(Ordering::Relaxed) {
            touches.settle().await;
        }
        Ok(written)
    }

    /// Runs `work` on a read-only connection. Each statement sees all that was committed before it began.
    pub async fn read<C: Input, T, E: From<Error>>(&self, input: C, work: Work<C, T, E>) -> Result<T, E> {
        self.engine.read(input, work).await
    }

    /// Whether it is the embedded engine, which does one write after the other.
    pub(crate) fn is_embedded(&self) -> bool {
        self.engine.is_embedded()
    }

    /// Reads since the start: for metrics.
    pub fn reads(&self) -> u64 {
        self.engine.reads()
    }

    /// How many writes are queued, and how large the last group commit was: for metrics.
    pub fn writer_gauge(&self) -> WriterGauge {
        self.engine.writer_gauge()
    }

    /// Finishes the queued writes and refuses later ones; for the end of a process.
    pub async fn close(&self) {
        self.engine.close().await;
    }
}

struct Noted<C, T, E> {
    input: C,
    work: Work<C, T, E>,
    touches_any: Arc<AtomicBool>,
}

/// Notes whether a write touches what may be in memory.
struct Noting<'a> {
    sql: &'a mut dyn Sql,
    touches_any: &'a AtomicBool,
}

impl Sql for Noting<'_> {
    fn exec<'a>(&'a mut self, sql: &'static str, args: &'a [Arg<'a>]) -> BoxFuture<'a, yinxin_store::Result<u64>> {
        self.sql.exec(sql, args)
    }

    fn rows<'a>(&'a mut self, sql: &'static str, args: &'a [Arg<'a>]) -> BoxFuture<'a, yinxin_store::Result<Vec<Row>>> {
        self.sql.rows(sql, args)
    }

    fn touch(&mut self, touched: Touched) {
        // Of outboxes nothing is in memory.
        if !matches!(touched, Touched::Outbox(..)) {
            self.touches_any.store(true, Ordering::Relaxed);
        }
        self.sql.touch(touched);
    }
}
