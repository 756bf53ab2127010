//! From a request to a reply: the frame around every handler.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use yinxin_core::{App, Code, Ctx, Error, Result, apps};
use yinxin_http::metrics::OperationMetrics;
use yinxin_http::{Arrival, RequestId};

use crate::answer::{self, Answer, Reply};
use crate::call::{self, Call};
use crate::errors::{At, Manner};
use crate::query::Query;
use crate::table::{ACTIONS, Action};
use crate::{Options, frame};

/// What all requests share.
struct Actions {
    ctx: Arc<Ctx>,
    options: Arc<Options>,
    /// By path, the actions there.
    by_path: HashMap<&'static str, Vec<(&'static Action, Arc<OperationMetrics>)>>,
    unknown: OperationMetrics,
}

/// The routes: everything below the dialect's prefixes.
pub(crate) fn routes(ctx: Arc<Ctx>, options: Options) -> Router {
    let mut by_label: HashMap<&str, Arc<OperationMetrics>> = HashMap::new();
    let mut by_path: HashMap<&str, Vec<_>> = HashMap::new();
    for action in ACTIONS {
        let new = || Arc::new(OperationMetrics::new(action.label, "lanying"));
        let metrics = Arc::clone(by_label.entry(action.label).or_insert_with(new));
        for path in action.paths {
            by_path.entry(path).or_default().push((action, Arc::clone(&metrics)));
        }
    }
    let unknown = OperationMetrics::new("unknown", "lanying");
    let actions = Arc::new(Actions { ctx, options: Arc::new(options), by_path, unknown });
    let mut router = Router::new().route("/v2/app_dns", any(dispatch));
    for prefix in ["token", "user", "roster", "group", "app", "file", "push"] {
        router = router.route(&format!("/{prefix}/{{*rest}}"), any(dispatch));
    }
    router.with_state(actions)
}

async fn dispatch(State(actions): State<Arc<Actions>>, mut request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return answer::preflight();
    }
    let arrival = request.extensions_mut().remove::<Arrival>().unwrap_or_else(Arrival::in_process);
    let (parts, body) = request.into_parts();
    let (at, id) = (arrival.at, arrival.id.clone());
    let here = actions.by_path.get(parts.uri.path()).map_or(&[][..], Vec::as_slice);
    let known = here.iter().find(|(action, _)| action.methods.contains(&parts.method.as_str()));
    let Some((action, metrics)) = known else {
        let code = if here.is_empty() { Code::RouteNotFound } else { Code::MethodNotAllowed };
        let response = failed(Manner::of(At::Call, None), "unknown", &id, &Error::about(code, parts.uri.path()));
        actions.unknown.record(response.status().as_u16(), at.elapsed());
        return answer::allow(response);
    };
    let running = run(Arc::clone(&actions), action, arrival, parts, body);
    let done = if action.may_write() { frame::to_its_end(running).await } else { frame::contained(running).await };
    let (app, answer) = done.map_or_else(|error| (None, Err(error)), |(app, answer)| (Some(app), answer));
    let response = match answer {
        Ok(Reply::Json(body)) => answer::json(StatusCode::OK, body),
        Ok(Reply::Ready(response)) => *response,
        Err(error) => failed(Manner::of(action.at, app.as_deref()), action.label, &id, &error),
    };
    metrics.record(response.status().as_u16(), at.elapsed());
    answer::allow(response)
}

/// What became of a call, and whose it was: an app may have its own way to be refused.
async fn run(
    actions: Arc<Actions>,
    action: &Action,
    arrival: Arrival,
    parts: Parts,
    body: Body,
) -> Result<(Arc<App>, Answer)> {
    if arrival.head_too_large {
        return Err(Code::HeadersTooLarge.into());
    }
    let query = Query::parse(parts.uri.query().unwrap_or_default())?;
    let app_id = call::app_id(&parts.headers, &query);
    if app_id.is_empty() {
        return Err(Error::about(Code::FieldIllegal, "app_id"));
    }
    let ctx = Arc::clone(&actions.ctx);
    let app = apps::find_by_short_id(&ctx, app_id).await?;
    ctx.rates.call(app.id, action.bucket)?;
    if action.at == At::Login {
        ctx.rates.token_call(arrival.client)?;
    }
    let (options, owner) = (Arc::clone(&actions.options), Arc::clone(&app));
    let call = Call {
        ctx,
        app,
        options,
        arrival,
        headers: parts.headers,
        query,
        body: Bytes::new(),
        unread: Mutex::default(),
    };
    Ok((owner, (action.handler)(call, body).await))
}

fn failed(manner: Manner, label: &str, id: &RequestId, error: &Error) -> Response {
    let wire = frame::failed(manner, label, id, error);
    let status = StatusCode::from_u16(wire.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer::json(status, answer::refusal(&wire))
}
