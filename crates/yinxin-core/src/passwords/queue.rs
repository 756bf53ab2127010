//! A bounded queue that is shared fairly by those who fill it: whoever fills it most is served in turn with the others,
//! and gives way when it is full.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use parking_lot::{Condvar, Mutex};

pub(super) struct FairQueue<K, T> {
    capacity: usize,
    state: Mutex<State<K, T>>,
    filled: Condvar,
}

struct State<K, T> {
    /// What waits, by who brought it; nobody stands here with nothing.
    waiting: HashMap<K, VecDeque<T>>,
    /// Each of those once, the next to be served first.
    turns: VecDeque<K>,
    count: usize,
    closed: bool,
}

/// What became of something that was to be queued.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pushed<T> {
    /// It waits.
    Waits,
    /// It waits in the place of this one, which somebody with more in the queue had brought last.
    InPlaceOf(T),
    /// The queue is full, and nobody has more in it than this one's owner.
    Refused(T),
}

impl<K: Copy + Eq + Hash, T> FairQueue<K, T> {
    pub fn new(capacity: usize) -> Self {
        let state = State { waiting: HashMap::new(), turns: VecDeque::new(), count: 0, closed: false };
        Self { capacity: capacity.max(1), state: Mutex::new(state), filled: Condvar::new() }
    }

    pub fn push(&self, owner: K, item: T) -> Pushed<T> {
        let mut state = self.state.lock();
        let displaced = if state.count < self.capacity {
            None
        } else {
            match state.displace_for(owner) {
                None => return Pushed::Refused(item),
                displaced => displaced,
            }
        };
        state.add(owner, item);
        drop(state);
        self.filled.notify_one();
        displaced.map_or(Pushed::Waits, Pushed::InPlaceOf)
    }

    /// Waits for the next; `None` when the queue is closed and empty.
    pub fn pop(&self) -> Option<T> {
        let mut state = self.state.lock();
        loop {
            if let Some(item) = state.take() {
                return Some(item);
            }
            if state.closed {
                return None;
            }
            self.filled.wait(&mut state);
        }
    }

    pub fn close(&self) {
        self.state.lock().closed = true;
        self.filled.notify_all();
    }
}

impl<K: Copy + Eq + Hash, T> State<K, T> {
    fn add(&mut self, owner: K, item: T) {
        let items = self.waiting.entry(owner).or_default();
        if items.is_empty() {
            self.turns.push_back(owner);
        }
        items.push_back(item);
        self.count += 1;
    }

    fn take(&mut self) -> Option<T> {
        let owner = self.turns.pop_front()?;
        let items = self.waiting.get_mut(&owner)?;
        let item = items.pop_front()?;
        self.count -= 1;
        if items.is_empty() {
            self.waiting.remove(&owner);
        } else {
            self.turns.push_back(owner);
        }
        Some(item)
    }

    /// Takes the newest of whoever has most, if that leaves it with no less than `owner` will have.
    fn displace_for(&mut self, owner: K) -> Option<T> {
        let own = self.waiting.get(&owner).map_or(0, VecDeque::len);
        let (_, items) = self.waiting.iter_mut().max_by_key(|(_, items)| items.len())?;
        if items.len() < own + 2 {
            return None;
        }
        self.count -= 1;
        items.pop_back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_owner_is_served_in_turn() {
        let queue = FairQueue::new(10);
        for item in ["a1", "a2", "a3"] {
            assert_eq!(queue.push('a', item), Pushed::Waits);
        }
        queue.push('b', "b1");
        queue.push('c', "c1");
        queue.push('b', "b2");
        queue.close();
        let served: Vec<&str> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(served, ["a1", "b1", "c1", "a2", "b2", "a3"]);
    }

    #[test]
    fn whoever_fills_it_gives_way_to_the_others_and_to_nobody_else() {
        let queue = FairQueue::new(4);
        for item in 0..4 {
            assert_eq!(queue.push('a', item), Pushed::Waits);
        }
        assert_eq!(queue.push('a', 4), Pushed::Refused(4));
        assert_eq!(queue.push('b', 10), Pushed::InPlaceOf(3));
        assert_eq!(queue.push('b', 11), Pushed::InPlaceOf(2));
        assert_eq!(queue.push('b', 12), Pushed::Refused(12), "two each: nobody has more");
        assert!(matches!(queue.push('c', 20), Pushed::InPlaceOf(1 | 11)));
        queue.close();
        let served: Vec<i32> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(served.len(), 4);
        assert!(served.contains(&0) && served.contains(&10) && served.contains(&20), "{served:?}");
    }

    #[test]
    fn those_who_wait_are_woken_by_the_end() {
        let queue = FairQueue::<char, i32>::new(1);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| queue.pop());
            queue.close();
            assert_eq!(waiting.join().unwrap(), None);
        });
    }
}
