//! The Easemob dialect: its REST calls over the one user base.
//!
//! Owns routes, wire types, envelopes and error texts. Must not know SQL, limits, hashing, token formats or another
//! dialect: a handler turns the wire into a use case of `yinxin_core` and its result into the wire.

mod rest;

pub use rest::{Options, router};
