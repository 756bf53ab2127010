//! Why a connection ends, as the websocket says it and the metrics count it.

use crate::Ending;

/// Why a connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The client has hung up.
    HungUp,
    /// The line is gone.
    Gone,
    /// The client has logged out.
    LoggedOut,
    /// The login was refused; the client knows why.
    Refused,
    /// The domain wanted it; the client knows why.
    Dismissed,
    /// Another connection took its place; the client knows.
    Displaced,
    /// The token has ended and no other came.
    TokenEnded,
    /// The server stops.
    ServerStops,
    /// No login came in time.
    NoLogin,
    /// Something else came before the login.
    LoginDue,
    /// A second login came.
    LoggedInAlready,
    /// A frame is not what it should be.
    Malformed,
    /// A text where bytes are due, or bytes where text is.
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
    /// Our fault.
    Broken,
}

impl End {
    /// The close code of RFC 6455 and the reason, which is also the label in the metrics.
    pub fn code_and_reason(self) -> (u16, &'static str) {
        match self {
            // Of the first two only the metrics hear.
            Self::HungUp => (1000, "hung up"),
            Self::Gone => (1000, "gone"),
            Self::LoggedOut => (1000, "logged out"),
            Self::Refused => (1008, "login refused"),
            Self::Dismissed => (1008, "dismissed"),
            Self::Displaced => (1008, "displaced"),
            Self::TokenEnded => (1008, "token ended"),
            Self::ServerStops => (1001, "server stops"),
            Self::NoLogin => (1008, "no login"),
            Self::LoginDue => (1008, "login due"),
            Self::LoggedInAlready => (1008, "logged in already"),
            Self::Malformed => (1007, "malformed frame"),
            Self::WrongKind => (1003, "wrong kind of message"),
            Self::NotText => (1007, "text not UTF-8"),
            Self::TooLarge => (1009, "frame too large"),
            Self::TooScattered => (1008, "too many fragments"),
            Self::TooFast => (1008, "too many frames"),
            Self::NotTheProtocol => (1002, "protocol error"),
            Self::Silent => (1008, "silent"),
            Self::NotReading => (1008, "not reading"),
            Self::Broken => (1011, "server error"),
        }
    }
}

impl From<&Ending> for End {
    fn from(ending: &Ending) -> Self {
        match ending {
            Ending::Asked(_) => Self::Dismissed,
            Ending::Displaced(_) => Self::Displaced,
            Ending::ServerStops => Self::ServerStops,
        }
    }
}
