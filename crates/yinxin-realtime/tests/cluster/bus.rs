//! A bus within one process that connects nodes, and can lose, delay and repeat what it carries.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::{Mutex as AsyncMutex, mpsc};
use yinxin_core::NodeId;
use yinxin_core::bus::{BoxFuture, Bus, Hint, Incoming, To};

/// How it treats hints: one in so many, 0 = none.
#[derive(Clone, Copy, Default)]
pub struct Faults {
    pub lost: u64,
    pub twice: u64,
    /// Such a hint is held back until the next one has passed it.
    pub late: u64,
}

/// The wire that nodes hang on.
#[derive(Default)]
pub struct Wire {
    nodes: Mutex<HashMap<NodeId, mpsc::UnboundedSender<Incoming>>>,
    held: Mutex<Vec<(NodeId, Incoming)>>,
    faults: Mutex<Faults>,
    dice: AtomicU64,
    pub carried: AtomicUsize,
}

impl Wire {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    pub fn treat(&self, faults: Faults) {
        *self.faults.lock().unwrap() = faults;
    }

    /// A node's end.
    pub fn end_of(self: &Arc<Self>, node: NodeId) -> Arc<End> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.nodes.lock().unwrap().insert(node, sender);
        Arc::new(End { wire: Arc::clone(self), node, receiver: AsyncMutex::new(receiver) })
    }

    /// Has a node know that it may have missed something.
    pub fn say_missed(&self, node: NodeId) {
        self.nodes.lock().unwrap()[&node].send(Incoming::Missed).unwrap();
    }

    fn hits(&self, one_in: u64) -> bool {
        // A fixed sequence that looks like dice.
        let thrown = self.dice.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::SeqCst);
        one_in > 0 && (thrown >> 33).is_multiple_of(one_in)
    }

    fn carry(&self, to: NodeId, incoming: Incoming) {
        let faults = *self.faults.lock().unwrap();
        if self.hits(faults.lost) {
            return;
        }
        if self.hits(faults.late) {
            self.held.lock().unwrap().push((to, incoming));
            return;
        }
        let times = if self.hits(faults.twice) { 2 } else { 1 };
        for _ in 0..times {
            self.put(to, incoming.clone());
        }
        for (to, late) in std::mem::take(&mut *self.held.lock().unwrap()) {
            self.put(to, late);
        }
    }

    fn put(&self, to: NodeId, incoming: Incoming) {
        self.carried.fetch_add(1, Ordering::SeqCst);
        if let Some(node) = self.nodes.lock().unwrap().get(&to) {
            // A node that is gone hears nothing.
            let _gone = node.send(incoming);
        }
    }
}

pub struct End {
    wire: Arc<Wire>,
    node: NodeId,
    receiver: AsyncMutex<mpsc::UnboundedReceiver<Incoming>>,
}

impl Bus for End {
    fn send(&self, to: To, hint: Hint) {
        let others: Vec<_> = self.wire.nodes.lock().unwrap().keys().copied().collect();
        for node in others.into_iter().filter(|node| *node != self.node) {
            if to == To::All || to == To::Node(node) {
                self.wire.carry(node, Incoming::Hint { from: self.node, hint: hint.clone() });
            }
        }
    }

    fn next(&self) -> BoxFuture<'_, Incoming> {
        Box::pin(async move {
            match self.receiver.lock().await.recv().await {
                Some(incoming) => incoming,
                None => std::future::pending().await,
            }
        })
    }
}
