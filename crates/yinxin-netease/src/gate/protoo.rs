//! The frames of the room's socket, which the vendor's SDK calls `protoo`: JSON texts that ask, answer or tell.
//!
//! Bytes to types and back; must not know who is connected or what is allowed. Reading takes what it needs of a frame and
//! leaves the rest unread.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use yinxin_core::rooms::live::{About, Role};

#[cfg(test)]
mod tests;

/// The name of the subprotocol.
pub(super) const SUBPROTOCOL: &str = "protoo";
/// Bytes of a frame. What an SDK sends without media has 2 KB at most, an offer of media some 20.
pub(super) const FRAME_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a text that somebody says about itself.
const ABOUT_BYTES_MAX: usize = 1024;

/// A frame of a client.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Frame {
    /// It asks and waits for the answer.
    Request { id: u64, request: Request },
    /// It leaves.
    Leave,
    /// Something that is not waited for: another notification, or the receipt for one of ours.
    Other,
}

/// What a client asks for.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Request {
    /// To come in.
    Join(Box<Join>),
    /// To be counted as alive.
    Heartbeat,
    /// To go on with another permission key.
    RenewPermission { request_id: String, key: String },
    /// To take part in another way.
    ChangeRole(Role),
    /// That the others are told something which only means something with media.
    TellOthers,
    /// To send media.
    Produce,
    /// Something else, by its name.
    Other(String),
}

/// What a client shows and says to come in.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Join {
    pub request_id: String,
    pub pass: String,
    pub permission_key: String,
    pub role: Role,
    pub about: About,
}

/// Not a frame that an SDK sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Malformed;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    request: bool,
    #[serde(default)]
    response: bool,
    #[serde(default)]
    notification: bool,
    id: Option<u64>,
    #[serde(default)]
    method: String,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// The frame of an SDK, of which any part may be missing or null.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Data<'a> {
    request_id: Option<String>,
    perm_key_secret: Option<String>,
    #[serde(borrow, rename = "externData")]
    told: Option<Extern<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Extern<'a> {
    token: Option<String>,
    user_name: Option<String>,
    user_role: Option<i64>,
    platform_type: Option<i64>,
    custom_data: Option<String>,
    r#type: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoleData {
    user_role: i64,
}

/// Reads a frame.
pub(super) fn decode(text: &str) -> Result<Frame, Malformed> {
    let envelope: Envelope<'_> = parse(text)?;
    match (envelope.request, envelope.response, envelope.notification) {
        (true, false, false) => Ok(Frame::Request { id: envelope.id.ok_or(Malformed)?, request: request(envelope)? }),
        (false, false, true) if envelope.method == "Leave" => Ok(Frame::Leave),
        (false, false, true) | (false, true, false) => Ok(Frame::Other),
        _ => Err(Malformed),
    }
}

fn request(envelope: Envelope<'_>) -> Result<Request, Malformed> {
    let data = || parse::<Data<'_>>(envelope.data.map_or("{}", RawValue::get));
    Ok(match envelope.method.as_str() {
        "Join" => Request::Join(Box::new(join(data()?))),
        "Heartbeat" => Request::Heartbeat,
        "PermKeyUpdate" => {
            let Data { request_id, perm_key_secret, .. } = data()?;
            let key = perm_key_secret.unwrap_or_default();
            Request::RenewPermission { request_id: request_id.unwrap_or_default(), key }
        }
        "SendUserData" => match data()?.told {
            Some(Extern { r#type: Some(kind), data: Some(data), .. }) if kind == "UserRole" => {
                Request::ChangeRole(role(Some(parse::<RoleData>(data.get())?.user_role)))
            }
            _ => Request::TellOthers,
        },
        "Produce" => Request::Produce,
        _ => Request::Other(envelope.method),
    })
}

fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Malformed> {
    serde_json::from_str(json).map_err(|_| Malformed)
}

fn join(data: Data<'_>) -> Join {
    let told = data.told.unwrap_or_default();
    let about = |text: Option<String>| {
        let mut text = text.unwrap_or_default();
        text.truncate(text.floor_char_boundary(ABOUT_BYTES_MAX));
        text
    };
    Join {
        request_id: data.request_id.unwrap_or_default(),
        pass: told.token.unwrap_or_default(),
        permission_key: data.perm_key_secret.unwrap_or_default(),
        role: role(told.user_role),
        about: About {
            user_name: about(told.user_name),
            platform: told.platform_type.unwrap_or_default(),
            custom: about(told.custom_data),
        },
    }
}

fn role(number: Option<i64>) -> Role {
    if number == Some(1) { Role::Audience } else { Role::Host }
}

/// The answer to a request.
pub(super) fn answer(id: u64, data: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Answer<'a, T> {
        response: bool,
        id: u64,
        ok: bool,
        data: &'a T,
    }
    text(&Answer { response: true, id, ok: true, data })
}

/// The answer to a request that was not done.
pub(super) fn refusal(id: u64, code: u16, reason: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Refusal<'a> {
        response: bool,
        id: u64,
        ok: bool,
        error_code: u16,
        error_reason: &'a str,
    }
    text(&Refusal { response: true, id, ok: false, error_code: code, error_reason: reason })
}

/// Something the client is told; it sends a receipt that nobody waits for.
pub(super) fn notification(id: u64, method: &str, data: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Told<'a, T> {
        notification: bool,
        id: u64,
        method: &'a str,
        data: &'a T,
    }
    text(&Told { notification: true, id, method, data })
}

/// Texts and numbers in memory always serialize; the type cannot say so.
fn text(frame: &impl Serialize) -> String {
    serde_json::to_string(frame).unwrap_or_default()
}
