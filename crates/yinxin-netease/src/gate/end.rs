//! Why a connection ends, as the websocket says it and the metrics count it.

use yinxin_core::rooms::live::{Departure, Ending};

/// Why a connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// The client left the room.
    Left,
    /// The client has hung up without a word.
    HungUp,
    /// The line is gone.
    Gone,
    /// The client was not let in; it knows why.
    Refused,
    /// It was dismissed; it knows.
    Kicked,
    /// The room was ended; it knows.
    RoomEnded,
    /// Its permission has ended; it knows.
    PermissionEnded,
    /// The same number came in elsewhere; it knows.
    Displaced,
    /// It came in again on another connection.
    Resumed,
    /// The server stops.
    ServerStops,
    /// Another server may have the room.
    SentAway,
    /// It did not ask to come in in time.
    NoJoin,
    /// It asked for something else before it was in.
    JoinDue,
    /// It asked to come in twice.
    JoinedAlready,
    /// A frame is not what it should be.
    Malformed,
    /// Bytes where text is due.
    WrongKind,
    /// A text is not UTF-8.
    NotText,
    /// A frame beyond the limit.
    TooLarge,
    /// A frame in too many pieces.
    TooScattered,
    /// More frames than may come.
    TooFast,
    /// Not the websocket protocol.
    NotTheProtocol,
    /// The client says nothing, even when asked.
    Silent,
    /// The client takes nothing.
    NotReading,
    /// More has happened in the room than the client took.
    TooSlow,
}

impl End {
    /// The close code of RFC 6455 and the reason, which is also the label in the metrics.
    pub fn code_and_reason(self) -> (u16, &'static str) {
        match self {
            Self::Left => (1000, "left"),
            // Of the next two only the metrics hear.
            Self::HungUp => (1000, "hung up"),
            Self::Gone => (1000, "gone"),
            Self::Refused => (1008, "join refused"),
            Self::Kicked => (1008, "kicked"),
            Self::RoomEnded => (1000, "room ended"),
            Self::PermissionEnded => (1008, "permission ended"),
            Self::Displaced => (1008, "displaced"),
            Self::Resumed => (1000, "resumed elsewhere"),
            Self::ServerStops => (1001, "server stops"),
            Self::SentAway => (1001, "sent away"),
            Self::NoJoin => (1008, "no join"),
            Self::JoinDue => (1008, "join due"),
            Self::JoinedAlready => (1008, "joined already"),
            Self::Malformed => (1007, "malformed frame"),
            Self::WrongKind => (1003, "wrong kind of message"),
            Self::NotText => (1007, "text not UTF-8"),
            Self::TooLarge => (1009, "frame too large"),
            Self::TooScattered => (1008, "too many fragments"),
            Self::TooFast => (1008, "too many frames"),
            Self::NotTheProtocol => (1002, "protocol error"),
            Self::Silent => (1008, "silent"),
            Self::NotReading => (1008, "not reading"),
            Self::TooSlow => (1008, "too slow"),
        }
    }

    /// Whether the client was told why, and goes by itself.
    pub fn was_told(self) -> bool {
        matches!(self, Self::Refused | Self::Kicked | Self::RoomEnded | Self::PermissionEnded | Self::Displaced)
    }

    /// How the others see that the client has gone; `None`: it may come back, and until then they see nothing.
    pub fn departure(self) -> Option<Departure> {
        match self {
            Self::Left => Some(Departure::Left),
            Self::Kicked | Self::RoomEnded | Self::PermissionEnded => Some(Departure::Dismissed),
            // The seat is another connection's.
            Self::Refused | Self::Displaced | Self::Resumed => Some(Departure::Lost),
            _ => None,
        }
    }
}

impl From<Ending> for End {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Kicked => Self::Kicked,
            Ending::RoomEnded => Self::RoomEnded,
            Ending::Displaced => Self::Displaced,
            Ending::Resumed => Self::Resumed,
            Ending::ServerStops => Self::ServerStops,
            Ending::SentAway => Self::SentAway,
        }
    }
}
