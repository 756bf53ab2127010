//! Presence: what devices publish about themselves, and who subscribed to it.

mod live;

pub use yinxin_store::tables::presence::SubscriptionRow as Subscription;
use yinxin_store::tables::presence::{self, StatusRow};

use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{
    PRESENCE_BATCH_MAX, PRESENCE_EXPIRY_MAX_S, PRESENCE_EXT_BYTES_MAX, PRESENCE_PAGE_MAX, PRESENCE_RESOURCES_MAX,
    PRESENCE_SUBSCRIPTIONS_MAX, PUSH_TEXT_BYTES_MAX,
};
use crate::users::{self, must_exist};

pub use live::{News, arrived, left};

/// Publishes a status and a text for one device. Of too many devices, the one that was silent longest is forgotten.
pub async fn publish(
    ctx: &Ctx,
    app: &App,
    reference: &str,
    resource: &str,
    status: i64,
    ext: Option<String>,
) -> Result<()> {
    let user = users::find(ctx, app, reference).await?;
    let ext = ext.ok_or(Code::ExtMissing)?;
    if ext.len() > PRESENCE_EXT_BYTES_MAX {
        return Err(Error::over(Code::ExtTooBig, PRESENCE_EXT_BYTES_MAX));
    }
    if resource.is_empty() || resource.len() > PUSH_TEXT_BYTES_MAX {
        return Err(Error::about(Code::FieldIllegal, "resource"));
    }
    let row = StatusRow { resource: resource.to_owned(), status, ext, published_s: ctx.clock.now_s() };
    ctx.db
        .write((app.id, user.user, row), |sql, (app, user, row)| {
            Box::pin(async move {
                must_exist(sql, *app, *user).await?;
                presence::publish(sql, *app, *user, row).await?;
                presence::trim(sql, *app, *user, &row.resource, PRESENCE_RESOURCES_MAX).await?;
                Ok::<_, Error>(())
            })
        })
        .await?;
    live::tell(ctx, app.id, &user, None).await
}

/// A user's presence as others see it.
#[derive(Debug)]
pub struct Presence {
    /// The name as asked for.
    pub username: String,
    /// The devices that published, newest first.
    pub devices: Vec<StatusRow>,
    /// When a subscription made with this answer ends.
    pub until_s: Option<i64>,
}

/// Subscribes to up to 100 users for up to 30 days and gives their presence now. Unknown names have none.
pub async fn subscribe(
    ctx: &Ctx,
    app: &App,
    reference: &str,
    names: Option<Vec<String>>,
    expiry_s: i64,
) -> Result<Vec<Presence>> {
    let owner = users::find(ctx, app, reference).await?;
    let names = check_names(names, Code::TooManySubscriptions)?;
    if !(1..=PRESENCE_EXPIRY_MAX_S).contains(&expiry_s) {
        return Err(Error::about(Code::FieldIllegal, "expiry").with_limit(PRESENCE_EXPIRY_MAX_S));
    }
    let until_s = ctx.clock.now_s() + expiry_s;
    let mut targets = Vec::with_capacity(names.len());
    for name in &names {
        match users::look_up(ctx, app.id, name).await? {
            Some(target) if target.user == owner.user => return Err(Code::SubscribeSelf.into()),
            Some(target) => targets.push((target.user, ctx.mint.order())),
            None => {}
        }
    }
    ctx.db
        .write((app.id, owner.user, targets, until_s, ctx.clock.now_s()), |sql, input| {
            Box::pin(async move {
                let (app, owner, targets, until_s, now_s) = input;
                must_exist(sql, *app, *owner).await?;
                presence::forget_ended(sql, *app, *owner, *now_s).await?;
                for (target, order) in targets {
                    must_exist(sql, *app, *target).await?;
                    presence::subscribe(sql, *app, *owner, *target, *until_s, *order).await?;
                }
                let held = presence::subscriptions(sql, *app, *owner, *now_s, PRESENCE_SUBSCRIPTIONS_MAX + 1).await?;
                if held.len() > usize::try_from(PRESENCE_SUBSCRIPTIONS_MAX).unwrap_or(usize::MAX) {
                    return Err(Error::over(Code::TooManySubscriptions, PRESENCE_SUBSCRIPTIONS_MAX));
                }
                Ok(())
            })
        })
        .await?;
    of_all(ctx, app, names, Some(until_s)).await
}

/// The presence of up to 100 users. Unknown names have none.
pub async fn of_many(ctx: &Ctx, app: &App, reference: &str, names: Option<Vec<String>>) -> Result<Vec<Presence>> {
    users::find(ctx, app, reference).await?;
    of_all(ctx, app, check_names(names, Code::TooManyNames)?, None).await
}

fn check_names(names: Option<Vec<String>>, too_many: Code) -> Result<Vec<String>> {
    let names = names.ok_or(Code::NamesMissing)?;
    if names.is_empty() {
        return Err(Code::NamesEmpty.into());
    }
    if names.len() > PRESENCE_BATCH_MAX {
        return Err(Error::over(too_many, PRESENCE_BATCH_MAX));
    }
    Ok(names)
}

async fn of_all(ctx: &Ctx, app: &App, names: Vec<String>, until_s: Option<i64>) -> Result<Vec<Presence>> {
    let mut found = Vec::with_capacity(names.len());
    for username in names {
        let devices = match users::look_up(ctx, app.id, &username).await? {
            Some(user) => live::devices(ctx, app.id, &user).await?,
            None => Vec::new(),
        };
        found.push(Presence { username, devices, until_s });
    }
    Ok(found)
}

/// Ends subscriptions to up to 100 users; unknown names are no error.
pub async fn unsubscribe(ctx: &Ctx, app: &App, reference: &str, names: Option<Vec<String>>) -> Result<()> {
    let owner = users::find(ctx, app, reference).await?;
    let mut targets = Vec::new();
    for name in check_names(names, Code::TooManyUnsubscriptions)? {
        targets.extend(users::look_up(ctx, app.id, &name).await?.map(|target| target.user));
    }
    ctx.db
        .write((app.id, owner.user, targets), |sql, (app, owner, targets)| {
            Box::pin(async move {
                for target in targets {
                    presence::unsubscribe(sql, *app, *owner, *target).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .await
}

/// Page `number` of a user's subscriptions and how many there are. Pages count from 1; since some clients count them
/// from 0, page 0 is the first, too.
pub async fn subscriptions(
    ctx: &Ctx,
    app: &App,
    reference: &str,
    number: i64,
    size: i64,
) -> Result<(usize, Vec<Subscription>)> {
    let owner = users::find(ctx, app, reference).await?;
    if !(1..=PRESENCE_PAGE_MAX).contains(&size) || number < 0 {
        return Err(Error::over(Code::TooManyQueries, PRESENCE_PAGE_MAX));
    }
    let rows = ctx
        .db
        .read((app.id, owner.user, ctx.clock.now_s()), |sql, (app, owner, now_s)| {
            Box::pin(async move {
                Ok::<_, Error>(presence::subscriptions(sql, *app, *owner, *now_s, PRESENCE_SUBSCRIPTIONS_MAX).await?)
            })
        })
        .await?;
    let [number, size] = [number.max(1) - 1, size].map(|part| usize::try_from(part).unwrap_or(usize::MAX));
    let total = rows.len();
    Ok((total, rows.into_iter().skip(number.saturating_mul(size)).take(size).collect()))
}
