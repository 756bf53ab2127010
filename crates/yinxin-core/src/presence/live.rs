//! Presence as connections make it: devices come and go, and those who watch are told.

use std::sync::Arc;

use yinxin_store::AppId;
use yinxin_store::tables::presence::{self, StatusRow};

use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::limits::WATCHERS_MAX;
use crate::users::User;

/// Status of a device that is connected and has published nothing.
const HERE: i64 = 1;
/// Status of a device that is not.
const GONE: i64 = 0;

/// What a watcher is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct News {
    /// About whom.
    pub username: String,
    /// When it changed.
    pub last_s: i64,
    /// How long the watcher's subscription still holds.
    pub expires_in_s: i64,
    /// The text that was published last.
    pub ext: String,
    /// Each device and its status.
    pub devices: Vec<(String, i64)>,
}

/// A device has connected.
pub async fn arrived(ctx: &Ctx, app: AppId, user: &User, resource: &str) -> Result<()> {
    turn(ctx, app, user, resource, GONE, HERE).await?;
    tell(ctx, app, user, None).await
}

/// A device has gone.
pub async fn left(ctx: &Ctx, app: AppId, user: &User, resource: &str) -> Result<()> {
    let is_back = async || -> Result<bool> {
        Ok(ctx.sessions.devices_of(app, user.user).await?.iter().any(|device| device.resource == resource))
    };
    if is_back().await? {
        // A newer connection of the same device took its place.
        return Ok(());
    }
    turn(ctx, app, user, resource, HERE, GONE).await?;
    if is_back().await? {
        // It came while this was written, and may have looked before.
        turn(ctx, app, user, resource, GONE, HERE).await?;
    }
    tell(ctx, app, user, Some(resource)).await
}

/// Changes what a device has published about being here, if it has.
async fn turn(ctx: &Ctx, app: AppId, user: &User, resource: &str, away: i64, status: i64) -> Result<()> {
    let published = published(ctx, app, user).await?;
    let needs = |row: &StatusRow| row.resource == resource && (row.status == away || status == GONE);
    if !published.iter().any(needs) {
        return Ok(());
    }
    let input = (app, user.user, resource.to_owned(), status, ctx.clock.now_s());
    ctx.db
        .write(input, |sql, (app, user, resource, status, now_s)| {
            Box::pin(
                async move { Ok::<_, Error>(presence::set_status(sql, *app, *user, resource, *status, *now_s).await?) },
            )
        })
        .await
}

/// Tells those who watch the user how it is now; `gone` is a device that may no longer be listed anywhere.
pub(super) async fn tell(ctx: &Ctx, app: AppId, user: &User, gone: Option<&str>) -> Result<()> {
    let now_s = ctx.clock.now_s();
    let watchers = ctx
        .db
        .read((app, user.user, now_s), |sql, (app, user, now_s)| {
            Box::pin(async move { Ok::<_, Error>(presence::watchers(sql, *app, *user, *now_s, WATCHERS_MAX).await?) })
        })
        .await?;
    if watchers.is_empty() {
        return Ok(());
    }
    let rows = devices(ctx, app, user).await?;
    let mut devices: Vec<(String, i64)> = rows.iter().map(|row| (row.resource.clone(), row.status)).collect();
    devices
        .extend(gone.filter(|gone| rows.iter().all(|row| row.resource != *gone)).map(|gone| (gone.to_owned(), GONE)));
    let ext = rows.first().map(|row| row.ext.clone()).unwrap_or_default();
    for (watcher, until_s) in watchers {
        let news = News {
            username: user.username.clone(),
            last_s: now_s,
            expires_in_s: until_s - now_s,
            ext: ext.clone(),
            devices: devices.clone(),
        };
        ctx.sessions.announce(app, watcher, &Arc::new(news));
    }
    Ok(())
}

/// What the user's devices published, newest first, and the connected ones that published nothing.
pub(super) async fn devices(ctx: &Ctx, app: AppId, user: &User) -> Result<Vec<StatusRow>> {
    let mut rows = published(ctx, app, user).await?;
    for device in ctx.sessions.devices_of(app, user.user).await? {
        if rows.iter().all(|row| row.resource != device.resource) {
            let published_s = ctx.clock.now_s();
            rows.push(StatusRow { resource: device.resource, status: HERE, ext: String::new(), published_s });
        }
    }
    Ok(rows)
}

async fn published(ctx: &Ctx, app: AppId, user: &User) -> Result<Vec<StatusRow>> {
    ctx.db
        .read((app, user.user), |sql, (app, user)| {
            Box::pin(async move { Ok::<_, Error>(presence::of_user(sql, *app, *user).await?) })
        })
        .await
}
