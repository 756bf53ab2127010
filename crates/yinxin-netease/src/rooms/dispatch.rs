//! From a request to a reply.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde::Serialize;
use yinxin_core::{Code, Ctx, Result};
use yinxin_http::Arrival;
use yinxin_http::metrics::OperationMetrics;

use super::calls;
use super::path::{self, Call};
use crate::answer;
use crate::errors::{At, Wire};
use crate::{frame, signing};

/// What all requests share.
pub(super) struct Management {
    ctx: Arc<Ctx>,
    metrics: Vec<OperationMetrics>,
}

impl Management {
    pub fn new(ctx: Arc<Ctx>) -> Self {
        let metrics = Call::LABELS.iter().map(|label| OperationMetrics::new(label, "netease")).collect();
        Self { ctx, metrics }
    }
}

/// A refusal. Quirk(netease): older clients read `errmsg`, newer ones `msg`. Source: docs/dialects/netease-rooms.md.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Refusal<'a> {
    code: u16,
    errmsg: &'a str,
    msg: &'a str,
    request_id: &'a str,
}

/// Runs a request.
pub(super) async fn dispatch(State(management): State<Arc<Management>>, mut request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return answer::preflight();
    }
    let arrival = request.extensions_mut().remove::<Arrival>().unwrap_or_else(Arrival::in_process);
    let (parts, body) = request.into_parts();
    let (at, id) = (arrival.at, arrival.id.clone());
    let call = path::read(&parts.method, &parts.uri);
    let label = call.as_ref().map_or(Call::LABELS.len() - 1, Call::label);
    // To its end, even if the caller goes away: after the commit somebody is to be told.
    let done = frame::to_its_end(run(Arc::clone(&management.ctx), call, arrival, parts, body)).await;
    let (status, body) = match done {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => {
            let Wire { code, status, desc } = frame::failed(At::Call, Call::LABELS[label], &id, &error);
            let refusal = Refusal { code, errmsg: &desc, msg: &desc, request_id: id.as_str() };
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, answer::to_json(&refusal).unwrap_or_default())
        }
    };
    management.metrics[label].record(status.as_u16(), at.elapsed());
    let mut reply = answer::reply(body);
    *reply.status_mut() = status;
    reply
}

async fn run(ctx: Arc<Ctx>, call: Result<Call>, arrival: Arrival, parts: Parts, body: Body) -> Result<Vec<u8>> {
    if arrival.head_too_large {
        return Err(Code::HeadersTooLarge.into());
    }
    // Who is asking comes first: a stranger is not told which calls there are.
    let app = signing::authenticate(&ctx, &parts.headers).await?;
    let call = call?;
    ctx.rates.call(app.id, call.bucket())?;
    let body = frame::body(&arrival, body).await?;
    let id = if call.only_asks() { "" } else { signing::call_id(&parts.headers) };
    signing::once(&ctx, &app, id, calls::answer(&ctx, &app, call, &body, arrival.id.as_str())).await
}
