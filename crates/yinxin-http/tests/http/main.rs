//! The HTTP kit over real sockets. No sleeps: a test waits for bytes, or for the end of a connection, with a deadline.

mod clients;
mod forms;
mod harness;
mod limits;
mod observed;
mod protocol;
mod shutdown;
mod timeouts;
mod websocket;
