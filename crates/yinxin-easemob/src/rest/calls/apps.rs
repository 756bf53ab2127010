//! Calls about the app itself, and the answers for what is not there. Source: docs/dialects/easemob.md.

use serde::Deserialize;
use serde_json::json;
use yinxin_core::apps::{self, AppChanges};
use yinxin_core::{Code, Error, Result};

use crate::rest::answer::Answer;
use crate::rest::body::Json;
use crate::rest::call::Call;
use crate::rest::query::Query;
use crate::rest::rights::{Anybody, Backend};

#[derive(Deserialize)]
pub(crate) struct Settings {
    allow_open_registration: Option<bool>,
}

/// `PUT /{org}/{app}`: switches between open and authorised registration.
pub(crate) async fn set(call: &mut Call, _: Backend, Json(body): Json<Settings>) -> Result<Answer> {
    let changes = AppChanges { open_registration: body.allow_open_registration, ..AppChanges::default() };
    let app = apps::change(call.ctx(), &call.app, changes).await?;
    let entity = json!({
        "uuid": app.uuid(),
        "type": "application",
        "name": format!("{}/{}", app.name.org, app.name.name),
        "created": app.created_ms,
        "modified": app.modified_ms,
        "organizationName": app.name.org,
        "applicationName": app.name.name,
        "allow_open_registration": app.settings.open_registration,
    });
    Ok(Answer::write().path("").entities(vec![entity]))
}

/// A documented call of a product that this server does not have.
pub(crate) async fn not_offered(call: &mut Call, _: Backend) -> Result<Answer> {
    tracing::debug!(path = call.path_in_app(), "a call that is not offered");
    Err(Code::NotOffered.into())
}

/// A call of a service that the web SDK knows and this server does not have: its users hear so, too.
pub(crate) async fn no_service(_: &mut Call, _: Anybody) -> Result<Answer> {
    Err(Code::NotOffered.into())
}

/// A call about a group or room. There is none of any id; what is about no certain one is a service that is not there.
pub(crate) async fn no_group(call: &mut Call, _: Anybody) -> Result<Answer> {
    let query = Query::of(call)?;
    let id = query.get("groupId").or_else(|| call.param("rest").split('/').next()).unwrap_or_default();
    if id.is_empty() || ["user", "super_admin"].contains(&id) {
        return Err(Code::NotOffered.into());
    }
    Err(Error::about(Code::GroupNotFound, id))
}

/// No such path.
pub(crate) async fn no_route(_: &mut Call) -> Result<Answer> {
    Err(Code::RouteNotFound.into())
}

/// A path that does not take the method.
pub(crate) async fn no_method(_: &mut Call) -> Result<Answer> {
    Err(Code::MethodNotAllowed.into())
}
