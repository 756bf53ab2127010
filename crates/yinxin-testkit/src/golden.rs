//! Golden samples: the requests and replies a vendor's documents print, replayed against a running server.
//!
//! One file per printed sample; [`Sample`] is the format, the README beside the files explains it to whoever adds one.
//! The sample stands in the file as printed; what cannot be the same on another server is dealt with in three ways:
//! - names: the app's name, its credentials and what a step learned are replaced by this server's ([`names`]);
//! - ids: a uuid of the sample stands for one uuid of this server, the same throughout a reply ([`compare`]);
//! - times, tokens and cursors are checked for shape and plausibility ([`shape`]).
//!
//! Everything else is compared exactly: a missing key, an extra key and another value are all differences.

pub mod compare;
pub mod coverage;
pub mod names;
pub mod replay;
pub mod sample;
pub mod shape;

pub use coverage::{Call, Coverage};
pub use replay::{Host, replay_all};
pub use sample::Sample;
