//! Development only: what the test suites of several crates share. Owns no behaviour of the product, and knows the
//! product only from outside: its binary, its command line and its sockets.

pub mod bucket;
pub mod fuzz;
pub mod golden;
pub mod http;
pub mod server;
pub mod storage;

/// The time as tests tell it to a server in another process.
#[expect(clippy::disallowed_methods, reason = "the other process has the wall clock only")]
pub(crate) fn now_ms() -> i64 {
    use std::time::{SystemTime, UNIX_EPOCH};
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(since.as_millis()).expect("a clock before the year 292 million")
}
