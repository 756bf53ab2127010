//! User attributes: free key-value pairs of a profile, bounded per user.

use std::collections::HashSet;

use yinxin_store::tables::attributes;
use yinxin_store::{AppId, Sql, UserId};

use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{ATTRIBUTE_BATCH_MAX, ATTRIBUTE_BYTES_MAX, ATTRIBUTE_NAMES_MAX, ATTRIBUTE_PAIRS_MAX};
use crate::users::{self, must_exist};

/// A pair's name and value.
pub type Pair = (String, String);

/// Sets pairs; an empty value removes its key. All or, over the limit, none.
pub async fn put(ctx: &Ctx, app: &App, reference: &str, pairs: Vec<Pair>) -> Result<()> {
    let user = users::find(ctx, app, reference).await?;
    if pairs.len() > ATTRIBUTE_PAIRS_MAX {
        return Err(Error::over(Code::AttributesTooLarge, ATTRIBUTE_BYTES_MAX));
    }
    if pairs.iter().any(|(name, _)| name.is_empty()) {
        return Err(Error::about(Code::FieldIllegal, "an attribute has no name"));
    }
    ctx.db
        .write((app.id, user.user, pairs), |sql, (app, user, pairs)| {
            Box::pin(async move {
                must_exist(sql, *app, *user).await?;
                let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                match set(sql, *app, *user, pairs).await? {
                    0..=ATTRIBUTE_BYTES_MAX => Ok(()),
                    _ => Err(Error::over(Code::AttributesTooLarge, ATTRIBUTE_BYTES_MAX)),
                }
            })
        })
        .await
}

/// Sets pairs in a write that has seen the user; an empty value removes its key. Gives the bytes the user has then.
pub(crate) async fn set(
    sql: &mut dyn Sql,
    app: AppId,
    user: UserId,
    pairs: impl Iterator<Item = (&str, &str)> + Send,
) -> Result<i64> {
    let before = attributes::bytes_of_user(sql, app, user).await?;
    for (name, value) in pairs {
        if value.is_empty() {
            attributes::remove(sql, app, user, name).await?;
        } else {
            attributes::put(sql, app, user, name, value).await?;
        }
    }
    let after = attributes::bytes_of_user(sql, app, user).await?;
    attributes::add_to_total(sql, app, after - before).await?;
    Ok(after)
}

/// All pairs of a user, by name; an unknown user has none.
pub async fn all(ctx: &Ctx, app: &App, reference: &str) -> Result<Vec<Pair>> {
    let Some(user) = users::look_up(ctx, app.id, reference).await? else { return Ok(Vec::new()) };
    ctx.db
        .read((app.id, user.user), |sql, (app, user)| {
            Box::pin(async move { Ok::<_, Error>(attributes::all(sql, *app, *user).await?) })
        })
        .await
}

/// The pairs of up to 100 users, in order and each once; `names` keeps only those, of which there may be 100.
pub async fn of_many(
    ctx: &Ctx,
    app: &App,
    references: Vec<String>,
    names: &[String],
) -> Result<Vec<(String, Vec<Pair>)>> {
    if references.len() > ATTRIBUTE_BATCH_MAX {
        return Err(Error::over(Code::AttributesBatchTooLarge, ATTRIBUTE_BATCH_MAX));
    }
    if names.len() > ATTRIBUTE_NAMES_MAX {
        return Err(Error::about(Code::FieldIllegal, "properties").with_limit(ATTRIBUTE_NAMES_MAX));
    }
    let names: HashSet<&str> = names.iter().map(String::as_str).collect();
    let mut seen = HashSet::with_capacity(references.len());
    let mut found = Vec::with_capacity(references.len());
    for reference in references {
        if !seen.insert(reference.clone()) {
            continue;
        }
        let mut pairs = all(ctx, app, &reference).await?;
        pairs.retain(|(name, _)| names.is_empty() || names.contains(name.as_str()));
        found.push((reference, pairs));
    }
    Ok(found)
}

/// Removes all pairs of a user; none, or no such user, is no error.
pub async fn clear(ctx: &Ctx, app: &App, reference: &str) -> Result<()> {
    let Some(user) = users::look_up(ctx, app.id, reference).await? else { return Ok(()) };
    ctx.db
        .write((app.id, user.user), |sql, (app, user)| {
            Box::pin(async move {
                let before = attributes::bytes_of_user(sql, *app, *user).await?;
                attributes::remove_all(sql, *app, *user).await?;
                Ok::<_, Error>(attributes::add_to_total(sql, *app, -before).await?)
            })
        })
        .await
}

/// Bytes stored for the whole app.
pub async fn bytes(ctx: &Ctx, app: &App) -> Result<i64> {
    ctx.db
        .read(app.id, |sql, app| Box::pin(async move { Ok::<_, Error>(attributes::bytes_of_app(sql, *app).await?) }))
        .await
}
