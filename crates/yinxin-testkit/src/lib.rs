//! Development only: what the test suites of several crates share. Owns no behaviour of the product, and knows the
//! product only from outside: its binary, its command line and its sockets.

pub mod bucket;
pub mod fuzz;
pub mod golden;
pub mod http;
pub mod server;
