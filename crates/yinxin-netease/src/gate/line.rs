//! How a room reaches a connection: a bounded queue of what happened, and one place for why to end.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use yinxin_core::rooms::live::{Ending, Line, Notice};

use super::end::End;

/// What may wait for a connection. With more it ends, and the client comes back and is told who is there.
const NOTICES_MAX: usize = 256;

/// The room's end.
pub(super) struct Sender {
    notices: mpsc::Sender<Arc<Notice>>,
    end: watch::Sender<Option<Reason>>,
}

/// Why the connection is to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reason {
    /// The room says so.
    Room(Ending),
    /// It does not take what it is told.
    TooSlow,
}

/// What the connection is told, in order.
pub(super) struct Notices(mpsc::Receiver<Arc<Notice>>);

/// Why the connection is to end. Apart from the notices, so that it can be waited for whatever else goes on.
pub(super) struct Endings(watch::Receiver<Option<Reason>>);

/// A line with its ends.
pub(super) fn line() -> (Arc<Sender>, Notices, Endings) {
    let (notice_sender, notices) = mpsc::channel(NOTICES_MAX);
    let (end_sender, end) = watch::channel(None);
    (Arc::new(Sender { notices: notice_sender, end: end_sender }), Notices(notices), Endings(end))
}

impl Sender {
    /// The first reason counts.
    fn set(&self, reason: Reason) {
        self.end.send_if_modified(|current| {
            let is_first = current.is_none();
            current.get_or_insert(reason);
            is_first
        });
    }
}

impl Line for Sender {
    fn tell(&self, notice: &Arc<Notice>) {
        if self.notices.try_send(Arc::clone(notice)).is_err() {
            self.set(Reason::TooSlow);
        }
    }

    fn end(&self, ending: Ending) {
        self.set(Reason::Room(ending));
    }
}

impl Notices {
    /// The next thing that happened. May be dropped and asked again; nothing is lost.
    pub async fn next(&mut self) -> Arc<Notice> {
        match self.0.recv().await {
            Some(notice) => notice,
            // Whoever took the seat over has the room's end of this line now.
            None => std::future::pending().await,
        }
    }
}

impl Endings {
    /// Why to end, once there is a reason.
    pub async fn next(&mut self) -> Reason {
        // The room's end may be gone; the reason it gave before stays.
        match self.0.wait_for(Option::is_some).await.map(|reason| *reason) {
            Ok(Some(reason)) => reason,
            _ => std::future::pending().await,
        }
    }
}

impl From<Reason> for End {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Room(ending) => ending.into(),
            Reason::TooSlow => Self::TooSlow,
        }
    }
}
