//! [`Line`]: one hook's events in order, and when the next may be tried. Knows no clock and makes no call.

use std::collections::{HashMap, VecDeque};

use yinxin_core::hooks::{Head, Look, Outcome};

/// Failures one after the other, after which a hook is left alone for a while and tried with one event at a time.
const PATIENCE: u32 = 3;
/// The first rest, and the longest: how late a hook that is back may be found.
const REST_MS: i64 = 1000;
const REST_MAX_MS: i64 = 300_000;

/// One hook's events.
#[derive(Debug, Default)]
pub struct Line {
    heads: VecDeque<Head>,
    /// Order id and lane of what is under way.
    under_way: HashMap<i64, String>,
    /// There may be more to read.
    stale: bool,
    /// When something more is due.
    next_ms: Option<i64>,
    failures: u32,
    rest_until_ms: i64,
}

impl Line {
    /// Something was put into the outbox. In a hurry, an operator wants it now: the hook may be well again.
    pub fn wake(&mut self, hurried: bool) {
        self.stale = true;
        if hurried {
            self.failures = 0;
            self.rest_until_ms = 0;
        }
    }

    /// Whether the outbox is to be read before anything is tried.
    pub fn wants_look(&mut self, now_ms: i64) -> bool {
        if self.next_ms.is_some_and(|next_ms| next_ms <= now_ms) {
            self.stale = true;
            self.next_ms = None;
        }
        self.stale && self.heads.is_empty() && self.rest_until_ms <= now_ms
    }

    /// What was read, at most `limit` events, which is more than can be under way. Those are read, too: they are due until
    /// they are done.
    pub fn looked(&mut self, look: Look, limit: usize) {
        self.stale = look.heads.len() >= limit;
        self.next_ms = look.next_ms;
        self.heads = look.heads.into_iter().filter(|head| !self.under_way.contains_key(&head.seq)).collect();
    }

    /// It could not be read.
    pub fn unreadable(&mut self, now_ms: i64) {
        self.failed(REST_MS, now_ms);
    }

    /// The next event to try, if one may be tried now.
    pub fn start(&mut self, now_ms: i64, most: usize) -> Option<i64> {
        let most = if self.failures >= PATIENCE { 1 } else { most };
        if self.under_way.len() >= most || self.rest_until_ms > now_ms {
            return None;
        }
        let is_free = |head: &Head| self.under_way.values().all(|lane| *lane != head.lane);
        let head = self.heads.iter().position(is_free).and_then(|at| self.heads.remove(at))?;
        self.under_way.insert(head.seq, head.lane);
        Some(head.seq)
    }

    /// What came of an event that was tried; `None`: it could not be written down, so it will be tried again.
    pub fn done(&mut self, seq: i64, outcome: Option<Outcome>, now_ms: i64) {
        self.under_way.remove(&seq);
        match outcome {
            Some(Outcome::Delivered) => {
                self.failures = 0;
                self.rest_until_ms = 0;
            }
            Some(Outcome::Nothing) => {}
            Some(Outcome::Refused { rest_ms }) => self.failed(rest_ms.unwrap_or_default(), now_ms),
            None => self.failed(REST_MS, now_ms),
        }
        // When it is due again stands in the database.
        self.stale |= outcome != Some(Outcome::Delivered);
    }

    fn failed(&mut self, asked_ms: i64, now_ms: i64) {
        let mut own_ms = 0;
        // What was under way when the rest began says nothing new.
        if self.rest_until_ms <= now_ms {
            self.failures = self.failures.saturating_add(1);
            let doublings = self.failures.saturating_sub(PATIENCE).min(16);
            own_ms = if self.failures < PATIENCE { 0 } else { (REST_MS << doublings).min(REST_MAX_MS) };
        }
        self.rest_until_ms = self.rest_until_ms.max(now_ms + own_ms.max(asked_ms));
        if self.rest_until_ms > now_ms {
            // Read again after the rest: an operator may have switched the hook off meanwhile.
            self.heads.clear();
            self.stale = true;
        }
    }

    /// When to come back to it, if nothing happens before. A time that has passed is no reason to come back.
    pub fn wake_ms(&self) -> Option<i64> {
        let next_ms = if self.stale || !self.heads.is_empty() { Some(self.rest_until_ms) } else { self.next_ms };
        next_ms.map(|next_ms| next_ms.max(self.rest_until_ms))
    }

    /// Whether there is nothing to remember.
    pub fn is_idle(&self) -> bool {
        self.heads.is_empty()
            && self.under_way.is_empty()
            && !self.stale
            && self.next_ms.is_none()
            && self.failures == 0
    }
}
