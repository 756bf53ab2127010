//! Who is in which room of this server now, and how each is reached.
//!
//! Owns the seats: taking one, giving it back, who is told of it. Must not know a wire format, the database or the time. What
//! is in the database decides who may sit down and how long a room lives; what is here is lost with the process, and
//! whoever comes back with its pass sits down again.
//!
//! Whom something is told to is told under the room's lock, so that all hear all in the same order.

mod seats;

use std::sync::Arc;

use yinxin_store::AppId;

use super::names::RoomUid;

pub use seats::{Bounds, Full, Live, Seat};

/// A room: the app and the room's number.
pub type RoomKey = (AppId, i64);

/// How somebody takes part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Role {
    /// Is seen by the others.
    #[default]
    Host,
    /// Only watches: the others are not told of it.
    Audience,
}

/// Somebody in a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Its number.
    pub uid: RoomUid,
    /// How it takes part.
    pub role: Role,
    /// When it came in.
    pub entered_ms: i64,
    /// What it said about itself.
    pub about: Arc<About>,
}

/// What somebody says about itself when it comes in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct About {
    /// Its name for people.
    pub user_name: String,
    /// The number of its kind of client.
    pub platform: i64,
    /// A text of its own for the others.
    pub custom: String,
}

/// How somebody left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Departure {
    /// Of its own will.
    Left,
    /// Its connection was lost and did not come back.
    Lost,
    /// It was dismissed.
    Dismissed,
}

/// What the others in a room are told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// Somebody is here.
    Entered(Member),
    /// Somebody is not here any more.
    Gone(RoomUid, Departure),
    /// Somebody takes part in another way now.
    Changed(Member),
}

/// Why a connection loses its seat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It was dismissed: a backend kicked it, or its user was banned.
    Kicked,
    /// The room was ended.
    RoomEnded,
    /// The same number has come in with another pass.
    Displaced,
    /// The same pass has come in again: another connection has the seat now.
    Resumed,
    /// The server stops; the seat is kept in the database.
    ServerStops,
    /// The server does not know any more whether the room is its own.
    SentAway,
}

/// What is told to a connection. Called on whatever thread has the news and under the room's lock: both must be quick, must
/// not block, and must not call back.
pub trait Line: Send + Sync {
    /// Something happened in the room.
    fn tell(&self, notice: &Arc<Notice>);
    /// It has no seat any more. May be called more than once; the first counts.
    fn end(&self, ending: Ending);
}
