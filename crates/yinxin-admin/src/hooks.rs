//! Operations on the hooks of an app.

use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yinxin_core::Code;
use yinxin_core::hooks::{self, Changes, Kind, Logged, NewHook, OnFailure, Standing};
use yinxin_core::limits::HOOK_LOG_PAGE_MAX;

use crate::apps::Tenant;
use crate::problem::{Answer, Problem};
use crate::routes::Shared;
use crate::wire::{Json, JsonOrNothing, Params, json, path};

/// The hook that the path names; whether there is one the use case finds out.
pub(crate) struct Named(String);

#[derive(Deserialize)]
struct NamedPath {
    hook: String,
}

impl FromRequestParts<Shared> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let named: NamedPath = path(parts, shared).await?;
        Ok(Self(named.hook))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct New {
    url: String,
    kind: Option<String>,
    events: Option<Vec<String>>,
    timeout_ms: Option<i64>,
    on_failure: Option<String>,
    enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Patch {
    url: Option<String>,
    events: Option<Vec<String>>,
    timeout_ms: Option<i64>,
    on_failure: Option<String>,
    enabled: Option<bool>,
}

impl Patch {
    fn into_changes(self) -> Result<Changes, Problem> {
        let Self { url, events, timeout_ms, on_failure, enabled } = self;
        let on_failure = match on_failure.as_deref() {
            None => None,
            Some(name) => Some(OnFailure::parse(name).ok_or_else(|| {
                Problem::new(Code::FieldIllegal, format!("on_failure is 'open' or 'closed', not '{name}'"))
            })?),
        };
        Ok(Changes { url, events, timeout_ms, on_failure, enabled })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Show {
    #[serde(default)]
    secrets: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    cursor: Option<i64>,
    limit: Option<i64>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    event: Option<String>,
}

/// A hook as the wire shows it.
#[derive(Serialize)]
struct View<'a> {
    id: String,
    url: &'a str,
    kind: &'static str,
    events: Vec<&'static str>,
    timeout_ms: i64,
    on_failure: &'static str,
    enabled: bool,
    disabled_why: Option<&'a str>,
    failing_since: Option<i64>,
    waiting: i64,
    failed: i64,
    dropped: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    created: i64,
    modified: i64,
}

fn view(standing: &Standing, secrets: bool) -> View<'_> {
    let Standing { hook, waiting, failed, dropped, failing_since_ms, disabled_why } = standing;
    View {
        id: Uuid::from_bytes(hook.id.0).to_string(),
        url: &hook.url,
        kind: hook.kind.name(),
        events: hook.events.iter().map(|event| event.name()).collect(),
        timeout_ms: hook.timeout_ms,
        on_failure: hook.on_failure.name(),
        enabled: hook.enabled,
        disabled_why: disabled_why.as_deref(),
        failing_since: *failing_since_ms,
        waiting: *waiting,
        failed: *failed,
        dropped: *dropped,
        secret: secrets.then(|| hook.reveal_secret().to_string()),
        created: hook.created_ms,
        modified: hook.modified_ms,
    }
}

pub(crate) async fn create(State(shared): State<Shared>, tenant: Tenant, Json(new): Json<New>) -> Answer {
    let New { url, kind, events, timeout_ms, on_failure, enabled } = new;
    let kind = match kind.as_deref() {
        None => Kind::Events,
        Some(name) => Kind::parse(name)
            .ok_or_else(|| Problem::new(Code::FieldIllegal, format!("kind is 'events' or 'pre_send', not '{name}'")))?,
    };
    let settings = Patch { url: None, events, timeout_ms, on_failure, enabled }.into_changes()?;
    let made = hooks::create(&shared.ctx, &tenant.0, NewHook { url, kind, settings }).await?;
    json(StatusCode::CREATED, &view(&made, true))
}

pub(crate) async fn list(State(shared): State<Shared>, tenant: Tenant, Params(show): Params<Show>) -> Answer {
    #[derive(Serialize)]
    struct List<'a> {
        hooks: Vec<View<'a>>,
    }
    let found = hooks::list(&shared.ctx, &tenant.0).await?;
    json(StatusCode::OK, &List { hooks: found.iter().map(|standing| view(standing, show.secrets)).collect() })
}

pub(crate) async fn show(
    State(shared): State<Shared>,
    tenant: Tenant,
    named: Named,
    Params(show): Params<Show>,
) -> Answer {
    let standing = hooks::find(&shared.ctx, &tenant.0, &named.0).await?;
    json(StatusCode::OK, &view(&standing, show.secrets))
}

pub(crate) async fn change(
    State(shared): State<Shared>,
    tenant: Tenant,
    named: Named,
    Json(patch): Json<Patch>,
) -> Answer {
    let changed = hooks::change(&shared.ctx, &tenant.0, &named.0, patch.into_changes()?).await?;
    json(StatusCode::OK, &view(&changed, false))
}

pub(crate) async fn delete(State(shared): State<Shared>, tenant: Tenant, named: Named) -> Answer {
    let removed = hooks::remove(&shared.ctx, &tenant.0, &named.0).await?;
    json(StatusCode::OK, &view(&removed, false))
}

pub(crate) async fn rotate_secret(State(shared): State<Shared>, tenant: Tenant, named: Named) -> Answer {
    let rotated = hooks::rotate_secret(&shared.ctx, &tenant.0, &named.0).await?;
    json(StatusCode::OK, &view(&rotated, true))
}

/// One attempt as the wire shows it.
#[derive(Serialize)]
struct AttemptView {
    event: String,
    /// None of a question, which has no second attempt.
    id: Option<String>,
    attempt: i64,
    status: Option<i64>,
    error: Option<String>,
    duration_ms: i64,
    at: i64,
}

impl From<Logged> for AttemptView {
    fn from(logged: Logged) -> Self {
        Self {
            id: (logged.event_seq > 0).then(|| hooks::event_name(logged.event_seq)),
            event: logged.event,
            attempt: logged.attempt,
            status: logged.status,
            error: logged.error,
            duration_ms: logged.duration_ms,
            at: logged.at_ms,
        }
    }
}

pub(crate) async fn log(
    State(shared): State<Shared>,
    tenant: Tenant,
    named: Named,
    Params(page): Params<Page>,
) -> Answer {
    #[derive(Serialize)]
    struct Log {
        attempts: Vec<AttemptView>,
        cursor: Option<String>,
    }
    let limit = page.limit.unwrap_or(HOOK_LOG_PAGE_MAX);
    if !(1..=HOOK_LOG_PAGE_MAX).contains(&limit) {
        return Err(Problem::new(Code::FieldIllegal, format!("limit is 1 to {HOOK_LOG_PAGE_MAX}, not {limit}")));
    }
    let found = hooks::log(&shared.ctx, &tenant.0, &named.0, page.cursor, limit).await?;
    let log = Log {
        attempts: found.entries.into_iter().map(AttemptView::from).collect(),
        cursor: found.next.map(|next| next.to_string()),
    };
    json(StatusCode::OK, &log)
}

pub(crate) async fn redeliver(
    State(shared): State<Shared>,
    tenant: Tenant,
    named: Named,
    JsonOrNothing(which): JsonOrNothing<Which>,
) -> Answer {
    #[derive(Serialize)]
    struct Done {
        events: u64,
    }
    let events = hooks::redeliver(&shared.ctx, &tenant.0, &named.0, which.event.as_deref()).await?;
    json(StatusCode::OK, &Done { events })
}

pub(crate) async fn test(State(shared): State<Shared>, tenant: Tenant, named: Named) -> Answer {
    #[derive(Serialize)]
    struct Tried {
        status: Option<u16>,
        error: Option<String>,
        allow: Option<bool>,
        reason: Option<String>,
        duration_ms: i64,
    }
    let hook = hooks::find(&shared.ctx, &tenant.0, &named.0).await?.hook;
    let hooks::Attempt { status, error, allow, reason, duration_ms } =
        hooks::test(&shared.ctx, &tenant.0, &hook).await?;
    json(StatusCode::OK, &Tried { status, error, allow, reason, duration_ms })
}
