//! The closed loop: some connections, one call in flight on each, for a time; what came of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::client::Connection;
use crate::problem::{Explain as _, Problem, Result};
use crate::request::Calls;
use crate::server::Server;
use crate::stats::float;

/// The longest latency told apart, in microseconds.
const LATENCY_LIMIT_US: u64 = 60_000_000;
/// How long after the window the last replies may take.
const GRACE: Duration = Duration::from_secs(30);
/// What a caller who was told "busy" waits: without it, refusals would be what is measured.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// The unmeasured start and the measured rest of one round.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Driven, not counted.
    pub warm: Duration,
    /// Counted.
    pub measured: Duration,
}

/// Who calls what.
#[derive(Clone)]
pub struct Load {
    /// Keep-alive connections.
    pub connections: u32,
    /// Makes the calls of the connection with this number.
    pub calls: Arc<dyn Fn(u32) -> Box<dyn Calls> + Send + Sync>,
    /// Whether 429 and 503 are answers to count apart, rather than errors.
    pub may_be_busy: bool,
}

/// What a round measured.
pub struct Outcome {
    /// Answered calls per second.
    pub per_second: f64,
    /// Refusals with 429 or 503.
    pub busy: u64,
    /// Server CPU microseconds per answered call; `None` where no server is involved.
    pub cpu_us: Option<f64>,
    /// Latencies in microseconds.
    pub latency: Histogram<u64>,
}

/// What one connection, or all of them, counted.
pub struct Tally {
    answered: u64,
    busy: u64,
    failed: u64,
    first_failure: Option<Problem>,
    latency: Histogram<u64>,
}

/// One connection's part of the load.
struct Caller {
    connection: Connection,
    calls: Box<dyn Calls>,
    may_be_busy: bool,
    from: Instant,
    until: Instant,
}

impl Load {
    /// A load whose every call must be answered 200.
    pub fn new(connections: u32, calls: impl Fn(u32) -> Box<dyn Calls> + Send + Sync + 'static) -> Self {
        Self { connections, calls: Arc::new(calls), may_be_busy: false }
    }

    /// Drives the server for the window; a problem if any call failed.
    pub async fn drive(&self, server: &Server, window: Window) -> Result<Outcome> {
        let mut connections = Vec::new();
        for _ in 0..self.connections {
            connections.push(Connection::open(server.address()).await?);
        }
        let from = Instant::now() + window.warm;
        let until = from + window.measured;
        let mut callers = JoinSet::new();
        for (number, connection) in (0..).zip(connections) {
            let calls = (self.calls)(number);
            callers.spawn(Caller { connection, calls, may_be_busy: self.may_be_busy, from, until }.run());
        }
        let cpu_share = cpu_share(server, from, until).await?;
        let tally = tokio::time::timeout(GRACE, together(callers))
            .await
            .map_err(|_| Problem::new(format!("{} left a call unanswered for {GRACE:?}", server.name())))??;
        tally.outcome(window.measured, cpu_share)
    }
}

/// CPU seconds per second the server used between two instants.
pub async fn cpu_share(server: &Server, from: Instant, until: Instant) -> Result<f64> {
    tokio::time::sleep_until(from.into()).await;
    let (began, before) = (Instant::now(), server.cpu_time()?);
    tokio::time::sleep_until(until.into()).await;
    let used = server.cpu_time()?.saturating_sub(before);
    Ok(used.as_secs_f64() / began.elapsed().as_secs_f64())
}

/// All callers' counts, when the last has ended.
pub async fn together(mut callers: JoinSet<Tally>) -> Result<Tally> {
    let mut total = Tally::new();
    while let Some(tally) = callers.join_next().await {
        total.add(tally.explain("a caller of the load generator failed")?);
    }
    Ok(total)
}

impl Caller {
    async fn run(mut self) -> Tally {
        let mut tally = Tally::new();
        let mut began = Instant::now();
        while began < self.until {
            let reply = match self.connection.call(self.calls.next()).await {
                Ok(reply) => reply,
                Err(problem) => {
                    tally.fail(problem);
                    return tally;
                }
            };
            let ended = Instant::now();
            match reply.status {
                200 if ended >= self.from && ended <= self.until => tally.answer(ended - began),
                200 => {}
                429 | 503 if self.may_be_busy => {
                    tally.busy += 1;
                    tokio::time::sleep(BUSY_PAUSE).await;
                    began = Instant::now();
                    continue;
                }
                _ => tally.fail(reply.unexpected()),
            }
            began = ended;
        }
        tally
    }
}

impl Tally {
    /// Nothing yet.
    pub fn new() -> Self {
        let latency = Histogram::new_with_bounds(1, LATENCY_LIMIT_US, 2).expect("constant bounds are valid");
        Self { answered: 0, busy: 0, failed: 0, first_failure: None, latency }
    }

    /// A call that was answered.
    pub fn answer(&mut self, took: Duration) {
        self.answered += 1;
        self.latency.saturating_record(u64::try_from(took.as_micros()).unwrap_or(LATENCY_LIMIT_US));
    }

    /// A call that failed; the round fails with it.
    pub fn fail(&mut self, problem: Problem) {
        self.failed += 1;
        self.first_failure.get_or_insert(problem);
    }

    fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.busy += other.busy;
        self.failed += other.failed;
        self.first_failure = self.first_failure.take().or(other.first_failure);
        self.latency += other.latency;
    }

    /// What a round of that length comes to.
    pub fn outcome(self, measured: Duration, cpu_share: f64) -> Result<Outcome> {
        if let Some(first) = self.first_failure {
            let (failed, answered) = (self.failed, self.answered);
            return Err(Problem::new(format!("{failed} calls failed, {answered} were answered; the first: {first}")));
        }
        if self.answered == 0 && self.busy == 0 {
            return Err(Problem::new("no call was answered in the measured time; give it more --seconds"));
        }
        let per_second = float(self.answered) / measured.as_secs_f64();
        let cpu_us = (self.answered > 0).then(|| cpu_share / per_second * 1e6);
        Ok(Outcome { per_second, busy: self.busy, cpu_us, latency: self.latency })
    }
}

impl Outcome {
    /// A rate with nothing else known about it.
    pub fn of_rate(per_second: f64) -> Self {
        Self { per_second, busy: 0, cpu_us: None, latency: Tally::new().latency }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Tally;
    use crate::client::Reply;

    #[test]
    fn a_failed_call_fails_the_round_with_its_body() {
        let mut total = Tally::new();
        let mut one = Tally::new();
        one.answer(Duration::from_micros(100));
        one.fail(Reply { status: 400, body: b"{\"error\":\"x\"}" }.unexpected());
        one.fail(Reply { status: 500, body: b"later" }.unexpected());
        total.add(one);
        let problem = total.outcome(Duration::from_secs(1), 0.5).err().unwrap().to_string();
        assert_eq!(problem, "2 calls failed, 1 were answered; the first: HTTP 400 {\"error\":\"x\"}");
    }

    #[test]
    fn rates_are_per_second_and_cpu_per_call() {
        let mut tally = Tally::new();
        (0..100).for_each(|_| tally.answer(Duration::from_millis(1)));
        let outcome = tally.outcome(Duration::from_secs(2), 0.5).unwrap();
        assert!((outcome.per_second - 50.0).abs() < 1e-9);
        assert!((outcome.cpu_us.unwrap() - 10_000.0).abs() < 1e-6);
    }

    #[test]
    fn an_empty_round_is_a_problem() {
        assert!(Tally::new().outcome(Duration::from_secs(1), 0.0).is_err());
    }
}
