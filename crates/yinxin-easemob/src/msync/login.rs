//! The first frame: who it is, and whether it may come in.

use std::sync::Arc;

use yinxin_core::hooks::Known;
use yinxin_core::names::AppName;
use yinxin_core::sessions::Device;
use yinxin_core::tokens::{self, Caller};
use yinxin_core::users::User;
use yinxin_core::{App, Code, Ctx, Error, apps};
use yinxin_msync::LoginRefusal;
use yinxin_msync::frame::Login;
use yinxin_realtime::Refused as Full;

/// Bytes of a device's resource name.
const RESOURCE_BYTES_MAX: usize = 256;

/// A connection's user.
pub(super) struct Identity {
    pub app: Arc<App>,
    pub user: Arc<User>,
    pub device: Device,
    /// When the token ends.
    pub ends_ms: Option<i64>,
}

impl Identity {
    /// Whose connection it is, for the app's backend.
    pub fn known(&self) -> Known<'_> {
        Known { app: &self.app, user: &self.user, device: &self.device }
    }
}

/// Why a login was refused.
pub(super) enum Refused {
    /// In the vendor's words.
    As(LoginRefusal<'static>),
    /// Our fault; the client may try again.
    Broken(Error),
}

impl From<Full> for Refused {
    fn from(full: Full) -> Self {
        Self::As(match full {
            Full::UserFull => LoginRefusal::TooManyDevices,
            Full::ServerFull => LoginRefusal::OnlineLimit,
        })
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match error.code {
            Code::TokenExpired => Self::As(LoginRefusal::TokenExpired),
            Code::TokenMissing | Code::TokenCorrupt | Code::TokenUnknown | Code::AppNotFound | Code::AppNameIllegal => {
                Self::As(LoginRefusal::InvalidToken)
            }
            _ => Self::Broken(error),
        }
    }
}

/// Finds out who logs in.
pub(super) async fn identify(ctx: &Ctx, login: &Login) -> Result<Identity, Refused> {
    let name = AppName::parse(login.guid.app_key.as_deref().unwrap_or_default())?;
    let app = apps::find(ctx, &name.org, &name.name).await?;
    let token = token(login);
    let user = match tokens::authenticate(ctx, &app, token).await {
        Ok(Caller::User(user)) => user,
        Ok(Caller::App) => return Err(Refused::As(LoginRefusal::InvalidToken)),
        Err(error) if error.code == Code::TokenUnknown && tokens::is_of_banned_user(ctx, &app, token).await? => {
            return Err(Refused::As(LoginRefusal::Disabled));
        }
        Err(error) => return Err(error.into()),
    };
    // The token decides who it is; a client that believes to be another is told.
    if !login.guid.name.as_deref().unwrap_or_default().eq_ignore_ascii_case(&user.username) {
        return Err(Refused::As(LoginRefusal::InvalidToken));
    }
    let device = device(login, ctx.clock.now_ms()).ok_or(Refused::As(LoginRefusal::WrongParameter))?;
    Ok(Identity { app, user, device, ends_ms: tokens::ends_at_ms(token) })
}

/// What the client shows, perhaps nothing.
pub(super) fn token(login: &Login) -> &str {
    login.token.as_ref().map_or("", |token| token.as_str())
}

fn device(login: &Login, since_ms: i64) -> Option<Device> {
    let provision = &login.provision;
    let named = provision.resource.as_ref().or(login.guid.client_resource.as_ref());
    let resource = named.filter(|name| !name.is_empty() && name.len() <= RESOURCE_BYTES_MAX && !name.contains('\0'))?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default().chars().take(RESOURCE_BYTES_MAX).collect();
    Some(Device {
        resource: resource.clone(),
        device_uuid: text(&provision.device_uuid),
        device_name: text(&provision.device_name),
        note: text(&provision.reason),
        since_ms,
    })
}
