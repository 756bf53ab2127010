//! `POST /token`: the grants. Source: easemob-app-token.txt, easemob-user-token.txt; `inherit`: docs/dialects/easemob.md.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;
use yinxin_core::apps::Profile;
use yinxin_core::tokens::{self, Caller, Grant, Login};
use yinxin_core::users::{self, LoginName, User};
use yinxin_core::{Code, Error, Result};
use zeroize::Zeroizing;

use crate::rest::answer::Answer;
use crate::rest::body::{Json, lenient_int};
use crate::rest::call::Call;
use crate::rest::entity::Entity;
use crate::rest::rights::{Backend, FromCall, SelfOrBackend};

/// The body of all grants; which fields count depends on `grant_type`.
#[derive(Deserialize)]
pub(crate) struct Request {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    username: Option<String>,
    password: Option<String>,
    #[serde(default, rename = "autoCreateUser")]
    auto_create_user: Option<bool>,
    /// Seconds: a number, a text of digits, or `""` for absent.
    #[serde(default, deserialize_with = "lenient_int")]
    ttl: Option<i64>,
}

#[derive(Serialize)]
struct AppToken<'a> {
    access_token: &'a str,
    /// Seconds; 0 = for ever.
    expires_in: i64,
    application: Uuid,
}

#[derive(Serialize)]
struct UserToken<'a> {
    access_token: &'a str,
    /// Seconds; 0 = for ever.
    expires_in: i64,
    user: Entity<'a>,
}

/// Issues a token.
pub(crate) async fn issue(call: &mut Call, Json(request): Json<Request>) -> Result<Answer> {
    call.ctx().rates.token_call(call.arrival.client)?;
    match request.grant_type.as_deref() {
        Some("client_credentials") => client_credentials(call, &request),
        Some("password") => password(call, request).await,
        Some("inherit") => inherit(call, &request).await,
        other => Err(Error::about(Code::GrantUnknown, other.unwrap_or_default())),
    }
}

fn client_credentials(call: &Call, request: &Request) -> Result<Answer> {
    let (id, secret) = (request.client_id.as_deref(), request.client_secret.as_deref());
    let grant = tokens::issue_to_app(call.ctx(), &call.app, id, secret, request.ttl)?;
    Answer::whole(&AppToken { access_token: &grant.token, expires_in: grant.ttl_s, application: call.app.uuid() })
}

async fn password(call: &Call, request: Request) -> Result<Answer> {
    let login = Login {
        name: request.username.as_deref().map(LoginName::Name),
        password: request.password.map(Zeroizing::new),
        ttl_s: request.ttl,
        // Only the vendor's present servers say that a name does not exist.
        tells_unknown: call.app.settings.profile == Profile::Current,
        from: call.arrival.client,
    };
    tokens::log_in(call.ctx(), &call.app, login).await.and_then(|granted| user_token(&granted))
}

async fn inherit(call: &mut Call, request: &Request) -> Result<Answer> {
    Backend::from_call(call).await?;
    let create = request.auto_create_user.unwrap_or(false);
    let granted =
        tokens::issue_for_user(call.ctx(), &call.app, request.username.as_deref(), create, request.ttl).await?;
    user_token(&granted)
}

/// `GET /sdk/users/{username}/token/expires`: when the token that is shown ends.
///
/// Quirk(easemob): it is also how an SDK shows a renewed token; nothing is said on its socket, and no device is named.
/// Source: easemob-websdk 4.21.1, `renewToken`.
pub(crate) async fn expiry(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    users::find(call.ctx(), &call.app, call.owner()).await?;
    if let Caller::User(user) = call.caller().await? {
        tokens::renew_connections(call.ctx(), &call.app, &user, call.bearer(), call.arrival.client);
    }
    // A token without end is given the longest time that clients understand.
    let ends_ms = tokens::ends_at_ms(call.bearer()).unwrap_or(FAR_FUTURE_MS);
    Answer::whole(&json!({ "expire_timestamp": ends_ms }))
}

/// 2100-01-01.
const FAR_FUTURE_MS: i64 = 4_102_444_800_000;

fn user_token((grant, user): &(Grant, Arc<User>)) -> Result<Answer> {
    Answer::whole(&UserToken { access_token: &grant.token, expires_in: grant.ttl_s, user: Entity(user) })
}
