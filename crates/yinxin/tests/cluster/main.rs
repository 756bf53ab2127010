//! Three nodes, each a process, on one PostgreSQL and one NATS: they behave as one server, and go on when any of that is
//! killed. The bounds are promises of docs/scaling.md, so here time is measured.
//!
//! `YINXIN_CLUSTER_RACES=500` runs more races for one name, `YINXIN_CLUSTER_ROUNDS=20` more rounds of faults.

mod agreement;
mod bounds;
mod faults;
mod guests;
mod rooms;
mod talk;
mod wire;
mod world;
