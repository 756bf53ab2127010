//! What the server says of its own failures: to the caller little, to the log all that is needed to find the request.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use yinxin_http::Arrival;

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
    let db = w.ctx.db.clone();
    tokio::task::spawn_blocking(move || db.close()).await.unwrap();
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
