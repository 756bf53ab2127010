//! Whom somebody else's media server lets in: it asks here, and shows that it may ask.

use std::sync::Arc;

use yinxin_token::media::admission;

use super::doors::{self, Request};
use super::names::RoomUid;
use super::tokens::{self, Admission, Privileges};
use crate::apps::{self, App};
use crate::ctx::Ctx;
use crate::error::{Code, Result};

/// The app that a media server asks for, by the key that it was given.
pub async fn authenticate(ctx: &Ctx, app_key: &str, admission_key: &str) -> Result<Arc<App>> {
    let app = apps::find_by_signing_key(ctx, app_key).await?;
    if admission::is(admission_key, &app.signing.admission_key) { Ok(app) } else { Err(Code::TokenUnknown.into()) }
}

/// Lets somebody in who may join; not whoever was made to leave the room and may not come back yet. A token that admits
/// once is used up by a success only. Who asks for the number of nobody is given another, as at our own door.
pub async fn admit(ctx: &Ctx, app: &App, request: &Request<'_>) -> Result<Admission> {
    let Request { uid, room, token, permission_key } = *request;
    permitted(ctx, app, request)?;
    let admitted = tokens::admit(ctx, app, uid, room, token, permission_key).await?;
    let uid = if uid == RoomUid::NOBODY { doors::some_uid(ctx) } else { uid };
    Ok(Admission { uid, ..admitted })
}

/// What somebody may do who has this permission key, if it may join; everything without one.
pub(super) fn permitted(ctx: &Ctx, app: &App, request: &Request<'_>) -> Result<Privileges> {
    let Some(key) = request.permission_key.filter(|key| !key.is_empty()) else { return Ok(Privileges::ALL) };
    Ok(doors::permission(ctx, app, request.uid, request.room, key)?.privileges)
}
