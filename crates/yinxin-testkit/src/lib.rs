//! Development only: what the test suites of several crates share. Owns no behaviour of the product: it knows it from
//! outside, by its binary, its command line and its sockets, or ([`ground`], [`asking`]) as a core and a router in the
//! test's own process.

pub mod asking;
pub mod bucket;
pub mod chat;
pub mod fuzz;
pub mod golden;
pub mod ground;
pub mod http;
pub mod model;
pub mod nats;
pub mod postgres;
pub mod server;
pub mod storage;

/// The time as tests tell it to a server in another process.
#[expect(clippy::disallowed_methods, reason = "the other process has the wall clock only")]
pub(crate) fn now_ms() -> i64 {
    use std::time::{SystemTime, UNIX_EPOCH};
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(since.as_millis()).expect("a clock before the year 292 million")
}
