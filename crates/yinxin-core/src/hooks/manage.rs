//! What an operator does with hooks.

use uuid::Uuid;
use yinxin_store::HookId;
use yinxin_store::tables::hook_log::{self, AttemptRow};
use yinxin_store::tables::hook_outbox;
use yinxin_store::tables::hooks::{self, HookRow, HookUpdate};
use zeroize::Zeroizing;

use super::live::Key;
use super::outbox::event_seq;
use super::{Event, Hook, Kind, OnFailure, hook_of, place, signature, upkeep};
use crate::apps::{self, App};
use crate::contacts::Page;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{
    HOOK_EVENTS_TIMEOUT_MS, HOOK_LOG_PAGE_MAX, HOOK_PRE_SEND_TIMEOUT_MS, HOOK_SECRET_OVERLAP_MS, HOOK_URL_BYTES_MAX,
    HOOKS_MAX, HOOKS_PRE_SEND_MAX,
};

/// A hook to make.
#[derive(Clone, Debug)]
pub struct NewHook {
    /// Where it is called.
    pub url: String,
    /// What it is for.
    pub kind: Kind,
    /// The rest; what is left out is as it is for most.
    pub settings: Changes,
}

/// Changes to a hook; `None` leaves a value as it is.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Where it is called.
    pub url: Option<String>,
    /// Names of the events it wants.
    pub events: Option<Vec<String>>,
    /// How long one call may take.
    pub timeout_ms: Option<i64>,
    /// What holds when it gives no answer.
    pub on_failure: Option<OnFailure>,
    /// Whether it is called at all.
    pub enabled: Option<bool>,
}

impl Changes {
    fn check(&self, ctx: &Ctx, kind: Kind) -> Result<()> {
        if let Some(url) = &self.url {
            check_url(ctx, url)?;
        }
        let (least, most, _) = timeouts(kind);
        if self.timeout_ms.is_some_and(|timeout| !(least..=most).contains(&timeout)) {
            return Err(illegal(format!("timeout_ms of such a hook is from {least} to {most}")));
        }
        match kind {
            Kind::PreSend if self.events.is_some() => {
                Err(illegal("events: a hook that is asked is not told of any".to_owned()))
            }
            Kind::Events if self.on_failure.is_some() => {
                Err(illegal("on_failure: only a hook that is asked has it".to_owned()))
            }
            _ => self.events.as_ref().map_or(Ok(()), |names| check_events(names)),
        }
    }

    fn update(self) -> HookUpdate {
        HookUpdate {
            url: self.url,
            events: self.events.map(|names| names.join(" ")),
            timeout_ms: self.timeout_ms,
            on_failure: self.on_failure.map(OnFailure::name),
            enabled: self.enabled,
        }
    }
}

fn illegal(what: String) -> Error {
    Error::about(Code::FieldIllegal, what)
}

const fn timeouts(kind: Kind) -> (i64, i64, i64) {
    match kind {
        Kind::Events => HOOK_EVENTS_TIMEOUT_MS,
        Kind::PreSend => HOOK_PRE_SEND_TIMEOUT_MS,
    }
}

fn check_url(ctx: &Ctx, url: &str) -> Result<()> {
    if url.len() > HOOK_URL_BYTES_MAX {
        return Err(illegal("url".to_owned()).with_limit(HOOK_URL_BYTES_MAX));
    }
    ctx.hooks.courier.check(url).map_err(|why| illegal(format!("url: {why}")))
}

fn check_events(names: &[String]) -> Result<()> {
    let known = Event::ALL.map(Event::name).join(", ");
    match names.iter().enumerate().find(|(at, name)| Event::parse(name).is_none() || names[..*at].contains(name)) {
        Some((_, wrong)) => {
            Err(illegal(format!("events: '{wrong}' is unknown or stands there twice; there are {known}")))
        }
        None if names.is_empty() => Err(illegal(format!("events: none; there are {known}"))),
        None => Ok(()),
    }
}

/// A hook, and how it does.
pub struct Standing {
    /// The hook.
    pub hook: Hook,
    /// Events that wait.
    pub waiting: i64,
    /// Events of which all attempts have failed.
    pub failed: i64,
    /// Events that were not kept for it because there was no room.
    pub dropped: i64,
    /// The first of the failures since its last success.
    pub failing_since_ms: Option<i64>,
    /// Why the server has switched it off.
    pub disabled_why: Option<String>,
}

/// Makes a hook with a secret of its own.
pub async fn create(ctx: &Ctx, app: &App, new: NewHook) -> Result<Standing> {
    let NewHook { url, kind, settings } = new;
    let settings = Changes { url: Some(url), ..settings };
    settings.check(ctx, kind)?;
    let Changes { url, events, timeout_ms, on_failure, enabled } = settings;
    let minted = ctx.mint.uuid();
    let hook = HookId(minted.uuid.into_bytes());
    let default = || match kind {
        Kind::Events => Event::DEFAULT.map(|event| event.name().to_owned()).to_vec(),
        Kind::PreSend => Vec::new(),
    };
    let row = HookRow {
        hook,
        url: url.unwrap_or_default(),
        kind: kind.name().to_owned(),
        events: events.unwrap_or_else(default).join(" "),
        timeout_ms: timeout_ms.unwrap_or(timeouts(kind).2),
        on_failure: on_failure.unwrap_or(OnFailure::Open).name().to_owned(),
        enabled: enabled.unwrap_or(true),
        disabled_why: None,
        failing_since_ms: None,
        dropped: 0,
        sealed_secret: new_secret(ctx, app, hook).into(),
        sealed_before: None,
        before_until_ms: None,
        created_ms: minted.at_ms,
        modified_ms: minted.at_ms,
    };
    let max_of_kind = if kind == Kind::PreSend { HOOKS_PRE_SEND_MAX } else { HOOKS_MAX };
    let added = ctx
        .db
        .write((app.id, row.clone(), max_of_kind), |sql, (app, row, max_of_kind)| {
            Box::pin(async move {
                apps::must_exist(sql, *app).await?;
                Ok::<_, Error>(hooks::insert(sql, *app, row, HOOKS_MAX, *max_of_kind).await?)
            })
        })
        .await?;
    if added { standing(ctx, app, row).await } else { Err(Error::over(Code::HooksFull, max_of_kind)) }
}

fn new_secret(ctx: &Ctx, app: &App, hook: HookId) -> Vec<u8> {
    let secret: Zeroizing<Vec<u8>> = signature::new_secret(ctx.rng.as_ref());
    ctx.keys.seal(ctx.rng.as_ref(), &place(app.id, hook), &secret)
}

async fn standing(ctx: &Ctx, app: &App, row: HookRow) -> Result<Standing> {
    let (waiting, failed) = upkeep::kept(ctx, (app.id, row.hook)).await?;
    let (dropped, failing_since_ms, disabled_why) = (row.dropped, row.failing_since_ms, row.disabled_why.clone());
    let hook = hook_of(ctx, app.id, row)?;
    Ok(Standing { hook, waiting, failed, dropped, failing_since_ms, disabled_why })
}

/// All hooks of the app, oldest first.
pub async fn list(ctx: &Ctx, app: &App) -> Result<Vec<Standing>> {
    let rows = ctx
        .db
        .read(app.id, |sql, app| Box::pin(async move { Ok::<_, Error>(hooks::of_app(sql, *app).await?) }))
        .await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.push(standing(ctx, app, row).await?);
    }
    Ok(all)
}

fn unknown(id: &str) -> Error {
    Error::about(Code::HookNotFound, id)
}

fn parse_id(id: &str) -> Result<HookId> {
    Uuid::try_parse(id).map(|uuid| HookId(uuid.into_bytes())).map_err(|_| unknown(id))
}

/// One hook of the app, by its id.
pub async fn find(ctx: &Ctx, app: &App, id: &str) -> Result<Standing> {
    let row = ctx
        .db
        .read((app.id, parse_id(id)?), |sql, (app, hook)| {
            Box::pin(async move { Ok::<_, Error>(hooks::by_id(sql, *app, *hook).await?) })
        })
        .await?;
    standing(ctx, app, row.ok_or_else(|| unknown(id))?).await
}

/// Changes a hook. What waits for one that is switched on again is told.
pub async fn change(ctx: &Ctx, app: &App, id: &str, changes: Changes) -> Result<Standing> {
    let hook = find(ctx, app, id).await?.hook;
    changes.check(ctx, hook.kind)?;
    let known = ctx
        .db
        .write((app.id, hook.id, changes.update(), ctx.clock.now_ms()), |sql, (app, hook, update, now_ms)| {
            Box::pin(async move { Ok::<_, Error>(hooks::update(sql, *app, *hook, update, *now_ms).await?) })
        })
        .await?;
    known.then_some(()).ok_or_else(|| unknown(id))?;
    hurry(ctx, (app.id, hook.id));
    find(ctx, app, id).await
}

/// Has the hook told now, by whichever node tells it.
fn hurry(ctx: &Ctx, key: Key) {
    ctx.hooks.hurry(key);
    if let Some(cluster) = &ctx.cluster {
        cluster.tell_hurry(key);
    }
}

/// Replaces the secret. For a day the one before signs, too.
pub async fn rotate_secret(ctx: &Ctx, app: &App, id: &str) -> Result<Standing> {
    let hook = parse_id(id)?;
    let input = (app.id, hook, new_secret(ctx, app, hook), ctx.clock.now_ms());
    let known = ctx
        .db
        .write(input, |sql, (app, hook, sealed, now_ms)| {
            let until_ms = now_ms + HOOK_SECRET_OVERLAP_MS;
            Box::pin(
                async move { Ok::<_, Error>(hooks::set_secret(sql, *app, *hook, sealed, until_ms, *now_ms).await?) },
            )
        })
        .await?;
    known.then_some(()).ok_or_else(|| unknown(id))?;
    find(ctx, app, id).await
}

/// Removes a hook with all that waits for it; gives it as it was.
pub async fn remove(ctx: &Ctx, app: &App, id: &str) -> Result<Standing> {
    let standing = find(ctx, app, id).await?;
    let key = (app.id, standing.hook.id);
    let known = ctx
        .db
        .write(key, |sql, (app, hook)| Box::pin(async move { Ok::<_, Error>(hooks::remove(sql, *app, *hook).await?) }))
        .await?;
    known.then_some(()).ok_or_else(|| unknown(id))?;
    ctx.hooks.forget(|known| known == key);
    Ok(standing)
}

/// Up to `limit` (at most 100) of the last attempts, the last first, before the order id `before`.
pub async fn log(ctx: &Ctx, app: &App, id: &str, before: Option<i64>, limit: i64) -> Result<Page<AttemptRow>> {
    let hook = find(ctx, app, id).await?.hook.id;
    let limit = limit.clamp(1, HOOK_LOG_PAGE_MAX);
    let attempts = ctx
        .db
        .read((app.id, hook, before.unwrap_or(i64::MAX), limit + 1), |sql, (app, hook, before, limit)| {
            Box::pin(async move { Ok::<_, Error>(hook_log::page(sql, *app, *hook, *before, *limit).await?) })
        })
        .await?;
    Ok(Page::cut(attempts, limit, |attempt| attempt.attempt_seq))
}

/// Has one event told again from the beginning, or (`None`) all that have failed; says how many.
pub async fn redeliver(ctx: &Ctx, app: &App, id: &str, event: Option<&str>) -> Result<u64> {
    let hook = find(ctx, app, id).await?.hook.id;
    let unknown = || Error::about(Code::HookEventNotFound, event.unwrap_or_default());
    let seq = event.map(|event| event_seq(event).ok_or_else(unknown)).transpose()?;
    let count = ctx
        .db
        .write((app.id, hook, seq, ctx.clock.now_ms()), |sql, (app, hook, seq, now_ms)| {
            Box::pin(async move {
                Ok::<_, Error>(match seq {
                    None => hook_outbox::begin_failed_again(sql, *app, *hook, *now_ms).await?,
                    Some(seq) => hook_outbox::begin_again(sql, *app, *hook, *seq, *now_ms).await?.into(),
                })
            })
        })
        .await?;
    hurry(ctx, (app.id, hook));
    if seq.is_some() && count == 0 { Err(unknown()) } else { Ok(count) }
}
