//! [`Delivery`]: what one connection is sent from its user's inbox, and when. A state machine without I/O: events in,
//! actions out.
//!
//! Per queue at most one page is on its way. The client confirms a page by its key, and the confirmation asks for the
//! next. While a queue was announced but not yet asked for, or a page of it is unconfirmed, news of it is only
//! remembered: what comes next finds it in the inbox. So everything arrives in order and nothing twice.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Queues that a connection keeps in mind; a queue with nothing on its way is forgotten.
const QUEUES_MAX: usize = 4096;

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The client asked what waits, and was told of these queues.
    Listed(Vec<String>),
    /// The client asked for a queue, perhaps confirming the page with that key.
    Pulled {
        /// The queue.
        queue: String,
        /// The key of the page it has.
        key: Option<u64>,
    },
    /// Something was put into the queue.
    Woken(String),
    /// Entries of the queue were read for an [`Action::Fetch`].
    Fetched {
        /// The queue.
        queue: String,
        /// The last entry's id; `None` = nothing waits.
        last: Option<i64>,
        /// A key that no page had before.
        key: u64,
    },
    /// What was to be done last for the queue could not be: its entries not read, or its page not sent. Somebody has to
    /// say [`Event::Woken`] later.
    Failed(String),
}

/// Something to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// The device has everything of the queue up to that entry.
    Confirm {
        /// The queue.
        queue: String,
        /// The last entry of the confirmed page.
        up_to: i64,
    },
    /// Read the next entries of the queue and say [`Event::Fetched`].
    Fetch(String),
    /// Send what was read as a page with that key.
    SendPage {
        /// The queue.
        queue: String,
        /// The page's key.
        key: u64,
    },
    /// Tell the client that the queue is empty.
    SendEnd(String),
}

/// The state of one connection's deliveries.
#[derive(Debug, Default)]
pub struct Delivery {
    /// The client has asked what waits; before that nothing is sent unasked.
    listed: bool,
    queues: HashMap<String, Queue>,
}

#[expect(clippy::struct_excessive_bools, reason = "four independent facts, each asked for alone")]
#[derive(Debug, Default)]
struct Queue {
    /// Announced; the client will ask.
    announced: bool,
    /// The client has asked and must hear something, were it only that there is nothing.
    owed: bool,
    /// The page on its way: its key and its last entry.
    page: Option<(u64, i64)>,
    /// A fetch is under way.
    fetching: bool,
    /// News came while nothing could be sent.
    news: bool,
}

impl Delivery {
    /// A connection that has just logged in.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes an event and says what to do, in order.
    pub fn on(&mut self, event: Event) -> Vec<Action> {
        match event {
            Event::Listed(queues) => self.list(queues),
            Event::Pulled { queue, key } => self.pull(queue, key),
            Event::Woken(queue) => self.wake(queue),
            Event::Fetched { queue, last, key } => self.fetched(queue, last, key),
            Event::Failed(queue) => self.failed(queue),
        }
    }

    /// Whether a page of the queue is on its way or about to be: such a queue need not be announced.
    pub fn is_busy(&self, queue: &str) -> bool {
        self.queues.get(queue).is_some_and(|queue| queue.page.is_some() || queue.fetching)
    }

    fn list(&mut self, queues: Vec<String>) -> Vec<Action> {
        self.listed = true;
        for queue in queues {
            if self.queues.len() < QUEUES_MAX || self.queues.contains_key(&queue) {
                self.queues.entry(queue).or_default().announced = true;
            }
        }
        Vec::new()
    }

    fn pull(&mut self, name: String, key: Option<u64>) -> Vec<Action> {
        let queue = self.queues.entry(name.clone()).or_default();
        queue.announced = false;
        queue.owed = true;
        let mut actions = Vec::new();
        if let Some((sent, up_to)) = queue.page
            && key == Some(sent)
        {
            queue.page = None;
            actions.push(Action::Confirm { queue: name.clone(), up_to });
        }
        // Asked again without its key, the page is sent again under a fresh one: the client did not get it.
        queue.page = None;
        if !queue.fetching {
            queue.fetching = true;
            actions.push(Action::Fetch(name));
        }
        actions
    }

    fn wake(&mut self, name: String) -> Vec<Action> {
        if !self.listed {
            return Vec::new();
        }
        if self.queues.len() >= QUEUES_MAX && !self.queues.contains_key(&name) {
            // The client's next question announces it.
            return Vec::new();
        }
        let queue = self.queues.entry(name.clone()).or_default();
        if queue.announced || queue.page.is_some() || queue.fetching {
            queue.news = true;
            return Vec::new();
        }
        queue.fetching = true;
        vec![Action::Fetch(name)]
    }

    fn fetched(&mut self, name: String, last: Option<i64>, key: u64) -> Vec<Action> {
        let Some(queue) = self.queues.get_mut(&name) else { return Vec::new() };
        queue.fetching = false;
        if let Some(last) = last {
            queue.page = Some((key, last));
            queue.owed = false;
            queue.news = false;
            return vec![Action::SendPage { queue: name, key }];
        }
        // News that came during the fetch may or may not have been in it.
        if std::mem::take(&mut queue.news) {
            queue.fetching = true;
            return vec![Action::Fetch(name)];
        }
        let owed = queue.owed;
        self.queues.remove(&name);
        if owed { vec![Action::SendEnd(name)] } else { Vec::new() }
    }

    fn failed(&mut self, name: String) -> Vec<Action> {
        if let Entry::Occupied(mut queue) = self.queues.entry(name) {
            let state = queue.get_mut();
            state.fetching = false;
            state.page = None;
            if !state.owed && !state.announced {
                queue.remove();
            }
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests;
