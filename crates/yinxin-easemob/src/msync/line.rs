//! How the registry reaches a connection: a bounded queue of what to look at, and one place for why to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, watch};
use yinxin_core::presence::News;
use yinxin_realtime::{Ending, Line};

/// Notes that wait for a connection. With more, wake-ups are lost, so that it looks at its whole inbox instead, and news
/// of presence too, which is best effort.
const NOTES_MAX: usize = 32;

enum Note {
    Wake(Box<str>),
    News(Arc<News>),
}

/// The registry's end.
pub(super) struct Sender {
    notes: mpsc::Sender<Note>,
    missed: AtomicBool,
    ending: watch::Sender<Option<Ending>>,
}

/// The connection's end.
pub(super) struct Receiver {
    notes: mpsc::Receiver<Note>,
    ending: watch::Receiver<Option<Ending>>,
}

/// What a connection is told.
pub(super) enum Told {
    /// Look into that queue.
    Wake(Box<str>),
    /// Somebody's presence has changed.
    News(Arc<News>),
    /// End.
    End(Ending),
}

/// A line with both ends.
pub(super) fn line() -> (Sender, Receiver) {
    let (note_sender, notes) = mpsc::channel(NOTES_MAX);
    let (ending_sender, ending) = watch::channel(None);
    let sender = Sender { notes: note_sender, missed: AtomicBool::new(false), ending: ending_sender };
    (sender, Receiver { notes, ending })
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
        if self.notes.try_send(Note::Wake(queue.into())).is_err() {
            self.missed.store(true, Ordering::SeqCst);
        }
    }

    fn announce(&self, news: &Arc<News>) {
        // Full: the connection asks when it wants to know.
        let _lost = self.notes.try_send(Note::News(Arc::clone(news)));
    }
}

impl Receiver {
    /// The next thing to know; an ending comes first.
    pub async fn next(&mut self) -> Told {
        loop {
            if let Some(ending) = self.ending.borrow_and_update().clone() {
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
                Some(note) = self.notes.recv() => return match note {
                    Note::Wake(queue) => Told::Wake(queue),
                    Note::News(news) => Told::News(news),
                },
            }
        }
    }
}
