//! `/nrtc/admit`: may this one come in? For any media server's own hook, or the program that decides for it.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use yinxin_core::rates::Bucket;
use yinxin_core::rooms::doors::Request;
use yinxin_core::rooms::{RoomName, admission};
use yinxin_core::{App, Code, Ctx, Error, Result};

use super::body::{self, Privileges, Uid};
use super::call::Call;
use crate::answer::{self, Answer};
use crate::signing;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    app_key: Option<String>,
    uid: Option<Uid>,
    #[serde(default)]
    room: String,
    token: Option<String>,
    perm_key: Option<String>,
}

#[derive(Serialize)]
struct Admitted<'a> {
    uid: u64,
    room: &'a str,
    privileges: Privileges,
    /// When it must leave, Unix seconds.
    expires_at: Option<i64>,
}

/// Lets somebody in, or says why not.
pub(super) async fn admit(mut call: Call) -> Answer {
    let app = caller(call.ctx(), &call.parts.headers).await?;
    call.ctx().rates.call(app.id, Bucket::Tokens)?;
    let asked: Asked = body::read(&call.body().await?)?;
    if asked.app_key.as_ref().is_some_and(|key| *key != app.signing.key) {
        return Err(Error::about(Code::FieldIllegal, "app_key is not that of the header AppKey"));
    }
    let room = RoomName::parse(&asked.room)?;
    let request = Request {
        uid: Uid::parse(asked.uid.as_ref())?,
        room: &room,
        token: asked.token.as_deref(),
        permission_key: asked.perm_key.as_deref(),
    };
    let admitted = admission::admit(call.ctx(), &app, &request).await?;
    answer::ok(Admitted {
        uid: admitted.uid.get(),
        room: admitted.room.as_str(),
        privileges: admitted.privileges.into(),
        expires_at: admitted.until_ms.map(|until_ms| until_ms.div_euclid(1000)),
    })
}

/// The app that is asked for: by its admission key, if there is one, or else by a signature.
async fn caller(ctx: &Ctx, headers: &HeaderMap) -> Result<Arc<App>> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
    match authorization {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => {
            admission::authenticate(ctx, signing::app_key(headers), key.trim()).await
        }
        _ => signing::authenticate(ctx, headers).await,
    }
}
