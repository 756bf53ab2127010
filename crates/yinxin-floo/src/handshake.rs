//! The query of the request that opens a connection, and what is said when it asks for something else.
//!
//! Must not know a path, a header or a status; a refusal has status 400.

/// Why a request opens no connection, in the words of Engine.IO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A transport other than a websocket. The SDKs use no other.
    Transport,
    /// An id of a session that is kept over requests; with websockets only there are none.
    Session,
    /// Not a websocket's request.
    BadRequest,
    /// Another version of the protocol than 3, which servers of the second generation speak.
    Version,
}

impl Refusal {
    /// The body, JSON.
    pub const fn body(self) -> &'static str {
        match self {
            Self::Transport => r#"{"code":0,"message":"Transport unknown"}"#,
            Self::Session => r#"{"code":1,"message":"Session ID unknown"}"#,
            Self::BadRequest => r#"{"code":3,"message":"Bad request"}"#,
            Self::Version => r#"{"code":5,"message":"Unsupported protocol version"}"#,
        }
    }
}

/// Whether the query asks for what is served: `EIO=3&transport=websocket`, and no session that is there already. A client
/// that says no version means 3, as the library of that generation did.
pub fn check(query: &str) -> Result<(), Refusal> {
    let value = |name: &str| {
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    if value("EIO").is_some_and(|version| version != "3") {
        return Err(Refusal::Version);
    }
    if value("transport") != Some("websocket") {
        return Err(Refusal::Transport);
    }
    if value("sid").is_some_and(|sid| !sid.is_empty()) {
        return Err(Refusal::Session);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fresh_websocket_of_the_third_version_is_opened() {
        assert_eq!(check("EIO=3&transport=websocket"), Ok(()));
        assert_eq!(check("transport=websocket&b64=1&t=NxYz"), Ok(()));
        assert_eq!(check("EIO=3&transport=websocket&sid="), Ok(()));
        assert_eq!(check("EIO=4&transport=websocket"), Err(Refusal::Version));
        assert_eq!(check("EIO=3&transport=polling"), Err(Refusal::Transport));
        assert_eq!(check(""), Err(Refusal::Transport));
        assert_eq!(check("EIO=3&transport=websocket&sid=abc"), Err(Refusal::Session));
    }
}
