//! Hooks out of the process: the HTTP client that carries calls, and the loop that decides when which call is made.
//!
//! Owns connections, certificates, addresses that may be called, and how much is under way. Must not know what an event
//! says, how it is signed, when it is tried again or what a failure means: that is [`yinxin_core::hooks`].

mod addresses;
mod client;
mod dispatch;
mod line;

pub use client::{Client, ClientOptions, Unusable};
pub use dispatch::{Bounds, run};
