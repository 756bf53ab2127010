//! What the server says of its own failures: to the caller little, to the log all that is needed to find the request.

use std::fmt::{Debug, Write as _};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use futures_util::{Stream, stream};
use serde_json::json;
use tower::ServiceExt;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use yinxin_http::Arrival;

use crate::asking::Answer as _;
use crate::world::World;

/// Events as lines of `name=value`.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Line<'a>(&'a mut String);

        impl Visit for Line<'_> {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                write!(self.0, "{field}={value:?} ").unwrap();
            }
        }

        let mut text = self.0.lock().unwrap();
        event.record(&mut Line(&mut text));
        text.push('\n');
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn a_failure_is_logged_with_the_requests_id() {
    let w = World::new().await;
    w.ctx.db.close().await;
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.clone());
    let arrival = Arrival::in_process();
    let id = arrival.id.to_string();
    let reply = w.post("/users", json!([{ "username": "anna", "password": "1" }])).arriving(arrival).await;
    let text = "The service is unavailable, please try again later";
    reply.refused(503, "persistence", text);
    let log = log.0.lock().unwrap().clone();
    assert!(log.contains(&format!("request={id} operation=\"user.register\"")), "{log}");
}

async fn status_of(w: &World, rest: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> u16 {
    let begun = stream::iter([Ok(Bytes::from_static(b"{\"grant"))]);
    let arrival = Arrival { body_timeout: Duration::from_millis(1), ..Arrival::in_process() };
    let body = Body::from_stream(stream::StreamExt::chain(begun, rest));
    let request = Request::post(format!("{}/token", w.app.path)).extension(arrival).body(body).unwrap();
    w.router.clone().oneshot(request).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_body_that_breaks_off_is_another_fault_than_one_that_is_late() {
    let w = World::new().await;
    let broken = stream::iter([Err(io::ErrorKind::InvalidData.into())]);
    assert_eq!(status_of(&w, broken).await, 400);
    assert_eq!(status_of(&w, stream::pending()).await, 408);
}
