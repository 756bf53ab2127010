//! Hooks: what is told, when it is told again, who is asked.

mod asked;
mod kit;
mod managed;
mod sessions;
mod told;
