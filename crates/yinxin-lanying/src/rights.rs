//! Who may call what, as types: a handler that takes one cannot run without it.

use std::sync::Arc;

use yinxin_core::tokens::{self, Caller};
use yinxin_core::users::User;
use yinxin_core::{Code, Error, Result};

use crate::call::Call;

/// Anybody. A token that comes along means nothing, good or not: SDKs attach the one they have to the call by which they
/// get the next.
pub(crate) struct Anybody;

/// The app's backend, by an admin token.
pub(crate) struct Backend;

/// A user: by its own token or, by an admin token, as the header says.
pub(crate) struct Myself {
    pub user: Arc<User>,
    /// The app's backend speaks for the user.
    pub by_backend: bool,
}

/// Somebody who looks: a user, or the app's backend as a user or for itself.
pub(crate) struct Viewer {
    pub user: Option<Arc<User>>,
}

/// Whoever may make users: anybody where registration is open, else the backend.
pub(crate) struct Registrar;

/// A right that a call has or has not.
pub(crate) trait Right: Sized + Send {
    fn of(call: &Call) -> impl Future<Output = Result<Self>> + Send;
}

async fn caller(call: &Call) -> Result<Caller> {
    tokens::authenticate(&call.ctx, &call.app, call.token()).await
}

impl Right for Anybody {
    async fn of(_call: &Call) -> Result<Self> {
        Ok(Self)
    }
}

impl Right for Backend {
    async fn of(call: &Call) -> Result<Self> {
        match caller(call).await? {
            Caller::App => Ok(Self),
            Caller::User(_) => Err(Code::Forbidden.into()),
        }
    }
}

impl Right for Viewer {
    async fn of(call: &Call) -> Result<Self> {
        let user = match caller(call).await? {
            Caller::User(user) => Some(user),
            Caller::App => match call.header_number("user_id")? {
                Some(number) => Some(call.user(number).await?),
                None => None,
            },
        };
        Ok(Self { user })
    }
}

impl Right for Registrar {
    async fn of(call: &Call) -> Result<Self> {
        if call.app.settings.open_registration {
            return Ok(Self);
        }
        match caller(call).await {
            Ok(Caller::App) => Ok(Self),
            // Whose token it is, or is not, makes no difference to an app that is closed.
            Ok(Caller::User(_)) => Err(Code::RegistrationClosed.into()),
            Err(error) if error.code == Code::TokenMissing => Err(Code::RegistrationClosed.into()),
            Err(error) => Err(error),
        }
    }
}

impl Right for Myself {
    async fn of(call: &Call) -> Result<Self> {
        match caller(call).await? {
            // The headers are an admin's: with a user's own token they mean nothing. Source: lanying-token.txt.
            Caller::User(user) => Ok(Self { user, by_backend: false }),
            Caller::App => match call.header_number("user_id")? {
                Some(number) => Ok(Self { user: call.user(number).await?, by_backend: true }),
                None => Err(match call.header_number("group_id")? {
                    // There are no groups to be an admin of.
                    Some(group) => Error::about(Code::GroupNotFound, group.to_string()),
                    None => Error::about(Code::FieldIllegal, "user_id"),
                }),
            },
        }
    }
}
