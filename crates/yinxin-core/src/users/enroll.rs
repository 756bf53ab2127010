//! Users as backends enroll them: with a profile, and a login token, which is a password that may be made here.

use std::sync::Arc;

use yinxin_store::tables::handles::{self, USERNAME};
use yinxin_store::tables::users;
use zeroize::Zeroizing;

use super::account::replace_password;
use super::register::{as_stored, check_length, new_user};
use super::{User, find, look_up};
use crate::apps::{self, App};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::LOGIN_TOKEN_CHARS_MAX;
use crate::names::Username;
use crate::profiles::{self, Profile};
use crate::rng;

/// A user to enroll.
pub struct Enrollment {
    /// Its name.
    pub name: Username,
    /// What it logs in with; `None`: made here.
    pub login_token: Option<Zeroizing<String>>,
    /// What it shows of itself.
    pub profile: Profile,
}

/// Enrolls a user; gives what it logs in with, which nobody can read again.
pub async fn enroll(ctx: &Ctx, app: &App, new: Enrollment) -> Result<(Arc<User>, Zeroizing<String>)> {
    profiles::check(&new.profile)?;
    let token = new.login_token.map_or_else(|| Ok(make(ctx)), checked)?;
    let exists = |name: &str| Error::about(Code::UsernameTaken, name);
    // Hashing is dear; a name that is taken already needs none. The insert decides the races.
    if look_up(ctx, app.id, new.name.as_str()).await?.is_some() {
        return Err(exists(new.name.as_str()));
    }
    let hash = ctx.passwords.hash(token.clone(), None).await?;
    let row = new_user(ctx, new.name, Some(hash), None);
    let user = as_stored(&row);
    let free = ctx
        .db
        .write((app.id, row, new.profile), |sql, (app, row, profile)| {
            Box::pin(async move {
                apps::must_exist(sql, *app).await?;
                let free = handles::claim(sql, *app, USERNAME, &row.username, row.user).await?;
                if free {
                    users::insert(sql, *app, row).await?;
                    profiles::set(sql, *app, row.user, profile).await?;
                }
                Ok::<_, Error>(free)
            })
        })
        .await?;
    if free { Ok((Arc::new(user), token)) } else { Err(exists(&user.username)) }
}

/// Gives a user another login token. All its tokens and connections end.
pub async fn set_login_token(ctx: &Ctx, app: &App, reference: &str, token: Zeroizing<String>) -> Result<()> {
    let user = find(ctx, app, reference).await?;
    replace_password(ctx, app, &user, checked(token)?).await
}

/// Gives a user another login token, made here. All its tokens and connections end.
pub async fn renew_login_token(ctx: &Ctx, app: &App, reference: &str) -> Result<Zeroizing<String>> {
    let user = find(ctx, app, reference).await?;
    let token = make(ctx);
    replace_password(ctx, app, &user, token.clone()).await?;
    Ok(token)
}

fn checked(token: Zeroizing<String>) -> Result<Zeroizing<String>> {
    if token.is_empty() {
        return Err(Code::PasswordMissing.into());
    }
    check_length(&token, LOGIN_TOKEN_CHARS_MAX)?;
    Ok(token)
}

/// 128 random bits.
fn make(ctx: &Ctx) -> Zeroizing<String> {
    Zeroizing::new(hex::encode(rng::bytes::<16>(ctx.rng.as_ref())))
}
