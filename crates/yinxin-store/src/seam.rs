//! The seam between statements and engines: two methods, and a note of what a write touched.

use std::pin::Pin;

use crate::error::Result;
use crate::ids::{AppId, HookId, UserId};
use crate::value::{Arg, Row};

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a write or a read does with its input.
pub type Work<C, T, E> = for<'a> fn(&'a mut dyn Sql, &'a C) -> BoxFuture<'a, Result<T, E>>;

/// A connection in a transaction (a write) or on its own (a read). All statements of the product go through it.
///
/// On SQLite the futures are ready at once; on PostgreSQL they wait for the network. A closure may await nothing else.
pub trait Sql: Send {
    /// Runs a statement and says how many rows it changed.
    fn exec<'a>(&'a mut self, sql: &'static str, args: &'a [Arg<'a>]) -> BoxFuture<'a, Result<u64>>;

    /// Runs a query and gives its rows.
    fn rows<'a>(&'a mut self, sql: &'static str, args: &'a [Arg<'a>]) -> BoxFuture<'a, Result<Vec<Row>>>;

    /// Notes what this write changes; told to the subscriber of [`crate::Db`] after the commit and before the
    /// caller's answer. Forgotten when the write is rolled back.
    fn touch(&mut self, touched: Touched);
}

/// Hears what commits touched.
pub(crate) type OnCommit = Box<dyn Fn(&[Touched]) + Send + Sync>;

/// What a committed write changed, as far as memory may hold an older copy of it. A hint to look again, not the news.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Touched {
    /// The app's row or its secrets.
    App(AppId),
    /// The user's row, its names, or that there is such a user.
    User(AppId, UserId),
    /// The room tokens of that number.
    RoomTokens(AppId, i64),
    /// Something more is to be told to the hook.
    Outbox(AppId, HookId),
}
