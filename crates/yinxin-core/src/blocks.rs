//! Block lists: whom a user does not want to hear from. A blocked contact stays a contact.

use std::sync::Arc;

use yinxin_store::UserId;
use yinxin_store::tables::blocks::{self, BlockRow};

use crate::apps::App;
use crate::contacts::{Page, relations};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{BLOCKS_MAX, PEOPLE_PAGE_MAX};
use crate::users::{self, User, must_exist};

/// Blocks all of the named users or, if one of them does not exist or the list would grow over 500, none. Gives their
/// folded names.
pub async fn add(ctx: &Ctx, app: &App, owner: &str, names: Vec<String>) -> Result<Vec<String>> {
    let owner = users::find(ctx, app, owner).await?;
    if names.len() > usize::try_from(BLOCKS_MAX).unwrap_or(usize::MAX) {
        return Err(Error::over(Code::BlocksFull, BLOCKS_MAX));
    }
    let mut blocked: Vec<(UserId, i64)> = Vec::with_capacity(names.len());
    let mut folded = Vec::with_capacity(names.len());
    for name in names {
        let user = users::look_up(ctx, app.id, &name).await?;
        let user = user.ok_or_else(|| Error::about(Code::BlockTargetNotFound, &name))?;
        blocked.push((user.user, ctx.mint.order()));
        folded.push(user.username.clone());
    }
    ctx.db
        .write((app.id, owner.user, blocked), |sql, (app, owner, blocked)| {
            Box::pin(async move {
                must_exist(sql, *app, *owner).await?;
                for (other, order) in blocked {
                    must_exist(sql, *app, *other).await?;
                    let added = blocks::add(sql, *app, *owner, *other, *order, BLOCKS_MAX).await?;
                    if !added && !blocks::has(sql, *app, *owner, *other).await? {
                        return Err(Error::over(Code::BlocksFull, BLOCKS_MAX));
                    }
                }
                Ok(())
            })
        })
        .await?;
    Ok(folded)
}

/// Lifts a block; none is no error. Gives the user.
pub async fn remove(ctx: &Ctx, app: &App, owner: &str, other: &str) -> Result<Arc<User>> {
    let owner = users::find(ctx, app, owner).await?;
    let other = users::find(ctx, app, other).await?;
    ctx.db
        .write((app.id, owner.user, other.user), |sql, (app, owner, other)| {
            Box::pin(async move { Ok::<_, Error>(blocks::remove(sql, *app, *owner, *other).await?) })
        })
        .await?;
    Ok(other)
}

/// The whole list, newest first.
pub async fn all(ctx: &Ctx, app: &App, owner: &str) -> Result<Vec<BlockRow>> {
    Ok(read(ctx, app, owner, None, BLOCKS_MAX).await?.entries)
}

/// A page of the list, older than `before`.
pub async fn page(ctx: &Ctx, app: &App, owner: &str, before: Option<i64>, limit: i64) -> Result<Page<BlockRow>> {
    if limit > PEOPLE_PAGE_MAX {
        return Err(Error::over(Code::PageTooLarge, PEOPLE_PAGE_MAX));
    }
    read(ctx, app, owner, before, limit.max(1)).await
}

async fn read(ctx: &Ctx, app: &App, owner: &str, before: Option<i64>, limit: i64) -> Result<Page<BlockRow>> {
    let owner = users::find(ctx, app, owner).await?;
    let rows = ctx
        .db
        .read((app.id, owner.user, before.unwrap_or(i64::MAX), limit), |sql, (app, owner, before, limit)| {
            Box::pin(async move { Ok::<_, Error>(blocks::page(sql, *app, *owner, *before, *limit + 1).await?) })
        })
        .await?;
    Ok(Page::cut(rows, limit, |row| row.since_seq))
}

/// For each of up to 100 names, whether the owner blocks it.
pub async fn check(ctx: &Ctx, app: &App, owner: &str, names: Vec<String>) -> Result<Vec<(String, bool)>> {
    relations(ctx, app, owner, names, |sql, app, owner, other| Box::pin(blocks::has(sql, app, owner, other))).await
}
