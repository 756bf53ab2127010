//! Makes ids: time-ordered version 1 UUIDs for users, apps and tokens, and order ids for everything that is listed
//! "newest first". Both rise strictly within a process; UUIDs follow a clock that was set back, order ids do not.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use uuid::Uuid;

use crate::clock::Clock;

/// 100 ns steps between 1582-10-15, where UUID time begins, and 1970.
const UUID_EPOCH_TICKS: i64 = 0x01B2_1DD2_1381_4000;
const TICKS_PER_MS: i64 = 10_000;
/// Order ids: milliseconds in the upper bits, a counter in these.
pub(crate) const ORDER_BITS: u32 = 20;
/// Of those, the lowest of a cluster's ids say which node made them, so that no two nodes make the same.
const NODE_BITS: u32 = 10;
/// Nodes that a cluster can number.
pub const NODES_MAX: i64 = 1 << NODE_BITS;
/// A clock that falls back further than this has been set, and ids follow it; less than this is jitter.
const JITTER_MS: i64 = 10_000;

/// The id maker of a process.
pub struct Mint {
    clock: Arc<dyn Clock>,
    last_tick: AtomicI64,
    last_order: AtomicI64,
    /// From one order id to the next, and what is left when an id is divided by that.
    step: i64,
    node: AtomicI64,
    /// Counts ids, so that a time that comes again after the clock was set back makes another id.
    made: AtomicU64,
    /// Keyed per process: makes the parts of a UUID that are not time.
    scatter: RandomState,
}

/// A new UUID and the time that stands in it.
#[derive(Clone, Copy, Debug)]
pub struct Minted {
    /// The id.
    pub uuid: Uuid,
    /// Its time.
    pub at_ms: i64,
}

impl Mint {
    /// The mint of a server that is alone with its database.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::stepping(clock, 1, 0)
    }

    /// The mint of a node of a cluster. Its number is below [`NODES_MAX`], and no other living node has it.
    pub fn of_node(clock: Arc<dyn Clock>, node: i64) -> Self {
        Self::stepping(clock, NODES_MAX, node.rem_euclid(NODES_MAX))
    }

    fn stepping(clock: Arc<dyn Clock>, step: i64, node: i64) -> Self {
        Self {
            clock,
            last_tick: AtomicI64::new(0),
            last_order: AtomicI64::new(node),
            step,
            node: AtomicI64::new(node),
            made: AtomicU64::new(0),
            scatter: RandomState::new(),
        }
    }

    /// Gives the node another number: another node has taken it for dead, and may have taken its number.
    pub fn become_node(&self, node: i64) {
        self.node.store(node.rem_euclid(self.step), Ordering::Relaxed);
    }

    /// A new version 1 UUID. Its clock sequence and node are scattered, so that ids of two processes do not meet.
    pub fn uuid(&self) -> Minted {
        let now = self.now(TICKS_PER_MS);
        let was_set_back = |last: i64| last - now > JITTER_MS * TICKS_PER_MS;
        let tick = next(&self.last_tick, |last| if was_set_back(last) { now } else { now.max(last + 1) });
        let scattered = self.scatter.hash_one((tick, self.made.fetch_add(1, Ordering::Relaxed)));
        Minted { uuid: uuid_at(tick, scattered), at_ms: tick / TICKS_PER_MS }
    }

    /// A new order id, above all that this mint has made or was shown.
    pub fn order(&self) -> i64 {
        let node = self.node.load(Ordering::Relaxed);
        let now = self.now(1 << ORDER_BITS) + node;
        next(&self.last_order, |last| now.max(self.above(last, node)))
    }

    /// Has order ids go on above one that was made earlier, by a clock that was ahead.
    pub fn rise_above(&self, order: i64) {
        self.last_order.fetch_max(order, Ordering::Relaxed);
    }

    /// The next id of that node above one of any node.
    fn above(&self, order: i64, node: i64) -> i64 {
        order + 1 + (node - order - 1).rem_euclid(self.step)
    }

    fn now(&self, per_ms: i64) -> i64 {
        self.clock.now_ms().max(0).saturating_mul(per_ms)
    }
}

fn next(last: &AtomicI64, step: impl Fn(i64) -> i64) -> i64 {
    let before = last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(step(last)));
    step(before.unwrap_or_else(|last| last))
}

/// A version 1 UUID with that time (100 ns since 1970) and those scattered bits.
pub fn uuid_at(tick: i64, scattered: u64) -> Uuid {
    let ticks = tick.saturating_add(UUID_EPOCH_TICKS).cast_unsigned();
    let [_, _, high @ ..] = ticks.to_be_bytes();
    let [h0, h1, m0, m1, l0, l1] = high;
    let [top0, top1, ..] = ticks.to_be_bytes();
    let scattered = scattered.to_be_bytes();
    // Layout: time_low (4), time_mid (2), version and time_hi (2), variant and clock sequence (2), node (6).
    let mut bytes = [m0, m1, l0, l1, h0, h1, top0 & 0x0F | 0x10, top1, 0, 0, 0, 0, 0, 0, 0, 0];
    bytes[8..].copy_from_slice(&scattered);
    bytes[8] = bytes[8] & 0x3F | 0x80;
    // The multicast bit says that the node is random, not a network card's address.
    bytes[10] |= 0x01;
    Uuid::from_bytes(bytes)
}

/// The time in a version 1 UUID, in milliseconds since 1970; `None` for other versions.
pub fn time_of(uuid: Uuid) -> Option<i64> {
    let (ticks, _) = (uuid.get_version_num() == 1).then(|| uuid.get_timestamp())??.to_gregorian();
    Some((i64::try_from(ticks).ok()? - UUID_EPOCH_TICKS) / TICKS_PER_MS)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::clock::FakeClock;

    #[test]
    fn ids_carry_their_time_and_rise() {
        let clock = Arc::new(FakeClock::at(1_542_595_231_334));
        let mint = Mint::new(clock.clone());
        let first = mint.uuid();
        assert_eq!(first.at_ms, 1_542_595_231_334);
        assert_eq!(time_of(first.uuid), Some(1_542_595_231_334));
        assert_eq!(first.uuid.get_version_num(), 1);
        let orders: Vec<i64> = (0..100).map(|_| mint.order()).collect();
        assert!(orders.is_sorted_by(|a, b| a < b));
        clock.move_by(-1000);
        assert!(mint.order() > orders[99], "jitter of the clock does not turn the order around");
        clock.move_by(-86_400_000);
        let later = mint.order();
        assert!(later > orders[99], "nor does a clock that was set back");
        mint.rise_above(later + 500);
        assert_eq!(mint.order(), later + 501);
    }

    #[test]
    fn nodes_never_make_the_same_order_id() {
        let clock = Arc::new(FakeClock::at(1_542_595_231_334));
        let mints = [0, 1, NODES_MAX - 1].map(|node| Mint::of_node(clock.clone(), node));
        let mut seen = HashSet::new();
        for round in 0..2000 {
            for mint in &mints {
                let order = mint.order();
                assert!(seen.insert(order));
                assert_eq!(order.rem_euclid(NODES_MAX), mint.node.load(Ordering::Relaxed));
                // What one has made is shown to the others, as it happens when they write into one queue.
                mints.iter().filter(|_| round % 7 == 0).for_each(|other| other.rise_above(order));
                assert!(mints.iter().all(|other| round % 7 != 0 || other.order() > order));
            }
            clock.move_by(i64::from(round % 3 == 0));
        }
        let before = mints[0].order();
        mints[0].become_node(7);
        assert!(mints[0].order() > before && mints[0].order() % NODES_MAX == 7);
    }

    #[test]
    fn ids_stay_unique_while_the_clock_jumps() {
        let clock = Arc::new(FakeClock::at(1_542_595_231_334));
        let mint = Mint::new(clock.clone());
        let mut seen = HashSet::new();
        for step in [0, 1000, -1000, 34_560_000_000, -34_560_000_000, -1, 1] {
            clock.move_by(step);
            for _ in 0..1000 {
                assert!(seen.insert(mint.uuid().uuid));
            }
        }
    }

    #[test]
    fn a_clock_set_back_is_followed() {
        let clock = Arc::new(FakeClock::at(1_542_595_231_334));
        let mint = Mint::new(clock.clone());
        mint.uuid();
        clock.move_by(-86_400_000);
        assert_eq!(mint.uuid().at_ms, 1_542_595_231_334 - 86_400_000);
    }
}
