//! Telling the app's hooks of a push, a few users at a time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use yinxin_store::tables::push::{self, DeviceRow};
use yinxin_store::tables::users::{self, UserRow};
use yinxin_store::tables::{push_tasks, settings};
use yinxin_store::{AppId, Sql, UserId};

use super::audience::{Devices, Place};
use super::{Asked, Badge, written};
use crate::apps;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::hooks::{self, Event, Notes};
use crate::limits::{PUSH_BADGE_MAX, PUSH_TASK_KEPT_MS, SWEEP_ROWS};
use crate::sessions::Sessions;
use crate::settings::Setting;

/// How far a task is.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Progress {
    place: Place,
    /// Devices so far, by the providers of their certificates; `""` for those whose certificate is not known here.
    pub targets: BTreeMap<String, i64>,
}

impl Progress {
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// What a piece is made with.
struct Piece {
    app: AppId,
    app_key: String,
    task: i64,
    at_ms: i64,
    notes: Option<Notes>,
    sessions: Sessions,
}

/// The app that had its turn last: each has one after the other.
#[derive(Debug)]
pub(crate) struct Turns(AppId);

impl Default for Turns {
    fn default() -> Self {
        Self(AppId([0; 16]))
    }
}

/// Tells of a piece of a push; `false` when none waits.
pub(crate) async fn step(ctx: &Ctx, turns: &mut Turns) -> Result<bool> {
    let Turns(last) = std::mem::take(turns);
    let open = match open_behind(ctx, last).await? {
        None => open_behind(ctx, Turns::default().0).await?,
        open => open,
    };
    let Some((app, task)) = open else { return Ok(false) };
    *turns = Turns(app);
    let app = match apps::find_by_id(ctx, app).await {
        Ok(app) => app,
        // Deleted since: its tasks are cleared away with it, before the next turn.
        Err(error) if error.code == Code::AppNotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    let at_ms = ctx.clock.now_ms();
    let said = (|| format!("push {task}"), || Value::Null);
    let notes = hooks::notes(ctx, &app, Event::PushRequested, at_ms, said);
    let sessions = ctx.sessions.clone();
    let piece = Piece { app: app.id, app_key: app.name.app_key(), task, at_ms, notes, sessions };
    ctx.db.write(piece, |sql, piece| Box::pin(piece.tell(sql))).await?;
    Ok(true)
}

async fn open_behind(ctx: &Ctx, app: AppId) -> Result<Option<(AppId, i64)>> {
    ctx.db.read(app, |sql, app| Box::pin(async move { Ok::<_, Error>(push_tasks::next_open(sql, *app).await?) })).await
}

impl Piece {
    async fn tell(&self, sql: &mut dyn Sql) -> Result<()> {
        let Some((asked, progress)) = push_tasks::one(sql, self.app, self.task).await? else { return Ok(()) };
        // What another server has written and this one cannot read must not hold up the others.
        let Ok(asked) = serde_json::from_str::<Asked>(&asked) else {
            return self.finish(sql).await;
        };
        let mut progress = Progress::read(&progress);
        let (page, next) = asked.to.page(sql, self.app, progress.place).await?;
        let providers = providers(sql, self.app).await?;
        let mut targets = Vec::with_capacity(page.len());
        for (user, devices) in page {
            targets.extend(self.target(sql, user, &devices, &providers, asked.badge, &mut progress.targets).await?);
        }
        if let Some(notes) = &self.notes
            && !targets.is_empty()
        {
            let data = json!({
                "app": self.app_key,
                "task": self.task.to_string(),
                "time": self.at_ms,
                "message": asked.message,
                "setting": asked.setting,
                "targets": targets,
            });
            notes.tell(sql, self.app, &data).await?;
        }
        progress.place = next.unwrap_or_default();
        push_tasks::advance(sql, self.app, self.task, &written(&progress)?).await?;
        match next {
            Some(_) => Ok(()),
            None => self.finish(sql).await,
        }
    }

    /// With it go those that were finished long ago.
    async fn finish(&self, sql: &mut dyn Sql) -> Result<()> {
        push_tasks::finish(sql, self.app, self.task).await?;
        Ok(push_tasks::forget(sql, self.app, self.at_ms - PUSH_TASK_KEPT_MS, SWEEP_ROWS).await?)
    }

    /// A user with its devices that can be pushed to; `None` for one without.
    async fn target(
        &self,
        sql: &mut dyn Sql,
        user: UserId,
        wanted: &Devices,
        providers: &BTreeMap<String, String>,
        badge: Badge,
        counts: &mut BTreeMap<String, i64>,
    ) -> Result<Option<Value>> {
        let mut devices = push::devices(sql, self.app, user).await?;
        devices.retain(|device| wanted.has(&device.device_id));
        let Some(known) = users::by_id(sql, self.app, user).await? else { return Ok(None) };
        if devices.is_empty() || !known.active {
            return Ok(None);
        }
        let mut shown = Vec::with_capacity(devices.len());
        for device in devices {
            let provider = providers.get(&device.notifier_name).map_or("", String::as_str);
            *counts.entry(provider.to_owned()).or_default() += 1;
            shown.push(said(&device, provider));
        }
        let badge = count_up(sql, self.app, user, badge).await?;
        let online = self.sessions.is_online_in(sql, self.app, user).await?;
        Ok(Some(of_user(&known, &shown, badge, online)))
    }
}

fn said(device: &DeviceRow, provider: &str) -> Value {
    let DeviceRow { device_id, notifier_name, device_token } = device;
    json!({ "device": device_id, "notifier": notifier_name, "provider": provider, "token": device_token })
}

fn of_user(user: &UserRow, devices: &[Value], badge: i64, online: bool) -> Value {
    let push = &user.push;
    json!({
        "user": user.username,
        "user_id": user.numeric_id,
        "online": online,
        "badge": badge,
        "quiet": {
            "on": push.quiet.unwrap_or_default(),
            "from_hour": push.quiet_start_h,
            "to_hour": push.quiet_end_h,
        },
        "with_content": push.style != Some(0),
        "devices": devices,
    })
}

/// The providers of the app's certificates, by name.
async fn providers(sql: &mut dyn Sql, app: AppId) -> Result<BTreeMap<String, String>> {
    let notifiers = push::notifiers(sql, app).await?;
    Ok(notifiers.into_iter().map(|notifier| (notifier.name, notifier.provider)).collect())
}

/// The number on the icon of a user's app from now on.
async fn count_up(sql: &mut dyn Sql, app: AppId, user: UserId, badge: Badge) -> Result<i64> {
    let known = settings::all(sql, app, user).await?;
    let known = known.iter().find(|(name, _)| name == Setting::Badge.name()).and_then(|(_, value)| value.parse().ok());
    let before: i64 = known.unwrap_or_default();
    let after = match badge {
        Badge::Set(number) => number,
        Badge::Add(number) => (before + number).min(PUSH_BADGE_MAX),
    };
    if after != before {
        settings::put(sql, app, user, Setting::Badge.name(), &after.to_string()).await?;
    }
    Ok(after)
}
