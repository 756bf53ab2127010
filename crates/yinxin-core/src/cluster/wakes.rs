//! [`Wakes`]: what the connections of a user on other nodes are to hear, gathered until somebody has looked where they are.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use yinxin_store::{AppId, UserId};

use crate::bus::Hint;
use crate::limits::{WAKES_PER_USER, WAKES_WAITING};
use crate::presence::News;

/// What is told to one user's connections.
#[derive(Default)]
pub(super) struct Parcel {
    /// Queues, each with the device that knows.
    queues: HashMap<Box<str>, Option<Box<str>>>,
    news: Vec<Arc<News>>,
    shown: HashMap<IpAddr, i64>,
}

impl Parcel {
    /// As hints.
    pub fn hints(&self, app: AppId, user: UserId) -> impl Iterator<Item = Hint> {
        let wakes = self.queues.iter().map(move |(queue, but)| Hint::Wake {
            app,
            user,
            queue: queue.to_string(),
            but: but.as_deref().map(str::to_owned),
        });
        let news = move |news: &Arc<News>| Hint::News { app, user, news: Arc::clone(news) };
        let renew = move |(from, ends): (&IpAddr, &i64)| Hint::Renew { app, user, from: *from, token_ends_ms: *ends };
        wakes.chain(self.news.iter().map(news)).chain(self.shown.iter().map(renew))
    }
}

pub(super) type Parcels = HashMap<(AppId, UserId), Parcel>;

/// See the module.
#[derive(Default)]
pub(super) struct Wakes {
    waiting: Mutex<(Parcels, bool)>,
    bell: Notify,
}

impl Wakes {
    pub fn wake(&self, app: AppId, user: UserId, queue: &str, but: Option<&str>) {
        self.put(app, user, |parcel| {
            if parcel.queues.len() >= WAKES_PER_USER && !parcel.queues.contains_key(queue) {
                return false;
            }
            let known = parcel.queues.entry(queue.into()).or_insert_with(|| but.map(Into::into));
            if known.as_deref() != but {
                // Of two things that came, each is known to one device.
                *known = None;
            }
            true
        });
    }

    pub fn announce(&self, app: AppId, user: UserId, news: &Arc<News>) {
        self.put(app, user, |parcel| {
            // Best effort: who wants to know asks.
            if parcel.news.len() < WAKES_PER_USER {
                parcel.news.push(Arc::clone(news));
            }
            true
        });
    }

    pub fn renew(&self, app: AppId, user: UserId, from: IpAddr, token_ends_ms: i64) {
        self.put(app, user, |parcel| {
            if parcel.shown.len() < WAKES_PER_USER || parcel.shown.contains_key(&from) {
                let ends_ms = parcel.shown.entry(from).or_insert(token_ends_ms);
                *ends_ms = token_ends_ms.max(*ends_ms);
            }
            true
        });
    }

    fn put(&self, app: AppId, user: UserId, add: impl FnOnce(&mut Parcel) -> bool) {
        {
            let (parcels, is_lost) = &mut *self.waiting.lock();
            let has_room = parcels.len() < WAKES_WAITING || parcels.contains_key(&(app, user));
            *is_lost |= !has_room || !add(parcels.entry((app, user)).or_default());
        }
        self.bell.notify_one();
    }

    /// Everything that waits, once something does, and whether more was lost.
    pub async fn next(&self) -> (Parcels, bool) {
        loop {
            let waiting = std::mem::take(&mut *self.waiting.lock());
            if waiting.1 || !waiting.0.is_empty() {
                return waiting;
            }
            self.bell.notified().await;
        }
    }
}
