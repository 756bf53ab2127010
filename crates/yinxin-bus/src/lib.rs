//! The bus between the nodes of a cluster, over NATS.
//!
//! Owns the connection, the subjects and the payloads of hints. Must not know what a hint is for. Nothing is kept in NATS:
//! what is lost on the way, or while the connection is away, is made good by looking into the database, which the other
//! side is told to do as soon as it can be told.

mod link;
pub mod wire;

pub use link::{Access, Link, Options, Unusable};
