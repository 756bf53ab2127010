//! Ban, unban, kick. Source: easemob-user-system.txt, 账号禁用与解禁, 强制下线; per device: docs/dialects/easemob.md.

use std::sync::Arc;

use serde_json::json;
use yinxin_core::{Code, Error, Result, users};

use crate::rest::answer::Answer;
use crate::rest::call::Call;
use crate::rest::rights::Backend;

/// `POST /users/{username}/deactivate`. The body, if any, means nothing.
pub(crate) async fn deactivate(call: &mut Call, _: Backend) -> Result<Answer> {
    let banned = users::ban(call.ctx(), &call.app, call.owner()).await.map_err(|error| match error.code {
        // Quirk(easemob): the text of this error names the app, not the user.
        Code::UserNotFound => Error::about(Code::UserNotFound, call.app.uuid().to_string()),
        _ => error,
    })?;
    Ok(Answer::action("Deactivate user").user(Arc::new(banned)))
}

/// `POST /users/{username}/activate`.
pub(crate) async fn activate(call: &mut Call, _: Backend) -> Result<Answer> {
    users::lift_ban(call.ctx(), &call.app, call.owner()).await?;
    Ok(Answer::action("activate user"))
}

/// `GET /users/{username}/disconnect`.
pub(crate) async fn disconnect(call: &mut Call, _: Backend) -> Result<Answer> {
    users::kick(call.ctx(), &call.app, call.owner(), None).await?;
    Ok(Answer::read().data(json!({ "result": true })))
}

/// `DELETE /users/{username}/disconnect/{resource}`: one device. Older clients ask for the same by `GET`.
pub(crate) async fn disconnect_device(call: &mut Call, _: Backend) -> Result<Answer> {
    users::kick(call.ctx(), &call.app, call.owner(), Some(call.param("resource"))).await?;
    Ok(Answer::write().data(json!({ "result": true })))
}
