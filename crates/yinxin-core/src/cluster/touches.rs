//! [`Touches`]: what this node changes is told to the others before its writes are acknowledged, and what they change is
//! forgotten here.
//!
//! Touches are numbered by their sender. Whoever finds a gap has missed something and forgets everything. A node that
//! does not answer in time is waited for once: its memory is believed for a short time only, and it hears of its gap with
//! whatever comes next.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use yinxin_store::{NodeId, Touched};

use crate::bus::{Bus, Hint, To};
use crate::limits::TOUCHES_TOLD;

/// See the module.
pub(crate) struct Touches {
    bus: Arc<dyn Bus>,
    /// How long a write waits.
    patience: Duration,
    state: Mutex<State>,
    heard: Notify,
}

#[derive(Default)]
struct State {
    /// The last number that was sent.
    sent: u64,
    /// Who lives, and has heard up to which number.
    others: HashMap<NodeId, Other>,
    /// By sender, the last number that came.
    came: HashMap<NodeId, u64>,
}

#[derive(Clone, Copy)]
struct Other {
    heard: u64,
    /// It did not answer in time, and is not waited for until it does.
    is_mute: bool,
}

/// What is to be done about touches of another node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Gap {
    /// Nothing was missed before them.
    No,
    /// Something may have been.
    Yes,
}

impl Touches {
    pub fn new(bus: Arc<dyn Bus>, patience: Duration) -> Self {
        Self { bus, patience, state: Mutex::default(), heard: Notify::new() }
    }

    /// Tells the others what a commit has changed. Called before those who made it are answered.
    pub fn tell(&self, touched: &[Touched]) {
        let is_kept = |touched: &&Touched| !matches!(touched, Touched::Outbox(..));
        let changed: Vec<_> = touched.iter().filter(is_kept).copied().collect();
        let events: HashSet<_> = touched
            .iter()
            .filter_map(|touched| if let Touched::Outbox(app, hook) = touched { Some((*app, *hook)) } else { None })
            .collect();
        if !events.is_empty() {
            self.bus.send(To::All, Hint::Outbox(events.into_iter().collect()));
        }
        if changed.is_empty() {
            return;
        }
        // Under the lock, so that they go out in the order of their numbers.
        let mut state = self.state.lock();
        state.sent += 1;
        let number = state.sent;
        let hint = if changed.len() > TOUCHES_TOLD {
            Hint::Resync { number }
        } else {
            Hint::Touches { number, touched: changed }
        };
        self.bus.send(To::All, hint);
    }

    /// Has the others forget everything of what this node may have told them.
    pub fn resync(&self) {
        let mut state = self.state.lock();
        state.sent += 1;
        self.bus.send(To::All, Hint::Resync { number: state.sent });
    }

    /// Who lives besides this node.
    pub fn expect(&self, others: &HashSet<NodeId>) {
        let mut state = self.state.lock();
        let sent = state.sent;
        state.others.retain(|node, _| others.contains(node));
        for node in others {
            // It keeps nothing yet of what was told before.
            state.others.entry(*node).or_insert(Other { heard: sent, is_mute: false });
        }
        drop(state);
        self.heard.notify_waiters();
    }

    /// Another has heard the touches up to that number.
    pub fn heard_by(&self, node: NodeId, number: u64) {
        if let Some(other) = self.state.lock().others.get_mut(&node) {
            other.heard = other.heard.max(number);
            other.is_mute = false;
        }
        self.heard.notify_waiters();
    }

    /// Waits until what was told so far is heard by all who live, but not for long.
    pub async fn settle(&self) {
        let number = self.state.lock().sent;
        let end = Instant::now() + self.patience;
        loop {
            let heard = self.heard.notified();
            let mut heard = std::pin::pin!(heard);
            // From here on no news of it is missed.
            heard.as_mut().enable();
            if self.is_heard(number) {
                return;
            }
            if timeout_at(end, heard).await.is_err() {
                return self.give_up(number);
            }
        }
    }

    fn is_heard(&self, number: u64) -> bool {
        self.state.lock().others.values().all(|other| other.is_mute || other.heard >= number)
    }

    fn give_up(&self, number: u64) {
        let mut missing = 0_u64;
        for other in self.state.lock().others.values_mut().filter(|other| other.heard < number && !other.is_mute) {
            other.is_mute = true;
            missing += 1;
        }
        metrics::counter!("yinxin_cluster_touches_unheard_total").increment(missing);
    }

    /// Touches, or a resync, have come with that number. Call [`Self::answer`] once they are heeded.
    pub fn came(&self, from: NodeId, number: u64) -> Gap {
        let mut state = self.state.lock();
        let last = state.came.entry(from).or_default();
        let gap = if number > *last + 1 { Gap::Yes } else { Gap::No };
        *last = number.max(*last);
        gap
    }

    /// Says that they are heard.
    pub fn answer(&self, to: NodeId) {
        let number = self.state.lock().came.get(&to).copied().unwrap_or_default();
        self.bus.send(To::Node(to), Hint::Heard { number });
    }
}
