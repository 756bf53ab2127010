//! How often what may be called. Counted in a fixed table of cells (the generic cell rate algorithm, one number each),
//! so that no flood of addresses or names grows the memory. Two keys that share a cell share its limit, which at
//! 65,536 cells under a per-process hash nobody can aim for.
//!
//! Counts are per server, not per cluster; wrong passwords are on record there, too.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use yinxin_store::{AppId, UserId};

use crate::clock::Clock;
use crate::error::{Code, Result};
use crate::limits::Limits;

const CELLS: usize = 1 << 16;
const NS_PER_S: i64 = 1_000_000_000;

/// Which call rates hold for the calls of backends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Preset {
    /// None: your own server, your own backends. Only abuse is limited.
    #[default]
    SelfHosted,
    /// The numbers the clouds document, for tests of a backend's behaviour at the limit.
    Vendor,
}

/// Calls that are counted together, per app.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Bucket {
    /// Everything about users that has no bucket of its own.
    Users,
    /// Issuing tokens.
    Tokens,
    /// Deleting many users.
    UserDeletes,
    /// Asking for many online states.
    StatusBatch,
    /// Block lists.
    Blocks,
    /// Presence.
    Presence,
    /// Push templates.
    Templates,
    /// Uploads and downloads.
    Files,
    /// Rooms.
    Rooms,
    /// Who was in a room.
    RoomHistory,
}

impl Bucket {
    /// Every bucket, for tables and tests.
    pub const ALL: [Self; 10] = [
        Self::Users,
        Self::Tokens,
        Self::UserDeletes,
        Self::StatusBatch,
        Self::Blocks,
        Self::Presence,
        Self::Templates,
        Self::Files,
        Self::Rooms,
        Self::RoomHistory,
    ];

    /// Calls per second and app that the clouds document (2024).
    pub const fn vendor_per_s(self) -> u32 {
        match self {
            Self::Users | Self::Files => 100,
            Self::Tokens => 300,
            Self::UserDeletes => 30,
            Self::StatusBatch | Self::Blocks | Self::Presence | Self::RoomHistory => 50,
            Self::Templates => 10,
            Self::Rooms => 1200,
        }
    }
}

/// Whose password is tried: one user is one, however it is spelled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Whose<'a> {
    /// A user's.
    User(UserId),
    /// Nobody's: the name, folded.
    Nobody(&'a str),
}

/// The counters of a server.
pub struct Rates {
    preset: Preset,
    clock: Arc<dyn Clock>,
    calls: Cells,
    token_calls: Cells,
    password_failures: Cells,
    tokens: Pace,
    failures: Pace,
}

impl Rates {
    pub(crate) fn new(preset: Preset, limits: &Limits, clock: Arc<dyn Clock>) -> Self {
        Self {
            preset,
            clock,
            calls: Cells::new(),
            token_calls: Cells::new(),
            password_failures: Cells::new(),
            tokens: Pace::per_second(limits.token_calls_per_s),
            failures: Pace {
                every_ns: i64::from(limits.password_forgive_s) * NS_PER_S,
                burst: limits.password_failures,
            },
        }
    }

    /// Counts a backend's call.
    pub fn call(&self, app: AppId, bucket: Bucket) -> Result<()> {
        if self.preset == Preset::SelfHosted {
            return Ok(());
        }
        self.admit(&self.calls, &(app, bucket), Pace::per_second(bucket.vendor_per_s()))
    }

    /// Counts a call for a token by the address it comes from.
    pub fn token_call(&self, from: IpAddr) -> Result<()> {
        self.admit(&self.token_calls, &Network::of(from), self.tokens)
    }

    /// Counts a password as wrong before it is checked, so that guesses made at once do not pass the limit together.
    /// Refuses it when that user has too many from that address.
    pub fn password_tried(&self, app: AppId, whose: Whose<'_>, from: IpAddr) -> Result<()> {
        self.admit(&self.password_failures, &(app, whose, Network::of(from)), self.failures)
    }

    /// Takes back what [`Self::password_tried`] counted: the password was right, or was not checked.
    pub fn password_not_wrong(&self, app: AppId, whose: Whose<'_>, from: IpAddr) {
        let cell = self.password_failures.of(&(app, whose, Network::of(from)));
        cell.fetch_sub(self.failures.every_ns, Ordering::Relaxed);
    }

    /// How wrong passwords are forgiven.
    pub(crate) fn forgiving(&self) -> Forgiving {
        Forgiving { every_ms: self.failures.every_ns / 1_000_000, burst: self.failures.burst }
    }

    fn admit(&self, cells: &Cells, key: &impl Hash, pace: Pace) -> Result<()> {
        let now = self.now_ns();
        let step = |next: i64| pace.room(next, now);
        cells.of(key).fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).map(|_| ()).map_err(|_| refused())
    }

    fn now_ns(&self) -> i64 {
        self.clock.now_ms().saturating_mul(1_000_000)
    }
}

fn refused() -> crate::Error {
    metrics::counter!("yinxin_rate_limited_total").increment(1);
    Code::RateLimited.into()
}

/// How wrong passwords are forgiven, one after the other, and how many are borne.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forgiving {
    pub every_ms: i64,
    pub burst: u32,
}

/// One call every so often, and so many at once.
#[derive(Clone, Copy)]
struct Pace {
    every_ns: i64,
    burst: u32,
}

impl Pace {
    fn per_second(calls: u32) -> Self {
        Self { every_ns: NS_PER_S / i64::from(calls.max(1)), burst: calls.max(1) }
    }

    /// The cell's next value if one more call fits. A cell holds the time at which its calls would be used up at an
    /// even pace; a value further ahead than the pace allows was left by a clock that has been set back.
    fn room(self, cell: i64, now: i64) -> Option<i64> {
        let most = self.every_ns.saturating_mul(i64::from(self.burst));
        let start = if cell - now > most { now } else { cell.max(now) };
        let next = start + self.every_ns;
        (next - now <= most).then_some(next)
    }
}

/// Counts what one party does, where it alone is counted.
#[derive(Clone, Copy)]
pub struct Meter {
    pace: Pace,
    cell: i64,
}

impl Meter {
    /// So many in a second, and so many at once.
    pub fn new(per_s: u32, at_once: u32) -> Self {
        Self { pace: Pace { burst: at_once.max(1), ..Pace::per_second(per_s) }, cell: 0 }
    }

    /// Counts one more, if it may be.
    pub fn admit(&mut self, now_ms: i64) -> bool {
        let next = self.pace.room(self.cell, now_ms.saturating_mul(1_000_000));
        if let Some(next) = next {
            self.cell = next;
        }
        next.is_some()
    }
}

struct Cells {
    cells: Box<[AtomicI64]>,
    scatter: RandomState,
}

impl Cells {
    fn new() -> Self {
        Self { cells: (0..CELLS).map(|_| AtomicI64::new(0)).collect(), scatter: RandomState::new() }
    }

    fn of(&self, key: &impl Hash) -> &AtomicI64 {
        let hash = self.scatter.hash_one(key);
        &self.cells[usize::try_from(hash % CELLS as u64).unwrap_or_default()]
    }
}

/// The part of an address that one customer of a network has: all of IPv4, the first half of IPv6.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Network(u64);

impl Network {
    /// As bytes, for a hash.
    pub fn bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(v4) => u64::from(v4.to_bits()),
            IpAddr::V6(v6) => u64::from_be_bytes(v6.octets()[..8].try_into().unwrap_or_default()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FakeClock;

    fn rates(preset: Preset) -> (Rates, Arc<FakeClock>) {
        let clock = Arc::new(FakeClock::at(1_700_000_000_000));
        (Rates::new(preset, &Limits::default(), clock.clone()), clock)
    }

    #[test]
    fn the_vendor_preset_counts_per_app_and_bucket() {
        let (rates, clock) = rates(Preset::Vendor);
        for bucket in Bucket::ALL {
            let app = AppId([bucket.vendor_per_s().to_le_bytes()[0]; 16]);
            for _ in 0..bucket.vendor_per_s() {
                rates.call(app, bucket).unwrap();
            }
            assert_eq!(rates.call(app, bucket).unwrap_err().code, Code::RateLimited);
            rates.call(AppId([200; 16]), bucket).unwrap();
        }
        clock.move_by(1000);
        rates.call(AppId([100; 16]), Bucket::Users).unwrap();
    }

    #[test]
    fn the_default_preset_does_not_count_calls() {
        let (rates, _clock) = rates(Preset::SelfHosted);
        assert!((0..10_000).all(|_| rates.call(AppId([1; 16]), Bucket::Users).is_ok()));
    }

    #[test]
    fn failures_are_counted_per_name_and_network_and_forgiven() {
        let (rates, clock) = rates(Preset::SelfHosted);
        let (app, here, there) = (AppId([1; 16]), "10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        for _ in 0..20 {
            rates.password_tried(app, Whose::Nobody("a"), here).unwrap();
        }
        assert!(rates.password_tried(app, Whose::Nobody("a"), here).is_err());
        assert!(rates.password_tried(app, Whose::Nobody("a"), there).is_ok());
        assert!(rates.password_tried(app, Whose::Nobody("b"), here).is_ok());
        clock.move_by(15_000);
        assert!(rates.password_tried(app, Whose::Nobody("a"), here).is_ok());
    }

    #[test]
    fn a_right_password_gives_its_place_back() {
        let (rates, _clock) = rates(Preset::SelfHosted);
        let (app, here) = (AppId([1; 16]), "10.0.0.1".parse().unwrap());
        let ann = Whose::User(UserId([1; 16]));
        for _ in 0..100 {
            rates.password_tried(app, ann, here).unwrap();
            rates.password_not_wrong(app, ann, here);
        }
        assert_eq!((0..30).filter(|_| rates.password_tried(app, ann, here).is_ok()).count(), 20);
    }

    #[test]
    fn a_meter_lets_so_many_at_once_and_then_so_many_in_a_second() {
        let mut meter = Meter::new(10, 30);
        let now_ms = 1_700_000_000_000;
        assert_eq!((0..100).filter(|_| meter.admit(now_ms)).count(), 30);
        assert_eq!((0..100).filter(|_| meter.admit(now_ms + 1000)).count(), 10);
        assert_eq!((0..100).filter(|_| meter.admit(now_ms + 60_000)).count(), 30);
        assert!(meter.admit(now_ms - 60_000), "a clock set back locks nobody out");
    }

    #[test]
    fn a_clock_set_back_does_not_lock_anybody_out() {
        let (rates, clock) = rates(Preset::Vendor);
        for _ in 0..100 {
            rates.call(AppId([1; 16]), Bucket::Users).unwrap();
        }
        clock.move_by(-34_560_000_000);
        assert!(rates.call(AppId([1; 16]), Bucket::Users).is_ok());
    }
}
