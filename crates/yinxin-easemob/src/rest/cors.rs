//! Pages of any origin may call: the web SDK runs in them. No cookie is ever used, so an origin means nothing here; the
//! token does.

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

/// The answer to a browser that asks before it calls.
pub(crate) fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, DELETE"));
    // What the SDK sends, and what players and downloaders in pages do.
    let asked = "Authorization, Content-Type, Accept, X-Requested-With, restrict-access, share-secret, thumbnail, \
                 thumbnail-height, thumbnail-width, Range, If-Range, If-None-Match";
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(asked));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    allow(response)
}

/// Lets pages see these headers of a reply.
pub(crate) fn expose(headers: &mut HeaderMap, names: &'static str) {
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(names));
}

/// The same reply for pages of any origin.
pub(crate) fn allow(mut response: Response) -> Response {
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// The same for calls that a browser would send cookies with. It then wants its page's origin by name.
pub(crate) fn allow_credentials(response: Response, origin: Option<&HeaderValue>) -> Response {
    let mut response = allow(response);
    if let Some(origin) = origin {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.insert(VARY, HeaderValue::from_static("origin"));
    }
    response
}
