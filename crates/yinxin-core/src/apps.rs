//! Apps: the tenants. Their names, settings and credentials.

mod admin;
mod settings;
mod signing;

use std::sync::Arc;

use uuid::Uuid;
use yinxin_store::tables::admin_tokens::{self, AdminTokenRow};
use yinxin_store::tables::apps::{self, AppRow};
use yinxin_store::tables::hooks::{self as hook_table, HookRow};
use yinxin_store::tables::sessions;
use yinxin_store::{AppId, Sql};
use yinxin_token::credentials;
use zeroize::Zeroizing;

use crate::cache::Ticket;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::hooks::{self, Hook};
use crate::limits::{self, SESSIONS_ENDED, SWEEP_ROWS};
use crate::names::AppName;
use crate::rng;
use crate::sessions::CloseReason;

pub use admin::{AdminToken, NewAdminToken, adopt_admin, create_admin_token, revoke_admin_token};
pub use settings::{AppChanges, AppSettings, Profile, TOKEN_ERROR_CODES, TimeUnit, UNKNOWN_LOGIN_CODES};
pub use signing::{Brought, Signing, adopt};

/// Kind of the secret that asks for app tokens and signs locally computed user tokens.
const CLIENT_SECRET: &str = "client";

/// An app as requests see it: the tenant, its settings, its credentials.
pub struct App {
    /// Its id.
    pub id: AppId,
    /// Its names.
    pub name: AppName,
    /// Its settings.
    pub settings: AppSettings,
    /// Creation time.
    pub created_ms: i64,
    /// Last change of a setting.
    pub modified_ms: i64,
    /// The public half of its credentials; a function of the id.
    pub client_id: String,
    /// What its backend signs calls with.
    pub signing: Signing,
    /// The word that clients name it by.
    pub short_id: String,
    /// The standing tokens of its backend, oldest first.
    pub admin_tokens: Vec<AdminToken>,
    pub(crate) client_secret: Zeroizing<String>,
    pub(crate) token_epoch: i64,
    pub(crate) hooks: Vec<Hook>,
}

impl App {
    /// The id as the wire shows it.
    pub fn uuid(&self) -> Uuid {
        Uuid::from_bytes(self.id.0)
    }

    /// The secret half of the credentials, for the operator's eyes.
    pub fn reveal_client_secret(&self) -> &str {
        &self.client_secret
    }
}

fn place(app: AppId, kind: &str) -> String {
    format!("app_secrets/{}/{kind}", hex::encode(app.0))
}

fn new_row(ctx: &Ctx, id: AppId, name: &AppName, settings: &AppSettings, created_ms: i64) -> AppRow {
    AppRow {
        app: id,
        org: name.org.clone(),
        name: name.name.clone(),
        created_ms,
        modified_ms: created_ms,
        token_epoch: 0,
        open_registration: settings.open_registration,
        profile: settings.profile.name().to_owned(),
        user_token_ttl_s: settings.user_token_ttl_s,
        app_token_ttl_s: settings.app_token_ttl_s,
        contacts_max: settings.contacts_max,
        contacts_only: settings.contacts_only_messaging,
        signing_key: Some(signing::new_key(ctx)),
        safe_mode: settings.safe_mode,
        local_room_tokens: settings.local_room_tokens,
        short_id: Some(admin::new_short_id(ctx)),
        token_error_code: settings.token_error_code,
        unknown_login_code: settings.unknown_login_code,
        expire_unit: settings.expire_unit.name().to_owned(),
        token_user_mobile: settings.token_user_mobile,
    }
}

/// The secrets of an app, sealed, each under its kind.
type Sealed = Vec<(String, Box<[u8]>)>;

fn unseal(ctx: &Ctx, app: AppId, sealed: &Sealed, kind: &str) -> Result<Zeroizing<String>> {
    let stored = sealed.iter().find(|(known, _)| known == kind);
    let (_, stored) = stored.ok_or_else(|| Error::about(Code::Internal, format!("an app has no {kind} secret")))?;
    let secret = Zeroizing::new(ctx.keys.unseal(&place(app, kind), stored)?);
    let secret = std::str::from_utf8(&secret).map_err(|source| Error::from(Code::Internal).caused_by(source))?;
    Ok(Zeroizing::new(secret.to_owned()))
}

fn seal(ctx: &Ctx, app: AppId, kind: &str, secret: &str) -> Vec<u8> {
    ctx.keys.seal(ctx.rng.as_ref(), &place(app, kind), secret.as_bytes())
}

fn app_of(ctx: &Ctx, read: Read) -> Result<App> {
    let Read { row, sealed, hooks, admin_tokens, .. } = read;
    let sealed = &sealed;
    Ok(App {
        short_id: row.short_id.unwrap_or_default(),
        admin_tokens: admin_tokens.into_iter().map(AdminToken::from).collect(),
        hooks: hooks.into_iter().map(|hook| hooks::hook_of(ctx, row.app, hook)).collect::<Result<_>>()?,
        id: row.app,
        client_id: credentials::client_id(Uuid::from_bytes(row.app.0)),
        client_secret: unseal(ctx, row.app, sealed, CLIENT_SECRET)?,
        signing: Signing::unseal(ctx, row.app, row.signing_key.unwrap_or_default(), sealed)?,
        token_epoch: row.token_epoch,
        created_ms: row.created_ms,
        modified_ms: row.modified_ms,
        settings: AppSettings {
            open_registration: row.open_registration,
            profile: Profile::parse(&row.profile).unwrap_or_default(),
            user_token_ttl_s: row.user_token_ttl_s,
            app_token_ttl_s: row.app_token_ttl_s,
            contacts_max: row.contacts_max,
            contacts_only_messaging: row.contacts_only,
            safe_mode: row.safe_mode,
            local_room_tokens: row.local_room_tokens,
            token_error_code: row.token_error_code,
            unknown_login_code: row.unknown_login_code,
            expire_unit: TimeUnit::parse(&row.expire_unit).unwrap_or_default(),
            token_user_mobile: row.token_user_mobile,
        },
        name: AppName { org: row.org, name: row.name },
    })
}

fn new_secret(ctx: &Ctx, app: AppId) -> Vec<u8> {
    let secret = credentials::client_secret(&rng::bytes(ctx.rng.as_ref()));
    seal(ctx, app, CLIENT_SECRET, &secret)
}

/// Creates an app with fresh credentials. None of its backend's standing tokens is known yet: see [`create_admin_token`].
pub async fn create(ctx: &Ctx, name: AppName, changes: AppChanges) -> Result<Arc<App>> {
    changes.check()?;
    let settings = changes.over_defaults();
    let minted = ctx.mint.uuid();
    let id = AppId(minted.uuid.into_bytes());
    let row = new_row(ctx, id, &name, &settings, minted.at_ms);
    let secrets = signing::new_secrets(ctx, id);
    ctx.db
        .write((row, new_secret(ctx, id), secrets), |sql, (row, client, signing)| {
            Box::pin(async move {
                if !apps::insert(sql, row).await? {
                    return Err(Error::about(Code::AppExists, &row.name));
                }
                apps::put_secret(sql, row.app, CLIENT_SECRET, client, row.created_ms).await?;
                signing::put(sql, row.app, signing, row.created_ms).await
            })
        })
        .await?;
    find(ctx, &name.org, &name.name).await
}

/// The app of that name.
pub async fn find(ctx: &Ctx, org: &str, name: &str) -> Result<Arc<App>> {
    if let Some(app) = ctx.cache.app(org, name) {
        return Ok(app);
    }
    let found = load(ctx, Wanted::Named(org.to_owned(), name.to_owned())).await?;
    found.ok_or_else(|| Error::about(Code::AppNotFound, format!("{org}/{name}")))
}

/// The app of that id.
pub(crate) async fn find_by_id(ctx: &Ctx, id: AppId) -> Result<Arc<App>> {
    let name =
        ctx.db.read(id, |sql, id| Box::pin(async move { Ok::<_, Error>(apps::name_of(sql, *id).await?) })).await?;
    let (org, name) = name.ok_or_else(|| Error::about(Code::AppNotFound, Uuid::from_bytes(id.0)))?;
    find(ctx, &org, &name).await
}

/// The app that a signed call names.
pub async fn find_by_signing_key(ctx: &Ctx, key: &str) -> Result<Arc<App>> {
    if let Some(app) = ctx.cache.app_signing(key) {
        return Ok(app);
    }
    if key.is_empty() || key.len() > limits::SIGNING_KEY_BYTES_MAX || key.contains('\0') {
        return Err(Error::about(Code::AppNotFound, key));
    }
    let found = load(ctx, Wanted::Signing(key.to_owned())).await?;
    found.ok_or_else(|| Error::about(Code::AppNotFound, key))
}

/// The app that a client names by one word.
pub async fn find_by_short_id(ctx: &Ctx, id: &str) -> Result<Arc<App>> {
    if let Some(app) = ctx.cache.app_short(id) {
        return Ok(app);
    }
    if id.is_empty() || id.len() > limits::SHORT_ID_BYTES_MAX || id.contains('\0') {
        return Err(Error::about(Code::AppNotFound, id));
    }
    let found = load(ctx, Wanted::Short(id.to_owned())).await?;
    found.ok_or_else(|| Error::about(Code::AppNotFound, id))
}

/// Which app is wanted.
#[derive(Clone)]
enum Wanted {
    Named(String, String),
    Signing(String),
    Short(String),
}

async fn load(ctx: &Ctx, wanted: Wanted) -> Result<Option<Arc<App>>> {
    let mut read = read(ctx, wanted.clone()).await?;
    if let Some(Read { row, .. }) = &read
        && (row.signing_key.is_none() || row.short_id.is_none())
    {
        signing::complete(ctx, row.app).await?;
        admin::complete(ctx, row.app).await?;
        read = self::read(ctx, wanted).await?;
    }
    let Some(read) = read else { return Ok(None) };
    let ticket = read.ticket;
    let app = Arc::new(app_of(ctx, read)?);
    ctx.cache.keep_app(ticket, &app);
    Ok(Some(app))
}

/// What the tables say of an app, and since when that is known.
struct Read {
    ticket: Ticket,
    row: AppRow,
    sealed: Sealed,
    hooks: Vec<HookRow>,
    admin_tokens: Vec<AdminTokenRow>,
}

async fn read(ctx: &Ctx, wanted: Wanted) -> Result<Option<Read>> {
    let ticket = ctx.cache.ticket();
    ctx.db
        .read((wanted, ticket), |sql, (wanted, ticket)| {
            let ticket = *ticket;
            Box::pin(async move {
                let row = match wanted {
                    Wanted::Named(org, name) => apps::by_name(sql, org, name).await?,
                    Wanted::Signing(key) => apps::by_signing_key(sql, key).await?,
                    Wanted::Short(id) => apps::by_short_id(sql, id).await?,
                };
                let Some(row) = row else { return Ok::<_, Error>(None) };
                let sealed = apps::secrets(sql, row.app).await?;
                let hooks = hook_table::of_app(sql, row.app).await?;
                let admin_tokens = admin_tokens::of_app(sql, row.app).await?;
                Ok(Some(Read { ticket, row, sealed, hooks, admin_tokens }))
            })
        })
        .await
}

/// The app as it is now, for one who has known it for a while. A namesake made since is another app.
pub async fn current(ctx: &Ctx, app: &App) -> Result<Arc<App>> {
    let found = find(ctx, &app.name.org, &app.name.name).await?;
    if found.id == app.id { Ok(found) } else { Err(Error::about(Code::AppNotFound, app.name.app_key())) }
}

/// All apps, by name.
pub async fn list(ctx: &Ctx) -> Result<Vec<Arc<App>>> {
    let rows = ctx.db.read((), |sql, ()| Box::pin(async move { Ok::<_, Error>(apps::all(sql).await?) })).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        match find(ctx, &row.org, &row.name).await {
            Ok(app) => found.push(app),
            // Deleted between the two reads.
            Err(error) if error.code == Code::AppNotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Changes settings and gives the app as it is then. What is not to be changed is as the last change left it, whatever
/// the caller has seen.
pub async fn change(ctx: &Ctx, app: &App, changes: AppChanges) -> Result<Arc<App>> {
    changes.check()?;
    let known = ctx
        .db
        .write((app.id, changes.update(), ctx.clock.now_ms()), |sql, (app, changes, now_ms)| {
            Box::pin(async move { Ok::<_, Error>(apps::update(sql, *app, changes, *now_ms).await?) })
        })
        .await?;
    if !known {
        return Err(Error::about(Code::AppNotFound, app.name.app_key()));
    }
    find(ctx, &app.name.org, &app.name.name).await
}

/// Replaces the client secret. The old one and all app tokens stop working; users stay logged in.
pub async fn rotate_secret(ctx: &Ctx, app: &App) -> Result<Arc<App>> {
    let sealed = new_secret(ctx, app.id);
    ctx.db
        .write((app.id, sealed, ctx.clock.now_ms()), |sql, (app, sealed, now_ms)| {
            Box::pin(async move {
                if !apps::raise_epoch(sql, *app).await? {
                    return Err(Error::from(Code::AppNotFound));
                }
                apps::put_secret(sql, *app, CLIENT_SECRET, sealed, *now_ms).await?;
                Ok(())
            })
        })
        .await?;
    find(ctx, &app.name.org, &app.name.name).await
}

/// Replaces what calls are signed with, and what permission keys are made with; the key that names the app stays. Calls
/// signed with the old secret, and room tokens and permission keys computed with it, stop working; tokens that were issued
/// here live on.
pub async fn rotate_signing_secrets(ctx: &Ctx, app: &App) -> Result<Arc<App>> {
    ctx.db
        .write((app.id, signing::new_secrets(ctx, app.id), ctx.clock.now_ms()), |sql, (app, secrets, now_ms)| {
            Box::pin(async move {
                must_exist(sql, *app).await?;
                signing::put(sql, *app, secrets, *now_ms).await
            })
        })
        .await?;
    find(ctx, &app.name.org, &app.name.name).await
}

/// Makes a write fail when the app is gone, so that no row outlives its app.
pub(crate) async fn must_exist(sql: &mut dyn Sql, app: AppId) -> Result<()> {
    if apps::exists(sql, app).await? { Ok(()) } else { Err(Code::AppNotFound.into()) }
}

/// Deletes the app with everything in it. Nobody finds it any more when this returns; its rows are cleared away later, a
/// few at a time, also after a restart: see [`clear_some`].
pub async fn delete(ctx: &Ctx, app: &App) -> Result<()> {
    let known = ctx
        .db
        .write((app.id, ctx.clock.now_ms()), |sql, (app, now_ms)| {
            Box::pin(async move { Ok::<_, Error>(apps::depart(sql, *app, *now_ms).await?) })
        })
        .await?;
    known.then_some(()).ok_or_else(|| Error::about(Code::AppNotFound, app.name.app_key()))?;
    // Nobody comes in any more. Should it end here, clearing away goes on with it.
    while end_some_sessions(ctx, app.id).await? {}
    ctx.hooks.forget(|(of, _)| of == app.id);
    ctx.sessions.close_app(app.id, CloseReason::Deleted);
    for cid in ctx.rooms.rooms_of(app.id, None) {
        ctx.rooms.end((app.id, cid));
    }
    ctx.chores.notify_one();
    Ok(())
}

/// Has some sessions of a deleted app end that are on record; whether there were any.
async fn end_some_sessions(ctx: &Ctx, app: AppId) -> Result<bool> {
    if ctx.cluster.is_none() {
        return Ok(false);
    }
    let ended = ctx
        .db
        .write(app, |sql, app| {
            Box::pin(async move {
                let why = CloseReason::Deleted.name();
                Ok::<_, Error>(sessions::end_some_of_app(sql, *app, why, SESSIONS_ENDED).await?)
            })
        })
        .await?;
    Ok(ended > 0)
}

/// How many deleted apps are not cleared away yet.
pub async fn clearing(ctx: &Ctx) -> Result<i64> {
    ctx.db.read((), |sql, ()| Box::pin(async move { Ok::<_, Error>(apps::going_count(sql).await?) })).await
}

/// Clears away a few rows of a deleted app; `false` when there is nothing to clear.
pub async fn clear_some(ctx: &Ctx) -> Result<bool> {
    let going = ctx.db.read((), |sql, ()| Box::pin(async move { Ok::<_, Error>(apps::going(sql).await?) })).await?;
    let Some(app) = going else { return Ok(false) };
    if end_some_sessions(ctx, app).await? {
        ctx.sessions.close_app(app, CloseReason::Deleted);
        return Ok(true);
    }
    ctx.db
        .write(app, |sql, app| Box::pin(async move { Ok::<_, Error>(apps::clear(sql, *app, SWEEP_ROWS).await?) }))
        .await?;
    // The bytes of its files are deleted afterwards.
    ctx.files.ring();
    Ok(true)
}
