//! Our own admin API, `/admin/v1`: apps, users, imports, complaints and the state of the server, for operators and the command line.
//!
//! Owns its routes, its wire types, the admin key and the OpenAPI document. Must not know a vendor's dialect, SQL or a
//! rule of the domain: a handler translates, calls one use case and translates back.

mod admin_tokens;
mod apps;
mod guard;
mod hooks;
mod import;
mod key;
mod openapi;
mod problem;
mod reports;
mod routes;
mod server;
mod users;
mod wire;

pub use key::AdminKey;
pub use openapi::DOCUMENT;
pub use routes::{OPERATIONS, Operation, router};
