//! Operations on the users of an app. Each that changes a user answers with the user as it is then, a deletion with the
//! user as it was.

use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yinxin_core::limits::{USER_PAGE_DEFAULT, USER_PAGE_MAX};
use yinxin_core::sessions::Device;
use yinxin_core::users::{self, Import, Registration, User};
use yinxin_core::{Code, Error};
use zeroize::Zeroizing;

use crate::apps::Tenant;
use crate::problem::{Answer, Problem};
use crate::routes::Shared;
use crate::wire::{Json, JsonOrNothing, Params, json, path};

/// The user that the path names, by name or id; whether there is one the use case finds out.
pub(crate) struct Named(String);

#[derive(Deserialize)]
struct NamedPath {
    name: String,
}

impl FromRequestParts<Shared> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let named: NamedPath = path(parts, shared).await?;
        Ok(Self(named.name))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    name: String,
    password: Option<Zeroizing<String>>,
    nickname: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    password: Zeroizing<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kick {
    resource: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    cursor: Option<Uuid>,
    limit: Option<i64>,
    active: Option<bool>,
}

/// A user as the wire shows it.
#[derive(Serialize)]
struct View<'a> {
    name: &'a str,
    uuid: String,
    active: bool,
    online: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    devices: Option<Vec<DeviceView>>,
    nickname: Option<&'a str>,
    created: i64,
    modified: i64,
}

#[derive(Serialize)]
struct DeviceView {
    resource: String,
    device_uuid: String,
    device_name: String,
}

impl From<Device> for DeviceView {
    fn from(device: Device) -> Self {
        let Device { resource, device_uuid, device_name, note: _, since_ms: _ } = device;
        Self { resource, device_uuid, device_name }
    }
}

/// A user with whether it is connected now.
async fn shown<'a>(shared: &Shared, tenant: &Tenant, user: &'a User) -> Result<View<'a>, Problem> {
    Ok(view(user, shared.ctx.sessions.is_online(tenant.0.id, user.user).await?))
}

fn view(user: &User, online: bool) -> View<'_> {
    View {
        name: &user.username,
        uuid: Uuid::from_bytes(user.user.0).to_string(),
        active: user.active,
        online,
        devices: None,
        nickname: user.push.nickname.as_deref(),
        created: user.created_ms,
        modified: user.modified_ms,
    }
}

pub(crate) async fn create(State(shared): State<Shared>, tenant: Tenant, Json(new): Json<NewUser>) -> Answer {
    let user = if new.password.is_some() {
        let NewUser { name, password, nickname } = new;
        let registration = Registration { username: Some(name), password, nickname, ..Registration::default() };
        users::register(&shared.ctx, &tenant.0, registration).await?
    } else {
        // An import of one tells a new user from one that was there, in one statement.
        let import = Import::parse(&new.name, None, new.nickname)?;
        if users::import(&shared.ctx, &tenant.0, vec![import]).await?.imported == 0 {
            return Err(Error::about(Code::UsernameTaken, new.name).into());
        }
        users::find(&shared.ctx, &tenant.0, &new.name).await?
    };
    json(StatusCode::CREATED, &shown(&shared, &tenant, &user).await?)
}

pub(crate) async fn list(State(shared): State<Shared>, tenant: Tenant, Params(page): Params<Page>) -> Answer {
    #[derive(Serialize)]
    struct List<'a> {
        users: Vec<View<'a>>,
        cursor: Option<String>,
    }
    let limit = page.limit.unwrap_or(USER_PAGE_DEFAULT);
    if !(1..=USER_PAGE_MAX).contains(&limit) {
        return Err(Problem::new(Code::FieldIllegal, format!("limit is 1 to {USER_PAGE_MAX}, not {limit}")));
    }
    let found = users::list(&shared.ctx, &tenant.0, page.cursor, page.active, limit).await?;
    let ids: Vec<_> = found.users.iter().map(|user| user.user).collect();
    let online = shared.ctx.sessions.are_online(tenant.0.id, &ids).await?;
    let list = List {
        users: found.users.iter().zip(online).map(|(user, online)| view(user, online)).collect(),
        cursor: found.next.map(|next| Uuid::from_bytes(next.0).to_string()),
    };
    json(StatusCode::OK, &list)
}

pub(crate) async fn show(State(shared): State<Shared>, tenant: Tenant, named: Named) -> Answer {
    let user = users::find(&shared.ctx, &tenant.0, &named.0).await?;
    let devices = shared.ctx.sessions.devices_of(tenant.0.id, user.user).await?;
    let devices = Some(devices.into_iter().map(DeviceView::from).collect());
    json(StatusCode::OK, &View { devices, ..shown(&shared, &tenant, &user).await? })
}

pub(crate) async fn delete(State(shared): State<Shared>, tenant: Tenant, named: Named) -> Answer {
    let user = users::delete(&shared.ctx, &tenant.0, &named.0).await?;
    json(StatusCode::OK, &shown(&shared, &tenant, &user).await?)
}

pub(crate) async fn ban(State(shared): State<Shared>, tenant: Tenant, named: Named) -> Answer {
    let user = users::ban(&shared.ctx, &tenant.0, &named.0).await?;
    json(StatusCode::OK, &shown(&shared, &tenant, &user).await?)
}

pub(crate) async fn unban(State(shared): State<Shared>, tenant: Tenant, named: Named) -> Answer {
    users::lift_ban(&shared.ctx, &tenant.0, &named.0).await?;
    as_it_is(&shared, &tenant, &named).await
}

pub(crate) async fn kick(
    State(shared): State<Shared>,
    tenant: Tenant,
    named: Named,
    JsonOrNothing(kick): JsonOrNothing<Kick>,
) -> Answer {
    users::kick(&shared.ctx, &tenant.0, &named.0, kick.resource.as_deref()).await?;
    as_it_is(&shared, &tenant, &named).await
}

pub(crate) async fn set_password(
    State(shared): State<Shared>,
    tenant: Tenant,
    named: Named,
    Json(new): Json<NewPassword>,
) -> Answer {
    users::set_password(&shared.ctx, &tenant.0, &named.0, Some(new.password)).await?;
    as_it_is(&shared, &tenant, &named).await
}

async fn as_it_is(shared: &Shared, tenant: &Tenant, named: &Named) -> Answer {
    let user = users::find(&shared.ctx, &tenant.0, &named.0).await?;
    json(StatusCode::OK, &shown(shared, tenant, &user).await?)
}
