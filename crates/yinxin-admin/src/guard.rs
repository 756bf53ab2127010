//! Around every call: the admin key, the size of the head, the log of failures, the metrics of the operation.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use yinxin_core::{Code, Error};
use yinxin_http::Arrival;
use yinxin_http::metrics::OperationMetrics;
use yinxin_http::panics::{Panicked, netted};

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
    let mut response = run_to_end(request, next).await;
    if let Some(Cause(cause)) = response.extensions_mut().remove() {
        tracing::error!(request = %arrival.id, %cause, "an admin call failed");
    }
    response
}

/// A call that may write is run to its end even if the client goes away meanwhile. A panic is answered as the bug it is.
async fn run_to_end(request: Request, next: Next) -> Response {
    let may_write = request.method() != Method::GET;
    let running = netted(next.run(request));
    let done =
        if may_write { tokio::spawn(running).await.map_err(|fault| fault.to_string()) } else { Ok(running.await) };
    let panicked = |Panicked { at, text }| format!("a handler panicked at {at}: {text}");
    done.and_then(|ran| ran.map_err(panicked))
        .unwrap_or_else(|cause| Problem::from(Error::from(Code::Internal).caused_by(cause)).into_response())
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
