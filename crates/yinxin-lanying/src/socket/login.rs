//! The first frame: who it is, and whether it may come in.

use std::sync::Arc;

use yinxin_core::hooks::Known;
use yinxin_core::sessions::Device;
use yinxin_core::tokens::{self, Caller};
use yinxin_core::users::{self, User};
use yinxin_core::{App, Code, Ctx, Error};
use yinxin_floo::frame::Login;
use yinxin_floo::wire::{ErrorCode, OsType, Xid};
use yinxin_realtime::Refused as Full;

use super::people;

/// Bytes of what a device calls itself.
const DEVICE_BYTES_MAX: usize = 256;

/// A connection's user.
pub(super) struct Identity {
    pub app: Arc<App>,
    pub user: Arc<User>,
    pub device: Device,
    /// The user and the device in numbers.
    pub xid: Xid,
    /// What it runs on.
    pub platform: &'static str,
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
    As(ErrorCode, &'static str),
    /// Our fault; the client may try again.
    Broken(Error),
}

/// What a client hears about a token that is not good, whatever is wrong with it.
const INVALID_TOKEN: Refused = Refused::As(ErrorCode::InvalidToken, "the token is not valid: log in again");

impl From<Full> for Refused {
    fn from(full: Full) -> Self {
        let code = match full {
            Full::UserFull => ErrorCode::TooManyDevices,
            Full::ServerFull => ErrorCode::Fail,
        };
        Self::As(code, full.text())
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match error.code {
            Code::TokenExpired => Self::As(ErrorCode::InvalidToken, "the token has ended: log in again"),
            Code::TokenMissing | Code::TokenCorrupt | Code::TokenUnknown | Code::AppNotFound | Code::AppNameIllegal => {
                INVALID_TOKEN
            }
            _ => Self::Broken(error),
        }
    }
}

/// Finds out who logs in. The frame names no app: the token does.
pub(super) async fn identify(ctx: &Ctx, login: &Login) -> Result<Identity, Refused> {
    let token = login.token.as_str();
    let app = tokens::app_of(ctx, token).await?;
    let user = match tokens::authenticate(ctx, &app, token).await {
        Ok(Caller::User(user)) => user,
        Ok(Caller::App) => return Err(INVALID_TOKEN),
        Err(error) if error.code == Code::TokenUnknown && tokens::is_of_banned_user(ctx, &app, token).await? => {
            return Err(Refused::As(ErrorCode::UserFrozen, "the user is disabled"));
        }
        Err(error) => return Err(error.into()),
    };
    let number = users::number_of(ctx, &app, &user).await?.cast_unsigned();
    // The token decides who it is; a client that believes to be another is told.
    if login.provision.xid.is_none_or(|xid| xid.uid != number) {
        return Err(INVALID_TOKEN);
    }
    let device = device(login, ctx.clock.now_ms());
    let device = device.ok_or(Refused::As(ErrorCode::InvalidParameter, "device_guid has 1 to 256 bytes"))?;
    let xid = Xid { uid: number, device_sn: people::device_number(&device.resource) };
    let platform = platform(login.provision.os_type);
    Ok(Identity { app, user, device, xid, platform, ends_ms: tokens::ends_at_ms(token) })
}

fn device(login: &Login, since_ms: i64) -> Option<Device> {
    let provision = &login.provision;
    let guid = &provision.device_guid;
    if guid.is_empty() || guid.len() > DEVICE_BYTES_MAX || guid.contains('\0') {
        return None;
    }
    Some(Device {
        resource: guid.clone(),
        device_uuid: guid.clone(),
        device_name: provision.device_info.chars().take(DEVICE_BYTES_MAX).collect(),
        // The device that it displaces learns by this whether it is the same.
        note: guid.clone(),
        since_ms,
    })
}

fn platform(os_type: i32) -> &'static str {
    match OsType::try_from(os_type) {
        Ok(OsType::Ios) => "ios",
        Ok(OsType::Android) => "android",
        Ok(OsType::Windows) => "windows",
        Ok(OsType::Osx) => "mac",
        Ok(OsType::Linux) => "linux",
        Ok(OsType::Web | OsType::Unknown) | Err(_) => "web",
    }
}
