//! How the registry reaches a connection: a bounded queue of names to look at, and one place for why to end.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, watch};
use yinxin_realtime::{Ending, Line};

/// Wake-ups that wait for a connection; with more it looks at its whole inbox instead.
const WAKES_MAX: usize = 32;

/// The registry's end.
pub(super) struct Sender {
    wakes: mpsc::Sender<Box<str>>,
    missed: AtomicBool,
    ending: watch::Sender<Option<Ending>>,
}

/// The connection's end.
pub(super) struct Receiver {
    wakes: mpsc::Receiver<Box<str>>,
    ending: watch::Receiver<Option<Ending>>,
}

/// What a connection is told.
pub(super) enum Told {
    /// Look into that queue.
    Wake(Box<str>),
    /// End.
    End(Ending),
}

/// A line with both ends.
pub(super) fn line() -> (Sender, Receiver) {
    let (wake_sender, wakes) = mpsc::channel(WAKES_MAX);
    let (ending_sender, ending) = watch::channel(None);
    let sender = Sender { wakes: wake_sender, missed: AtomicBool::new(false), ending: ending_sender };
    (sender, Receiver { wakes, ending })
}

impl Sender {
    /// Whether a wake-up was lost since this was last asked.
    pub fn take_missed(&self) -> bool {
        self.missed.swap(false, Ordering::SeqCst)
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
        if self.wakes.try_send(queue.into()).is_err() {
            self.missed.store(true, Ordering::SeqCst);
        }
    }
}

impl Receiver {
    /// The next thing to know; an ending comes first.
    pub async fn next(&mut self) -> Told {
        loop {
            if let Some(ending) = *self.ending.borrow_and_update() {
                return Told::End(ending);
            }
            tokio::select! {
                biased;
                changed = self.ending.changed() => {
                    if changed.is_err() {
                        // The registry's end lives as long as the connection's place in it.
                        std::future::pending::<()>().await;
                    }
                }
                Some(queue) = self.wakes.recv() => return Told::Wake(queue),
            }
        }
    }
}
