//! Accounts by accid: made, given another login token, banned. An accid is the name of the one user, whichever dialect
//! made it. Source: docs/dialects/netease.md.

use serde::Serialize;
use yinxin_core::Code;
use yinxin_core::names::{NameRule, Username};
use yinxin_core::users::{self, Enrollment};
use zeroize::Zeroizing;

use super::call::Call;
use super::profiles;
use crate::answer::{self, Answer};

#[derive(Serialize)]
struct Info<'a> {
    info: Account<'a>,
}

#[derive(Serialize)]
struct Account<'a> {
    token: &'a str,
    accid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

/// `user/create.action`.
pub(super) async fn create(call: &Call) -> Answer {
    let spelled = call.form.filled("accid").ok_or(Code::UsernameMissing)?;
    let name = Username::parse_by(NameRule::SHORT, spelled)?;
    let new = Enrollment { name, login_token: token(call), profile: profiles::given(call) };
    let (user, token) = users::enroll(call.ctx(), &call.app, new).await.map_err(profiles::by_its_name)?;
    let name = Some(call.form.get("name").unwrap_or_default());
    answer::ok(Info { info: Account { token: &token, accid: &user.username, name } })
}

/// `user/update.action`: another login token, if one is given. `props` is given no meaning; nothing shows it.
pub(super) async fn update(call: &Call) -> Answer {
    let name = call.accid()?;
    match token(call) {
        Some(token) => users::set_login_token(call.ctx(), &call.app, name.as_str(), token).await?,
        None => drop(users::find(call.ctx(), &call.app, name.as_str()).await?),
    }
    Ok(answer::done())
}

/// `user/refreshToken.action`.
pub(super) async fn refresh_token(call: &Call) -> Answer {
    let name = call.accid()?;
    let token = users::renew_login_token(call.ctx(), &call.app, name.as_str()).await?;
    answer::ok(Info { info: Account { token: &token, accid: name.as_str(), name: None } })
}

/// `user/block.action`. Connections are closed whatever `needkick` says: who is banned stays nowhere.
pub(super) async fn block(call: &Call) -> Answer {
    let name = call.accid()?;
    // Quirk(netease): spelled in two ways. Source: docs/dialects/netease.md.
    for switch in ["needkick", "needKick", "needUnbindPushToken"] {
        call.form.switch(switch)?;
    }
    users::ban(call.ctx(), &call.app, name.as_str()).await?;
    Ok(answer::done())
}

/// `user/unblock.action`.
pub(super) async fn unblock(call: &Call) -> Answer {
    users::lift_ban(call.ctx(), &call.app, call.accid()?.as_str()).await?;
    Ok(answer::done())
}

fn token(call: &Call) -> Option<Zeroizing<String>> {
    call.form.filled("token").map(|token| Zeroizing::new(token.to_owned()))
}
