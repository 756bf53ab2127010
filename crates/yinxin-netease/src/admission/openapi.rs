//! The OpenAPI document: `docs/openapi/rtc.json`, written by hand and built in, so that the file and what is served cannot
//! differ. A test holds it against the table of operations.

use axum::http::StatusCode;
use axum::response::Response;
use yinxin_http::json_response;

/// The document.
pub const DOCUMENT: &str = include_str!("../../../../docs/openapi/rtc.json");
/// Where it is served.
pub(super) const PATH: &str = "/nrtc/openapi.json";

pub(super) async fn document() -> Response {
    json_response(StatusCode::OK, DOCUMENT.as_bytes().to_vec())
}
