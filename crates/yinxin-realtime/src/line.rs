//! How the registry reaches a connection: a bounded queue of what to look at, one place for why to end, and when its
//! token does.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use yinxin_core::clock::Clock;
use yinxin_core::limits::SocketLimits;
use yinxin_core::presence::News;

use crate::{Ending, Line};

#[cfg(test)]
mod tests;

/// Notes that wait for a connection. With more, wake-ups are lost, so that it looks at its whole inbox instead, and news
/// of presence too, which is best effort.
const NOTES_MAX: usize = 32;

/// What a connection is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// Look into that queue.
    Wake(Box<str>),
    /// Look everywhere.
    Look,
    /// Somebody's presence has changed.
    News(Arc<News>),
}

/// The registry's end.
pub struct Sender {
    notes: mpsc::Sender<Note>,
    missed: AtomicBool,
    ending: watch::Sender<Option<Ending>>,
    from: IpAddr,
    /// [`i64::MAX`]: never.
    token_ends_ms: AtomicI64,
}

/// What the connection is told, in order.
pub struct Notes(mpsc::Receiver<Note>);

/// Why the connection is to end. Apart from the notes, so that it can be waited for whatever else goes on.
pub struct Endings(watch::Receiver<Option<Ending>>);

/// A line to a connection from that address, whose token ends then, if ever.
pub fn line(from: IpAddr, token_ends_ms: Option<i64>) -> (Sender, Notes, Endings) {
    let (note_sender, notes) = mpsc::channel(NOTES_MAX);
    let (ending_sender, ending) = watch::channel(None);
    let sender = Sender {
        notes: note_sender,
        missed: AtomicBool::new(false),
        ending: ending_sender,
        from,
        token_ends_ms: AtomicI64::new(token_ends_ms.unwrap_or(i64::MAX)),
    };
    (sender, Notes(notes), Endings(ending))
}

impl Sender {
    /// Whether a wake-up was lost since this was last asked.
    pub fn take_missed(&self) -> bool {
        self.missed.swap(false, Ordering::SeqCst)
    }

    /// When the last token that was shown for the connection ends; [`i64::MAX`] = never.
    pub fn token_ends_ms(&self) -> i64 {
        self.token_ends_ms.load(Ordering::SeqCst)
    }

    /// Waits until the connection's token has ended, however often it was renewed and whatever the clock does.
    pub async fn token_ended(&self, clock: &dyn Clock, limits: &SocketLimits) {
        let grace_ms = i64::try_from(limits.token_grace.as_millis()).unwrap_or(i64::MAX);
        loop {
            let left_ms = self.token_ends_ms().saturating_add(grace_ms).saturating_sub(clock.now_ms());
            match u64::try_from(left_ms) {
                Ok(1..) => sleep(Duration::from_millis(left_ms.unsigned_abs()).min(limits.token_look)).await,
                _ => return,
            }
        }
    }
}

impl Line for Sender {
    fn end(&self, ending: Ending) {
        self.ending.send_if_modified(|current| {
            let is_first = current.is_none();
            current.get_or_insert(ending);
            is_first
        });
    }

    fn wake(&self, queue: &str) {
        if self.notes.try_send(Note::Wake(queue.into())).is_err() {
            self.missed.store(true, Ordering::SeqCst);
        }
    }

    fn look_again(&self) {
        self.missed.store(true, Ordering::SeqCst);
        // Full: it looks after the next of those that wait.
        let _full = self.notes.try_send(Note::Look);
    }

    fn announce(&self, news: &Arc<News>) {
        // Full: the connection asks when it wants to know.
        let _lost = self.notes.try_send(Note::News(Arc::clone(news)));
    }

    fn renew(&self, from: IpAddr, token_ends_ms: i64) {
        if from == self.from {
            self.token_ends_ms.fetch_max(token_ends_ms, Ordering::SeqCst);
        }
    }
}

impl Notes {
    /// The next one.
    pub async fn next(&mut self) -> Note {
        match self.0.recv().await {
            Some(note) => note,
            // The registry's end lives as long as the connection's place in it.
            None => std::future::pending().await,
        }
    }
}

impl Endings {
    /// Waits until the connection is to end; from then on the answer is the same.
    pub async fn next(&mut self) -> Ending {
        match self.0.wait_for(Option::is_some).await.map(|ending| ending.clone()) {
            Ok(Some(ending)) => ending,
            // As above.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }
}
