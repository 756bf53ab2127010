//! JSON bodies, and what several of them hold.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use yinxin_core::rooms::RoomUid;
use yinxin_core::rooms::tokens;
use yinxin_core::{Code, Error, Result};

/// Reads JSON, whatever it is labelled as. A field that the call does not know is refused by the types: a permission key
/// under a name that is nearly right must not count as none.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|fault| Error::about(Code::FieldIllegal, format!("JSON: {fault}")))
}

/// A number of a room's member: as a number or, since many programs cannot hold a large one exactly, as its digits.
#[derive(Deserialize)]
#[serde(untagged, expecting = "uid must be a number or its digits")]
pub(super) enum Uid {
    Number(Number),
    Digits(String),
}

impl Uid {
    pub fn parse(given: Option<&Self>) -> Result<RoomUid> {
        match given {
            Some(Self::Number(number)) => RoomUid::parse(&number.to_string()),
            Some(Self::Digits(digits)) => RoomUid::parse(digits),
            None => RoomUid::parse(""),
        }
    }
}

/// What somebody may do.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "one per privilege, as the wire has it")]
pub(super) struct Privileges {
    send_audio: bool,
    send_video: bool,
    receive_audio: bool,
    receive_video: bool,
    create: bool,
    join: bool,
}

impl From<tokens::Privileges> for Privileges {
    fn from(privileges: tokens::Privileges) -> Self {
        use tokens::Privileges as P;
        let may = |what| privileges.include(what);
        Self {
            send_audio: may(P::SEND_AUDIO),
            send_video: may(P::SEND_VIDEO),
            receive_audio: may(P::RECEIVE_AUDIO),
            receive_video: may(P::RECEIVE_VIDEO),
            create: may(P::CREATE),
            join: may(P::JOIN),
        }
    }
}
