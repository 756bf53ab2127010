//! Putting events into the outbox, within the write that makes them happen.

use std::sync::Arc;

use serde_json::Value;
use yinxin_store::tables::hook_outbox::{self, NewEvent};
use yinxin_store::tables::hooks as hook_table;
use yinxin_store::{AppId, HookId, Sql};

use super::{Content, Event, Key, event, said};
use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::mint::Mint;

const EVENT_PREFIX: &str = "evt_";

/// An event's id on the wire, the same for every attempt.
pub fn event_name(seq: i64) -> String {
    format!("{EVENT_PREFIX}{seq}")
}

/// Reads the id; `None` for anything else.
pub(super) fn event_seq(name: &str) -> Option<i64> {
    name.strip_prefix(EVENT_PREFIX)?.parse().ok()
}

/// An event, for those of the app's hooks that want it.
pub(crate) struct Notes {
    event: Event,
    lane: String,
    data: Value,
    at_ms: i64,
    /// Whom for, and whether there is room for it: without, it is dropped, and what it is about goes on.
    hooks: Vec<(HookId, bool)>,
    mint: Arc<Mint>,
}

/// The notes about an event, if a hook of the app wants it. Only then are `lane` and `data` asked for.
pub(crate) fn notes(
    ctx: &Ctx,
    app: &App,
    event: Event,
    at_ms: i64,
    (lane, data): (impl FnOnce() -> String, impl FnOnce() -> Value),
) -> Option<Notes> {
    let wanting = || app.hooks.iter().filter(|hook| hook.wants(event));
    wanting().next()?;
    let hooks = wanting().map(|hook| (hook.id, ctx.hooks.has_room((app.id, hook.id)))).collect();
    Some(Notes { event, lane: lane(), data: data(), at_ms, hooks, mint: Arc::clone(&ctx.mint) })
}

impl Notes {
    /// Puts the event into the outboxes, within the write that makes it true; `id` is that of the message it is about,
    /// and `becomes` what another message says from now on, if that is changed. The order of events is made here, so that it
    /// is that of the writes; a message's event stands where the message does, so that those of a conversation are in
    /// order whichever nodes write them.
    pub async fn keep(&self, sql: &mut dyn Sql, app: AppId, id: Option<i64>, becomes: Option<Content>) -> Result<()> {
        let mut data = self.data.clone();
        if let Some(id) = id {
            // A text: JavaScript's numbers end before such an id does.
            data["id"] = id.to_string().into();
        }
        if let Some(content) = becomes {
            said::say(&mut data, content);
        }
        self.put(sql, app, id.unwrap_or_else(|| self.mint.order()), &data).await
    }

    /// The same with data that only the write knows.
    pub async fn tell(&self, sql: &mut dyn Sql, app: AppId, data: &Value) -> Result<()> {
        self.put(sql, app, self.mint.order(), data).await
    }

    async fn put(&self, sql: &mut dyn Sql, app: AppId, seq: i64, data: &Value) -> Result<()> {
        let Self { event, lane, at_ms, hooks, mint, .. } = self;
        let payload = &event::payload(*event, *at_ms, data);
        let new = NewEvent { seq, event: event.name(), lane, payload };
        for (hook, has_room) in hooks {
            if *has_room {
                put(sql, mint, (app, *hook), new.clone()).await?;
            } else {
                hook_table::count_dropped(sql, app, *hook, 1).await?;
                metrics::counter!("yinxin_hook_events_dropped_total").increment(1);
            }
        }
        Ok(())
    }
}

/// Keeps an event for a hook. One that was removed meanwhile wants nothing.
pub(super) async fn put(sql: &mut dyn Sql, mint: &Mint, (app, hook): Key, mut new: NewEvent<'_>) -> Result<()> {
    while !hook_outbox::put(sql, app, hook, &new).await?
        && hook_outbox::by_seq(sql, app, hook, new.seq).await?.is_some()
    {
        // The same time comes again: the clock was set back since, and the server started anew.
        mint.rise_above(hook_outbox::last(sql, app, hook).await?);
        new.seq = mint.order();
    }
    Ok(())
}
