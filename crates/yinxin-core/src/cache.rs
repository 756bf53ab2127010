//! Memory in front of the tables: apps by name, users by id and by name, room tokens by whose they are.
//!
//! **Invariant:** once a write is acknowledged nobody reads the older copy. Commits that touch something are numbered. A
//! loader notes the last number before it reads the database, and may keep what it read only if nothing that shares its
//! slot was touched since.
//!
//! Where other nodes write, too, their touches come over the bus before their writes are acknowledged. Since a touch may be
//! lost, what was read is then believed for a short time only; likewise where a commit may show after its answer was lost.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use quick_cache::Equivalent;
use quick_cache::sync::Cache as QuickCache;
use tokio::time::Instant;
use yinxin_store::{AppId, Touched, UserId};

use crate::apps::App;
use crate::rooms::tokens::Issued;
use crate::users::User;

/// Users share this many slots; more slots, fewer needless reloads.
const SLOTS: usize = 256;

pub(crate) struct Cache {
    apps: RwLock<Apps>,
    users: QuickCache<(AppId, UserId), Kept<User>>,
    names: QuickCache<(AppId, Box<str>), UserId>,
    /// By number, the token that was asked for last.
    room_tokens: QuickCache<(AppId, i64), Kept<Issued>>,
    /// Number of the last touch of all.
    touches: AtomicU64,
    /// Per slot, the number of its last touch.
    slots: Vec<Mutex<u64>>,
    scatter: RandomState,
    trust: Option<Trust>,
}

/// How long what was read is believed where what is stored may change without a word.
struct Trust {
    max_age: Duration,
    since: Instant,
    /// The other nodes know of this one; before that, nothing is kept.
    is_known: AtomicBool,
}

struct Kept<T> {
    value: Arc<T>,
    /// When it began to be read.
    read_at: Duration,
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), read_at: self.read_at }
    }
}

#[derive(Default)]
struct Apps {
    /// Organisation, then app name: two look-ups by `&str` need no allocation.
    by_name: HashMap<String, HashMap<String, Kept<App>>>,
    by_signing_key: HashMap<String, Kept<App>>,
    by_short_id: HashMap<String, Kept<App>>,
    last_touch: u64,
}

/// The number of the last touch before a loader read the database, and when that was.
#[derive(Clone, Copy)]
pub(crate) struct Ticket(u64, Duration);

#[derive(Hash)]
struct NameRef<'a>(AppId, &'a str);

impl Equivalent<(AppId, Box<str>)> for NameRef<'_> {
    fn equivalent(&self, key: &(AppId, Box<str>)) -> bool {
        self.0 == key.0 && *self.1 == *key.1
    }
}

impl Cache {
    /// `max_age`: how long what was read is believed; `None` where every change is told.
    pub fn new(users: usize, max_age: Option<Duration>) -> Self {
        Self {
            apps: RwLock::default(),
            users: QuickCache::new(users.max(1)),
            names: QuickCache::new(users.max(1)),
            room_tokens: QuickCache::new(users.max(1)),
            touches: AtomicU64::new(0),
            slots: (0..SLOTS).map(|_| Mutex::new(0)).collect(),
            scatter: RandomState::new(),
            trust: max_age.map(|max_age| Trust { max_age, since: Instant::now(), is_known: AtomicBool::new(false) }),
        }
    }

    /// The other nodes know of this one now, and tell it what they touch.
    pub fn keep_from_now_on(&self) {
        if let Some(trust) = &self.trust {
            trust.is_known.store(true, Ordering::SeqCst);
        }
    }

    /// Forgets everything: touches were lost.
    pub fn flush(&self) {
        for slot in &self.slots {
            *slot.lock() = self.next_touch();
        }
        self.users.clear();
        self.room_tokens.clear();
        let mut apps = self.apps.write();
        *apps = Apps { last_touch: self.next_touch(), ..Apps::default() };
    }

    /// What was kept, if it is still believed.
    fn believed<T>(&self, kept: &Kept<T>) -> Option<Arc<T>> {
        let is_believed = self.trust.as_ref().is_none_or(|trust| trust.since.elapsed() <= kept.read_at + trust.max_age);
        is_believed.then(|| Arc::clone(&kept.value))
    }

    fn may_keep(&self, ticket: Ticket, last_touch: u64) -> bool {
        last_touch <= ticket.0 && self.trust.as_ref().is_none_or(|trust| trust.is_known.load(Ordering::SeqCst))
    }

    /// Called after each commit, before its callers are answered.
    pub fn forget(&self, touched: &[Touched]) {
        for hint in touched {
            match *hint {
                Touched::App(app) => self.forget_app(app),
                Touched::Outbox(..) => {}
                Touched::User(app, user) => {
                    let mut last_touch = self.slot(app, user).lock();
                    *last_touch = self.next_touch();
                    self.users.remove(&(app, user));
                }
                Touched::RoomTokens(app, uid) => {
                    let mut last_touch = self.room_token_slot(app, uid).lock();
                    *last_touch = self.next_touch();
                    self.room_tokens.remove(&(app, uid));
                }
            }
        }
    }

    fn forget_app(&self, id: AppId) {
        let mut apps = self.apps.write();
        apps.last_touch = self.next_touch();
        for org in apps.by_name.values_mut() {
            org.retain(|_, app| app.value.id != id);
        }
        apps.by_signing_key.retain(|_, app| app.value.id != id);
        apps.by_short_id.retain(|_, app| app.value.id != id);
    }

    pub fn app(&self, org: &str, name: &str) -> Option<Arc<App>> {
        self.believed(self.apps.read().by_name.get(org)?.get(name)?)
    }

    pub fn app_signing(&self, key: &str) -> Option<Arc<App>> {
        self.believed(self.apps.read().by_signing_key.get(key)?)
    }

    pub fn app_short(&self, id: &str) -> Option<Arc<App>> {
        self.believed(self.apps.read().by_short_id.get(id)?)
    }

    /// To be taken before the database is read.
    pub fn ticket(&self) -> Ticket {
        let now = self.trust.as_ref().map_or(Duration::ZERO, |trust| trust.since.elapsed());
        Ticket(self.touches.load(Ordering::SeqCst), now)
    }

    fn next_touch(&self) -> u64 {
        self.touches.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub fn keep_app(&self, ticket: Ticket, app: &Arc<App>) {
        let mut apps = self.apps.write();
        if self.may_keep(ticket, apps.last_touch) {
            let kept = Kept { value: Arc::clone(app), read_at: ticket.1 };
            apps.by_name.entry(app.name.org.clone()).or_default().insert(app.name.name.clone(), kept.clone());
            apps.by_signing_key.insert(app.signing.key.clone(), kept.clone());
            apps.by_short_id.insert(app.short_id.clone(), kept);
        }
    }

    pub fn user(&self, app: AppId, user: UserId) -> Option<Arc<User>> {
        self.believed(&self.users.get(&(app, user))?)
    }

    /// Whom the name belonged to when it was last looked up; the user may be gone since.
    pub fn user_named(&self, app: AppId, name: &str) -> Option<UserId> {
        self.names.get(&NameRef(app, name))
    }

    pub fn keep_user(&self, ticket: Ticket, app: AppId, user: &Arc<User>) {
        let last_touch = self.slot(app, user.user).lock();
        if self.may_keep(ticket, *last_touch) {
            self.users.insert((app, user.user), Kept { value: Arc::clone(user), read_at: ticket.1 });
        }
    }

    pub fn keep_name(&self, app: AppId, name: &str, user: UserId) {
        self.names.insert((app, name.into()), user);
    }

    /// The one it belonged to is gone.
    pub fn forget_name(&self, app: AppId, name: &str) {
        self.names.remove(&NameRef(app, name));
    }

    /// Users in memory, for metrics.
    pub fn user_count(&self) -> usize {
        self.users.len()
    }

    pub fn room_token(&self, app: AppId, uid: i64) -> Option<Arc<Issued>> {
        self.believed(&self.room_tokens.get(&(app, uid))?)
    }

    pub fn keep_room_token(&self, ticket: Ticket, app: AppId, uid: i64, issued: Issued) {
        let last_touch = self.room_token_slot(app, uid).lock();
        if self.may_keep(ticket, *last_touch) {
            self.room_tokens.insert((app, uid), Kept { value: Arc::new(issued), read_at: ticket.1 });
        }
    }

    fn slot(&self, app: AppId, user: UserId) -> &Mutex<u64> {
        self.slot_of((app, user))
    }

    fn room_token_slot(&self, app: AppId, uid: i64) -> &Mutex<u64> {
        self.slot_of((app, uid))
    }

    fn slot_of(&self, key: impl Hash) -> &Mutex<u64> {
        let hash = self.scatter.hash_one(key);
        &self.slots[usize::try_from(hash % SLOTS as u64).unwrap_or_default()]
    }
}
