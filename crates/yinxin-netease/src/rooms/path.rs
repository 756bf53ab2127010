//! Which call a request is: by its method and path, and the parameters in the path or behind it.

use axum::http::{HeaderMap, Method, Uri};
use bytes::Bytes;
use yinxin_core::rates::Bucket;
use yinxin_core::rooms::live::Role;
use yinxin_core::rooms::records::Which;
use yinxin_core::rooms::{RoomName, RoomUid};
use yinxin_core::{Code, Error, Result};

use crate::actions::form::Form;

#[cfg(test)]
mod tests;

/// A call, and what its path says.
#[derive(Debug)]
pub(super) enum Call {
    Create,
    Find(Which),
    End(Which),
    Members {
        which: Which,
        uid: Option<RoomUid>,
        role: Option<Role>,
    },
    Kick {
        which: Which,
        uid: RoomUid,
        bar_s: Option<i64>,
    },
    Pardon {
        which: Which,
        uid: RoomUid,
    },
    Barred(Which),
    /// Of the room that the body names, or of this one.
    History(Option<Which>),
}

impl Call {
    /// Every call's name in metrics and logs; the last is for what is no call.
    pub const LABELS: [&'static str; 9] = [
        "room.create",
        "room.get",
        "room.end",
        "room.members",
        "room.kick",
        "room.pardon",
        "room.barred",
        "room.history",
        "unknown",
    ];

    /// The place of its name among [`Self::LABELS`].
    pub fn label(&self) -> usize {
        match self {
            Self::Create => 0,
            Self::Find(_) => 1,
            Self::End(_) => 2,
            Self::Members { .. } => 3,
            Self::Kick { .. } => 4,
            Self::Pardon { .. } => 5,
            Self::Barred(_) => 6,
            Self::History(_) => 7,
        }
    }

    /// The calls it is counted with.
    pub fn bucket(&self) -> Bucket {
        if matches!(self, Self::History(_)) { Bucket::RoomHistory } else { Bucket::Rooms }
    }

    /// Whether it only asks.
    pub fn only_asks(&self) -> bool {
        matches!(self, Self::Find(_) | Self::Members { .. } | Self::Barred(_) | Self::History(_))
    }
}

/// Reads a request.
pub(super) fn read(method: &Method, uri: &Uri) -> Result<Call> {
    let query = Form::read(&HeaderMap::new(), &Bytes::copy_from_slice(uri.query().unwrap_or_default().as_bytes()))?;
    let segments: Vec<&str> = uri.path().split('/').skip(1).collect();
    let by = |method: &str| match segments[..] {
        ["v2", "api", ref rest @ ..] => by_number(method, rest, &query),
        ["v3", "api", ref rest @ ..] => by_name(method, rest, &query),
        _ => Err(Code::RouteNotFound.into()),
    };
    let is_unknown = |call: &Result<Call>| call.as_ref().is_err_and(|error| error.code == Code::RouteNotFound);
    let call = by(method.as_str());
    if is_unknown(&call) && ["GET", "POST", "DELETE"].iter().any(|other| !is_unknown(&by(other))) {
        return Err(Code::MethodNotAllowed.into());
    }
    call
}

fn by_number(method: &str, rest: &[&str], query: &Form) -> Result<Call> {
    let role = || query.filled("userRole").map(role).transpose();
    match (method, rest) {
        ("POST", ["room"]) => Ok(Call::Create),
        ("POST", ["room", "history"]) => Ok(Call::History(None)),
        ("GET", ["rooms", cid]) => Ok(Call::Find(number(cid)?)),
        ("DELETE", ["rooms", cid]) => Ok(Call::End(number(cid)?)),
        ("GET", ["rooms", cid, "members"]) => Ok(Call::Members { which: number(cid)?, uid: None, role: role()? }),
        ("GET", ["rooms", cid, "members", uid]) => {
            Ok(Call::Members { which: number(cid)?, uid: Some(RoomUid::parse(uid)?), role: role()? })
        }
        ("POST", ["kicklist", cid, "members", uid]) => {
            Ok(Call::Kick { which: number(cid)?, uid: RoomUid::parse(uid)?, bar_s: None })
        }
        ("POST", ["kicklist", cid, "members", uid, duration]) => {
            Ok(Call::Kick { which: number(cid)?, uid: RoomUid::parse(uid)?, bar_s: seconds(duration)? })
        }
        ("DELETE", ["kicklist", cid, "members", uid]) => {
            Ok(Call::Pardon { which: number(cid)?, uid: RoomUid::parse(uid)? })
        }
        ("GET", ["kicklist", cid]) => Ok(Call::Barred(number(cid)?)),
        // Quirk(netease): the vendor's Go SDK forgets a slash. Source: docs/dialects/netease-rooms.md.
        ("GET", ["rooms", cid, last]) if last.starts_with("members") => {
            let uid = RoomUid::parse(last.trim_start_matches("members"))?;
            Ok(Call::Members { which: number(cid)?, uid: Some(uid), role: role()? })
        }
        (_, ["rooms", _, "streams"] | ["right", "change"]) => Err(Code::NotOffered.into()),
        _ => Err(Code::RouteNotFound.into()),
    }
}

fn by_name(method: &str, rest: &[&str], query: &Form) -> Result<Call> {
    let which = || RoomName::parse(query.get("cname").unwrap_or_default()).map(Which::Name);
    let uid = || RoomUid::parse(query.get("uid").unwrap_or_default());
    match (method, rest) {
        ("GET", ["rooms"]) => Ok(Call::Find(which()?)),
        ("DELETE", ["rooms"]) => Ok(Call::End(which()?)),
        ("GET", ["rooms", "members"]) => Ok(Call::Members {
            which: which()?,
            uid: query.filled("uid").map(RoomUid::parse).transpose()?,
            role: query.filled("userRole").map(role).transpose()?,
        }),
        ("POST", ["kicklist", "members"]) => {
            let bar_s = query.filled("duration").map(seconds).transpose()?.flatten();
            Ok(Call::Kick { which: which()?, uid: uid()?, bar_s })
        }
        ("DELETE", ["kicklist", "members"]) => Ok(Call::Pardon { which: which()?, uid: uid()? }),
        ("GET", ["kicklist"]) => Ok(Call::Barred(which()?)),
        ("POST", ["room", "history"]) => Ok(Call::History(Some(which()?))),
        (_, ["rooms", "streams"] | ["right", "change"]) => Err(Code::NotOffered.into()),
        _ => Err(Code::RouteNotFound.into()),
    }
}

fn number(cid: &str) -> Result<Which> {
    cid.parse().map(Which::Cid).map_err(|_| Error::about(Code::FieldIllegal, format!("cid={cid}")))
}

/// How long a kick bars; 0 is what SDKs send, or leave out, when nobody has said.
fn seconds(duration: &str) -> Result<Option<i64>> {
    let illegal = |_| Error::about(Code::FieldIllegal, format!("duration={duration}"));
    duration.parse().map(|seconds| Some(seconds).filter(|seconds| *seconds != 0)).map_err(illegal)
}

fn role(text: &str) -> Result<Role> {
    match text {
        "0" => Ok(Role::Host),
        "1" => Ok(Role::Audience),
        _ => Err(Error::about(Code::FieldIllegal, format!("userRole={text}"))),
    }
}
