//! The dialect's behaviour over HTTP, in this process: a router on a fresh database, a clock that tests move, two apps.
//! What is expected comes from the seed document and `docs/dialects/lanying.md`.

mod asking;
mod world;

mod accounts;
mod bad_input;
mod devices;
mod files;
mod isolation;
mod model;
mod push;
mod rights;
mod roster;
mod tokens;
mod uploads;
