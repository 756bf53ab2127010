//! Calls over real sockets on this machine, and the loop that decides when they are made.

mod client;
mod dispatch;
mod receiver;
