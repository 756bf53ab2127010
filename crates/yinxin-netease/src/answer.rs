//! What goes back: a JSON body under HTTP 200, whatever it says, readable by pages of any origin.

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

/// The body of a success, written.
pub(crate) type Answer = Result<Vec<u8>>;

/// A success: `code` 200 and what else there is.
pub(crate) fn ok(rest: impl Serialize) -> Answer {
    #[derive(Serialize)]
    struct Success<T> {
        code: u16,
        #[serde(flatten)]
        rest: T,
    }
    to_json(&Success { code: 200, rest })
}

/// A success that says nothing else.
pub(crate) fn done() -> Vec<u8> {
    br#"{"code":200}"#.to_vec()
}

/// Texts and numbers in memory always serialize; the type cannot say so.
pub(crate) fn to_json(body: &impl Serialize) -> Answer {
    serde_json::to_vec(body).map_err(|source| Error::from(Code::Internal).caused_by(source))
}

/// The body of a refusal. Quirk(netease): `desc` stands before `code`. Source: docs/dialects/netease.md.
pub(crate) fn refusal(wire: &Wire) -> Vec<u8> {
    #[derive(Serialize)]
    struct Refusal<'a> {
        desc: &'a str,
        code: u16,
    }
    to_json(&Refusal { desc: &wire.desc, code: wire.code }).unwrap_or_default()
}

/// The reply. Quirk(netease): HTTP 200 for refusals, too; the vendor's SDKs take any other status for a broken line.
pub(crate) fn reply(body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    // Pages of any origin may call: no cookie is ever used, the signature or the token decides.
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// The answer to a browser that asks before it calls.
pub(crate) fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, DELETE"));
    let asked = "AppKey, Nonce, CurTime, CheckSum, Content-Type, RequestId, X-custom-traceid, Session-Id, api";
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(asked));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}
