//! Around every call: the admin key, the size of the head, the log of failures, the metrics of the operation.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use yinxin_core::Code;
use yinxin_http::Arrival;
use yinxin_http::metrics::OperationMetrics;

use crate::problem::{Cause, Problem};
use crate::routes::Shared;

/// Lets a call with the key pass.
pub(crate) async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let arrival = request.extensions().get::<Arrival>().cloned().unwrap_or_else(Arrival::in_process);
    if arrival.head_too_large {
        return Problem::from(Code::HeadersTooLarge).into_response();
    }
    let shown = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    if !shared.key.opens(shown) {
        return unauthorized(shown.is_some());
    }
    let mut response = next.run(request).await;
    if let Some(Cause(cause)) = response.extensions_mut().remove() {
        tracing::error!(request = %arrival.id, %cause, "an admin call failed");
    }
    response
}

fn unauthorized(shown: bool) -> Response {
    let problem = if shown {
        Problem::new(Code::TokenUnknown, "the admin key is not the one of this server; it is in admin.key")
    } else {
        Problem::new(Code::TokenMissing, "send the admin key: Authorization: Bearer <admin.key>")
    };
    let mut response = problem.into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// Counts an answer of one operation.
pub(crate) async fn measure(State(metrics): State<Arc<OperationMetrics>>, request: Request, next: Next) -> Response {
    let at = request.extensions().get::<Arrival>().map(|arrival| arrival.at);
    let response = next.run(request).await;
    if let Some(at) = at {
        metrics.record(response.status().as_u16(), at.elapsed());
    }
    response
}
