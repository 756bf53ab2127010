//! Putting events into the outbox, within the write that makes them happen.

use serde_json::Value;
use yinxin_store::tables::hook_outbox::{self, NewEvent};
use yinxin_store::tables::hooks;
use yinxin_store::{AppId, HookId, Sql};

use super::{Event, event};
use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::Result;

const EVENT_PREFIX: &str = "evt_";

/// An event's id on the wire, the same for every attempt.
pub fn event_name(seq: i64) -> String {
    format!("{EVENT_PREFIX}{seq}")
}

/// Reads the id; `None` for anything else.
pub(super) fn event_seq(name: &str) -> Option<i64> {
    name.strip_prefix(EVENT_PREFIX)?.parse().ok()
}

/// An event for one hook.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    hook: HookId,
    seq: i64,
    event: Event,
    lane: String,
    payload: String,
    at_ms: i64,
    /// Not kept: there is no room. Sending messages goes on.
    is_dropped: bool,
}

/// The notes about an event: one for each hook of the app that wants it. Only then are `lane` and `data` asked for.
pub(crate) fn notes(
    ctx: &Ctx,
    app: &App,
    event: Event,
    lane: impl FnOnce() -> String,
    at_ms: i64,
    data: impl FnOnce() -> Value,
) -> Vec<Note> {
    let mut wanting = app.hooks.iter().filter(|hook| hook.wants(event)).peekable();
    if wanting.peek().is_none() {
        return Vec::new();
    }
    let (lane, payload) = (lane(), event::payload(event, at_ms, &data()));
    let seq = ctx.mint.order();
    wanting
        .map(|hook| Note {
            hook: hook.id,
            seq,
            event,
            lane: lane.clone(),
            payload: payload.clone(),
            at_ms,
            is_dropped: !ctx.hooks.has_room((app.id, hook.id)),
        })
        .collect()
}

/// Keeps the notes, within the write that makes them true.
pub(crate) async fn keep(sql: &mut dyn Sql, app: AppId, notes: &[Note]) -> Result<()> {
    for note in notes {
        let Note { hook, seq, event, lane, payload, at_ms, is_dropped } = note;
        if *is_dropped {
            hooks::count_dropped(sql, app, *hook).await?;
            metrics::counter!("yinxin_hook_events_dropped_total").increment(1);
            continue;
        }
        let new = NewEvent { seq: *seq, event: event.name(), lane, payload, due_ms: *at_ms };
        // A hook that was removed meanwhile wants nothing.
        hook_outbox::put(sql, app, *hook, &new).await?;
    }
    Ok(())
}
