//! Memory in front of the tables: apps by name, users by id and by name, room tokens by whose they are.
//!
//! **Invariant:** once a write is acknowledged nobody reads the older copy. Commits that touch something are numbered. A
//! loader notes the last number before it reads the database, and may keep what it read only if nothing that shares its
//! slot was touched since.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use quick_cache::Equivalent;
use quick_cache::sync::Cache as QuickCache;
use yinxin_store::{AppId, Touched, UserId};

use crate::apps::App;
use crate::rooms::tokens::Issued;
use crate::users::User;

/// Users share this many slots; more slots, fewer needless reloads.
const SLOTS: usize = 256;

pub(crate) struct Cache {
    apps: RwLock<Apps>,
    users: QuickCache<(AppId, UserId), Arc<User>>,
    names: QuickCache<(AppId, Box<str>), UserId>,
    /// By number, the token that was asked for last.
    room_tokens: QuickCache<(AppId, i64), Arc<Issued>>,
    /// Number of the last touch of all.
    touches: AtomicU64,
    /// Per slot, the number of its last touch.
    slots: Vec<Mutex<u64>>,
    scatter: RandomState,
}

#[derive(Default)]
struct Apps {
    /// Organisation, then app name: two look-ups by `&str` need no allocation.
    by_name: HashMap<String, HashMap<String, Arc<App>>>,
    by_signing_key: HashMap<String, Arc<App>>,
    by_short_id: HashMap<String, Arc<App>>,
    last_touch: u64,
}

/// The number of the last touch before a loader read the database.
#[derive(Clone, Copy)]
pub(crate) struct Ticket(u64);

#[derive(Hash)]
struct NameRef<'a>(AppId, &'a str);

impl Equivalent<(AppId, Box<str>)> for NameRef<'_> {
    fn equivalent(&self, key: &(AppId, Box<str>)) -> bool {
        self.0 == key.0 && *self.1 == *key.1
    }
}

impl Cache {
    pub fn new(users: usize) -> Self {
        Self {
            apps: RwLock::default(),
            users: QuickCache::new(users.max(1)),
            names: QuickCache::new(users.max(1)),
            room_tokens: QuickCache::new(users.max(1)),
            touches: AtomicU64::new(0),
            slots: (0..SLOTS).map(|_| Mutex::new(0)).collect(),
            scatter: RandomState::new(),
        }
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
            org.retain(|_, app| app.id != id);
        }
        apps.by_signing_key.retain(|_, app| app.id != id);
        apps.by_short_id.retain(|_, app| app.id != id);
    }

    pub fn app(&self, org: &str, name: &str) -> Option<Arc<App>> {
        self.apps.read().by_name.get(org)?.get(name).cloned()
    }

    pub fn app_signing(&self, key: &str) -> Option<Arc<App>> {
        self.apps.read().by_signing_key.get(key).cloned()
    }

    pub fn app_short(&self, id: &str) -> Option<Arc<App>> {
        self.apps.read().by_short_id.get(id).cloned()
    }

    /// To be taken before the database is read.
    pub fn ticket(&self) -> Ticket {
        Ticket(self.touches.load(Ordering::SeqCst))
    }

    fn next_touch(&self) -> u64 {
        self.touches.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub fn keep_app(&self, ticket: Ticket, app: &Arc<App>) {
        let mut apps = self.apps.write();
        if apps.last_touch <= ticket.0 {
            apps.by_name.entry(app.name.org.clone()).or_default().insert(app.name.name.clone(), Arc::clone(app));
            apps.by_signing_key.insert(app.signing.key.clone(), Arc::clone(app));
            apps.by_short_id.insert(app.short_id.clone(), Arc::clone(app));
        }
    }

    pub fn user(&self, app: AppId, user: UserId) -> Option<Arc<User>> {
        self.users.get(&(app, user))
    }

    /// Whom the name belonged to when it was last looked up; the user may be gone since.
    pub fn user_named(&self, app: AppId, name: &str) -> Option<UserId> {
        self.names.get(&NameRef(app, name))
    }

    pub fn keep_user(&self, ticket: Ticket, app: AppId, user: &Arc<User>) {
        let last_touch = self.slot(app, user.user).lock();
        if *last_touch <= ticket.0 {
            self.users.insert((app, user.user), Arc::clone(user));
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
        self.room_tokens.get(&(app, uid))
    }

    pub fn keep_room_token(&self, ticket: Ticket, app: AppId, uid: i64, issued: Issued) {
        let last_touch = self.room_token_slot(app, uid).lock();
        if *last_touch <= ticket.0 {
            self.room_tokens.insert((app, uid), Arc::new(issued));
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
