//! Operations on the standing tokens of an app's backend.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use yinxin_core::apps::{self, AdminToken};
use zeroize::Zeroizing;

use crate::apps::Tenant;
use crate::problem::{Answer, Problem};
use crate::routes::Shared;
use crate::wire::{Json, JsonOrNothing, json, path};

/// What a token is called that its maker gives no name.
const UNNAMED: &str = "";

/// The token that the path names.
pub(crate) struct Named(String);

#[derive(Deserialize)]
struct TokenPath {
    token: String,
}

impl axum::extract::FromRequestParts<Shared> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, shared: &Shared) -> Result<Self, Problem> {
        let named: TokenPath = path(parts, shared).await?;
        Ok(Self(named.token))
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    label: Option<String>,
}

#[derive(Serialize)]
struct View<'a> {
    id: String,
    label: &'a str,
    created: i64,
}

fn view(token: &AdminToken) -> View<'_> {
    View { id: token.id.to_string(), label: &token.label, created: token.created_ms }
}

pub(crate) async fn create(
    State(shared): State<Shared>,
    tenant: Tenant,
    JsonOrNothing(new): JsonOrNothing<NewToken>,
) -> Answer {
    #[derive(Serialize)]
    struct Made {
        id: String,
        label: String,
        /// Nobody can read it again.
        admin_token: Zeroizing<String>,
    }
    let label = new.label.unwrap_or_else(|| UNNAMED.to_owned());
    let made = apps::create_admin_token(&shared.ctx, &tenant.0, label.clone()).await?;
    json(StatusCode::CREATED, &Made { id: made.id.to_string(), label, admin_token: made.token })
}

pub(crate) async fn list(tenant: Tenant) -> Answer {
    #[derive(Serialize)]
    struct List<'a> {
        admin_tokens: Vec<View<'a>>,
    }
    json(StatusCode::OK, &List { admin_tokens: tenant.0.admin_tokens.iter().map(view).collect() })
}

pub(crate) async fn revoke(State(shared): State<Shared>, tenant: Tenant, token: Named) -> Answer {
    #[derive(Serialize)]
    struct Revoked {
        id: String,
    }
    apps::revoke_admin_token(&shared.ctx, &tenant.0, &token.0).await?;
    json(StatusCode::OK, &Revoked { id: token.0 })
}

/// What an app was known by elsewhere.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Brought {
    app_id: String,
    admin_token: Option<String>,
}

pub(crate) async fn adopt(State(shared): State<Shared>, tenant: Tenant, Json(brought): Json<Brought>) -> Answer {
    let token = brought.admin_token.map(Zeroizing::new);
    let app = apps::adopt_admin(&shared.ctx, &tenant.0, brought.app_id, token, "adopted".to_owned()).await?;
    crate::apps::shown(&app)
}
