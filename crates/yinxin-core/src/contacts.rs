//! Contacts: mutual, bounded per user, newest first.

use std::sync::Arc;

use yinxin_store::tables::contacts;
pub use yinxin_store::tables::contacts::ContactRow as Contact;
use yinxin_store::{AppId, Sql, UserId};

use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{CONTACT_IMPORT_MAX, CONTACTS_MAX, PEOPLE_PAGE_MAX, RELATION_CHECK_MAX, REMARK_CHARS_MAX};
use crate::users::{self, User, must_exist};

/// Two users of one call, found.
struct Pair {
    owner: Arc<User>,
    friend: Arc<User>,
}

async fn pair(ctx: &Ctx, app: &App, owner: &str, friend: &str) -> Result<Pair> {
    Ok(Pair { owner: users::find(ctx, app, owner).await?, friend: users::find(ctx, app, friend).await? })
}

/// Makes two users contacts of each other; again is no error. Gives the friend.
pub async fn add(ctx: &Ctx, app: &App, owner: &str, friend: &str) -> Result<Arc<User>> {
    let Pair { owner, friend } = pair(ctx, app, owner, friend).await?;
    befriend(ctx, app, owner.user, friend.user).await?;
    Ok(friend)
}

async fn befriend(ctx: &Ctx, app: &App, owner: UserId, friend: UserId) -> Result<()> {
    if owner == friend {
        return Err(Error::about(Code::FieldIllegal, "a user cannot be its own contact"));
    }
    ctx.db
        .write((app.id, owner, friend, ctx.mint.order(), app.settings.contacts_max), |sql, input| {
            Box::pin(async move {
                let (app, owner, friend, order, max) = *input;
                must_exist(sql, app, owner).await?;
                must_exist(sql, app, friend).await?;
                add_side(sql, app, owner, friend, order, max).await?;
                add_side(sql, app, friend, owner, order, max).await
            })
        })
        .await
}

async fn add_side(sql: &mut dyn Sql, app: AppId, owner: UserId, friend: UserId, order: i64, max: i64) -> Result<()> {
    if contacts::add(sql, app, owner, friend, order, max).await? || contacts::has(sql, app, owner, friend).await? {
        Ok(())
    } else {
        Err(Error::over(Code::ContactsFull, max))
    }
}

/// Ends a friendship on both sides; none is no error. Gives the former friend.
pub async fn remove(ctx: &Ctx, app: &App, owner: &str, friend: &str) -> Result<Arc<User>> {
    let Pair { owner, friend } = pair(ctx, app, owner, friend).await?;
    ctx.db
        .write((app.id, owner.user, friend.user), |sql, (app, owner, friend)| {
            Box::pin(async move {
                contacts::remove(sql, *app, *owner, *friend).await?;
                contacts::remove(sql, *app, *friend, *owner).await?;
                Ok::<_, Error>(())
            })
        })
        .await?;
    Ok(friend)
}

/// Ends all friendships of a user.
pub async fn remove_all(ctx: &Ctx, app: &App, owner: &str) -> Result<()> {
    let owner = users::find(ctx, app, owner).await?;
    ctx.db
        .write((app.id, owner.user), |sql, (app, owner)| {
            Box::pin(async move { Ok::<_, Error>(contacts::remove_all(sql, *app, *owner).await?) })
        })
        .await
}

/// A page of a list that is ordered by age.
pub struct Page<T> {
    /// The entries, newest first.
    pub entries: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<i64>,
}

impl<T> Page<T> {
    /// Cuts what was read one longer than asked for.
    pub(crate) fn cut(mut entries: Vec<T>, limit: i64, order: impl Fn(&T) -> i64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = if more { entries.last().map(order) } else { None };
        Self { entries, next }
    }
}

/// All contacts of a user, newest first: also those beyond an app's limit that was lowered since.
pub async fn all(ctx: &Ctx, app: &App, owner: &str) -> Result<Vec<Contact>> {
    Ok(read(ctx, app, owner, None, CONTACTS_MAX).await?.entries)
}

/// A page of contacts older than `before`.
pub async fn page(ctx: &Ctx, app: &App, owner: &str, before: Option<i64>, limit: i64) -> Result<Page<Contact>> {
    if limit > PEOPLE_PAGE_MAX {
        return Err(Error::over(Code::PageTooLarge, PEOPLE_PAGE_MAX));
    }
    read(ctx, app, owner, before, limit.max(1)).await
}

async fn read(ctx: &Ctx, app: &App, owner: &str, before: Option<i64>, limit: i64) -> Result<Page<Contact>> {
    let owner = users::find(ctx, app, owner).await?;
    let rows = ctx
        .db
        .read((app.id, owner.user, before.unwrap_or(i64::MAX), limit), |sql, (app, owner, before, limit)| {
            Box::pin(async move { Ok::<_, Error>(contacts::page(sql, *app, *owner, *before, *limit + 1).await?) })
        })
        .await?;
    Ok(Page::cut(rows, limit, |row| row.since_seq))
}

/// Sets what the owner notes about a contact.
pub async fn set_remark(ctx: &Ctx, app: &App, owner: &str, friend: &str, remark: String) -> Result<()> {
    let Pair { owner, friend } = pair(ctx, app, owner, friend).await?;
    if remark.chars().count() > REMARK_CHARS_MAX {
        return Err(Error::over(Code::RemarkTooLong, REMARK_CHARS_MAX));
    }
    let known = ctx
        .db
        .write((app.id, owner.user, friend.user, remark), |sql, (app, owner, friend, remark)| {
            Box::pin(async move { Ok::<_, Error>(contacts::set_remark(sql, *app, *owner, *friend, remark).await?) })
        })
        .await?;
    if known { Ok(()) } else { Err(Code::NotContacts.into()) }
}

/// What an import did, by name.
#[derive(Debug, Default)]
pub struct Imported {
    /// Contacts now.
    pub added: Vec<String>,
    /// There is no such user.
    pub unknown: Vec<String>,
    /// The friend's list is full.
    pub full: Vec<String>,
    /// Could not be added for another reason.
    pub failed: Vec<String>,
}

/// Makes up to ten users contacts of the owner. Fails as a whole only when the owner's own list is full.
pub async fn import(ctx: &Ctx, app: &App, owner: &str, names: Vec<String>) -> Result<Imported> {
    let owner = users::find(ctx, app, owner).await?;
    if names.len() > CONTACT_IMPORT_MAX {
        return Err(Error::over(Code::ImportTooLarge, CONTACT_IMPORT_MAX));
    }
    if read(ctx, app, &owner.username, None, app.settings.contacts_max).await?.entries.len()
        >= usize::try_from(app.settings.contacts_max).unwrap_or(usize::MAX)
    {
        return Err(Error::over(Code::ContactsFull, app.settings.contacts_max));
    }
    let mut done = Imported::default();
    for name in names {
        let Some(friend) = users::look_up(ctx, app.id, &name).await? else {
            done.unknown.push(name);
            continue;
        };
        match befriend(ctx, app, owner.user, friend.user).await.map_err(|error| error.code) {
            Ok(()) => done.added.push(name),
            Err(Code::ContactsFull) => done.full.push(name),
            Err(Code::UserNotFound) => done.unknown.push(name),
            Err(Code::FieldIllegal) => done.failed.push(name),
            Err(code) => return Err(code.into()),
        }
    }
    Ok(done)
}

/// For each of up to 100 names, whether it is a contact of the owner.
pub async fn check(ctx: &Ctx, app: &App, owner: &str, names: Vec<String>) -> Result<Vec<(String, bool)>> {
    relations(ctx, app, owner, names, |sql, app, owner, other| Box::pin(contacts::has(sql, app, owner, other))).await
}

/// A question about one user's relation to another.
type Relation =
    for<'a> fn(&'a mut dyn Sql, AppId, UserId, UserId) -> yinxin_store::BoxFuture<'a, yinxin_store::Result<bool>>;

pub(crate) async fn relations(
    ctx: &Ctx,
    app: &App,
    owner: &str,
    names: Vec<String>,
    holds: Relation,
) -> Result<Vec<(String, bool)>> {
    let owner = users::find(ctx, app, owner).await?;
    if names.is_empty() || names.len() > RELATION_CHECK_MAX {
        return Err(Error::over(Code::TooManyNames, RELATION_CHECK_MAX));
    }
    let mut answers = Vec::with_capacity(names.len());
    for name in names {
        let holds = match users::look_up(ctx, app.id, &name).await? {
            None => false,
            Some(other) => {
                ctx.db
                    .read((app.id, owner.user, other.user, holds), |sql, (app, owner, other, holds)| {
                        Box::pin(async move { Ok::<_, Error>(holds(sql, *app, *owner, *other).await?) })
                    })
                    .await?
            }
        };
        answers.push((name, holds));
    }
    Ok(answers)
}
