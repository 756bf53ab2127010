//! Operations on apps.

use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use yinxin_core::apps::{self, App, AppChanges, Brought, Profile, TimeUnit};
use yinxin_core::names::AppName;
use yinxin_core::{Code, Error};
use zeroize::Zeroizing;

use crate::problem::{Answer, Problem};
use crate::routes::Shared;
use crate::wire::{Json, Params, json, path};

/// What the admin token is called that an app is made with.
const FIRST: &str = "first";

/// The app that the path names.
pub(crate) struct Tenant(pub Arc<App>);

#[derive(Deserialize)]
struct TenantPath {
    org: String,
    app: String,
}

impl FromRequestParts<Shared> for Tenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let named: TenantPath = path(parts, shared).await?;
        Ok(Self(apps::find(&shared.ctx, &named.org, &named.app).await?))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApp {
    org: String,
    app: String,
    #[serde(default)]
    settings: Settings,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Patch {
    settings: Settings,
}

/// Settings as a caller writes them; what is left out stays as it is.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Settings {
    open_registration: Option<bool>,
    profile: Option<String>,
    user_token_ttl: Option<i64>,
    app_token_ttl: Option<i64>,
    contacts_max: Option<i64>,
    contacts_only_messaging: Option<bool>,
    safe_mode: Option<bool>,
    local_room_tokens: Option<bool>,
    token_error_code: Option<i64>,
    unknown_login_code: Option<i64>,
    expire_unit: Option<String>,
    token_user_mobile: Option<bool>,
}

impl Settings {
    fn to_changes(&self) -> Result<AppChanges, Problem> {
        Ok(AppChanges {
            profile: named(self.profile.as_deref(), Profile::parse, "profile is 'seed' or 'current'")?,
            expire_unit: named(self.expire_unit.as_deref(), TimeUnit::parse, "expire_unit is 'ms' or 's'")?,
            open_registration: self.open_registration,
            user_token_ttl_s: self.user_token_ttl,
            app_token_ttl_s: self.app_token_ttl,
            contacts_max: self.contacts_max,
            contacts_only_messaging: self.contacts_only_messaging,
            safe_mode: self.safe_mode,
            local_room_tokens: self.local_room_tokens,
            token_error_code: self.token_error_code,
            unknown_login_code: self.unknown_login_code,
            token_user_mobile: self.token_user_mobile,
        })
    }
}

/// What a name stands for; `rule` says which there are.
fn named<T>(name: Option<&str>, parse: fn(&str) -> Option<T>, rule: &str) -> Result<Option<T>, Problem> {
    let read = |name| parse(name).ok_or_else(|| Problem::new(Code::FieldIllegal, format!("{rule}, not '{name}'")));
    name.map(read).transpose()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Show {
    #[serde(default)]
    secrets: bool,
}

/// An app as the wire shows it.
#[derive(Serialize)]
struct View<'a> {
    org: &'a str,
    app: &'a str,
    app_key: String,
    application: String,
    easemob: Credentials<'a>,
    netease: Signing<'a>,
    lanying: Standing<'a>,
    settings: SettingsView,
    created: i64,
    modified: i64,
}

#[derive(Serialize)]
struct Credentials<'a> {
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
}

#[derive(Serialize)]
struct Signing<'a> {
    app_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    perm_secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admission_key: Option<&'a str>,
}

#[derive(Serialize)]
struct Standing<'a> {
    app_id: &'a str,
    /// Only when it has just been made: nobody can read it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_token: Option<Zeroizing<String>>,
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
struct SettingsView {
    open_registration: bool,
    profile: &'static str,
    user_token_ttl: i64,
    app_token_ttl: i64,
    contacts_max: i64,
    contacts_only_messaging: bool,
    safe_mode: bool,
    local_room_tokens: bool,
    token_error_code: i64,
    unknown_login_code: i64,
    expire_unit: &'static str,
    token_user_mobile: bool,
}

fn view(app: &App, secrets: bool) -> View<'_> {
    let settings = &app.settings;
    View {
        org: &app.name.org,
        app: &app.name.name,
        app_key: app.name.app_key(),
        application: app.uuid().to_string(),
        easemob: Credentials { client_id: &app.client_id, client_secret: secrets.then(|| app.reveal_client_secret()) },
        netease: Signing {
            app_key: &app.signing.key,
            app_secret: secrets.then(|| app.signing.reveal_secret()),
            perm_secret: secrets.then(|| app.signing.reveal_permission_secret()),
            admission_key: secrets.then(|| app.signing.reveal_admission_key()),
        },
        lanying: Standing { app_id: &app.short_id, admin_token: None },
        settings: SettingsView {
            open_registration: settings.open_registration,
            profile: settings.profile.name(),
            user_token_ttl: settings.user_token_ttl_s,
            app_token_ttl: settings.app_token_ttl_s,
            contacts_max: settings.contacts_max,
            contacts_only_messaging: settings.contacts_only_messaging,
            safe_mode: settings.safe_mode,
            local_room_tokens: settings.local_room_tokens,
            token_error_code: settings.token_error_code,
            unknown_login_code: settings.unknown_login_code,
            expire_unit: settings.expire_unit.name(),
            token_user_mobile: settings.token_user_mobile,
        },
        created: app.created_ms,
        modified: app.modified_ms,
    }
}

pub(crate) async fn create(State(shared): State<Shared>, Json(new): Json<NewApp>) -> Answer {
    let name = parse_name(&new)?;
    let app = apps::create(&shared.ctx, name, new.settings.to_changes()?).await?;
    let token = apps::create_admin_token(&shared.ctx, &app, FIRST.to_owned()).await?;
    let mut view = view(&app, true);
    view.lanying.admin_token = Some(token.token);
    json(StatusCode::CREATED, &view)
}

/// Separators within the parts would move the border between them.
fn parse_name(new: &NewApp) -> Result<AppName, Error> {
    let text = format!("{}/{}", new.org, new.app);
    if text.matches(['/', '#']).count() == 1 {
        AppName::parse(&text)
    } else {
        Err(Error::about(Code::AppNameIllegal, text))
    }
}

pub(crate) async fn list(State(shared): State<Shared>, Params(show): Params<Show>) -> Answer {
    #[derive(Serialize)]
    struct List<'a> {
        apps: Vec<View<'a>>,
    }
    let apps = apps::list(&shared.ctx).await?;
    json(StatusCode::OK, &List { apps: apps.iter().map(|app| view(app, show.secrets)).collect() })
}

pub(crate) async fn show(tenant: Tenant, Params(show): Params<Show>) -> Answer {
    json(StatusCode::OK, &view(&tenant.0, show.secrets))
}

pub(crate) async fn change(State(shared): State<Shared>, tenant: Tenant, Json(patch): Json<Patch>) -> Answer {
    let app = apps::change(&shared.ctx, &tenant.0, patch.settings.to_changes()?).await?;
    json(StatusCode::OK, &view(&app, false))
}

pub(crate) async fn delete(State(shared): State<Shared>, tenant: Tenant) -> Answer {
    apps::delete(&shared.ctx, &tenant.0).await?;
    json(StatusCode::OK, &view(&tenant.0, false))
}

/// An app after a change, without secrets.
pub(crate) fn shown(app: &App) -> Answer {
    json(StatusCode::OK, &view(app, false))
}

/// Credentials of signed calls that an app had elsewhere.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SigningKeys {
    app_key: String,
    app_secret: String,
    perm_secret: Option<String>,
}

pub(crate) async fn adopt_keys(State(shared): State<Shared>, tenant: Tenant, Json(keys): Json<SigningKeys>) -> Answer {
    let brought = Brought {
        key: keys.app_key,
        secret: Zeroizing::new(keys.app_secret),
        permission_secret: keys.perm_secret.map(Zeroizing::new),
    };
    let app = apps::adopt(&shared.ctx, &tenant.0, brought).await?;
    json(StatusCode::OK, &view(&app, true))
}

/// Whose secrets are meant.
#[derive(Deserialize, Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
enum Dialect {
    #[default]
    Easemob,
    Netease,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotate {
    #[serde(default)]
    dialect: Dialect,
}

pub(crate) async fn rotate_secret(
    State(shared): State<Shared>,
    tenant: Tenant,
    Params(rotate): Params<Rotate>,
) -> Answer {
    let app = match rotate.dialect {
        Dialect::Easemob => apps::rotate_secret(&shared.ctx, &tenant.0).await?,
        Dialect::Netease => apps::rotate_signing_secrets(&shared.ctx, &tenant.0).await?,
    };
    json(StatusCode::OK, &view(&app, true))
}
