//! Tokens for passwords, the three calls of the seed document. Source: lanying-token.txt.

use serde::{Deserialize, Serialize};
use yinxin_core::tokens::{self, Login};
use yinxin_core::users::{self, LoginName};
use yinxin_core::{Code, Error, file_tokens, push_tokens};
use zeroize::Zeroizing;

use crate::answer::{self, Answer};
use crate::body::Number;
use crate::call::Call;
use crate::errors::NO_SUCH_USER;
use crate::rights::Anybody;

/// What all three take.
#[derive(Deserialize)]
struct Proof {
    password: Option<String>,
    device_guid: Option<String>,
}

/// A member that has nothing to say is left out: the web SDKs fail on a null.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the wire's names")]
struct Token<'a> {
    user_id: i64,
    token: &'a str,
    /// Since 1970, in the unit that the app has chosen; a token without an end has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    expire: Option<i64>,
    /// Connections are not encrypted but by TLS.
    encrypt_type: i32,
    store_token: &'a str,
    access_key_secret: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    push_token: Option<String>,
}

/// `POST /token/user`. Quirk(lanying): the web SDK may send `mobile` in place of `name`. Source:
/// docs/dialects/lanying.md.
pub(crate) async fn by_name(call: &Call, _: Anybody) -> Answer {
    #[derive(Deserialize)]
    struct Named {
        name: Option<String>,
        mobile: Option<String>,
        #[serde(flatten)]
        proof: Proof,
    }
    let Named { name, mobile, proof } = call.json()?;
    let name = match (&name, &mobile) {
        (None, Some(mobile)) if call.app.settings.token_user_mobile => Some(LoginName::Mobile(mobile)),
        (name, _) => name.as_deref().map(LoginName::Called),
    };
    issue(call, name.ok_or_else(|| missing("name"))?, proof).await
}

/// `POST /token/id`.
pub(crate) async fn by_id(call: &Call, _: Anybody) -> Answer {
    #[derive(Deserialize)]
    struct Numbered {
        #[serde(default)]
        user_id: Number,
        #[serde(flatten)]
        proof: Proof,
    }
    let Numbered { user_id, proof } = call.json()?;
    let number = user_id.0.ok_or_else(|| missing("user_id"))?;
    issue(call, LoginName::Number(number), proof).await
}

/// `POST /token/login`.
pub(crate) async fn by_login_name(call: &Call, _: Anybody) -> Answer {
    #[derive(Deserialize)]
    struct Named {
        login_name: Option<String>,
        #[serde(flatten)]
        proof: Proof,
    }
    let Named { login_name, proof } = call.json()?;
    let name = login_name.ok_or_else(|| missing("login_name"))?;
    issue(call, LoginName::Any(&name), proof).await
}

fn missing(field: &str) -> Error {
    Error::about(Code::FieldIllegal, field)
}

async fn issue(call: &Call, name: LoginName<'_>, proof: Proof) -> Answer {
    let device = proof.device_guid.filter(|device| !device.is_empty());
    device.as_deref().map_or(Ok(()), push_tokens::check_device)?;
    let password = proof.password.map(Zeroizing::new);
    let settings = &call.app.settings;
    let tells_unknown = i64::from(NO_SUCH_USER) == settings.unknown_login_code;
    let login = Login { name: Some(name), password, ttl_s: None, tells_unknown, from: call.arrival.client };
    let (grant, user) = tokens::log_in(&call.ctx, &call.app, login).await?;
    let files = file_tokens::issue(&call.ctx, &call.app, &user, grant.ttl_s);
    answer::ok(Token {
        user_id: users::number_of(&call.ctx, &call.app, &user).await?,
        token: &grant.token,
        expire: tokens::ends_at_ms(&grant.token).map(|ms| settings.expire_unit.of_ms(ms)),
        encrypt_type: 0,
        store_token: &files.token,
        access_key_secret: &files.secret,
        push_token: device.map(|device| push_tokens::issue(&call.ctx, &call.app, &user, &device)),
    })
}
