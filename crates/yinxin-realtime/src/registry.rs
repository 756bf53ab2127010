//! [`Registry`]: connections by user, in shards so that a question for one user waits for no other.
//!
//! Lines are called with no lock held: a connection may end, and thereby deregister, while it is told to.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::RwLock;
use yinxin_core::limits::{DEVICES_PER_PLATFORM, SESSIONS_PER_USER};
use yinxin_core::presence::News;
use yinxin_core::sessions::{CloseReason, Connection, Device, Ending, LocalSessions, PARTS};
use yinxin_core::{AppId, UserId};

const SHARDS: usize = PARTS;

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// On this server.
    pub sessions_max: usize,
    /// Of one user, each on a device of its own.
    pub per_user_max: usize,
    /// Of one user on one platform: one more displaces the oldest.
    pub per_platform_max: usize,
}

impl Bounds {
    /// Those of a node of a cluster, where the record of all nodes has the bounds per user.
    #[must_use]
    pub fn of_node(self) -> Self {
        Self { per_user_max: usize::MAX, per_platform_max: usize::MAX, ..self }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self { sessions_max: 1_000_000, per_user_max: SESSIONS_PER_USER, per_platform_max: DEVICES_PER_PLATFORM }
    }
}

/// A connection's number on this server: the later one is larger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(u64);

impl SessionId {
    /// As it is stored.
    pub fn number(self) -> i64 {
        self.0.cast_signed()
    }
}

/// What the registry may tell a connection. All are called on whatever thread has the news: they must be quick, must not
/// block, and may be called more than once.
pub trait Line: Send + Sync {
    /// It must end.
    fn end(&self, ending: Ending);
    /// Something was put into that queue of its user's inbox.
    fn wake(&self, queue: &str);
    /// Something may have been put anywhere: wake-ups were lost.
    fn look_again(&self) {}
    /// The presence of somebody whom its user watches has changed.
    fn announce(&self, news: &Arc<News>);
    /// Whoever is at that address has shown a token of its user that ends then: a connection from there that ends with
    /// its token lives as long.
    fn renew(&self, _from: IpAddr, _token_ends_ms: i64) {}
}

/// Why a connection was not taken in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The server has as many connections as it may.
    ServerFull,
    /// The user has as many connections as it may.
    UserFull,
}

impl Refused {
    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::ServerFull => "the server has as many connections as it may have",
            Self::UserFull => "the user has as many connections as one may have",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for Refused {}

type Owner = (AppId, UserId);

struct Session {
    id: SessionId,
    device: Device,
    platform: &'static str,
    line: Arc<dyn Line>,
}

/// The connections of this server.
pub struct Registry {
    bounds: Bounds,
    /// A user's sessions stand newest first; a user without any has no entry.
    shards: [RwLock<HashMap<Owner, Vec<Session>>>; SHARDS],
    scatter: RandomState,
    last_id: AtomicU64,
    count: AtomicUsize,
}

impl Registry {
    /// An empty one.
    pub fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            bounds,
            shards: std::array::from_fn(|_| RwLock::default()),
            scatter: RandomState::new(),
            last_id: AtomicU64::new(0),
            count: AtomicUsize::new(0),
        })
    }

    /// Takes in a connection whose user is known; it is listed until the answer is dropped. An older connection of the
    /// same device, or the oldest of a platform that has too many, is told to end and is no longer listed.
    pub fn register(
        self: &Arc<Self>,
        (app, user): (AppId, UserId),
        device: Device,
        platform: &'static str,
        line: Arc<dyn Line>,
    ) -> Result<Registration, Refused> {
        let note = device.note.clone();
        self.take_place()?;
        let (registration, displaced) = {
            let mut shard = self.shard(app, user).write();
            // Of two of a user, the one that displaces the other has the larger number.
            let id = SessionId(self.last_id.fetch_add(1, Ordering::Relaxed) + 1);
            let registration = Registration { registry: Arc::clone(self), owner: (app, user), id };
            let sessions = shard.entry((app, user)).or_default();
            let displaced = self.to_displace(sessions, &device, platform).map(|at| sessions.remove(at));
            if displaced.is_none() && sessions.len() >= self.bounds.per_user_max {
                // The lock goes first: dropping the registration takes it again.
                drop(shard);
                drop(registration);
                return Err(Refused::UserFull);
            }
            sessions.insert(0, Session { id, device, platform, line });
            (registration, displaced)
        };
        if let Some(session) = displaced {
            session.line.end(Ending::Displaced(note));
        }
        Ok(registration)
    }

    /// Which session gives way to a new one, if one must. Sessions stand newest first.
    fn to_displace(&self, sessions: &[Session], device: &Device, platform: &str) -> Option<usize> {
        let same = sessions.iter().position(|session| session.device.resource == device.resource);
        let is_full =
            || sessions.iter().filter(|session| session.platform == platform).count() >= self.bounds.per_platform_max;
        let oldest = || sessions.iter().rposition(|session| session.platform == platform);
        same.or_else(|| is_full().then(oldest).flatten())
    }

    /// Connections taken in and not yet gone, displaced ones included.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells every connection that the server stops.
    pub fn stop(&self) {
        self.end_all(|_| true, &Ending::ServerStops);
    }

    /// Tells all connections of those users to end.
    fn end_all(&self, meant: impl Fn(&Owner) -> bool, ending: &Ending) {
        for part in 0..SHARDS {
            for line in self.lines_of_part(part, &meant) {
                line.end(ending.clone());
            }
        }
    }

    fn lines_of_part(&self, part: usize, meant: impl Fn(&Owner) -> bool) -> Vec<Arc<dyn Line>> {
        let Some(shard) = self.shards.get(part) else { return Vec::new() };
        let shard = shard.read();
        let users = shard.iter().filter(|(owner, _)| meant(owner));
        users.flat_map(|(_, sessions)| sessions).map(|session| Arc::clone(&session.line)).collect()
    }

    fn take_place(&self) -> Result<(), Refused> {
        let room = |count: usize| (count < self.bounds.sessions_max).then_some(count + 1);
        let before = self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room);
        let before = before.map_err(|_| Refused::ServerFull)?;
        gauge(before + 1);
        Ok(())
    }

    /// The one place where a connection ends being counted and listed.
    fn remove(&self, (app, user): Owner, id: SessionId) {
        {
            let mut shard = self.shard(app, user).write();
            if let Some(sessions) = shard.get_mut(&(app, user)) {
                sessions.retain(|session| session.id != id);
                if sessions.is_empty() {
                    shard.remove(&(app, user));
                }
            }
        }
        gauge(self.count.fetch_sub(1, Ordering::Relaxed) - 1);
    }

    /// The lines of those sessions of a user that are meant, to be used without the lock.
    fn lines(&self, app: AppId, user: UserId, meant: impl Fn(&Session) -> bool) -> Vec<Arc<dyn Line>> {
        let shard = self.shard(app, user).read();
        let sessions = shard.get(&(app, user)).map_or(&[][..], Vec::as_slice);
        sessions.iter().filter(|session| meant(session)).map(|session| Arc::clone(&session.line)).collect()
    }

    fn shard(&self, app: AppId, user: UserId) -> &RwLock<HashMap<Owner, Vec<Session>>> {
        let hash = self.scatter.hash_one((app, user));
        &self.shards[usize::try_from(hash % SHARDS as u64).unwrap_or_default()]
    }
}

impl LocalSessions for Registry {
    fn is_online(&self, app: AppId, user: UserId) -> bool {
        !self.is_empty() && self.shard(app, user).read().contains_key(&(app, user))
    }

    fn count(&self) -> usize {
        self.len()
    }

    /// Newest first.
    fn devices_of(&self, app: AppId, user: UserId) -> Vec<Device> {
        let shard = self.shard(app, user).read();
        shard
            .get(&(app, user))
            .map_or_else(Vec::new, |sessions| sessions.iter().map(|session| session.device.clone()).collect())
    }

    /// Newest first.
    fn connections_of(&self, app: AppId, user: UserId) -> Vec<Connection> {
        let connection = |session: &Session| Connection {
            resource: session.device.resource.clone(),
            device_name: session.device.device_name.clone(),
            platform: session.platform.into(),
            since_ms: session.device.since_ms,
        };
        let shard = self.shard(app, user).read();
        shard.get(&(app, user)).map_or_else(Vec::new, |sessions| sessions.iter().map(connection).collect())
    }

    fn wake(&self, app: AppId, user: UserId, queue: &str, but: Option<&str>) {
        for line in self.lines(app, user, |session| but != Some(&session.device.resource)) {
            line.wake(queue);
        }
    }

    fn announce(&self, app: AppId, user: UserId, news: &Arc<News>) {
        for line in self.lines(app, user, |_| true) {
            line.announce(news);
        }
    }

    fn renew(&self, app: AppId, user: UserId, from: IpAddr, token_ends_ms: i64) {
        for line in self.lines(app, user, |_| true) {
            line.renew(from, token_ends_ms);
        }
    }

    fn close(&self, app: AppId, user: UserId, resource: Option<&str>, reason: CloseReason) {
        let meant = |session: &Session| resource.is_none_or(|resource| session.device.resource == resource);
        for line in self.lines(app, user, meant) {
            line.end(Ending::Asked(reason));
        }
    }

    fn close_app(&self, app: AppId, reason: CloseReason) {
        self.end_all(|(of, _)| *of == app, &Ending::Asked(reason));
    }

    fn end(&self, app: AppId, user: UserId, number: i64, ending: Ending) {
        for line in self.lines(app, user, |session| session.id.number() == number) {
            line.end(ending.clone());
        }
    }

    fn look_again(&self, part: usize) {
        for line in self.lines_of_part(part, |_| true) {
            line.look_again();
        }
    }

    fn send_away(&self, part: usize) {
        for line in self.lines_of_part(part, |_| true) {
            line.end(Ending::ServerStops);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge of connections is far below 2^52")]
fn gauge(count: usize) {
    metrics::gauge!("yinxin_sessions").set(count as f64);
}

/// A connection's place in the registry. Dropping it, however the connection ended, gives the place back.
#[must_use = "dropping it ends the registration"]
pub struct Registration {
    registry: Arc<Registry>,
    owner: Owner,
    id: SessionId,
}

impl Registration {
    /// The connection's number.
    pub fn id(&self) -> SessionId {
        self.id
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.registry.remove(self.owner, self.id);
    }
}

#[cfg(test)]
mod tests;
