//! Sessions: a device from its login until it is gone, as backends are told of it.

use serde_json::{Value, json};
use yinxin_store::tables::hook_sessions::{self, SessionRow};

use super::outbox::notes;
use super::{Event, event, wanted};
use crate::apps::{self, App};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::sessions::{CloseReason, Device};
use crate::users::User;

/// Why a session ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndReason {
    /// The client said that it goes.
    Logout,
    /// The connection was lost, or broke a rule of the protocol.
    Closed,
    /// The token has ended and no other came.
    TokenEnded,
    /// A newer login took its place.
    Displaced,
    /// The domain ended it.
    Asked(CloseReason),
    /// The server stopped in order.
    ServerStopped,
    /// The server stopped without a word, some time between the session's start and the event.
    ServerLost,
}

impl EndReason {
    /// The name in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Closed => "closed",
            Self::TokenEnded => "token_ended",
            Self::Displaced => "displaced",
            Self::Asked(reason) => reason.name(),
            Self::ServerStopped => "server_stopped",
            Self::ServerLost => "server_lost",
        }
    }
}

/// Whose session it is, as the connection knows it.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The app, perhaps as it was at the login.
    pub app: &'a App,
    /// The user.
    pub user: &'a User,
    /// The device.
    pub device: &'a Device,
}

/// A session that has begun; it is to be ended by [`end`].
#[derive(Debug)]
pub struct Opened {
    seq: i64,
    started_ms: i64,
    /// It stands in the database so that its end is told even if this server is killed.
    is_noted: bool,
}

/// Notes that a session has begun. The connection must be registered already.
pub async fn open(ctx: &Ctx, known: Known<'_>) -> Opened {
    let mut opened = Opened { seq: ctx.mint.order(), started_ms: ctx.clock.now_ms(), is_noted: false };
    match tell_start(ctx, known, &opened).await {
        Ok(is_noted) => opened.is_noted = is_noted,
        Err(error) => lost(Event::SessionStarted, &error),
    }
    opened
}

async fn tell_start(ctx: &Ctx, known: Known<'_>, opened: &Opened) -> Result<bool> {
    let app = apps::current(ctx, known.app).await?;
    let started = || {
        let mut data = data(known, opened);
        data["online"] = true.into();
        data
    };
    let notes = notes(ctx, &app, Event::SessionStarted, opened.started_ms, (|| lane(known), started));
    let is_noted = wanted(&app, Event::SessionEnded);
    if notes.is_none() && !is_noted {
        return Ok(false);
    }
    let row = || SessionRow { session_seq: opened.seq, lane: lane(known), data: data(known, opened).to_string() };
    ctx.db
        .write((app.id, notes, is_noted.then(row), ctx.node()), |sql, (app, notes, row, node)| {
            Box::pin(async move {
                if let Some(notes) = notes {
                    notes.keep(sql, *app, None, None).await?;
                }
                if let Some(row) = row {
                    hook_sessions::begin(sql, *app, row, *node).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .await?;
    Ok(is_noted)
}

/// Notes that a session has ended. The connection must not be registered any more.
pub async fn end(ctx: &Ctx, known: Known<'_>, opened: Opened, reason: EndReason) {
    if let Err(error) = tell_end(ctx, known, &opened, reason).await {
        lost(Event::SessionEnded, &error);
    }
}

async fn tell_end(ctx: &Ctx, known: Known<'_>, opened: &Opened, reason: EndReason) -> Result<()> {
    let app = apps::current(ctx, known.app).await?;
    let is_wanted = wanted(&app, Event::SessionEnded);
    if !is_wanted && !opened.is_noted {
        return Ok(());
    }
    // A question to the database on a cluster.
    let online = is_wanted && ctx.sessions.is_online(app.id, known.user.user).await?;
    let ended = || ended(data(known, opened), reason, online);
    let notes = notes(ctx, &app, Event::SessionEnded, ctx.clock.now_ms(), (|| lane(known), ended));
    ctx.db
        .write((app.id, notes, opened.seq), |sql, (app, notes, seq)| {
            Box::pin(async move {
                if let Some(notes) = notes {
                    notes.keep(sql, *app, None, None).await?;
                }
                Ok::<_, Error>(hook_sessions::end(sql, *app, *seq).await.map(drop)?)
            })
        })
        .await
}

/// A session must not fail because nobody could be told of it.
fn lost(event: Event, error: &Error) {
    if error.code == Code::AppNotFound {
        // The hooks went with the app.
        return;
    }
    metrics::counter!("yinxin_hook_events_lost_total").increment(1);
    tracing::warn!(event = event.name(), %error, "an event for hooks could not be written down");
}

/// Sessions of one user stand one behind the other.
fn lane(known: Known<'_>) -> String {
    known.user.username.clone()
}

/// What both events say.
fn data(known: Known<'_>, opened: &Opened) -> Value {
    let Device { resource, device_uuid, device_name, note: _, since_ms: _ } = known.device;
    json!({
        "app": known.app.name.app_key(),
        "user": known.user.username,
        "session": opened.seq.to_string(),
        "started": opened.started_ms,
        "device": { "resource": resource, "id": device_uuid, "name": device_name },
    })
}

/// `online`: whether another device of the user is connected.
fn ended(mut data: Value, reason: EndReason, online: bool) -> Value {
    data["reason"] = reason.name().into();
    data["online"] = online.into();
    data
}

/// The event about a session that the server's own end has cut off.
pub(super) fn cut_off(data: &str, now_ms: i64) -> String {
    // It was written by `tell_start`.
    let data = serde_json::from_str(data).unwrap_or_else(|_| json!({}));
    event::payload(Event::SessionEnded, now_ms, &ended(data, EndReason::ServerLost, false))
}
