//! The dialect's behaviour over HTTP, in this process: a router on a fresh database, a clock that tests move, two apps.
//! What is expected comes from the seed document and `docs/dialects/lanying.md`.

mod asking;
mod world;

mod accounts;
mod bad_input;
mod bodies;
mod devices;
mod files;
mod groups;
mod isolation;
mod model;
mod numbers;
mod push;
mod rights;
mod roster;
mod tokens;
mod uploads;
