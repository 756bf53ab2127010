//! Asking a hook whether a user's message may be sent.

use std::sync::Arc;

use serde::Deserialize;
use yinxin_store::tables::hook_log::{self, AttemptRow};

use super::{Event, Hook, Kind, Letter, OnFailure, Reply, event, signature};
use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{HOOK_ANSWER_BYTES_MAX, HOOK_REASON_CHARS_MAX};

/// What a sender is told when the hook has no words of its own.
const VETOED: &str = "refused by the app's server";
/// What a sender is told when the hook gave no answer and must give one.
const UNANSWERED: &str = "the app's server does not answer";

/// What a hook answers.
#[derive(Deserialize)]
struct Verdict {
    allow: bool,
    #[serde(default)]
    reason: String,
}

fn asked(app: &App) -> Option<&Hook> {
    app.hooks.iter().find(|hook| hook.enabled && hook.kind == Kind::PreSend)
}

/// Whether the app has a hook that is asked.
pub(crate) fn asks(app: &App) -> bool {
    asked(app).is_some()
}

/// Asks the app's hook, if it has one, whether a message may be sent. A veto is an error with the hook's reason.
pub(crate) async fn ask(ctx: &Ctx, app: &App, data: impl FnOnce() -> serde_json::Value) -> Result<()> {
    let Some(hook) = asked(app) else { return Ok(()) };
    let at_ms = ctx.clock.now_ms();
    let answer = question(ctx, app, hook, &event::payload(Event::MessageSending, at_ms, &data()), at_ms).await;
    let outcome = |name: &'static str| metrics::counter!("yinxin_hook_asks_total", "outcome" => name).increment(1);
    match answer {
        Ok(Verdict { allow: true, .. }) => {
            outcome("allowed");
            Ok(())
        }
        Ok(Verdict { reason, .. }) => {
            outcome("vetoed");
            Err(Error::about(Code::MessageVetoed, fit_to_show(&reason)))
        }
        Err(failed) => {
            outcome("unanswered");
            note(ctx, app, hook, failed).await;
            match hook.on_failure {
                OnFailure::Open => Ok(()),
                OnFailure::Closed => Err(Error::about(Code::MessageVetoed, UNANSWERED)),
            }
        }
    }
}

/// A question that brought no verdict.
struct Failed {
    status: Option<u16>,
    why: String,
    at_ms: i64,
}

async fn question(ctx: &Ctx, app: &App, hook: &Hook, payload: &str, at_ms: i64) -> Result<Verdict, Failed> {
    let state = ctx.hooks.state((app.id, hook.id));
    let failed = |status, why: String| Failed { status, why, at_ms };
    let _place = state.asks.try_acquire().map_err(|_| failed(None, "too many questions are open".to_owned()))?;
    let id = format!("ask_{}", ctx.mint.order());
    let reply = ctx.hooks.courier.post(letter(hook, id, at_ms, payload)).await;
    let reply = reply.map_err(|undelivered| failed(None, undelivered.0))?;
    verdict(&reply).map_err(|why| failed(Some(reply.status), why))
}

/// A signed question or test.
pub(super) fn letter(hook: &Hook, id: String, at_ms: i64, payload: &str) -> Letter {
    Letter {
        url: hook.url.clone(),
        timestamp_s: at_ms.div_euclid(1000),
        signature: signature::sign(hook, &id, at_ms, payload),
        id,
        body: Arc::from(payload),
        timeout_ms: hook.timeout_ms,
        answer_bytes_max: if hook.kind == Kind::PreSend { HOOK_ANSWER_BYTES_MAX } else { 0 },
    }
}

fn verdict(reply: &Reply) -> Result<Verdict, String> {
    if reply.status != 200 {
        return Err(format!("answered with status {}", reply.status));
    }
    serde_json::from_slice(&reply.body).map_err(|_| "answered without {\"allow\": true or false}".to_owned())
}

/// Whether an answer is a verdict, and which: for an operator who tries the hook.
pub(super) fn read(reply: &Reply) -> Result<Option<String>, String> {
    verdict(reply).map(|verdict| (!verdict.allow).then(|| fit_to_show(&verdict.reason)))
}

/// A reason as a sender may be shown it.
fn fit_to_show(reason: &str) -> String {
    let fit: String = reason.chars().filter(|c| !c.is_control()).take(HOOK_REASON_CHARS_MAX).collect();
    if fit.trim().is_empty() { VETOED.to_owned() } else { fit }
}

/// Writes failures into the hook's log: one in a second, since a hook that is down fails with every message.
async fn note(ctx: &Ctx, app: &App, hook: &Hook, failed: Failed) {
    let now_ms = ctx.clock.now_ms();
    if !ctx.hooks.state((app.id, hook.id)).may_log(now_ms) {
        return;
    }
    let row = AttemptRow {
        attempt_seq: ctx.mint.order(),
        event_seq: 0,
        event: Event::MessageSending.name().to_owned(),
        attempt: 1,
        status: failed.status.map(i64::from),
        error: Some(failed.why),
        duration_ms: now_ms - failed.at_ms,
        at_ms: failed.at_ms,
    };
    let noted = ctx
        .db
        .write((app.id, hook.id, row, ctx.hooks.log_max), |sql, (app, hook, row, log_max)| {
            Box::pin(async move {
                hook_log::add(sql, *app, *hook, row).await?;
                Ok::<_, Error>(hook_log::trim(sql, *app, *hook, *log_max).await?)
            })
        })
        .await;
    if let Err(error) = noted {
        tracing::warn!(%error, "a hook's failure could not be written into its log");
    }
}
