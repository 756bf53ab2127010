//! The metrics of one operation.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics::{Counter, counter};

use super::REQUESTS;
use super::latency::Latency;

/// The statuses that get a series of their own; any other is counted under its class, `5xx`.
const STATUSES: [u16; 22] =
    [101, 200, 201, 202, 204, 301, 302, 304, 400, 401, 403, 404, 405, 408, 409, 413, 415, 429, 431, 500, 501, 503];
const CLASSES: [&str; 6] = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// The counters of one operation of one dialect. Make one per operation, when the router is made, and keep it.
pub struct OperationMetrics {
    name: &'static str,
    dialect: &'static str,
    // Made when first needed, so that what never happens is no series.
    answers: [OnceLock<Counter>; STATUSES.len() + CLASSES.len()],
    latency: Arc<Latency>,
}

impl OperationMetrics {
    /// The counters of that operation. Names are of code, `[a-z0-9_]`, never from a request.
    pub fn new(name: &'static str, dialect: &'static str) -> Self {
        Self {
            name,
            dialect,
            answers: [const { OnceLock::new() }; STATUSES.len() + CLASSES.len()],
            latency: Latency::register(name, dialect),
        }
    }

    /// The operation's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Counts an answer, and the time from [`crate::Arrival::at`] to it.
    pub fn record(&self, status: u16, elapsed: Duration) {
        let place = STATUSES.binary_search(&status).unwrap_or_else(|_| {
            let class = usize::from(status / 100);
            STATUSES.len() + if class < CLASSES.len() { class } else { 0 }
        });
        self.answers[place].get_or_init(|| self.counter_of(place)).increment(1);
        self.latency.record(elapsed);
    }

    fn counter_of(&self, place: usize) -> Counter {
        let status = match STATUSES.get(place) {
            Some(status) => status.to_string(),
            None => CLASSES[place - STATUSES.len()].to_owned(),
        };
        counter!(REQUESTS, "dialect" => self.dialect, "operation" => self.name, "status" => status)
    }
}
