//! The chat gateway over real sockets, against peers that do not play by the rules: each ends as it should, with the
//! websocket's word for why, and its neighbours go on.

mod closing;
mod floods;
mod frames;
mod framings;
mod logins;
mod silent;
mod slow;
mod token;
mod world;

/// Counts what is allocated, for the tests that bound it.
#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;
