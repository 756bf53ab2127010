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
        self.heads.is_empty() && self.under_way.is_empty() && !self.stale && self.next_ms.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 10;
    const MOST: usize = 4;

    fn look(heads: &[(i64, &str)], next_ms: Option<i64>) -> Look {
        let heads = heads.iter().map(|&(seq, lane)| Head { seq, lane: lane.to_owned() }).collect();
        Look { heads, next_ms }
    }

    /// A line that has just read these.
    fn line(heads: &[(i64, &str)]) -> Line {
        let mut line = Line::default();
        line.wake(false);
        assert!(line.wants_look(0));
        line.looked(look(heads, None), LIMIT);
        line
    }

    fn started(line: &mut Line, now_ms: i64) -> Vec<i64> {
        std::iter::from_fn(|| line.start(now_ms, MOST)).collect()
    }

    const REFUSED: Option<Outcome> = Some(Outcome::Refused { rest_ms: None });

    #[test]
    fn lanes_go_side_by_side_and_each_in_order() {
        let mut line = line(&[(1, "a"), (2, "a"), (3, "b"), (4, "a"), (5, "c")]);
        assert_eq!(started(&mut line, 0), [1, 3, 5]);
        line.done(3, Some(Outcome::Delivered), 0);
        assert!(started(&mut line, 0).is_empty());
        line.done(1, Some(Outcome::Delivered), 0);
        assert_eq!(started(&mut line, 0), [2]);
    }

    #[test]
    fn no_more_are_under_way_than_may_be() {
        let mut line = line(&[(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")]);
        assert_eq!(started(&mut line, 0), [1, 2, 3, 4]);
        line.done(2, Some(Outcome::Delivered), 0);
        assert_eq!(started(&mut line, 0), [5]);
    }

    #[test]
    fn one_that_fails_steps_aside() {
        let mut line = line(&[(1, "a"), (2, "a")]);
        assert_eq!(started(&mut line, 0), [1]);
        line.done(1, REFUSED, 0);
        assert_eq!(started(&mut line, 0), [2], "the next of its lane does not wait");
        line.done(2, Some(Outcome::Delivered), 0);
        assert!(line.wants_look(0), "when the first is due again stands in the database");
        line.looked(look(&[], Some(5000)), LIMIT);
        assert_eq!((line.wake_ms(), line.is_idle()), (Some(5000), false));
        assert!(!line.wants_look(4999) && line.wants_look(5000));
    }

    #[test]
    fn what_is_under_way_is_not_started_twice() {
        let mut line = line(&[(1, "a")]);
        assert_eq!(started(&mut line, 0), [1]);
        line.wake(false);
        assert!(line.wants_look(0));
        line.looked(look(&[(1, "a"), (2, "b")], None), LIMIT);
        assert_eq!(started(&mut line, 0), [2]);
    }

    #[test]
    fn a_full_look_is_followed_by_another() {
        let heads: Vec<(i64, &str)> = (0..10).map(|seq| (seq, "a")).collect();
        let mut line = line(&heads);
        for seq in 0..10 {
            assert!(!line.wants_look(0));
            assert_eq!(started(&mut line, 0), [seq]);
            line.done(seq, Some(Outcome::Delivered), 0);
        }
        assert!(line.wants_look(0));
        line.looked(Look::default(), LIMIT);
        assert!(line.is_idle());
    }

    #[test]
    fn a_hook_that_is_down_is_left_alone_longer_and_longer() {
        let heads: Vec<(i64, String)> = (0..8).map(|seq| (seq, seq.to_string())).collect();
        let heads: Vec<(i64, &str)> = heads.iter().map(|(seq, lane)| (*seq, lane.as_str())).collect();
        let mut line = line(&heads);
        let mut now_ms = 1000;
        for seq in started(&mut line, now_ms) {
            line.done(seq, REFUSED, now_ms);
        }
        let mut rests = Vec::new();
        for _ in 0..12 {
            let until_ms = line.wake_ms().unwrap();
            rests.push(until_ms - now_ms);
            assert_eq!(line.start(until_ms - 1, MOST), None);
            assert!(!line.wants_look(until_ms - 1) && line.wants_look(until_ms));
            now_ms = until_ms;
            line.looked(look(&heads, None), LIMIT);
            assert_eq!(started(&mut line, now_ms), [0], "one at a time");
            line.done(0, REFUSED, now_ms);
        }
        // What failed together counts once the rest has begun.
        assert_eq!(rests[..4], [1000, 2000, 4000, 8000]);
        assert_eq!(rests[11], REST_MAX_MS);
        line.wake(true);
        assert!(line.wants_look(now_ms), "an operator who is in a hurry is heard");
        line.looked(look(&heads, None), LIMIT);
        assert_eq!(started(&mut line, now_ms), [0, 1, 2, 3]);
    }

    #[test]
    fn a_success_ends_the_rest() {
        let mut line = line(&[(1, "a"), (2, "b"), (3, "c"), (4, "d")]);
        assert_eq!(started(&mut line, 0), [1, 2, 3, 4]);
        for seq in [1, 2, 3] {
            line.done(seq, REFUSED, 0);
        }
        assert_eq!(line.wake_ms(), Some(REST_MS));
        line.done(4, Some(Outcome::Delivered), 0);
        assert!(line.wants_look(0));
    }

    #[test]
    fn a_hook_that_asks_for_time_gets_it() {
        let mut line = line(&[(1, "a"), (2, "b")]);
        assert_eq!(line.start(0, MOST), Some(1));
        line.done(1, Some(Outcome::Refused { rest_ms: Some(7000) }), 0);
        assert_eq!((line.start(6999, MOST), line.wake_ms()), (None, Some(7000)));
    }

    #[test]
    fn what_could_not_be_read_or_written_is_tried_again() {
        let mut line = line(&[(1, "a")]);
        assert_eq!(line.start(0, MOST), Some(1));
        line.done(1, None, 0);
        assert_eq!(line.wake_ms(), Some(REST_MS));
        line.unreadable(REST_MS);
        assert!(line.wake_ms() >= Some(REST_MS));
        assert!(!line.is_idle());
    }
}
