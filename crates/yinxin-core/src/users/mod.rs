//! Users: finding them, and everything an app's backend may do to their accounts.

mod account;
mod enroll;
mod import;
mod login_names;
mod numbers;
mod register;

use std::sync::Arc;

use uuid::Uuid;
use uuid::fmt::Hyphenated;
use yinxin_store::tables::handles::USERNAME;
use yinxin_store::tables::users::{self, PageStart};
use yinxin_store::{AppId, Sql, UserId};

pub use account::{
    PushChanges, ban, change_own_password, change_push, delete, delete_oldest, delete_oneself, kick, lift_ban,
    set_password,
};
pub use enroll::{Enrollment, enroll, renew_login_token, set_login_token};
pub use import::{IMPORT_MAX, Import, Imported, import};
pub use login_names::{
    LoginName, LoginNames, bind_email, bind_mobile, logging_in_by, login_names, name_beginning_with, rename,
};
pub use numbers::{by_number, is_number, number_of, numbers_of};
pub use register::{Registered, Registration, register, register_batch, register_without_password};
pub use yinxin_store::tables::users::{PushProfile, UserRow as User};

use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{USER_PAGE_MAX, USERNAME_BYTES_MAX};
use crate::mint;

/// The user that a caller names: by name in any case, or by the id in a name's place.
pub async fn find(ctx: &Ctx, app: &App, reference: &str) -> Result<Arc<User>> {
    look_up(ctx, app.id, reference).await?.ok_or_else(|| Error::about(Code::UserNotFound, reference))
}

/// Like [`find`], with "there is none" as a value. An id is known in one spelling, the one replies print, in any case.
pub async fn look_up(ctx: &Ctx, app: AppId, reference: &str) -> Result<Option<Arc<User>>> {
    if let Some(user) = remembered(ctx, app, reference) {
        return Ok(Some(user));
    }
    if reference.is_empty() || reference.len() > USERNAME_BYTES_MAX || reference.contains('\0') {
        return Ok(None);
    }
    let found = if reference.bytes().any(|b| b.is_ascii_uppercase()) {
        by_name(ctx, app, &reference.to_ascii_lowercase()).await?
    } else {
        by_name(ctx, app, reference).await?
    };
    match (found, id_in(reference)) {
        (None, Some(id)) => by_id(ctx, app, id).await,
        (found, _) => Ok(found),
    }
}

/// The user with that folded name, from memory alone: what nearly every question is answered by.
fn remembered(ctx: &Ctx, app: AppId, name: &str) -> Option<Arc<User>> {
    ctx.cache.user(app, ctx.cache.user_named(app, name)?).filter(|user| user.goes_by(name))
}

/// The id that a reference spells: of the forms of a UUID only the one with four hyphens.
fn id_in(reference: &str) -> Option<UserId> {
    let uuid = (reference.len() == Hyphenated::LENGTH).then(|| Uuid::try_parse(reference).ok()).flatten()?;
    Some(UserId(uuid.into_bytes()))
}

/// The user with that id.
pub async fn by_id(ctx: &Ctx, app: AppId, id: UserId) -> Result<Option<Arc<User>>> {
    if let Some(user) = ctx.cache.user(app, id) {
        return Ok(Some(user));
    }
    let ticket = ctx.cache.ticket();
    let found = ctx
        .db
        .read((app, id), |sql, (app, id)| Box::pin(async move { Ok::<_, Error>(users::by_id(sql, *app, *id).await?) }))
        .await?
        .map(Arc::new);
    if let Some(user) = &found {
        ctx.cache.keep_user(ticket, app, user);
    }
    Ok(found)
}

/// The user with that folded name. A name's owner is remembered until it is found to be gone, or not to go by that name
/// any more.
async fn by_name(ctx: &Ctx, app: AppId, name: &str) -> Result<Option<Arc<User>>> {
    if let Some(id) = ctx.cache.user_named(app, name) {
        match by_id(ctx, app, id).await? {
            Some(user) if user.goes_by(name) => return Ok(Some(user)),
            _ => ctx.cache.forget_name(app, name),
        }
    }
    let ticket = ctx.cache.ticket();
    let found = ctx
        .db
        .read((app, name.to_owned()), |sql, (app, name)| {
            Box::pin(async move { Ok::<_, Error>(users::by_handle(sql, *app, USERNAME, name).await?) })
        })
        .await?
        .map(Arc::new);
    if let Some(user) = &found {
        ctx.cache.keep_name(app, name, user.user);
        ctx.cache.keep_user(ticket, app, user);
    }
    Ok(found)
}

/// A page of users, oldest first.
pub struct Page {
    /// The users.
    pub users: Vec<User>,
    /// The first user of the next page, if there is one.
    pub next: Option<UserId>,
}

/// Up to `limit` (of which at most 100 are heeded) users from the one `from` on, which need not exist any more.
pub async fn list(ctx: &Ctx, app: &App, from: Option<Uuid>, active: Option<bool>, limit: i64) -> Result<Page> {
    let input = (app.id, page_start(from)?, active, page_size(limit, USER_PAGE_MAX)?);
    let mut users = ctx
        .db
        .read(input, |sql, (app, from, active, limit)| {
            Box::pin(async move { Ok::<_, Error>(users::page(sql, *app, *from, *active, *limit + 1).await?) })
        })
        .await?;
    let next = split_off(&mut users, input.3);
    Ok(Page { users, next })
}

/// What is asked for, up to the most there is. Nothing, or less, is a mistake: taken for one, it could delete somebody.
fn page_size(asked: i64, most: i64) -> Result<i64> {
    if asked < 1 { Err(Error::about(Code::FieldIllegal, format!("limit={asked}"))) } else { Ok(asked.min(most)) }
}

fn page_start(from: Option<Uuid>) -> Result<PageStart> {
    let Some(uuid) = from else { return Ok(PageStart::FIRST) };
    let created_ms = mint::time_of(uuid).ok_or_else(|| Error::about(Code::FieldIllegal, "cursor"))?;
    Ok(PageStart { created_ms, user: UserId(uuid.into_bytes()) })
}

/// Cuts a list that was read one longer than asked for; gives the id behind the cut.
fn split_off(users: &mut Vec<User>, limit: i64) -> Option<UserId> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let next = users.get(limit).map(|user| user.user);
    users.truncate(limit);
    next
}

/// Makes a write fail when the user is gone, so that no row outlives its user.
pub(crate) async fn must_exist(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<()> {
    if users::exists(sql, app, user).await? { Ok(()) } else { Err(Code::UserNotFound.into()) }
}

/// An id to print for a name nobody has: the same each time, and of the same make as a real one.
pub fn made_up_id(ctx: &Ctx, app: &App, name: &str) -> Uuid {
    let digest = ctx.keys.disguise(&[app.id.0.as_slice(), name.to_ascii_lowercase().as_bytes()].concat());
    let [time, scattered, ..] =
        [&digest[..8], &digest[8..16]].map(|part| part.try_into().map_or(0, u64::from_be_bytes));
    // Somewhere in the app's life so far; the span grows in powers of two so that the id hardly ever changes.
    let age_ms = (ctx.clock.now_ms() - app.created_ms).max(1).cast_unsigned();
    let span_ticks = (age_ms.next_power_of_two() / 2).max(1) * 10_000;
    mint::uuid_at(app.created_ms * 10_000 + (time % span_ticks).cast_signed(), scattered)
}
