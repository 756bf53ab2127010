//! Telling the hooks: what is due, one attempt, and what comes of it.
//!
//! Whoever runs this decides how many attempts are under way; it must not make two of one event at a time.

use std::sync::Arc;

use yinxin_store::tables::hook_log::{self, AttemptRow};
use yinxin_store::tables::hook_outbox::{self, DELIVERED, EventRow, FAILED, WAITING};
use yinxin_store::tables::hooks;
use yinxin_store::{AppId, HookId, Sql};

use super::upkeep::tidy;
use super::{Hook, Key, Letter, Reply, Undelivered, event_name, hook_of, signature};
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::limits::{
    HOOK_ERROR_CHARS_MAX, HOOK_FAILING_MAX_MS, HOOK_FAILING_MIN_MS, HOOK_RETRY_AFTER_MAX_S, HOOK_RETRY_DELAYS_S,
};
use crate::rng;

/// Of 256 attempts so many are followed by a look for what can go.
const TIDY_IN_256: u8 = 4;

/// An event that is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// Its order id.
    pub seq: i64,
    /// Two events of one lane are not to be under way together.
    pub lane: String,
}

/// What there is to do for a hook.
#[derive(Clone, Default, Debug)]
pub struct Look {
    /// What is due: what is to be attempted again, and then what is new, in order.
    pub heads: Vec<Head>,
    /// When something more is.
    pub next_ms: Option<i64>,
}

/// Up to `limit` events of a hook that are due. A hook that is gone, or switched off, has none.
pub async fn look(ctx: &Ctx, key: Key, limit: i64) -> Result<Look> {
    let found = read(ctx, key, limit).await?;
    let (now_ms, longest_ms) = (ctx.clock.now_ms(), HOOK_RETRY_DELAYS_S[HOOK_RETRY_DELAYS_S.len() - 1] * 1100);
    if found.next_ms.is_none_or(|next_ms| next_ms <= now_ms + longest_ms) {
        return Ok(found);
    }
    // No pause is so long: the clock was set back since.
    let input = (key, now_ms + longest_ms, now_ms);
    ctx.db
        .write(input, |sql, ((app, hook), beyond_ms, now_ms)| {
            Box::pin(
                async move { Ok::<_, Error>(hook_outbox::bring_forward(sql, *app, *hook, *beyond_ms, *now_ms).await?) },
            )
        })
        .await?;
    read(ctx, key, limit).await
}

async fn read(ctx: &Ctx, (app, hook): Key, limit: i64) -> Result<Look> {
    ctx.db
        .read((app, hook, ctx.clock.now_ms(), limit), |sql, (app, hook, now_ms, limit)| {
            Box::pin(async move {
                if !hooks::by_id(sql, *app, *hook).await?.is_some_and(|hook| hook.enabled) {
                    return Ok(Look::default());
                }
                let again = hook_outbox::due_again(sql, *app, *hook, *now_ms, *limit).await?;
                let untried = hook_outbox::untried(sql, *app, *hook, *limit).await?;
                let next_ms = hook_outbox::next_due_ms(sql, *app, *hook, *now_ms).await?;
                let due = neither_starved(again, untried, usize::try_from(*limit).unwrap_or(usize::MAX));
                Ok(Look { heads: due.map(|(seq, lane)| Head { seq, lane }).collect(), next_ms })
            })
        })
        .await
}

/// As many of both as may be, the first before the second; each has half of the places if it needs them.
fn neither_starved<T>(first: Vec<T>, second: Vec<T>, limit: usize) -> impl Iterator<Item = T> {
    let places = limit.saturating_sub(second.len()).max(limit / 2);
    first.into_iter().take(places).chain(second).take(limit)
}

/// What came of an attempt, for whoever decides about the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The hook has taken the event.
    Delivered,
    /// It has not; it may have said how long to leave it alone.
    Refused {
        /// Milliseconds.
        rest_ms: Option<i64>,
    },
    /// Nothing was tried: the event is not waiting any more, or the hook is gone or switched off.
    Nothing,
}

/// Makes one attempt at an event and writes down what came of it.
pub async fn attempt(ctx: &Ctx, (app, hook): Key, seq: i64) -> Result<Outcome> {
    let found = ctx
        .db
        .read((app, hook, seq), |sql, (app, hook, seq)| {
            Box::pin(async move {
                let row = hooks::by_id(sql, *app, *hook).await?.filter(|hook| hook.enabled);
                let event = hook_outbox::by_seq(sql, *app, *hook, *seq).await?.filter(|event| event.state == WAITING);
                Ok::<_, Error>(row.zip(event))
            })
        })
        .await?;
    let Some((row, event)) = found else { return Ok(Outcome::Nothing) };
    let was_failing = row.failing_since_ms.is_some();
    let hook = hook_of(ctx, app, row)?;
    let at_ms = ctx.clock.now_ms();
    let answer = ctx.hooks.courier.post(told(&hook, seq, at_ms, &event)).await;
    let made = Made::of(ctx, (app, hook.id), seq, &event, at_ms, &answer, was_failing);
    settle(ctx, made, &answer).await
}

fn told(hook: &Hook, seq: i64, at_ms: i64, event: &EventRow) -> Letter {
    let id = event_name(seq);
    Letter {
        url: hook.url.clone(),
        timestamp_s: at_ms.div_euclid(1000),
        signature: signature::sign(hook, &id, at_ms, &event.payload),
        id,
        body: Arc::from(&*event.payload),
        timeout_ms: hook.timeout_ms,
        answer_bytes_max: 0,
    }
}

/// What is to be written down of an attempt.
struct Made {
    app: AppId,
    hook: HookId,
    log: AttemptRow,
    result: Settled,
    now_ms: i64,
    was_failing: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Settled {
    Delivered,
    Again {
        due_ms: i64,
    },
    /// That was the last attempt.
    Failed,
    /// The hook says that it is no more: the event waits for the day it is switched on again.
    Gone,
}

impl Made {
    fn of(
        ctx: &Ctx,
        (app, hook): Key,
        seq: i64,
        event: &EventRow,
        at_ms: i64,
        answer: &Result<Reply, Undelivered>,
        was_failing: bool,
    ) -> Self {
        let now_ms = ctx.clock.now_ms();
        let attempt = event.attempts + 1;
        let result = match answer {
            Ok(reply) if (200..300).contains(&reply.status) => Settled::Delivered,
            Ok(reply) if reply.status == 410 => Settled::Gone,
            _ => match delay_ms(ctx, event.attempts) {
                Some(delay_ms) => Settled::Again { due_ms: now_ms + delay_ms },
                None => Settled::Failed,
            },
        };
        let log = log_row(ctx, (seq, &event.event, attempt), at_ms, answer);
        Self { app, hook, log, result, now_ms, was_failing }
    }
}

/// A line of the log.
pub(super) fn log_row(
    ctx: &Ctx,
    (event_seq, event, attempt): (i64, &str, i64),
    at_ms: i64,
    answer: &Result<Reply, Undelivered>,
) -> AttemptRow {
    let error = answer.as_ref().err().map(|undelivered| undelivered.0.chars().take(HOOK_ERROR_CHARS_MAX).collect());
    AttemptRow {
        attempt_seq: ctx.mint.order(),
        event_seq,
        event: event.to_owned(),
        attempt,
        status: answer.as_ref().ok().map(|reply| reply.status.into()),
        error,
        duration_ms: ctx.clock.now_ms() - at_ms,
        at_ms,
    }
}

/// How long until the next attempt after that many; a tenth more or less, so that what failed together does not come
/// back together. `None`: there is none.
fn delay_ms(ctx: &Ctx, attempts: i64) -> Option<i64> {
    let delay_s = usize::try_from(attempts).ok().and_then(|made| HOOK_RETRY_DELAYS_S.get(made))?;
    let [random] = rng::bytes(ctx.rng.as_ref());
    Some(delay_s * (900 + 200 * i64::from(random) / 255))
}

async fn settle(ctx: &Ctx, made: Made, answer: &Result<Reply, Undelivered>) -> Result<Outcome> {
    let (app, hook, result) = (made.app, made.hook, made.result);
    let event = event_name(made.log.event_seq);
    let disabled = ctx.db.write(made, |sql, made| Box::pin(write_down(sql, made))).await?;
    count(result);
    let id = uuid::Uuid::from_bytes(hook.0);
    match result {
        Settled::Delivered => ctx.hooks.free((app, hook)),
        Settled::Failed => {
            tracing::warn!(hook = %id, event, "a hook did not take an event; `yinxin hook redeliver` can");
        }
        Settled::Again { .. } | Settled::Gone => {}
    }
    if let Some(why) = disabled {
        tracing::warn!(hook = %id, why, "a hook was switched off; `yinxin hook change --enabled` switches it on");
    }
    // Now and then, by lot.
    if rng::bytes::<1>(ctx.rng.as_ref())[0] < TIDY_IN_256 {
        tidy(ctx, (app, hook)).await?;
    }
    let rest_ms = answer.as_ref().ok().and_then(|reply| reply.retry_after_s);
    Ok(match result {
        Settled::Delivered => Outcome::Delivered,
        _ => Outcome::Refused { rest_ms: rest_ms.map(|rest_s| rest_s.clamp(0, HOOK_RETRY_AFTER_MAX_S) * 1000) },
    })
}

fn count(result: Settled) {
    let name = match result {
        Settled::Delivered => "delivered",
        Settled::Again { .. } => "refused",
        Settled::Failed => "failed",
        Settled::Gone => "gone",
    };
    metrics::counter!("yinxin_hook_attempts_total", "outcome" => name).increment(1);
}

/// Gives why the hook was switched off, if it was.
async fn write_down(sql: &mut dyn Sql, made: &Made) -> Result<Option<&'static str>> {
    let Made { app, hook, log, result, now_ms, was_failing } = made;
    hook_log::add(sql, *app, *hook, log).await?;
    let (state, due_ms) = match *result {
        Settled::Delivered => (DELIVERED, *now_ms),
        Settled::Again { due_ms } => (WAITING, due_ms),
        Settled::Failed => (FAILED, *now_ms),
        Settled::Gone => (WAITING, *now_ms),
    };
    hook_outbox::settle(sql, *app, *hook, log.event_seq, (state, log.attempt, due_ms)).await?;
    if *result == Settled::Delivered {
        if *was_failing {
            hooks::recovers(sql, *app, *hook).await?;
        }
        return Ok(None);
    }
    let since_ms = hooks::fails(sql, *app, *hook, *now_ms).await?.unwrap_or(*now_ms);
    let why = match *result {
        Settled::Gone => Some("it answered 410 Gone"),
        Settled::Failed if now_ms - since_ms >= HOOK_FAILING_MIN_MS => Some("it has taken nothing for three days"),
        _ if now_ms - since_ms >= HOOK_FAILING_MAX_MS => Some("it has taken nothing for more than three days"),
        _ => None,
    };
    if let Some(why) = why {
        hooks::disable(sql, *app, *hook, why).await?;
    }
    Ok(why)
}

#[cfg(test)]
mod tests {
    use super::neither_starved;

    #[test]
    fn what_is_tried_again_and_what_is_new_share_the_places() {
        let both =
            |first: &[i64], second: &[i64]| neither_starved(first.to_vec(), second.to_vec(), 4).collect::<Vec<_>>();
        assert_eq!(both(&[1, 2, 3, 4], &[5, 6, 7, 8]), [1, 2, 5, 6]);
        assert_eq!(both(&[1, 2, 3, 4], &[5]), [1, 2, 3, 5]);
        assert_eq!(both(&[1], &[5, 6, 7, 8]), [1, 5, 6, 7]);
        assert_eq!(both(&[1, 2, 3, 4], &[]), [1, 2, 3, 4]);
    }
}
