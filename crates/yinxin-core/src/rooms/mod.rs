//! Rooms that users meet in under a number: their names, and the tokens and keys that open them.

pub mod names;
pub mod tokens;

pub use names::{RoomName, RoomUid};
