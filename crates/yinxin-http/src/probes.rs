//! What a supervisor and a collector ask: `/livez`, `/readyz`, `/metrics`.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::metrics::{self, PrometheusHandle};

type Checked = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Whether the shutdown has begun: the listener is about to close, and who has a connection hears why.
#[derive(Clone, Debug, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    /// From now on the server says that it is not ready.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What the probes look at.
#[derive(Clone)]
pub struct ProbeState {
    metrics: PrometheusHandle,
    draining: Draining,
    check: Arc<dyn Fn() -> Checked + Send + Sync>,
}

impl ProbeState {
    /// Probes that answer by that check, which says why the server is not ready.
    pub fn new<C, F>(metrics: PrometheusHandle, draining: Draining, check: C) -> Self
    where
        C: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self { metrics, draining, check: Arc::new(move || Box::pin(check())) }
    }
}

/// `GET /livez`: 200 while the process answers at all. `GET /readyz`: 200 `ready`, or 503 with the reason. `GET /metrics`:
/// Prometheus' text format.
pub fn routes(state: ProbeState) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics_text))
        .with_state(state)
}

async fn ready(State(state): State<ProbeState>) -> (StatusCode, String) {
    if state.draining.has_begun() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining".to_owned());
    }
    match (state.check)().await {
        Ok(()) => (StatusCode::OK, "ready".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason),
    }
}

async fn metrics_text(State(state): State<ProbeState>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics::render(&state.metrics))
}
