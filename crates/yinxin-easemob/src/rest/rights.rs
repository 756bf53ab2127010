//! The right to do something, as the type of a handler's argument. A handler that takes one cannot run without it.

use yinxin_core::apps::Profile;
use yinxin_core::messages;
use yinxin_core::tokens::Caller;
use yinxin_core::users::User;
use yinxin_core::{Code, Result};

use super::call::Call;

/// Something a handler takes from its call before it runs; the arguments are taken in order.
pub(crate) trait FromCall: Sized {
    /// Takes it, or says why not.
    async fn from_call(call: &mut Call) -> Result<Self>;
}

/// The app's backend, and nobody else.
pub(crate) struct Backend;

impl FromCall for Backend {
    async fn from_call(call: &mut Call) -> Result<Self> {
        match call.caller().await? {
            Caller::App => Ok(Self),
            Caller::User(_) => Err(call.refused(Code::Forbidden).await?),
        }
    }
}

/// The app's backend, or the user that the path names.
pub(crate) struct SelfOrBackend {
    is_backend: bool,
}

impl SelfOrBackend {
    /// Through what the user does what it does; `device`: what it calls itself, if it says so.
    pub fn by(self, device: Option<&str>) -> messages::By<'_> {
        let device = messages::By::Device(device.unwrap_or_default());
        if self.is_backend { messages::By::Backend } else { device }
    }
}

impl FromCall for SelfOrBackend {
    async fn from_call(call: &mut Call) -> Result<Self> {
        match call.caller().await? {
            Caller::App => Ok(Self { is_backend: true }),
            Caller::User(user) if names(&user, call.owner()) => Ok(Self { is_backend: false }),
            Caller::User(_) => Err(call.refused(Code::Forbidden).await?),
        }
    }
}

/// The app's backend or any of its users.
pub(crate) struct Anybody;

impl FromCall for Anybody {
    async fn from_call(call: &mut Call) -> Result<Self> {
        call.caller().await.map(|_| Self)
    }
}

/// The app's backend or any of its users, and which of them.
pub(crate) struct By(pub Caller);

impl FromCall for By {
    async fn from_call(call: &mut Call) -> Result<Self> {
        call.caller().await.map(Self)
    }
}

/// Whoever shows a token of the app, or none; a token that is shown must be good.
pub(crate) struct PerhapsBy(pub Option<Caller>);

impl FromCall for PerhapsBy {
    async fn from_call(call: &mut Call) -> Result<Self> {
        if call.bearer().is_empty() { Ok(Self(None)) } else { call.caller().await.map(|caller| Self(Some(caller))) }
    }
}

/// Readers of user attributes: anybody of the app and, in the newer profile, the world.
pub(crate) struct AttributeReader;

impl FromCall for AttributeReader {
    async fn from_call(call: &mut Call) -> Result<Self> {
        match call.app.settings.profile {
            Profile::Current => Ok(Self),
            Profile::Seed => Anybody::from_call(call).await.map(|_| Self),
        }
    }
}

/// Whether a path's user is that one: by name in any case, or by id.
fn names(user: &User, reference: &str) -> bool {
    reference.eq_ignore_ascii_case(&user.username)
        || uuid::Uuid::try_parse(reference).is_ok_and(|uuid| uuid.into_bytes() == user.user.0)
}
