//! [`Live`]: what a running server knows of hooks beside their rows: how much room each outbox has, who has something to
//! be told, how many questions are open.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, Semaphore};
use yinxin_store::{AppId, HookId, Touched};

use super::Courier;
use crate::limits::Limits;

/// A hook of an app.
pub type Key = (AppId, HookId);

/// See the module.
pub struct Live {
    pub(super) courier: Arc<dyn Courier>,
    /// Events that may be kept for one hook.
    pub(super) outbox_max: i64,
    /// Attempts, and delivered events, that stay to be looked at.
    pub(super) log_max: i64,
    asks_max: usize,
    hooks: RwLock<HashMap<Key, Arc<State>>>,
    /// Whom there is something for, and whether an operator wants it told now.
    woken: Mutex<HashMap<Key, bool>>,
    bell: Notify,
}

/// Of one hook.
pub(super) struct State {
    /// Events that still fit.
    room: AtomicI64,
    is_full: AtomicBool,
    /// Questions that may still be asked at once.
    pub asks: Semaphore,
    /// When a failed question was last written into the log.
    logged_ms: AtomicI64,
}

impl Live {
    pub(crate) fn new(courier: Arc<dyn Courier>, limits: &Limits) -> Self {
        Self {
            courier,
            outbox_max: limits.hook_outbox_events,
            log_max: limits.hook_log_entries,
            asks_max: limits.hook_asks,
            hooks: RwLock::default(),
            woken: Mutex::default(),
            bell: Notify::new(),
        }
    }

    /// Called after each commit.
    pub(crate) fn note(&self, touched: &[Touched]) {
        for hint in touched {
            if let Touched::Outbox(app, hook) = *hint {
                self.state((app, hook)).room.fetch_sub(1, Ordering::Relaxed);
                self.wake((app, hook));
            }
        }
    }

    /// Another node has put something into a hook's outbox.
    pub(crate) fn note_elsewhere(&self, key: Key) {
        self.state(key).room.fetch_sub(1, Ordering::Relaxed);
        self.wake(key);
    }

    /// The hooks that this server knows of.
    pub(super) fn known(&self) -> Vec<Key> {
        self.hooks.read().keys().copied().collect()
    }

    /// Asks for a look at a hook's outbox.
    fn wake(&self, key: Key) {
        self.woken.lock().entry(key).or_default();
        self.bell.notify_one();
    }

    /// The same, however long the hook was to be left alone.
    pub(crate) fn hurry(&self, key: Key) {
        self.woken.lock().insert(key, true);
        self.bell.notify_one();
    }

    /// The hooks that have something to be told, once there are any, and whether an operator wants it told now.
    /// For one who asks.
    pub async fn woken(&self) -> HashMap<Key, bool> {
        loop {
            let woken = std::mem::take(&mut *self.woken.lock());
            if !woken.is_empty() {
                return woken;
            }
            self.bell.notified().await;
        }
    }

    pub(super) fn state(&self, key: Key) -> Arc<State> {
        if let Some(state) = self.hooks.read().get(&key) {
            return Arc::clone(state);
        }
        let new = || {
            Arc::new(State {
                room: AtomicI64::new(self.outbox_max),
                is_full: AtomicBool::new(false),
                asks: Semaphore::new(self.asks_max),
                logged_ms: AtomicI64::new(i64::MIN),
            })
        };
        Arc::clone(self.hooks.write().entry(key).or_insert_with(new))
    }

    /// Forgets hooks that are gone.
    pub(crate) fn forget(&self, is_gone: impl Fn(Key) -> bool) {
        self.hooks.write().retain(|key, _| !is_gone(*key));
    }

    /// Whether one more event may be kept for the hook. Says so in the log when there is no more room, and when there is
    /// again.
    pub(super) fn has_room(&self, key: Key) -> bool {
        let state = self.state(key);
        let is_full = state.room.load(Ordering::Relaxed) <= 0;
        if state.is_full.swap(is_full, Ordering::Relaxed) != is_full {
            let hook = uuid::Uuid::from_bytes(key.1.0);
            if is_full {
                tracing::warn!(%hook, events = self.outbox_max, "a hook's outbox is full: its events are dropped");
            } else {
                tracing::info!(%hook, "a hook's outbox has room again");
            }
        }
        !is_full
    }

    /// Sets how many events are kept for the hook.
    pub(super) fn count(&self, key: Key, kept: i64) {
        self.state(key).room.store(self.outbox_max - kept, Ordering::Relaxed);
    }

    /// Events that are kept for all hooks, for metrics.
    pub fn kept(&self) -> i64 {
        self.hooks.read().values().map(|state| self.outbox_max - state.room.load(Ordering::Relaxed)).sum()
    }

    /// An event is not kept any more. The hook may have been removed meanwhile.
    pub(super) fn free(&self, key: Key) {
        if let Some(state) = self.hooks.read().get(&key) {
            state.room.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl State {
    /// Whether a failed question is to be logged: one in a second is.
    pub fn may_log(&self, now_ms: i64) -> bool {
        let due = |last: i64| (last.saturating_add(1000) <= now_ms || last > now_ms).then_some(now_ms);
        self.logged_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, due).is_ok()
    }
}
