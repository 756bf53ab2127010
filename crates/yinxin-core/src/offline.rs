//! What a user missed, and whether it is here now.

use yinxin_store::tables::inbox;

use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::STATUS_BATCH_MAX;
use crate::retention::kept_from;
use crate::sessions::Device;
use crate::users;

/// A user's online state under its folded name.
pub async fn is_online(ctx: &Ctx, app: &App, reference: &str) -> Result<(String, bool)> {
    let user = users::find(ctx, app, reference).await?;
    Ok((user.username.clone(), ctx.sessions.is_online(app.id, user.user).await?))
}

/// Online states of up to 100 names, in order. An unknown name is not online.
pub async fn are_online(ctx: &Ctx, app: &App, names: Vec<String>) -> Result<Vec<(String, bool)>> {
    if names.len() > STATUS_BATCH_MAX {
        return Err(Error::over(Code::TooManyNames, STATUS_BATCH_MAX));
    }
    let mut known = Vec::with_capacity(names.len());
    let mut found = Vec::with_capacity(names.len());
    for name in &names {
        let user = users::look_up(ctx, app.id, name).await?;
        found.push(user.is_some());
        known.extend(user.map(|user| user.user));
    }
    let mut online = ctx.sessions.are_online(app.id, &known).await?.into_iter();
    let states = found.into_iter().map(|is_known| is_known && online.next().unwrap_or_default());
    Ok(names.into_iter().zip(states).collect())
}

/// The connected devices of a user; an unknown user has none.
pub async fn devices(ctx: &Ctx, app: &App, reference: &str) -> Result<Vec<Device>> {
    let user = users::look_up(ctx, app.id, reference).await?;
    match user {
        Some(user) => ctx.sessions.devices_of(app.id, user.user).await,
        None => Ok(Vec::new()),
    }
}

/// How many messages wait for a user, under its folded name.
pub async fn waiting(ctx: &Ctx, app: &App, reference: &str) -> Result<(String, i64)> {
    let user = users::find(ctx, app, reference).await?;
    let count = ctx
        .db
        .read((app.id, user.user, kept_from(ctx.clock.now_ms())), |sql, (app, user, from)| {
            Box::pin(async move { Ok::<_, Error>(inbox::count_waiting(sql, *app, *user, *from).await?) })
        })
        .await?;
    Ok((user.username.clone(), count))
}

/// Whether a message waits for a user. One that does not wait, known or not, counts as delivered.
pub async fn waits(ctx: &Ctx, app: &App, reference: &str, message: &str) -> Result<bool> {
    let user = users::find(ctx, app, reference).await?;
    let Ok(message) = message.parse::<i64>() else { return Ok(false) };
    if message < kept_from(ctx.clock.now_ms()) {
        return Ok(false);
    }
    ctx.db
        .read((app.id, user.user, message), |sql, (app, user, message)| {
            Box::pin(async move { Ok::<_, Error>(inbox::waits(sql, *app, *user, *message).await?) })
        })
        .await
}
