//! The connections that are open: how many, whose, and how to reach them all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::connection::Connection;

/// Why a connection may not enter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    /// As many are open as may be.
    Full,
    /// As many of this client are open as may be.
    ClientFull,
}

/// The open connections; touched when one begins or ends, never by a request.
#[derive(Default)]
pub(crate) struct Registry {
    open: Mutex<Open>,
    emptied: Notify,
}

#[derive(Default)]
struct Open {
    // A connection holds the registry and the registry holds it: broken when it leaves, which its socket does when dropped.
    connections: HashMap<u64, Arc<Connection>>,
    by_peer: HashMap<IpAddr, usize>,
    /// How many there are; ahead of `connections` while one enters.
    count: usize,
}

impl Registry {
    /// Takes a place for a connection of that peer. `per_peer_max` 0 is no limit.
    pub(crate) fn admit(&self, peer: IpAddr, max: usize, per_peer_max: usize) -> Result<(), Refused> {
        let mut open = self.lock();
        if open.count >= max {
            return Err(Refused::Full);
        }
        let of_peer = open.by_peer.entry(peer).or_default();
        if per_peer_max > 0 && *of_peer >= per_peer_max {
            return Err(Refused::ClientFull);
        }
        *of_peer += 1;
        open.count += 1;
        Ok(())
    }

    /// Puts a connection into the place that was taken for it.
    pub(crate) fn enter(&self, connection: Arc<Connection>) {
        self.lock().connections.insert(connection.number, connection);
    }

    /// A connection has ended.
    pub(crate) fn leave(&self, number: u64, peer: IpAddr) {
        let mut open = self.lock();
        let left = open.connections.remove(&number);
        open.count -= 1;
        if let Some(of_peer) = open.by_peer.get_mut(&peer) {
            *of_peer -= 1;
            if *of_peer == 0 {
                open.by_peer.remove(&peer);
            }
        }
        if open.count == 0 {
            self.emptied.notify_waiters();
        }
        drop(open);
        drop(left);
    }

    /// Has every connection look at the shutdown.
    pub(crate) fn wake_all(&self) {
        for connection in self.all() {
            connection.wake();
        }
    }

    /// Ends every connection; how many there were.
    pub(crate) fn cut_all(&self) -> usize {
        let all = self.all();
        for connection in &all {
            connection.cut();
        }
        all.len()
    }

    /// Returns when no connection is open.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.lock().count == 0 {
                return;
            }
            emptied.await;
        }
    }

    fn all(&self) -> Vec<Arc<Connection>> {
        self.lock().connections.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
