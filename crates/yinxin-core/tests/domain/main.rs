//! Use cases on a real database with a clock that tests move: what races, what fails half way, what must not be
//! remembered. One binary; each module is about one promise.

mod apps;
mod cache;
mod conversations;
mod edits;
mod kit;
mod messages;
mod passwords;
mod people;
mod reactions;
mod retention;
mod tokens;
