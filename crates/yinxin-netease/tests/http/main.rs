//! The dialect's behaviour over HTTP, in this process: a router on a fresh database, a clock that tests move, backends of
//! two apps. What is expected comes from the seed document and `docs/dialects/netease.md`.

mod asking;
mod world;

mod accounts;
mod admit;
mod bad_input;
mod gate;
mod gate_cluster;
mod media;
mod media_chance;
mod model;
mod openapi;
mod profiles;
mod rooms;
mod signing;
mod tokens;
