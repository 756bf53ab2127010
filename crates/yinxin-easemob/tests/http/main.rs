//! The dialect's behaviour over HTTP, in this process: a router on a fresh database, a clock that tests move, and
//! actors with every kind of credential. What is expected comes from the seed documents and `docs/dialects/easemob.md`.

mod asking;
mod connections;
mod operations;
mod world;

mod attributes;
mod bad_input;
mod blocks;
mod clients;
mod contacts;
mod conversations;
mod failures;
mod files;
mod model;
mod mutes;
mod online;
mod paging;
mod presence;
mod push;
mod rates;
mod rights;
mod tokens;
mod users;
