//! What happens to an account after it was made: password, push settings, ban, kick, deletion.

use std::net::IpAddr;
use std::sync::Arc;

use uuid::Uuid;
use yinxin_store::tables::users::{self, PushProfile};
use yinxin_store::{AppId, NodeId, Sql, UserId};
use zeroize::Zeroizing;

use super::register::check_password;
use super::{Page, User, find, page_size, page_start, split_off};
use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{
    DYNAMIC_TOKEN_AHEAD_S, GROUP_ID_BYTES_MAX, GROUP_IGNORES_MAX, NICKNAME_CHARS_MAX, PUSH_TEXT_BYTES_MAX,
    USER_DELETE_MAX,
};
use crate::rooms::{endings, kicks};
use crate::sessions::{self, CloseReason};
use crate::tokens;

/// Sets a password without asking for the old one. All tokens and connections of the user end.
pub async fn set_password(ctx: &Ctx, app: &App, reference: &str, password: Option<Zeroizing<String>>) -> Result<()> {
    let user = find(ctx, app, reference).await?;
    let password = password.filter(|password| !password.is_empty()).ok_or(Code::NewPasswordMissing)?;
    check_password(&password)?;
    replace_password(ctx, app, &user, password).await
}

/// Sets a password for who knows the present one, which is tried like one of a login. All tokens and connections of the
/// user end.
pub async fn change_own_password(
    ctx: &Ctx,
    app: &App,
    user: &User,
    old: Option<Zeroizing<String>>,
    new: Option<Zeroizing<String>>,
    from: IpAddr,
) -> Result<()> {
    let new = new.filter(|password| !password.is_empty()).ok_or(Code::NewPasswordMissing)?;
    check_password(&new)?;
    tokens::check_password(ctx, app, user, old, from).await?;
    replace_password(ctx, app, user, new).await
}

/// Deletes a user who knows its password.
pub async fn delete_oneself(
    ctx: &Ctx,
    app: &App,
    user: &User,
    password: Option<Zeroizing<String>>,
    from: IpAddr,
) -> Result<()> {
    tokens::check_password(ctx, app, user, password, from).await?;
    delete(ctx, app, &user.username).await.map(drop)
}

pub(super) async fn replace_password(ctx: &Ctx, app: &App, user: &User, password: Zeroizing<String>) -> Result<()> {
    let hash = ctx.passwords.hash(password, None).await?;
    let written = ctx
        .db
        .write((app.id, user.user, hash, ended_s(ctx)), |sql, (app, user, hash, ended_s)| {
            Box::pin(async move {
                sessions::dismiss(sql, *app, *user, CloseReason::PasswordChanged).await?;
                Ok::<_, Error>(users::set_password(sql, *app, *user, hash, *ended_s).await?)
            })
        })
        .await;
    if may_stand(&written) {
        ctx.sessions.close(app.id, user.user, None, CloseReason::PasswordChanged);
    }
    written?.then_some(()).ok_or_else(|| Error::about(Code::UserNotFound, &user.username))
}

/// Whether what a write was to end must end: also when nobody knows whether it stands. Whoever may still come in comes back.
fn may_stand<T>(written: &Result<T>) -> bool {
    written.as_ref().err().is_none_or(Error::is_unsure)
}

/// The last second whose locally computed tokens end with an ending of now: none that is accepted yet lives on.
fn ended_s(ctx: &Ctx) -> i64 {
    ctx.clock.now_s() + DYNAMIC_TOKEN_AHEAD_S
}

/// Changes to push settings; `None` leaves one as it is.
#[derive(Clone, Debug, Default)]
pub struct PushChanges {
    /// The settings in the user's row.
    pub profile: PushProfile,
    /// Groups whose offline pushes are, or are no longer, ignored.
    pub group_ignores: Vec<(String, bool)>,
}

impl PushChanges {
    pub(crate) fn check(&self) -> Result<()> {
        let profile = &self.profile;
        if profile.nickname.as_ref().is_some_and(|nickname| nickname.chars().count() > NICKNAME_CHARS_MAX) {
            return Err(Error::over(Code::NicknameTooLong, NICKNAME_CHARS_MAX));
        }
        if profile.style.is_some_and(|style| !(0..=1).contains(&style)) {
            return Err(Error::about(Code::FieldIllegal, "notification_display_style"));
        }
        for (text, field) in [(&profile.notifier_name, "notifier_name"), (&profile.device_token, "device_token")] {
            if text.as_ref().is_some_and(|text| text.len() > PUSH_TEXT_BYTES_MAX) {
                return Err(Error::about(Code::FieldIllegal, field).with_limit(PUSH_TEXT_BYTES_MAX));
            }
        }
        for (hour, field) in [
            (profile.quiet_start_h, "notification_no_disturbing_start"),
            (profile.quiet_end_h, "notification_no_disturbing_end"),
        ] {
            if hour.is_some_and(|hour| !(0..=23).contains(&hour)) {
                return Err(Error::about(Code::FieldIllegal, field));
            }
        }
        let legal = |id: &str| !id.is_empty() && id.len() <= GROUP_ID_BYTES_MAX;
        if self.group_ignores.iter().any(|(group, _)| !legal(group)) {
            return Err(Error::about(Code::FieldIllegal, "notification_ignore_<group id>"));
        }
        Ok(())
    }
}

/// Changes a user's push settings and gives the user as it is then.
pub async fn change_push(ctx: &Ctx, app: &App, reference: &str, changes: PushChanges) -> Result<Arc<User>> {
    let user = find(ctx, app, reference).await?;
    changes.check()?;
    let user = ctx
        .db
        .write((app.id, user.user, changes, ctx.clock.now_ms()), |sql, (app, user, changes, now_ms)| {
            Box::pin(async move {
                if !users::update_push(sql, *app, *user, &changes.profile, *now_ms).await? {
                    return Err(Code::UserNotFound.into());
                }
                for (group, ignored) in &changes.group_ignores {
                    users::ignore_group(sql, *app, *user, group, *ignored).await?;
                }
                if !changes.group_ignores.is_empty()
                    && users::group_ignores(sql, *app, *user).await? > GROUP_IGNORES_MAX
                {
                    return Err(Error::about(Code::FieldIllegal, "notification_ignore_<group id>")
                        .with_limit(GROUP_IGNORES_MAX));
                }
                users::by_id(sql, *app, *user).await?.ok_or_else(|| Error::from(Code::UserNotFound))
            })
        })
        .await?;
    Ok(Arc::new(user))
}

/// A user whose connections end, and who leaves every room.
struct Leaver {
    user: UserId,
    name: String,
    node: Option<NodeId>,
    now_ms: i64,
}

impl Leaver {
    fn of(ctx: &Ctx, user: &User) -> Self {
        Self { user: user.user, name: user.username.clone(), node: ctx.node(), now_ms: ctx.clock.now_ms() }
    }

    /// Notes it for the other nodes in the write that is the reason.
    async fn dismiss(&self, sql: &mut dyn Sql, app: AppId, reason: CloseReason) -> Result<()> {
        sessions::dismiss(sql, app, self.user, reason).await?;
        endings::note_user(sql, self.node, app, &self.name, self.now_ms).await
    }
}

/// Bans a user: its tokens die at once, its connections close, it cannot log in.
pub async fn ban(ctx: &Ctx, app: &App, reference: &str) -> Result<User> {
    let user = find(ctx, app, reference).await?;
    let written = ctx
        .db
        .write((app.id, Leaver::of(ctx, &user), ended_s(ctx)), |sql, (app, leaver, ended_s)| {
            Box::pin(async move {
                leaver.dismiss(sql, *app, CloseReason::Banned).await?;
                Ok::<_, Error>(users::deactivate(sql, *app, leaver.user, *ended_s).await?)
            })
        })
        .await;
    if may_stand(&written) {
        ctx.sessions.close(app.id, user.user, None, CloseReason::Banned);
        kicks::dismiss_user(ctx, app.id, &user).await;
    }
    written?.then_some(()).ok_or_else(|| Error::about(Code::UserNotFound, reference))?;
    Ok(User { active: false, ..User::clone(&user) })
}

/// Lifts a ban. Tokens from before stay dead: the user must log in again.
pub async fn lift_ban(ctx: &Ctx, app: &App, reference: &str) -> Result<()> {
    let user = find(ctx, app, reference).await?;
    let known = ctx
        .db
        .write((app.id, user.user), |sql, (app, user)| {
            Box::pin(async move { Ok::<_, Error>(users::activate(sql, *app, *user).await?) })
        })
        .await?;
    known.then_some(()).ok_or_else(|| Error::about(Code::UserNotFound, reference))
}

/// Closes a user's connections, or those of one device. Tokens live on.
pub async fn kick(ctx: &Ctx, app: &App, reference: &str, resource: Option<&str>) -> Result<()> {
    let user = find(ctx, app, reference).await?;
    if ctx.sessions.are_on_record() {
        let input = (app.id, user.user, resource.map(str::to_owned));
        ctx.db
            .write(input, |sql, (app, user, resource)| {
                Box::pin(async move {
                    match resource {
                        None => sessions::dismiss(sql, *app, *user, CloseReason::Kicked).await,
                        Some(one) => sessions::dismiss_one(sql, *app, *user, one, CloseReason::Kicked).await,
                    }
                })
            })
            .await?;
    }
    ctx.sessions.close(app.id, user.user, resource, CloseReason::Kicked);
    Ok(())
}

/// Deletes a user and everything that carries its id; gives the user as it was.
pub async fn delete(ctx: &Ctx, app: &App, reference: &str) -> Result<Arc<User>> {
    let user = find(ctx, app, reference).await?;
    let written = ctx
        .db
        .write((app.id, Leaver::of(ctx, &user)), |sql, (app, leaver)| {
            Box::pin(async move {
                leaver.dismiss(sql, *app, CloseReason::Deleted).await?;
                Ok::<_, Error>(users::delete(sql, *app, leaver.user).await?)
            })
        })
        .await;
    if may_stand(&written) {
        ctx.sessions.close(app.id, user.user, None, CloseReason::Deleted);
        kicks::dismiss_user(ctx, app.id, &user).await;
    }
    written?.then_some(()).ok_or_else(|| Error::about(Code::UserNotFound, reference))?;
    Ok(user)
}

/// Deletes up to `limit` (of which at most 500 are heeded) users, oldest first, from the one `from` on.
pub async fn delete_oldest(ctx: &Ctx, app: &App, from: Option<Uuid>, limit: i64) -> Result<Page> {
    let limit = page_size(limit, USER_DELETE_MAX)?;
    let (users, next): (Vec<User>, Option<UserId>) = ctx
        .db
        .write(
            (app.id, page_start(from)?, limit, ctx.node(), ctx.clock.now_ms()),
            |sql, (app, from, limit, node, now_ms)| {
                Box::pin(async move {
                    let mut users = users::page(sql, *app, *from, None, *limit + 1).await?;
                    let next = split_off(&mut users, *limit);
                    for user in &users {
                        let leaver =
                            Leaver { user: user.user, name: user.username.clone(), node: *node, now_ms: *now_ms };
                        leaver.dismiss(sql, *app, CloseReason::Deleted).await?;
                        users::delete(sql, *app, user.user).await?;
                    }
                    Ok::<_, Error>((users, next))
                })
            },
        )
        .await?;
    for user in &users {
        ctx.sessions.close(app.id, user.user, None, CloseReason::Deleted);
        kicks::dismiss_user(ctx, app.id, user).await;
    }
    Ok(Page { users, next })
}
