//! Use cases on a real database with a clock that tests move: what races, what fails half way, what must not be
//! remembered. One binary; each module is about one promise.

mod apps;
mod cache;
mod conversations;
mod delivery;
mod doors;
mod edits;
mod files;
mod hooks;
mod kit;
mod messages;
mod passwords;
mod people;
mod presence;
mod reactions;
mod retention;
mod rooms;
mod tokens;
