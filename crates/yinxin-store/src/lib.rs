//! Storage: every SQL statement of the product, once, in text that SQLite and PostgreSQL both read.
//!
//! Owns the tables, the migrations, the seam [`Sql`] and the drivers below it. Must not know a use case, a limit, a
//! vendor or HTTP: a function here is one statement (or a short fixed list of them) with its arguments and its rows.
//!
//! The rules that keep one text true on two engines are in ARCHITECTURE.md, "Storage".

mod db;
mod error;
mod ids;
mod migrations;
mod postgres;
mod seam;
mod sqlite;
mod value;

pub mod tables;
pub mod transfer;

pub use db::{Db, Input, Options};
pub use error::{Error, Result};
pub use ids::{AppId, FileId, HookId, NodeId, ObjectId, TokenId, UserId};
pub use postgres::{Hold, POSTGRES_VERSION_MIN, PostgresOptions, Refused, Survey, Tenancy, describe_url, survey};
pub use seam::{BoxFuture, Sql, Touched, Work};
pub use sqlite::{SqliteOptions, WriterGauge, quick_check};
pub use value::{Arg, FromValue, Row, Value};
