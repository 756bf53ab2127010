//! The admin API as its callers see it, called in process.

mod apps;
mod bad_input;
mod harness;
mod hooks;
mod import;
mod openapi;
mod reports;
mod users;
