//! A hook that an operator tries.

use serde_json::json;
use yinxin_store::tables::hook_log;

use super::delivery::log_row;
use super::{Event, Hook, Kind, Reply, Undelivered, ask, event, said};
use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Error, Result};

/// What came of a call that an operator asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// The answer's status, if there was one.
    pub status: Option<u16>,
    /// What went wrong.
    pub error: Option<String>,
    /// Of a hook that may veto: whether it allows the message.
    pub allow: Option<bool>,
    /// The reason of a veto.
    pub reason: Option<String>,
    /// How long it took.
    pub duration_ms: i64,
}

/// Calls a hook once, whether it is switched on or not: an event of its own for one that is told of events, a message
/// of nobody for one that may veto.
pub async fn test(ctx: &Ctx, app: &App, hook: &Hook) -> Result<Attempt> {
    let at_ms = ctx.clock.now_ms();
    let (event, data) = match hook.kind {
        Kind::Events => (Event::Test, json!({ "app": app.name.app_key() })),
        Kind::PreSend => (Event::MessageSending, said::sample(app)),
    };
    let payload = event::payload(event, at_ms, &data);
    let id = format!("test_{}", ctx.mint.order());
    let answer = ctx.hooks.courier.post(ask::letter(hook, id, at_ms, &payload)).await;
    let row = log_row(ctx, (0, event.name(), 1), at_ms, &answer);
    let made = Attempt {
        status: answer.as_ref().ok().map(|reply| reply.status),
        error: row.error.clone(),
        allow: None,
        reason: None,
        duration_ms: row.duration_ms,
    };
    ctx.db
        .write((app.id, hook.id, row), |sql, (app, hook, row)| {
            Box::pin(async move { Ok::<_, Error>(hook_log::add(sql, *app, *hook, row).await?) })
        })
        .await?;
    Ok(judged(made, hook.kind, &answer))
}

/// With what the answer means for a hook of that kind.
fn judged(made: Attempt, kind: Kind, answer: &Result<Reply, Undelivered>) -> Attempt {
    match answer {
        Ok(reply) if kind == Kind::PreSend => match ask::read(reply) {
            Ok(veto) => Attempt { allow: Some(veto.is_none()), reason: veto, ..made },
            Err(why) => Attempt { error: Some(why), ..made },
        },
        Ok(reply) if !(200..300).contains(&reply.status) => Attempt { error: Some("not a success".to_owned()), ..made },
        _ => made,
    }
}
