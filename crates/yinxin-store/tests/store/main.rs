//! The store as its users see it: writes that share commits, faults that stay where they happen, the schema and the
//! texts of its statements. One binary; each module is about one promise.

mod deletion;
mod files;
mod full;
mod hints;
mod killed;
mod kit;
mod plans;
mod portable;
mod rooms;
mod schema;
mod schemas;
mod served;
mod transfer;
mod writer;
