//! Tokens: asking for one, and who it says its bearer is.
//!
//! A token is checked without a query: its MAC covers the revocation counter (epoch) of the app or user it is for, which
//! the cache holds. Raising the counter (password, ban, new client secret) ends every older token at once, whatever
//! any clock says; an ended token is indistinguishable from one made elsewhere.

use std::net::IpAddr;
use std::sync::Arc;

use subtle::ConstantTimeEq;
use uuid::Uuid;
use yinxin_store::tables::users as user_table;
use yinxin_store::{AppId, UserId};
use yinxin_token::access::{self, Claims, Kind, MANAGEMENT_APP, Opened};
use yinxin_token::{dynamic, legacy};
use zeroize::Zeroizing;

use crate::apps::{self, App};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{DYNAMIC_TOKEN_AHEAD_S, TOKEN_TTL_MAX_S};
use crate::passwords::Verdict;
use crate::rates::Whose;
use crate::users::{self, LoginName, User};
use crate::wrong_passwords::Trial;

/// A token and the life it was given.
#[derive(Debug)]
pub struct Grant {
    /// The token.
    pub token: String,
    /// Seconds; 0 = for ever.
    pub ttl_s: i64,
}

/// Who a token says its bearer is, within the app it was shown to.
#[derive(Clone, Debug)]
pub enum Caller {
    /// The app's backend: everything under the app.
    App,
    /// A user: itself.
    User(Arc<User>),
}

/// Gives an app's backend a token for its client credentials.
pub fn issue_to_app(
    ctx: &Ctx,
    app: &App,
    client_id: Option<&str>,
    client_secret: Option<&str>,
    ttl_s: Option<i64>,
) -> Result<Grant> {
    let client_id = client_id.filter(|id| !id.is_empty()).ok_or(Code::ClientIdMissing)?;
    let client_secret = client_secret.filter(|secret| !secret.is_empty()).ok_or(Code::ClientSecretMissing)?;
    if client_id != app.client_id {
        return Err(Code::ClientIdMismatch.into());
    }
    if !bool::from(client_secret.as_bytes().ct_eq(app.client_secret.as_bytes())) {
        return Err(Code::ClientSecretMismatch.into());
    }
    let ttl_s = granted_ttl(ttl_s, app.settings.app_token_ttl_s)?;
    Ok(seal(ctx, Kind::App, MANAGEMENT_APP, app.uuid(), app.token_epoch, ttl_s))
}

/// A login by name and password.
pub struct Login<'a> {
    /// By what, as spelled.
    pub name: Option<LoginName<'a>>,
    /// The password.
    pub password: Option<Zeroizing<String>>,
    /// Life of the token; `None` = the app's default.
    pub ttl_s: Option<i64>,
    /// Whoever names nobody is told so. Otherwise it hears the same as with a wrong password.
    pub tells_unknown: bool,
    /// Where the call comes from.
    pub from: IpAddr,
}

/// Gives a user a token for its password. An unknown name, a user without a password and a wrong password take the
/// same time.
pub async fn log_in(ctx: &Ctx, app: &App, login: Login<'_>) -> Result<(Grant, Arc<User>)> {
    let name = login.name.filter(|name| !name.is_empty()).ok_or(Code::UsernameMissing)?;
    let password = login.password.filter(|password| !password.is_empty()).ok_or(Code::PasswordMissing)?;
    let ttl_s = granted_ttl(login.ttl_s, app.settings.user_token_ttl_s)?;
    let folded = name.folded();
    let user = name.owner(ctx, app.id).await?;
    let whose = user.as_ref().map_or(Whose::Nobody(&folded), |user| Whose::User(user.user));
    let trial = Trial { app: app.id, whose, from: login.from };
    let (verdict, stored) = tried(ctx, trial, check(ctx, app, user.as_deref(), password, login.from)).await?;
    let is_nobody = user.is_none();
    let Some(user) = user.filter(|_| verdict.matches) else {
        let code = if is_nobody && login.tells_unknown { Code::LoginUnknownUser } else { Code::WrongPassword };
        return Err(code.into());
    };
    if !user.active {
        return Err(Code::UserInactive.into());
    }
    if let (Some(old), Some(new)) = (stored, verdict.upgrade)
        && let Err(error) = upgrade_hash(ctx, app, user.user, old, new).await
    {
        // The next login tries again; this one needs no write, and must not fail on a disk that takes none.
        tracing::warn!(?error, "a password hash of another cost could not be replaced");
    }
    // The token is sealed for the epoch that was read before the password was checked: if the password was changed
    // meanwhile, the token is dead already.
    Ok((seal_for_user(ctx, app, &user, ttl_s), user))
}

/// Whether that is the user's password; counted like a login.
pub(crate) async fn check_password(
    ctx: &Ctx,
    app: &App,
    user: &User,
    password: Option<Zeroizing<String>>,
    from: IpAddr,
) -> Result<()> {
    let password = password.filter(|password| !password.is_empty()).ok_or(Code::PasswordMissing)?;
    let whose = Whose::User(user.user);
    let trial = Trial { app: app.id, whose, from };
    let (verdict, _) = tried(ctx, trial, check(ctx, app, Some(user), password, from)).await?;
    if verdict.matches { Ok(()) } else { Err(Code::WrongPassword.into()) }
}

/// Checks a password and counts it if it is wrong.
async fn tried(
    ctx: &Ctx,
    trial: Trial<'_>,
    check: impl Future<Output = Result<(Verdict, Option<String>)>>,
) -> Result<(Verdict, Option<String>)> {
    trial.begin(ctx).await?;
    let checked = check.await;
    match &checked {
        Ok((verdict, _)) if !verdict.matches => trial.was_wrong(ctx).await?,
        _ => trial.was_not_wrong(ctx),
    }
    checked
}

/// An id of nobody's.
const NOBODY: UserId = UserId([0; 16]);

/// Checks a password; the same work for whoever there is, or is not. Gives the stored hash, too.
async fn check(
    ctx: &Ctx,
    app: &App,
    user: Option<&User>,
    password: Zeroizing<String>,
    from: IpAddr,
) -> Result<(Verdict, Option<String>)> {
    let stored = password_hash(ctx, app, user.map_or(NOBODY, |user| user.user)).await?;
    Ok((ctx.passwords.verify(password, stored.clone(), Some(from)).await?, stored))
}

async fn password_hash(ctx: &Ctx, app: &App, user: UserId) -> Result<Option<String>> {
    ctx.db
        .read((app.id, user), |sql, (app, user)| {
            Box::pin(async move { Ok::<_, Error>(user_table::password_hash(sql, *app, *user).await?.flatten()) })
        })
        .await
}

async fn upgrade_hash(ctx: &Ctx, app: &App, user: UserId, old: String, new: String) -> Result<()> {
    ctx.db
        .write((app.id, user, old, new), |sql, (app, user, old, new)| {
            Box::pin(async move {
                user_table::upgrade_hash(sql, *app, *user, old, new).await?;
                Ok::<_, Error>(())
            })
        })
        .await
}

/// Gives a backend a token for one of its users without the user's password; `create` makes a missing user.
pub async fn issue_for_user(
    ctx: &Ctx,
    app: &App,
    username: Option<&str>,
    create: bool,
    ttl_s: Option<i64>,
) -> Result<(Grant, Arc<User>)> {
    let username = username.ok_or(Code::UsernameMissing)?;
    let ttl_s = granted_ttl(ttl_s, app.settings.user_token_ttl_s)?;
    let user = match users::look_up(ctx, app.id, username).await? {
        Some(user) => user,
        None if create => users::register_without_password(ctx, app, username).await?,
        None => return Err(Code::LoginUnknownUser.into()),
    };
    if !user.active {
        return Err(Code::UserInactive.into());
    }
    Ok((seal_for_user(ctx, app, &user, ttl_s), user))
}

fn granted_ttl(asked: Option<i64>, default: i64) -> Result<i64> {
    match asked.unwrap_or(default) {
        ttl if (0..=TOKEN_TTL_MAX_S).contains(&ttl) => Ok(ttl),
        ttl => Err(Error::about(Code::TtlIllegal, ttl.to_string()).with_limit(TOKEN_TTL_MAX_S)),
    }
}

fn seal_for_user(ctx: &Ctx, app: &App, user: &User, ttl_s: i64) -> Grant {
    seal(ctx, Kind::User, app.uuid(), Uuid::from_bytes(user.user.0), user.token_epoch, ttl_s)
}

fn seal(ctx: &Ctx, kind: Kind, app: Uuid, principal: Uuid, epoch: i64, ttl_s: i64) -> Grant {
    let claims = Claims {
        id: ctx.mint.uuid().uuid,
        app,
        principal,
        kind,
        issued_ms: ctx.clock.now_ms(),
        // Bounded by `granted_ttl`.
        ttl_s: u32::try_from(ttl_s).unwrap_or(u32::MAX),
    };
    Grant { token: access::seal(&claims, ctx.keys.signing(), epoch), ttl_s }
}

/// Says who the bearer of a token is. A token of another app is answered like one that was never made.
pub async fn authenticate(ctx: &Ctx, app: &App, token: &str) -> Result<Caller> {
    if token.is_empty() {
        return Err(Code::TokenMissing.into());
    }
    if dynamic::is_dynamic(token) {
        return authenticate_dynamic(ctx, app, token).await;
    }
    if app.has_admin_token(token) {
        return Ok(Caller::App);
    }
    let Ok(opened) = access::open(token) else {
        let code = if legacy::is_legacy(token) { Code::TokenUnknown } else { Code::TokenCorrupt };
        return Err(code.into());
    };
    let claims = opened.claims;
    let caller = match claims.kind {
        Kind::App if claims.app == MANAGEMENT_APP && claims.principal == app.uuid() => {
            verify(ctx, &opened, app.token_epoch)?;
            Caller::App
        }
        Kind::User if claims.app == app.uuid() => {
            let user = users::by_id(ctx, app.id, UserId(claims.principal.into_bytes())).await?;
            let user = user.ok_or(Code::TokenUnknown)?;
            verify(ctx, &opened, user.token_epoch)?;
            Caller::User(user)
        }
        _ => return Err(Code::TokenUnknown.into()),
    };
    if claims.is_expired(ctx.clock.now_ms()) {
        return Err(Code::TokenExpired.into());
    }
    usable(caller)
}

/// The app that a user's token says it is of, for those who show a token and name no app. Whether the token is good is for
/// [`authenticate`] to say.
pub async fn app_of(ctx: &Ctx, token: &str) -> Result<Arc<App>> {
    if token.is_empty() {
        return Err(Code::TokenMissing.into());
    }
    if dynamic::is_dynamic(token) {
        let opened = dynamic::open_dynamic(token).map_err(|_| Code::TokenCorrupt)?;
        let (org, name) = opened.app_key.split_once('#').ok_or(Code::TokenCorrupt)?;
        return apps::find(ctx, org, name).await;
    }
    let opened = access::open(token).map_err(|_| Code::TokenCorrupt)?;
    apps::find_by_id(ctx, AppId(opened.claims.app.into_bytes())).await
}

/// When a token that has been found good ends, in milliseconds since 1970; `None` = never.
pub fn ends_at_ms(token: &str) -> Option<i64> {
    if let Ok(opened) = dynamic::open_dynamic(token) {
        return (opened.ttl_s != 0).then(|| opened.cur_time_s.saturating_add(opened.ttl_s).saturating_mul(1000));
    }
    access::open(token).ok()?.claims.expires_ms()
}

/// Has the user's connections from that address live as long as this token, which has been found good. The token that a
/// connection was opened with need not be the last of its client, which shows a new one by a call.
pub fn renew_connections(ctx: &Ctx, app: &App, user: &User, token: &str, from: IpAddr) {
    ctx.sessions.renew(app.id, user.user, from, ends_at_ms(token).unwrap_or(i64::MAX));
}

/// Whether a token that is not good is that of a user who is banned now: then that is why.
pub async fn is_of_banned_user(ctx: &Ctx, app: &App, token: &str) -> Result<bool> {
    let user = if let Ok(opened) = dynamic::open_dynamic(token) {
        users::look_up(ctx, app.id, &opened.user_id).await?
    } else {
        let Ok(opened) = access::open(token) else { return Ok(false) };
        if opened.claims.kind != Kind::User || opened.claims.app != app.uuid() {
            return Ok(false);
        }
        users::by_id(ctx, app.id, UserId(opened.claims.principal.into_bytes())).await?
    };
    Ok(user.is_some_and(|user| !user.active))
}

fn verify(ctx: &Ctx, opened: &Opened, epoch: i64) -> Result<()> {
    let key = ctx.keys.verifying(opened.key_id()).ok_or(Code::TokenUnknown)?;
    if opened.verify(key, epoch) { Ok(()) } else { Err(Code::TokenUnknown.into()) }
}

/// A banned user's token is as good as none.
fn usable(caller: Caller) -> Result<Caller> {
    match &caller {
        Caller::User(user) if !user.active => Err(Code::TokenUnknown.into()),
        _ => Ok(caller),
    }
}

/// A token that the app's backend computed by itself from the client secret. It carries no epoch: the second it was
/// made in must be later than the last one that the user's tokens were ended up to.
async fn authenticate_dynamic(ctx: &Ctx, app: &App, token: &str) -> Result<Caller> {
    let opened = dynamic::open_dynamic(token).map_err(|_| Code::TokenCorrupt)?;
    let ours = opened.app_key == app.name.app_key() && opened.verify(&app.client_id, &app.client_secret);
    let now_s = ctx.clock.now_s();
    let in_bounds = (0..=TOKEN_TTL_MAX_S).contains(&opened.ttl_s) && opened.cur_time_s <= now_s + DYNAMIC_TOKEN_AHEAD_S;
    if !ours || !in_bounds {
        return Err(Code::TokenUnknown.into());
    }
    let user = users::look_up(ctx, app.id, &opened.user_id).await?.ok_or(Code::TokenUnknown)?;
    if opened.ttl_s != 0 && now_s >= opened.cur_time_s.saturating_add(opened.ttl_s) {
        return Err(Code::TokenExpired.into());
    }
    if opened.cur_time_s <= user.tokens_not_before_s {
        return Err(Code::TokenUnknown.into());
    }
    usable(Caller::User(user))
}
