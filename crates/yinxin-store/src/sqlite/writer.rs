//! The writer thread: takes queued closures, runs many in one transaction with a savepoint each, commits once, and only
//! then answers each. One closure's failure, panic or stray await undoes that closure alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::conn::Conn;
use super::{SqliteOptions, ready};
use crate::error::{Error, Result};
use crate::seam::{OnCommit, Sql, Touched, Work};

/// What the writer is doing, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterGauge {
    /// Writes waiting.
    pub queued: usize,
    /// Writes in the last commit.
    pub last_group: usize,
    /// Commits since the start.
    pub commits: usize,
    /// Statements of the product run since the start: what writes cost.
    pub statements: usize,
}

#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    last_group: AtomicUsize,
    commits: AtomicUsize,
    statements: AtomicUsize,
}

impl Writer {
    pub fn start(conn: Conn, options: &SqliteOptions, on_commit: OnCommit) -> Result<Self> {
        let (queue, waiting) = mpsc::channel(options.queue.max(1));
        let counts = Arc::new(Counts::default());
        let state = State {
            conn,
            path: options.path.clone(),
            group_max: options.group.max(1),
            on_commit,
            counts: Arc::clone(&counts),
        };
        let thread = std::thread::Builder::new()
            .name("yinxin-writer".into())
            .spawn(move || state.run(waiting))
            .map_err(|source| Error::Engine(Box::new(source)))?;
        Ok(Self { queue, thread: Arc::new(Mutex::new(Some(thread))), counts })
    }

    pub async fn write<C, T, E>(&self, input: C, work: Work<C, T, E>) -> Result<T, E>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Write { input, work, outcome: None, reply });
        self.queue.try_send(Message::Job(job)).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => {
                Error::Busy(format!("{} writes are waiting already", self.queue.max_capacity()).into())
            }
            mpsc::error::TrySendError::Closed(_) => Error::Closed,
        })?;
        answer.await.unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    pub fn gauge(&self) -> WriterGauge {
        WriterGauge {
            queued: self.queue.max_capacity() - self.queue.capacity(),
            last_group: self.counts.last_group.load(Ordering::Relaxed),
            commits: self.counts.commits.load(Ordering::Relaxed),
            statements: self.counts.statements.load(Ordering::Relaxed),
        }
    }

    /// Ends the thread once the queue is empty. Writes that come later are answered [`Error::Closed`].
    pub fn close(&self) {
        let Some(thread) = self.thread.lock().take() else { return };
        if self.queue.blocking_send(Message::Close).is_ok() && thread.join().is_err() {
            tracing::error!("the writer thread had panicked");
        }
    }
}

enum Message {
    Job(Box<dyn Job>),
    /// Finish what is queued, take nothing more.
    Close,
}

/// A queued write with its types erased.
trait Job: Send {
    /// The caller no longer waits; a write that has not begun need not.
    fn is_abandoned(&self) -> bool;
    /// Runs the closure and keeps its outcome; `false` asks for a rollback of what it did.
    fn run(&mut self, sql: &mut dyn Sql) -> bool;
    /// Tells the caller, once the commit has succeeded or failed.
    fn answer(self: Box<Self>, commit: Result<()>);
}

struct Write<C, T, E> {
    input: C,
    work: Work<C, T, E>,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<C, T, E> Job for Write<C, T, E>
where
    C: Send + Sync,
    T: Send,
    E: From<Error> + Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(&mut self, sql: &mut dyn Sql) -> bool {
        let work = AssertUnwindSafe(|| ready((self.work)(sql, &self.input)));
        let outcome = match catch_unwind(work) {
            Ok(Some(outcome)) => outcome,
            Ok(None) => Err(Error::Awaited.into()),
            Err(_) => Err(Error::Panicked.into()),
        };
        self.outcome.insert(outcome).is_ok()
    }

    fn answer(self: Box<Self>, commit: Result<()>) {
        let outcome = match (commit, self.outcome) {
            (Err(failed), None | Some(Ok(_))) => Err(failed.into()),
            (_, Some(outcome)) => outcome,
            (Ok(()), None) => Err(Error::Closed.into()),
        };
        // The caller may have gone; the write stands all the same.
        let _gone = self.reply.send(outcome);
    }
}

struct State {
    conn: Conn,
    path: PathBuf,
    group_max: usize,
    on_commit: OnCommit,
    counts: Arc<Counts>,
}

impl State {
    fn run(mut self, mut queue: mpsc::Receiver<Message>) {
        let mut group = Vec::with_capacity(self.group_max);
        while let Some(message) = queue.blocking_recv() {
            match message {
                Message::Job(first) => {
                    group.push(first);
                    self.commit_group(&mut group, &mut queue);
                }
                Message::Close => queue.close(),
            }
        }
        self.conn.fold_log_away();
    }

    /// Runs what is queued, up to the bound, in one transaction. Jobs that arrive meanwhile join it.
    fn commit_group(&mut self, group: &mut Vec<Box<dyn Job>>, queue: &mut mpsc::Receiver<Message>) {
        let mut begun = self.conn.control("BEGIN IMMEDIATE");
        let mut position = 0;
        while begun.is_ok() && position < group.len() {
            begun = self.run_one(group[position].as_mut());
            position += 1;
            while group.len() < self.group_max
                && let Ok(message) = queue.try_recv()
            {
                match message {
                    Message::Job(next) => group.push(next),
                    Message::Close => queue.close(),
                }
            }
        }
        let committed = begun.and_then(|()| self.conn.control("COMMIT"));
        self.settle(group, committed);
    }

    /// One closure within its savepoint. An error here means that the transaction itself is broken.
    fn run_one(&mut self, job: &mut dyn Job) -> Result<()> {
        if job.is_abandoned() {
            return Ok(());
        }
        self.conn.control("SAVEPOINT job")?;
        let touched_before = self.conn.touched.len();
        if !job.run(&mut self.conn) {
            self.conn.touched.truncate(touched_before);
            self.conn.control("ROLLBACK TO job")?;
        }
        self.conn.control("RELEASE job")
    }

    fn settle(&mut self, group: &mut Vec<Box<dyn Job>>, committed: Result<()>) {
        let touched: Vec<Touched> = std::mem::take(&mut self.conn.touched);
        self.counts.statements.fetch_add(std::mem::take(&mut self.conn.statements), Ordering::Relaxed);
        let failure = committed.err().map(|error| error.to_string());
        if let Some(text) = &failure {
            tracing::error!(error = text, writes = group.len(), "a group of writes could not be committed");
            if self.conn.in_transaction()
                && let Err(source) = self.conn.control("ROLLBACK")
            {
                tracing::error!(%source, "the failed transaction could not be rolled back");
            }
        } else {
            self.counts.last_group.store(group.len(), Ordering::Relaxed);
            self.counts.commits.fetch_add(1, Ordering::Relaxed);
            (self.on_commit)(&touched);
        }
        for job in group.drain(..) {
            job.answer(failure.as_ref().map_or(Ok(()), |text| Err(Error::Engine(text.clone().into()))));
        }
        self.conn.bound_log(&self.path);
    }
}
