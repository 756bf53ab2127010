//! A connection as a closure sees it: the seam, what was touched, what went wrong, and whether the closure waits for the
//! database or for something else.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use super::conn::{Conn, Failure, Kind, kind, told};
use crate::error::{Error, Result};
use crate::seam::{BoxFuture, Sql, Touched};
use crate::value::{Arg, Row};

pub(super) struct Session<'c> {
    conn: &'c mut Conn,
    flight: Arc<Flight>,
    /// What the first statement that failed means. PostgreSQL runs nothing more in its transaction; that the closure may
    /// have overlooked it must not make a half of it.
    trouble: Option<Kind>,
    pub touched: Vec<Touched>,
    /// Statements run.
    pub statements: usize,
}

/// Whether a statement is under way, and whether one was left while it was.
#[derive(Default)]
pub(super) struct Flight {
    flying: AtomicBool,
    left: AtomicBool,
}

/// A statement under way.
struct Aloft<'f>(&'f Flight);

impl<'f> Aloft<'f> {
    fn begin(flight: &'f Flight) -> Self {
        flight.flying.store(true, Ordering::Relaxed);
        Self(flight)
    }

    fn land(self) {
        self.0.flying.store(false, Ordering::Relaxed);
        std::mem::forget(self);
    }
}

impl Drop for Aloft<'_> {
    fn drop(&mut self) {
        self.0.flying.store(false, Ordering::Relaxed);
        self.0.left.store(true, Ordering::Relaxed);
    }
}

impl<'c> Session<'c> {
    pub fn new(conn: &'c mut Conn) -> Self {
        Self { conn, flight: Arc::default(), trouble: None, touched: Vec::new(), statements: 0 }
    }

    pub fn flight(&self) -> Arc<Flight> {
        Arc::clone(&self.flight)
    }

    pub fn is_lost(&self) -> bool {
        self.trouble == Some(Kind::Lost)
    }

    /// What stands in the way of a commit.
    pub fn trouble(&self) -> Option<Kind> {
        // Nobody knows what became of a statement that was left.
        self.trouble.or(self.flight.left.load(Ordering::Relaxed).then_some(Kind::Fault))
    }

    fn note<T>(&mut self, done: Result<T, Failure>) -> Result<T> {
        self.statements += 1;
        done.map_err(|failure| {
            self.trouble.get_or_insert(kind(&failure));
            told(&failure)
        })
    }

    /// Refuses what a closure does after a failure that it overlooked.
    fn check(&self) -> Result<()> {
        match self.trouble {
            Some(_) => Err(Error::Engine("the transaction has failed already".into())),
            None => Ok(()),
        }
    }
}

impl Sql for Session<'_> {
    fn exec<'a>(&'a mut self, sql: &'static str, args: &'a [Arg<'a>]) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            self.check()?;
            let flight = self.flight();
            let aloft = Aloft::begin(&flight);
            let done = self.conn.exec(sql, args).await;
            aloft.land();
            self.note(done)
        })
    }

    fn rows<'a>(&'a mut self, sql: &'static str, args: &'a [Arg<'a>]) -> BoxFuture<'a, Result<Vec<Row>>> {
        Box::pin(async move {
            self.check()?;
            let flight = self.flight();
            let aloft = Aloft::begin(&flight);
            let found = self.conn.rows(sql, args).await;
            aloft.land();
            self.note(found)
        })
    }

    fn touch(&mut self, touched: Touched) {
        self.touched.push(touched);
    }
}

/// Runs a closure's future as long as it waits for the database; `None` says that it awaited something else.
pub(super) async fn attended<T>(flight: &Flight, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if flight.flying.load(Ordering::Relaxed) => Poll::Pending,
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
