//! New users.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use yinxin_core::limits::REGISTER_BATCH_MAX;
use yinxin_core::names::{NameRule, Username};
use yinxin_core::sessions::device_id;
use yinxin_core::settings::{Admission, Setting};
use yinxin_core::users::{self, Registration, User};
use yinxin_core::{Code, Error, Result, push_tokens};
use zeroize::Zeroizing;

use super::settings;
use crate::answer::{self, Answer};
use crate::call::Call;
use crate::errors::{At, Manner, wire};
use crate::rights::{Backend, Registrar};

/// What the name of a user begins with who gave none.
const ANONYMOUS: &str = "anon_";

#[derive(Deserialize)]
struct NewUser {
    username: Option<String>,
    password: Option<String>,
}

impl NewUser {
    /// Of a user who may be asked by anybody, as the vendor's may. Source: docs/dialects/lanying.md. Users of other
    /// dialects have not been told so: they are asked.
    fn registration(self, call: &Call) -> Registration {
        Registration {
            username: self.username,
            password: self.password.map(Zeroizing::new),
            rule: NameRule::WORD,
            from: Some(call.arrival.client),
            settings: vec![(Setting::Admission, Admission::Open.number().to_string())],
            ..Registration::default()
        }
    }
}

async fn register(call: &Call, new: NewUser) -> Result<Arc<User>> {
    users::register(&call.ctx, &call.app, new.registration(call)).await
}

/// `POST /user/register/v2`; the answer is the settings of the new user.
pub(crate) async fn one(call: &Call, _: Registrar) -> Answer {
    let user = register(call, call.json()?).await?;
    answer::ok(settings::of(call, &user, false).await?)
}

/// `POST /user/register/anonymous`: a user under a name that is made here.
pub(crate) async fn anonymous(call: &Call, _: Registrar) -> Answer {
    let NewUser { username, password } = call.json()?;
    let prefix = username.filter(|prefix| !prefix.is_empty()).unwrap_or_else(|| ANONYMOUS.to_owned());
    let name = users::name_beginning_with(&call.ctx, &prefix);
    let user = register(call, NewUser { username: Some(name), password }).await?;
    let mut shown = settings::of(call, &user, false).await?;
    shown.insert("username".to_owned(), user.username.clone().into());
    answer::ok(shown)
}

/// `POST /user/register/push`: a user with a device that is pushed to. The device is the one that is named, or the one that
/// a push token of whoever used it before names; `sign` is nothing that anybody has explained.
pub(crate) async fn push(call: &Call, _: Registrar) -> Answer {
    #[derive(Deserialize)]
    struct NewPushUser {
        #[serde(flatten)]
        user: NewUser,
        alias: Option<String>,
        device_guid: Option<String>,
        push_token: Option<String>,
    }
    let NewPushUser { user, alias, device_guid, push_token } = call.json()?;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let device = match (given(device_guid), given(push_token)) {
        (None, Some(token)) => Some(push_tokens::open(&call.ctx, &call.app, &token).await?.1),
        (device, _) => device,
    };
    device.as_deref().map_or(Ok(()), push_tokens::check_device)?;
    let id = device.as_deref().map(device_id).unwrap_or_default();
    let alias = given(alias).map(|alias| (id, alias));
    let user = users::register(&call.ctx, &call.app, Registration { alias, ..user.registration(call) }).await?;
    let mut shown = settings::of(call, &user, false).await?;
    let token = device.map(|device| push_tokens::issue(&call.ctx, &call.app, &user, &device));
    shown.extend(token.map(|token| ("push_token".to_owned(), token.into())));
    answer::ok(shown)
}

/// What became of one of many.
#[derive(Serialize)]
struct Outcome {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<i64>,
    username: String,
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// `POST /user/register/batch`.
pub(crate) async fn batch(call: &Call, _: Backend) -> Answer {
    #[derive(Deserialize)]
    struct Batch {
        list: Option<Vec<NewUser>>,
    }
    let list = call.json::<Batch>()?.list.ok_or_else(|| Error::about(Code::FieldIllegal, "list"))?;
    if list.len() > REGISTER_BATCH_MAX {
        return Err(Error::about(Code::FieldIllegal, "list").with_limit(REGISTER_BATCH_MAX));
    }
    let mut outcomes = Vec::with_capacity(list.len());
    for new in list {
        let username = new.username.clone().unwrap_or_default();
        let registered = match register(call, new).await {
            Ok(user) => number(call, &user).await,
            Err(error) => Err(error),
        };
        outcomes.push(match registered {
            Ok(user_id) => Outcome { user_id: Some(user_id), username, success: true, reason: None },
            Err(error) => Outcome { user_id: None, username, success: false, reason: Some(reason(error)?) },
        });
    }
    answer::ok(outcomes)
}

async fn number(call: &Call, user: &User) -> Result<i64> {
    users::number_of(&call.ctx, &call.app, user).await
}

/// Why one of many failed. What is no caller's fault fails all.
pub(crate) fn reason(error: Error) -> Result<String> {
    let wire = wire(Manner::of(At::Call, None), &error);
    if wire.status == 200 { Ok(wire.message.into_owned()) } else { Err(error) }
}

/// `GET /app/user/name_check`: whether a name may be had, for whoever may register. Counted with the calls for tokens:
/// where registration is open, anybody may ask which names there are.
pub(crate) async fn name_check(call: &Call, _: Registrar) -> Answer {
    call.ctx.rates.token_call(call.arrival.client)?;
    let name = Username::parse_by(NameRule::WORD, call.query.required("username")?)?;
    let taken = users::look_up(&call.ctx, call.app.id, name.as_str()).await?.is_some();
    if taken { Err(Code::UsernameTaken.into()) } else { answer::done() }
}
