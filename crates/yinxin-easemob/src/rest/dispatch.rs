//! From a routed request to a reply: the frame around every handler.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::RequestPartsExt;
use axum::extract::{RawPathParams, Request};
use axum::http::Method;
use axum::response::Response;
use yinxin_core::apps::Profile;
use yinxin_core::{Code, Ctx, Error, Result, apps};
use yinxin_http::metrics::OperationMetrics;
use yinxin_http::panics::{Panicked, netted};
use yinxin_http::{Arrival, RequestId};

use super::Options;
use super::answer::Answer;
use super::call::Call;
use super::cors;
use super::errors;
use super::op::Op;
use super::rights::FromCall;

/// What all requests of the dialect share.
pub(crate) struct Dialect {
    pub ctx: Arc<Ctx>,
    pub options: Options,
    metrics: Vec<OperationMetrics>,
}

impl Dialect {
    pub fn new(ctx: Arc<Ctx>, options: Options) -> Self {
        let metrics = Op::ALL.iter().map(|op| OperationMetrics::new(op.label(), "easemob")).collect();
        Self { ctx, options, metrics }
    }

    /// The time that replies print.
    pub fn now_ms(&self) -> i64 {
        self.ctx.clock.now_ms()
    }
}

/// What a handler gives when it has run.
pub(crate) type Handling<'a> = Pin<Box<dyn Future<Output = Result<Answer>> + Send + 'a>>;

/// A handler with its arguments taken from the call.
pub(crate) type Handler = for<'a> fn(&'a mut Call) -> Handling<'a>;

/// Makes a [`Handler`] of an async function that takes the call and so many arguments from it.
macro_rules! handler {
    ($handle:path) => {
        |call| Box::pin($handle(call))
    };
    ($handle:path, 1) => {
        |call| Box::pin(crate::rest::dispatch::with_one(call, $handle))
    };
    ($handle:path, 2) => {
        |call| Box::pin(crate::rest::dispatch::with_two(call, $handle))
    };
}
pub(crate) use handler;

pub(crate) async fn with_one<A: FromCall>(
    call: &mut Call,
    handle: impl AsyncFnOnce(&mut Call, A) -> Result<Answer>,
) -> Result<Answer> {
    let first = A::from_call(call).await?;
    handle(call, first).await
}

pub(crate) async fn with_two<A: FromCall, B: FromCall>(
    call: &mut Call,
    handle: impl AsyncFnOnce(&mut Call, A, B) -> Result<Answer>,
) -> Result<Answer> {
    let first = A::from_call(call).await?;
    let second = B::from_call(call).await?;
    handle(call, first, second).await
}

/// Runs a request. One that may write is run to its end even if the client goes away meanwhile.
pub(crate) async fn dispatch(dialect: Arc<Dialect>, op: Op, handler: Handler, mut request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return cors::preflight();
    }
    let may_write = !matches!(*request.method(), Method::GET | Method::HEAD) && op != Op::Token;
    let arrival = request.extensions_mut().remove::<Arrival>().unwrap_or_else(Arrival::in_process);
    let id = arrival.id.clone();
    let running = survive(Arc::clone(&dialect), op, handler, arrival, request);
    let response = if may_write {
        let ended = |source| internal(&dialect, op, &id, source);
        tokio::spawn(running).await.unwrap_or_else(ended)
    } else {
        running.await
    };
    cors::allow(response)
}

/// A panic in a handler is a bug, answered as one, and ends nothing else.
async fn survive(dialect: Arc<Dialect>, op: Op, handler: Handler, arrival: Arrival, request: Request) -> Response {
    let id = arrival.id.clone();
    let response = netted(run(&dialect, op, handler, arrival, request)).await;
    response.unwrap_or_else(|Panicked { at, text }| {
        internal(&dialect, op, &id, format!("a handler panicked at {at}: {text}"))
    })
}

fn internal(
    dialect: &Dialect,
    op: Op,
    id: &RequestId,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Response {
    let error = Error::from(Code::Internal).caused_by(source);
    failed(dialect, op, id, Profile::default(), &error)
}

async fn run(dialect: &Arc<Dialect>, op: Op, handler: Handler, arrival: Arrival, request: Request) -> Response {
    let started = Instant::now();
    let id = arrival.id.clone();
    let response = match enter(dialect, op, arrival, request).await {
        Err(error) => failed(dialect, op, &id, Profile::default(), &error),
        Ok(mut call) => match serve(&mut call, handler).await.and_then(|answer| answer.render(&call)) {
            Ok(response) => response,
            Err(error) => failed(dialect, op, &id, call.app.settings.profile, &error),
        },
    };
    dialect.metrics[op as usize].record(response.status().as_u16(), started.elapsed());
    response
}

/// Finds the app that the path names. Until then errors are those of an unknown app.
async fn enter(dialect: &Arc<Dialect>, op: Op, arrival: Arrival, request: Request) -> Result<Call> {
    let (mut parts, body) = request.into_parts();
    let params: RawPathParams = parts.extract().await.map_err(|_| Code::RouteNotFound)?;
    // No name has a NUL, and no stored text may have one.
    if params.iter().any(|(_, value)| value.contains('\0')) {
        return Err(Code::RouteNotFound.into());
    }
    let path = parts.uri.path();
    let mut segments = path.trim_start_matches('/').split('/');
    let (org, name) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    let app = apps::find(&dialect.ctx, org, name).await.map_err(|error| match error.code {
        Code::AppNotFound => Error::about(Code::AppNotFound, path.trim_start_matches('/')),
        _ => error,
    })?;
    let dialect = Arc::clone(dialect);
    Ok(Call { dialect, op, app, arrival, parts, params, body: Mutex::new(Some(body)) })
}

async fn serve(call: &mut Call, handler: Handler) -> Result<Answer> {
    if call.arrival.head_too_large {
        return Err(Code::HeadersTooLarge.into());
    }
    call.ctx().rates.call(call.app.id, call.op.bucket())?;
    handler(call).await
}

/// Renders an error, and logs it if it is ours.
fn failed(dialect: &Dialect, op: Op, id: &RequestId, profile: Profile, error: &Error) -> Response {
    let response = errors::render(op, profile, error, dialect.now_ms());
    if response.status().is_server_error() {
        let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        tracing::error!(request = %id, operation = op.label(), %error, source, "a call failed");
    }
    response
}
