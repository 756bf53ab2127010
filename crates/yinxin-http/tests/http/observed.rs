//! Metrics and probes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use tower::ServiceExt;
use yinxin_http::metrics::OperationMetrics;
use yinxin_http::probes::{Draining, ProbeState, routes};
use yinxin_http::{ServeOptions, read_body};

use crate::harness::{DEADLINE, Server, metric, metrics};

#[tokio::test]
async fn an_operations_answers_are_counted_by_status_and_time() {
    metrics();
    let operation = OperationMetrics::new("greet", "test");
    for (status, elapsed_us) in [(200, 90), (200, 100), (200, 700), (404, 3_000), (418, 60_000_000), (999, 1)] {
        operation.record(status, Duration::from_micros(elapsed_us));
    }
    let answers = |status: &str| {
        metric(&format!("yinxin_http_requests_total{{dialect=\"test\",operation=\"greet\",status=\"{status}\"}}"))
    };
    assert_eq!(["200", "404", "4xx", "other", "500"].map(answers), [3, 1, 1, 1, 0]);
    let within = |bound: &str| {
        metric(&format!("yinxin_http_request_seconds_bucket{{dialect=\"test\",operation=\"greet\",le=\"{bound}\"}}"))
    };
    assert_eq!(["0.0001", "0.0005", "0.001", "0.005", "20", "+Inf"].map(within), [3, 3, 4, 5, 5, 6]);
    let labels = "{dialect=\"test\",operation=\"greet\"}";
    assert_eq!(metric(&format!("yinxin_http_request_seconds_count{labels}")), 6);
    let text = yinxin_http::metrics::render(metrics());
    assert!(text.contains(&format!("yinxin_http_request_seconds_sum{labels} 60.003891\n")), "{text}");
    assert!(!text.contains("status=\"500\""), "{text}");
}

#[tokio::test]
async fn open_connections_are_counted_up_and_down() {
    let server = Server::start(ServeOptions::default()).await;
    let mut client = server.client().await;
    client.get("/").await;
    assert!(metric("yinxin_http_connections") >= 1);
    assert!(metric("yinxin_http_connections_total") >= 1);
    drop(client);
    assert_eq!(tokio::time::timeout(DEADLINE, server.begin_stop()).await.unwrap().unwrap().cut, 0);
}

async fn probe(state: &ProbeState, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = routes(state.clone()).oneshot(request).await.unwrap();
    let status = response.status();
    let body = read_body(response.into_body(), 1 << 20, DEADLINE).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn probes_tell_alive_from_ready() {
    let broken = Arc::new(AtomicBool::new(false));
    let draining = Draining::default();
    let state = ProbeState::new(metrics().clone(), draining.clone(), {
        let broken = Arc::clone(&broken);
        move || {
            let is_broken = broken.load(Ordering::Relaxed);
            async move { if is_broken { Err("the database is away".to_owned()) } else { Ok(()) } }
        }
    });
    assert_eq!(probe(&state, "/livez").await, (StatusCode::OK, "ok".into()));
    assert_eq!(probe(&state, "/readyz").await, (StatusCode::OK, "ready".into()));
    broken.store(true, Ordering::Relaxed);
    assert_eq!(probe(&state, "/readyz").await, (StatusCode::SERVICE_UNAVAILABLE, "the database is away".into()));
    broken.store(false, Ordering::Relaxed);
    draining.begin();
    assert_eq!(probe(&state, "/readyz").await, (StatusCode::SERVICE_UNAVAILABLE, "draining".into()));
    assert_eq!(probe(&state, "/livez").await, (StatusCode::OK, "ok".into()));
    let (status, text) = probe(&state, "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("# TYPE yinxin_http_request_seconds histogram"), "{text}");
}
