//! Aliases of devices and tags of users, by which a push finds them. Several may have the same.

use yinxin_store::tables::push_marks;

use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{PUSH_ALIASES_MAX, PUSH_MARK_BYTES_MAX, PUSH_TAGS_MAX};
use crate::users::{User, must_exist};

/// The rule for what somebody is called by.
pub(super) fn check(field: &str, mark: &str) -> Result<()> {
    if mark.is_empty() || mark.len() > PUSH_MARK_BYTES_MAX {
        return Err(Error::about(Code::FieldIllegal, field).with_limit(PUSH_MARK_BYTES_MAX));
    }
    Ok(())
}

/// The rule for an alias.
pub fn check_alias(alias: &str) -> Result<()> {
    check("alias", alias)
}

/// Gives a device of the user, or all of them, an alias in place of the one before; an empty one is none.
pub async fn set_alias(ctx: &Ctx, app: &App, user: &User, device: Option<String>, alias: String) -> Result<()> {
    if !alias.is_empty() {
        check_alias(&alias)?;
    }
    let input = (app.id, user.user, device.unwrap_or_default(), alias, ctx.mint.order());
    ctx.db
        .write(input, |sql, (app, user, device, alias, order)| {
            Box::pin(async move {
                must_exist(sql, *app, *user).await?;
                if alias.is_empty() {
                    return Ok(push_marks::unset_alias(sql, *app, *user, device).await?);
                }
                push_marks::set_alias(sql, *app, *user, (device, alias), *order).await?;
                Ok(push_marks::trim_aliases(sql, *app, *user, PUSH_ALIASES_MAX).await?)
            })
        })
        .await
}

/// The user's tags, in order.
pub async fn tags(ctx: &Ctx, app: &App, user: &User) -> Result<Vec<String>> {
    ctx.db
        .read((app.id, user.user), |sql, (app, user)| {
            Box::pin(async move { Ok::<_, Error>(push_marks::tags(sql, *app, *user).await?) })
        })
        .await
}

fn check_tags(tags: &[String]) -> Result<()> {
    if tags.is_empty() || tags.len() > PUSH_TAGS_MAX {
        return Err(Error::about(Code::FieldIllegal, "tags").with_limit(PUSH_TAGS_MAX));
    }
    tags.iter().try_for_each(|tag| check("tags", tag))
}

/// Gives the user tags, all or none.
pub async fn add_tags(ctx: &Ctx, app: &App, user: &User, tags: Vec<String>) -> Result<()> {
    check_tags(&tags)?;
    ctx.db
        .write((app.id, user.user, tags), |sql, (app, user, tags)| {
            Box::pin(async move {
                must_exist(sql, *app, *user).await?;
                for tag in tags {
                    push_marks::add_tag(sql, *app, *user, tag).await?;
                }
                if push_marks::tags(sql, *app, *user).await?.len() > PUSH_TAGS_MAX {
                    return Err(Error::about(Code::FieldIllegal, "tags").with_limit(PUSH_TAGS_MAX));
                }
                Ok(())
            })
        })
        .await
}

/// Takes tags away; those that the user has not are no error.
pub async fn remove_tags(ctx: &Ctx, app: &App, user: &User, tags: Vec<String>) -> Result<()> {
    check_tags(&tags)?;
    ctx.db
        .write((app.id, user.user, tags), |sql, (app, user, tags)| {
            Box::pin(async move {
                for tag in tags {
                    push_marks::remove_tag(sql, *app, *user, tag).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .await
}

/// Takes all tags away.
pub async fn clear_tags(ctx: &Ctx, app: &App, user: &User) -> Result<()> {
    ctx.db
        .write((app.id, user.user), |sql, (app, user)| {
            Box::pin(async move { Ok::<_, Error>(push_marks::clear_tags(sql, *app, *user).await?) })
        })
        .await
}
