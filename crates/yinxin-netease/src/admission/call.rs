//! [`Call`]: a request as its handler sees it, and the frame around the handler.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use yinxin_core::rooms::media::MediaServers;
use yinxin_core::{Code, Ctx, Result};
use yinxin_http::Arrival;
use yinxin_http::metrics::OperationMetrics;

use super::Desk;
use super::table::Operation;
use crate::answer::{self, Answer};
use crate::frame;

/// One call.
pub(super) struct Call {
    desk: Arc<Desk>,
    pub arrival: Arrival,
    pub parts: Parts,
    body: Body,
}

impl Call {
    /// The context of the use cases.
    pub fn ctx(&self) -> &Ctx {
        &self.desk.ctx
    }

    /// The media servers that credentials can be had for.
    pub fn media(&self) -> &MediaServers {
        &self.desk.media
    }

    /// The whole body; once.
    pub async fn body(&mut self) -> Result<Bytes> {
        frame::body(&self.arrival, std::mem::take(&mut self.body)).await
    }
}

/// Answers a request.
pub(super) async fn answer(
    desk: Arc<Desk>,
    operation: &'static Operation,
    metrics: Arc<OperationMetrics>,
    mut request: Request,
) -> Response {
    if request.method() == Method::OPTIONS {
        return answer::preflight();
    }
    let arrival = request.extensions_mut().remove::<Arrival>().unwrap_or_else(Arrival::in_process);
    let (parts, body) = request.into_parts();
    let (at, id) = (arrival.at, arrival.id.clone());
    // To its end, even if the caller goes away: a token may be used up by then.
    let done = frame::to_its_end(run(operation, Call { desk, arrival, parts, body })).await;
    let (status, body) = done.map_or_else(
        |error| {
            let wire = frame::failed(operation.at, operation.id, &id, &error);
            (wire.status, answer::refusal(&wire))
        },
        |body| (200, body),
    );
    metrics.record(status, at.elapsed());
    let mut response = answer::reply(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // What is said here is said to one caller, once.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn run(operation: &Operation, call: Call) -> Answer {
    if call.parts.method != Method::POST {
        return Err(Code::MethodNotAllowed.into());
    }
    if call.arrival.head_too_large {
        return Err(Code::HeadersTooLarge.into());
    }
    (operation.handler)(call).await
}
