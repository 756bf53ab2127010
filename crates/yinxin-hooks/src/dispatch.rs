//! The loop that keeps hooks told: reads what is due, keeps so much under way, sleeps until something is due.
//!
//! What is promised of the order: events of one lane (messages between two users, sessions of one user) are first tried
//! in the order of their order ids, one at a time. One that fails steps aside until its next attempt.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::task::JoinSet;
use tokio::time::Instant;
use yinxin_core::cluster::Piece;
use yinxin_core::hooks::{self, Key, Outcome};
use yinxin_core::limits::LEASE_LOOK;
use yinxin_core::{Ctx, Result};

use crate::line::Line;

/// Events of one hook that are read at a time.
const LOOK: usize = 128;
/// The longest sleep: a clock that was set must not make a hook wait for long.
const SLEEP_MAX_MS: i64 = 60_000;
/// In a cluster all hooks are looked at so often.
const LOOK_AT_ALL_EVERY: Duration = Duration::from_secs(30);
/// What is under way when the server stops may take so long to end.
const FAREWELL: Duration = Duration::from_secs(3);

/// How much is under way at a time.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Calls to all hooks.
    pub in_all: usize,
    /// Calls to one hook.
    pub per_hook: usize,
}

/// Keeps the hooks of a server told until `stop`.
pub async fn run(ctx: Arc<Ctx>, bounds: Bounds, stop: impl Future<Output = ()>) {
    let mut dispatch = Dispatch { ctx, bounds, lines: HashMap::new(), turns: VecDeque::new(), calls: JoinSet::new() };
    tokio::select! {
        () = dispatch.work() => {}
        () = stop => {}
    }
    // What is cut off is told again by the next start.
    let last = async { while dispatch.calls.join_next().await.is_some() {} };
    let _in_time = tokio::time::timeout(FAREWELL, last).await;
}

/// What came of a call; `None`: a panic.
type Done = (Key, i64, Option<Result<Outcome>>);

struct Dispatch {
    ctx: Arc<Ctx>,
    bounds: Bounds,
    lines: HashMap<Key, Line>,
    /// Whose turn it is when not all can be served: the keys of `lines`.
    turns: VecDeque<Key>,
    calls: JoinSet<Done>,
}

impl Dispatch {
    async fn work(&mut self) {
        loop {
            while !self.ctx.holds(Piece::Hooks) {
                tokio::time::sleep(LEASE_LOOK).await;
            }
            self.look_at_all().await;
            self.tell().await;
            // Another node tells them now; what is under way here ends here.
            while let Some(Ok(done)) = self.calls.join_next().await {
                self.done(done);
            }
            self.lines.clear();
            self.turns.clear();
        }
    }

    /// Looks at every hook there is, whoever was told of it, and keeps outboxes and logs within their bounds.
    async fn look_at_all(&mut self) {
        let known = hooks::all(&self.ctx).await.map_err(|error| tracing::error!(%error, "the hooks could not be read"));
        for key in known.unwrap_or_default() {
            if let Err(error) = hooks::tidy(&self.ctx, key).await {
                tracing::error!(%error, "what is kept for a hook could not be counted");
            }
            self.line(key).wake(false);
        }
    }

    /// Until this is another node's to do: on a server by itself, for ever.
    async fn tell(&mut self) {
        let mut looked_at = Instant::now();
        while self.ctx.holds(Piece::Hooks) {
            // What another node has put into an outbox is told by a hint, which may be lost.
            if self.ctx.cluster.is_some() && looked_at.elapsed() >= LOOK_AT_ALL_EVERY {
                self.look_at_all().await;
                looked_at = Instant::now();
            }
            self.start_calls().await;
            self.forget_idle();
            let (ctx, nap) = (Arc::clone(&self.ctx), self.nap());
            tokio::select! {
                woken = ctx.hooks.woken() => for (key, hurried) in woken {
                    self.line(key).wake(hurried);
                },
                Some(Ok(done)) = self.calls.join_next() => self.done(done),
                () = tokio::time::sleep(nap) => {}
            }
        }
    }

    fn line(&mut self, key: Key) -> &mut Line {
        self.lines.entry(key).or_insert_with(|| {
            self.turns.push_back(key);
            Line::default()
        })
    }

    fn done(&mut self, (key, seq, result): Done) {
        let outcome = match result {
            Some(Ok(outcome)) => Some(outcome),
            Some(Err(error)) => {
                tracing::error!(%error, "what came of a call to a hook could not be written down");
                None
            }
            None => {
                tracing::error!("a call to a hook panicked");
                None
            }
        };
        let now_ms = self.ctx.clock.now_ms();
        self.line(key).done(seq, outcome, now_ms);
    }

    /// Starts what may be started, one call of each hook after the other.
    async fn start_calls(&mut self) {
        let mut waiting = self.turns.len();
        while waiting > 0 && self.calls.len() < self.bounds.in_all {
            let Some(key) = self.turns.pop_front() else { return };
            self.turns.push_back(key);
            waiting = if self.start_one(key).await { self.turns.len() } else { waiting - 1 };
        }
    }

    async fn start_one(&mut self, key: Key) -> bool {
        let now_ms = self.ctx.clock.now_ms();
        let Some(line) = self.lines.get_mut(&key) else { return false };
        if line.wants_look(now_ms) {
            let limit = LOOK + self.bounds.per_hook;
            match hooks::look(&self.ctx, key, i64::try_from(limit).unwrap_or(i64::MAX)).await {
                Ok(look) => line.looked(look, limit),
                Err(error) => {
                    tracing::error!(%error, "what is to be told to a hook could not be read");
                    line.unreadable(now_ms);
                }
            }
        }
        let Some(seq) = line.start(now_ms, self.bounds.per_hook) else { return false };
        let ctx = Arc::clone(&self.ctx);
        self.calls.spawn(async move {
            let made = AssertUnwindSafe(hooks::attempt(&ctx, key, seq)).catch_unwind().await;
            (key, seq, made.ok())
        });
        true
    }

    fn forget_idle(&mut self) {
        let lines = &mut self.lines;
        self.turns.retain(|key| {
            let is_idle = lines.get(key).is_none_or(Line::is_idle);
            if is_idle {
                lines.remove(key);
            }
            !is_idle
        });
    }

    /// How long nothing needs to be done unless something happens.
    fn nap(&self) -> Duration {
        let now_ms = self.ctx.clock.now_ms();
        let next_ms = self.lines.values().filter_map(Line::wake_ms).filter(|at_ms| *at_ms > now_ms).min();
        let for_ms = next_ms.map_or(SLEEP_MAX_MS, |next_ms| (next_ms - now_ms).min(SLEEP_MAX_MS));
        let nap = Duration::from_millis(for_ms.unsigned_abs());
        if self.ctx.cluster.is_some() { nap.min(LEASE_LOOK) } else { nap }
    }
}
