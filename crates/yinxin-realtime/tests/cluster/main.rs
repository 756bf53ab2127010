//! Servers that are one of many, on one database and a bus that may lose, delay and repeat what it carries.

mod bus;
mod closing;
mod memory;
mod passwords;
mod record;
mod world;
