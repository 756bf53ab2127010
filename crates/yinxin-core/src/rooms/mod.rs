//! Rooms that users meet in under a number: their names, the tokens and keys that open them, who is in which and on which
//! node, who may not come in; and what media servers of others are told.

pub mod admission;
pub mod doors;
pub(crate) mod endings;
pub mod homes;
pub mod kicks;
pub mod live;
pub mod media;
pub mod names;
pub mod records;
pub mod tokens;

pub use names::{RoomName, RoomUid};
pub use records::Room;
