//! The OpenAPI document: `docs/openapi/admin.json`, written by hand and built in, so that the file and what is served
//! cannot differ. A test holds it against the table of operations.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use yinxin_http::json_response;

/// The document.
pub const DOCUMENT: &str = include_str!("../../../docs/openapi/admin.json");

pub(crate) async fn document() -> Response<Body> {
    json_response(StatusCode::OK, DOCUMENT.as_bytes().to_vec())
}
