//! What goes back: an envelope with a code, readable by pages of any origin.

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    CONTENT_TYPE,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use yinxin_core::{Code, Error, Result};

use crate::errors::Wire;

/// What a handler gives.
pub(crate) type Answer = Result<Reply>;

/// A success.
pub(crate) enum Reply {
    /// The body, written.
    Json(Vec<u8>),
    /// A reply that is no JSON.
    Ready(Box<Response>),
}

#[derive(Serialize)]
struct Envelope<T> {
    code: u32,
    data: T,
    /// Of a success, it is there and says nothing. Source: lanying-token.txt.
    message: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// A success with what was asked for.
pub(crate) fn ok(data: impl Serialize) -> Answer {
    write(&Envelope { code: 200, data, message: None, cursor: None })
}

/// A change that was made.
pub(crate) fn done() -> Answer {
    ok(true)
}

/// A page of a list; the last one has no cursor.
pub(crate) fn page(data: impl Serialize, cursor: Option<String>) -> Answer {
    write(&Envelope { code: 200, data, message: None, cursor })
}

/// Texts and numbers in memory always serialize; the type cannot say so.
fn write(body: &impl Serialize) -> Answer {
    serde_json::to_vec(body).map(Reply::Json).map_err(|source| Error::from(Code::Internal).caused_by(source))
}

/// The body of a refusal.
pub(crate) fn refusal(wire: &Wire) -> Vec<u8> {
    #[derive(Serialize)]
    struct Refusal<'a> {
        code: u32,
        message: &'a str,
    }
    serde_json::to_vec(&Refusal { code: wire.code, message: &wire.message }).unwrap_or_default()
}

/// The reply with that body.
pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    response
}

/// The same reply for pages of any origin: no cookie is ever used, the token decides.
pub(crate) fn allow(mut response: Response) -> Response {
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// The answer to a browser that asks before it calls.
pub(crate) fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, DELETE"));
    let asked = "app_id, access-token, group_id, user_id, Content-Type, Accept, X-Requested-With, Range";
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(asked));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    allow(response)
}
