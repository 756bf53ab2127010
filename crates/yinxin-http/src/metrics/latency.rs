//! Histograms of fixed size. The exporter's own keep every sample until somebody reads them, sixteen bytes for each
//! request: without bound when nothing scrapes the server, and slower to record.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::SECONDS;

/// Upper bounds in microseconds, and how they are written in seconds.
const BOUNDS: [(u64, &str); 12] = [
    (100, "0.0001"),
    (250, "0.00025"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (50_000, "0.05"),
    (250_000, "0.25"),
    (1_000_000, "1"),
    (5_000_000, "5"),
    (20_000_000, "20"),
];

/// Every histogram that was made, one per operation of the code.
static ALL: Mutex<Vec<Arc<Latency>>> = Mutex::new(Vec::new());

/// How long one operation takes.
pub(super) struct Latency {
    operation: &'static str,
    dialect: &'static str,
    buckets: [AtomicU64; BOUNDS.len() + 1],
    sum_us: AtomicU64,
}

impl Latency {
    /// The histogram of that operation.
    pub(super) fn register(operation: &'static str, dialect: &'static str) -> Arc<Self> {
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.iter().find(|known| known.operation == operation && known.dialect == dialect) {
            return Arc::clone(known);
        }
        let made = Arc::new(Self {
            operation,
            dialect,
            buckets: [const { AtomicU64::new(0) }; BOUNDS.len() + 1],
            sum_us: AtomicU64::new(0),
        });
        all.push(Arc::clone(&made));
        made
    }

    pub(super) fn record(&self, elapsed: Duration) {
        let us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        // Most answers are in the first buckets, so this search ends soon.
        let bucket = BOUNDS.iter().position(|(bound, _)| us <= *bound).unwrap_or(BOUNDS.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    fn render(&self, text: &mut String) -> std::fmt::Result {
        let labels = format!("dialect=\"{}\",operation=\"{}\"", self.dialect, self.operation);
        let mut count = 0;
        for (bucket, bound) in self.buckets.iter().zip(BOUNDS.map(|(_, bound)| bound).iter().chain(&["+Inf"])) {
            count += bucket.load(Ordering::Relaxed);
            writeln!(text, "{SECONDS}_bucket{{{labels},le=\"{bound}\"}} {count}")?;
        }
        let sum = Duration::from_micros(self.sum_us.load(Ordering::Relaxed)).as_secs_f64();
        writeln!(text, "{SECONDS}_sum{{{labels}}} {sum}")?;
        writeln!(text, "{SECONDS}_count{{{labels}}} {count}")
    }

    fn is_used(&self) -> bool {
        self.buckets.iter().any(|bucket| bucket.load(Ordering::Relaxed) > 0)
    }
}

/// Adds every histogram that has counted something.
pub(super) fn render(text: &mut String) {
    let all = ALL.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let _ = writeln!(text, "# HELP {SECONDS} Time from complete headers to the answer.\n# TYPE {SECONDS} histogram");
    for latency in all.iter().filter(|latency| latency.is_used()) {
        // Writing to a String does not fail.
        let _ = latency.render(text);
    }
}
