//! [`Inbox`]: a device's inbox as its connection goes through it, page by page, as [`Delivery`] decides.

use std::collections::HashMap;
use std::sync::Arc;

use yinxin_core::messages::{self, Entry};
use yinxin_core::{AppId, Ctx, Result, UserId};

use crate::delivery::{Action, Delivery, Event};

/// Entries on one page.
const PAGE: i64 = 20;
/// Bytes of messages on one page, unless the first has more.
const PAGE_BYTES: usize = 128 * 1024;

/// A device's inbox.
pub struct Inbox {
    ctx: Arc<Ctx>,
    app: AppId,
    user: UserId,
    resource: String,
    delivery: Delivery,
}

/// What the client is to be sent.
#[derive(Debug)]
pub enum Show {
    /// A page of a queue; it is confirmed by its key.
    Page {
        /// The queue.
        queue: String,
        /// What is on it, oldest first.
        entries: Vec<Entry>,
        /// Not 0, and no page had it before.
        key: u64,
    },
    /// Nothing more is in the queue.
    End(String),
}

impl Inbox {
    /// The inbox of a device that has just come.
    pub fn new(ctx: Arc<Ctx>, app: AppId, user: UserId, resource: String) -> Self {
        Self { ctx, app, user, resource, delivery: Delivery::new() }
    }

    /// The queues in which something waits, with how much, but those of which a page is on its way: these are announced
    /// to the client, which asks for them.
    pub async fn list(&mut self) -> Result<Vec<(String, i64)>> {
        let mut waiting = self.waiting().await?;
        waiting.retain(|(queue, _)| !self.delivery.is_busy(queue));
        let listed = waiting.iter().map(|(queue, _)| queue.clone()).collect();
        self.delivery.on(Event::Listed(listed));
        Ok(waiting)
    }

    /// All queues to look into when wake-ups were lost.
    pub async fn waiting_queues(&self) -> Result<Vec<String>> {
        Ok(self.waiting().await?.into_iter().map(|(queue, _)| queue).collect())
    }

    /// The client asks for a queue, perhaps confirming the page with that key.
    pub async fn pull(&mut self, queue: String, key: Option<u64>) -> Result<Vec<Show>> {
        let pulled = Event::Pulled { queue: queue.clone(), key };
        self.deliver(&queue, pulled).await
    }

    /// Something was put into a queue.
    pub async fn wake(&mut self, queue: &str) -> Result<Vec<Show>> {
        self.deliver(queue, Event::Woken(queue.to_owned())).await
    }

    /// What was to be shown of a queue could not be sent: it is shown when something wakes the queue again.
    pub fn unsent(&mut self, queue: &str) {
        self.delivery.on(Event::Failed(queue.to_owned()));
    }

    async fn waiting(&self) -> Result<Vec<(String, i64)>> {
        messages::queues_for_device(&self.ctx, self.app, self.user, &self.resource).await
    }

    /// Does what an event about a queue leads to. After an error the queue does not stand still: another event begins anew.
    async fn deliver(&mut self, queue: &str, event: Event) -> Result<Vec<Show>> {
        let shown = self.run(event).await;
        if shown.is_err() {
            self.unsent(queue);
        }
        shown
    }

    /// Runs an event through the state machine until nothing is left to do.
    async fn run(&mut self, event: Event) -> Result<Vec<Show>> {
        let mut shown = Vec::new();
        let mut read: HashMap<String, Vec<Entry>> = HashMap::new();
        let mut actions = self.delivery.on(event);
        while !actions.is_empty() {
            for action in std::mem::take(&mut actions) {
                match action {
                    Action::Confirm { queue, up_to } => self.confirm(&queue, up_to).await?,
                    Action::Fetch(queue) => {
                        let entries = self.fetch(&queue).await?;
                        let last = entries.last().map(|entry| entry.message_id);
                        let key = self.ctx.mint.order().cast_unsigned();
                        read.insert(queue.clone(), entries);
                        actions.extend(self.delivery.on(Event::Fetched { queue, last, key }));
                    }
                    Action::SendPage { queue, key } => {
                        let entries = read.remove(&queue).unwrap_or_default();
                        shown.push(Show::Page { queue, entries, key });
                    }
                    Action::SendEnd(queue) => shown.push(Show::End(queue)),
                }
            }
        }
        Ok(shown)
    }

    async fn confirm(&self, queue: &str, up_to: i64) -> Result<()> {
        messages::confirm(&self.ctx, self.app, self.user, &self.resource, queue, up_to).await
    }

    async fn fetch(&self, queue: &str) -> Result<Vec<Entry>> {
        let (app, user) = (self.app, self.user);
        let mut entries = messages::next_for_device(&self.ctx, app, user, &self.resource, queue, PAGE).await?;
        let mut bytes = 0;
        let fitting = entries.iter().take_while(|entry| {
            bytes += entry.payload.len();
            bytes <= PAGE_BYTES
        });
        let count = fitting.count().max(1);
        entries.truncate(count);
        Ok(entries)
    }
}
