//! What can go wrong below the seam. Says nothing about users: a missing row is not an error here.

use std::borrow::Cow;

/// A failure of the engine or of a closure given to it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine refused or failed: disk full, file gone, statement wrong. Nothing of the write is kept.
    #[error("the database failed: {0}")]
    Engine(Box<dyn std::error::Error + Send + Sync>),
    /// The engine cannot be reached, or was lost before the commit. Nothing of the write is kept; the same may go well later.
    #[error("the database is away: {0}")]
    Away(Box<str>),
    /// The engine was lost while it was committing. Caches are told as if the write were kept.
    #[error("the database was lost during a commit, and whether the write is kept is not known: {0}")]
    Unsure(Box<str>),
    /// Too much waits already, or a wait or a statement took too long, or a write met others too often. Nothing is kept.
    #[error("the database is busy: {0}")]
    Busy(Cow<'static, str>),
    /// A closure waited for something other than the seam. On the embedded engine it would have stopped the writer.
    #[error("a storage closure awaited something other than the database")]
    Awaited,
    /// A closure panicked; its part of the transaction was rolled back.
    #[error("a storage closure panicked")]
    Panicked,
    /// The store is closing; nothing was tried.
    #[error("the database is closed")]
    Closed,
    /// A column held what the code did not expect: a newer schema or a damaged file.
    #[error("column {column} holds {found}, expected {expected}")]
    Decode {
        /// Position of the column in the row, from 0.
        column: usize,
        /// What the code asked for.
        expected: &'static str,
        /// What the row held.
        found: &'static str,
    },
}

/// The result of everything below the seam.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<rusqlite::Error> for Error {
    fn from(source: rusqlite::Error) -> Self {
        Self::Engine(Box::new(source))
    }
}
