//! The gateway over real sockets, against peers that do not play by the rules: each ends as it should, with the websocket's
//! word for why, and nobody is shown what is not so.

mod chatting;
mod deeds;
mod endings;
mod logins;
mod peer;
mod slow;
mod world;

/// Counts what is allocated, for the tests that bound it.
#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;
