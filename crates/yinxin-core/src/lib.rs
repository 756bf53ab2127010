//! The domain: who the users of an app are, which tokens they hold, whom they know and may hear from.
//!
//! Owns every rule, limit and name of the product. Must not know HTTP, a vendor's name or wire format, or SQL text.
//! A use case is a function `module::verb(ctx, app, …)`; whatever a vendor does differently is a parameter of it.

pub mod apps;
pub mod attributes;
pub mod blocks;
pub mod bus;
pub mod chores;
pub mod clock;
pub mod cluster;
pub mod contacts;
pub mod conversations;
pub mod ctx;
pub mod db;
pub mod error;
pub mod file_tokens;
pub mod files;
pub mod hooks;
pub mod keys;
pub mod limits;
pub mod messages;
pub mod mint;
pub mod mutes;
pub mod names;
pub mod offline;
pub mod passwords;
pub mod pins;
pub mod presence;
pub mod profiles;
pub mod push;
pub mod push_tokens;
pub mod pushes;
pub mod rates;
pub mod reactions;
pub mod reports;
pub mod retention;
pub mod rng;
pub mod rooms;
pub mod sessions;
pub mod settings;
pub mod signed_calls;
pub mod tokens;
pub mod users;
pub(crate) mod wrong_passwords;

mod cache;

pub use apps::App;
pub use ctx::Ctx;
pub use error::{Code, Error, Result};
pub use users::User;
pub use yinxin_store::transfer;
pub use yinxin_store::{
    AppId, Db, Hold, HookId, NodeId, Options as Database, POSTGRES_VERSION_MIN, PostgresOptions, Refused,
    SqliteOptions, Survey, Tenancy, Touched, UserId, describe_url, quick_check, survey,
};
