//! From a request to a reply: the frame around every handler.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, Method};
use axum::response::Response;
use yinxin_core::{Code, Ctx, Error};
use yinxin_http::metrics::OperationMetrics;
use yinxin_http::{Arrival, RequestId};

use super::PREFIX;
use super::call::Call;
use super::form::Form;
use super::table::{ACTIONS, Action};
use crate::answer::{self, Answer};
use crate::errors::At;
use crate::{frame, signing};

/// Names the call, for a client that sends all of them to one path. Source: docs/dialects/netease.md.
const API: HeaderName = HeaderName::from_static("api");

/// What all requests share.
pub(super) struct Actions {
    ctx: Arc<Ctx>,
    metrics: Vec<OperationMetrics>,
    unknown: OperationMetrics,
}

impl Actions {
    pub fn new(ctx: Arc<Ctx>) -> Self {
        let metrics = ACTIONS.iter().map(|action| OperationMetrics::new(action.label, "netease")).collect();
        Self { ctx, metrics, unknown: OperationMetrics::new("unknown", "netease") }
    }
}

/// Runs a request.
pub(super) async fn dispatch(State(actions): State<Arc<Actions>>, mut request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return answer::preflight();
    }
    let arrival = request.extensions_mut().remove::<Arrival>().unwrap_or_else(Arrival::in_process);
    let (parts, body) = request.into_parts();
    let named = name_of(&parts).to_owned();
    let (at, id) = (arrival.at, arrival.id.clone());
    let known = ACTIONS.iter().zip(&actions.metrics).find(|(action, _)| action.path == named);
    let Some((action, metrics)) = known else {
        let (status, body) = failed("unknown", &id, &Error::about(Code::RouteNotFound, named));
        actions.unknown.record(status, at.elapsed());
        return answer::reply(body);
    };
    // A call with an id cannot be made again: it must not be left half way either.
    let to_its_end = action.to_its_end || !signing::call_id(&parts.headers).is_empty();
    let running = run(Arc::clone(&actions.ctx), action, arrival, parts, body);
    let done = if to_its_end { frame::to_its_end(running).await } else { frame::contained(running).await };
    let (status, body) = done.map_or_else(|error| failed(action.label, &id, &error), |body| (200, body));
    metrics.record(status, at.elapsed());
    answer::reply(body)
}

/// The call that is meant: by the path or, where all go to one path, by a header.
fn name_of(parts: &Parts) -> &str {
    let path = parts.uri.path();
    let named = || parts.headers.get(API).and_then(|api| api.to_str().ok()).unwrap_or_default();
    path.strip_prefix(PREFIX).unwrap_or_else(|| named().trim_start_matches('/'))
}

async fn run(ctx: Arc<Ctx>, action: &Action, arrival: Arrival, parts: Parts, body: Body) -> Answer {
    if parts.method != Method::POST {
        return Err(Code::MethodNotAllowed.into());
    }
    if arrival.head_too_large {
        return Err(Code::HeadersTooLarge.into());
    }
    let app = signing::authenticate(&ctx, &parts.headers).await?;
    ctx.rates.call(app.id, action.bucket)?;
    let body = frame::body(&arrival, body).await?;
    let form = Form::read(&parts.headers, &body)?;
    let call = Call::new(Arc::clone(&ctx), Arc::clone(&app), form);
    signing::once(&ctx, &app, signing::call_id(&parts.headers), (action.handler)(&call)).await
}

/// The body of an error and the status it is counted under.
fn failed(label: &str, id: &RequestId, error: &Error) -> (u16, Vec<u8>) {
    let wire = frame::failed(At::Call, label, id, error);
    (wire.status, answer::refusal(&wire))
}
