//! Names of devices for pushes, which a device gets at its login and shows to the app's backend.

use std::sync::Arc;

use yinxin_store::UserId;
use yinxin_token::push_token;

use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{PUSH_TEXT_BYTES_MAX, PUSH_TOKEN_BYTES_MAX};
use crate::users::{self, User};

/// The rule for a device's own id.
pub fn check_device(device: &str) -> Result<()> {
    if device.len() > PUSH_TEXT_BYTES_MAX {
        return Err(Error::about(Code::FieldIllegal, "device_guid").with_limit(PUSH_TEXT_BYTES_MAX));
    }
    Ok(())
}

/// The name of that device of a user: the same each time.
pub fn issue(ctx: &Ctx, app: &App, user: &User, device: &str) -> String {
    push_token::seal(ctx.keys.push_tokens(), &app.id.0, &user.user.0, device)
}

/// The user and the device that a token of this app names.
pub async fn open(ctx: &Ctx, app: &App, token: &str) -> Result<(Arc<User>, String)> {
    let illegal = || Error::about(Code::FieldIllegal, "push_token");
    if token.len() > PUSH_TOKEN_BYTES_MAX {
        return Err(illegal());
    }
    let (user, device) = push_token::open(ctx.keys.push_tokens(), &app.id.0, token).ok_or_else(illegal)?;
    let user = users::by_id(ctx, app.id, UserId(user)).await?.ok_or_else(illegal)?;
    Ok((user, device))
}
