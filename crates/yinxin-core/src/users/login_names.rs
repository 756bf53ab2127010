//! What a user logs in by beside its name: a telephone number, a mail address, the name it is called by. Each belongs to
//! one user of an app, and may change.

use std::sync::Arc;

use yinxin_store::tables::handles::{self, EMAIL, MOBILE, NUMERIC_ID, USERNAME};
use yinxin_store::tables::users;
use yinxin_store::{AppId, UserId};

use super::{User, id_in, is_number, must_exist};
use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{EMAIL_BYTES_MAX, MOBILE_DIGITS_MAX, MOBILE_DIGITS_MIN, USERNAME_BYTES_MAX};
use crate::names::{NameRule, Username};
use crate::rng;

/// By what somebody logs in, as spelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoginName<'a> {
    /// The name of a user, the first or the one it took since.
    Name(&'a str),
    /// What a user is called now: where names change, the old one is nobody's.
    Called(&'a str),
    /// The number of a user.
    Number(i64),
    /// Any of: mail address, telephone number, what a user is called. What has an `@` is an address, what is digits a
    /// telephone number; a user whose name looks like one of these is found when nobody has it as such.
    Any(&'a str),
    /// A telephone number.
    Mobile(&'a str),
}

impl LoginName<'_> {
    /// The spelling under which tries are counted.
    pub(crate) fn folded(self) -> String {
        match self {
            Self::Name(text) | Self::Called(text) | Self::Any(text) | Self::Mobile(text) => text.to_ascii_lowercase(),
            Self::Number(number) => format!("#{number}"),
        }
    }

    pub(crate) fn is_empty(self) -> bool {
        match self {
            Self::Name(text) | Self::Called(text) | Self::Any(text) | Self::Mobile(text) => text.is_empty(),
            Self::Number(_) => false,
        }
    }

    /// What is looked for, in the order in which it counts.
    fn keys(self) -> Vec<Key> {
        let possible = |text: &str| {
            let is_possible = !text.is_empty() && text.len() <= USERNAME_BYTES_MAX && !text.contains('\0');
            is_possible.then(|| text.to_ascii_lowercase())
        };
        let called = |text: &str| possible(text).map(Key::Called);
        let bound = |bound: Result<Bound>| bound.ok().map(|bound| Key::Handle(bound.kind, bound.text));
        match self {
            Self::Name(text) => {
                let id = id_in(text).map(Key::Id);
                possible(text).map(|name| Key::Handle(USERNAME, name)).into_iter().chain(id).collect()
            }
            Self::Called(text) => called(text).into_iter().collect(),
            Self::Number(number) => {
                is_number(number).then(|| Key::Handle(NUMERIC_ID, number.to_string())).into_iter().collect()
            }
            Self::Mobile(text) => bound(Bound::mobile(text)).into_iter().collect(),
            Self::Any(text) => {
                let is_email = text.contains('@');
                let other = bound(if is_email { Bound::email(text) } else { Bound::mobile(text) });
                other.into_iter().chain(called(text)).collect()
            }
        }
    }

    /// Whose it is. Read each time, and all of it, whether it is somebody's or nobody's and whoever is in memory: the
    /// work that a login takes tells nothing.
    pub(crate) async fn owner(self, ctx: &Ctx, app: AppId) -> Result<Option<Arc<User>>> {
        let found = ctx
            .db
            .read((app, self.keys()), |sql, (app, keys)| {
                Box::pin(async move {
                    let mut found = None;
                    for key in keys {
                        let user = match key {
                            Key::Handle(kind, text) => users::by_handle(sql, *app, kind, text).await?,
                            Key::Called(name) => {
                                let user = users::by_handle(sql, *app, USERNAME, name).await?;
                                user.filter(|user| user.called() == name)
                            }
                            Key::Id(id) => users::by_id(sql, *app, *id).await?,
                        };
                        found = found.or(user);
                    }
                    Ok::<_, Error>(found)
                })
            })
            .await?;
        Ok(found.map(Arc::new))
    }
}

/// Something by which one user can be found.
enum Key {
    /// A name of a kind.
    Handle(&'static str, String),
    /// The name that it is called by now.
    Called(String),
    Id(UserId),
}

/// Who logs in by that.
pub async fn logging_in_by(ctx: &Ctx, app: &App, name: LoginName<'_>) -> Result<Option<Arc<User>>> {
    name.owner(ctx, app.id).await
}

/// A name that nobody has, for a user who gives none.
pub fn name_beginning_with(ctx: &Ctx, prefix: &str) -> String {
    format!("{prefix}{}", hex::encode(rng::bytes::<8>(ctx.rng.as_ref())))
}

/// A name to bind, checked and folded.
struct Bound {
    kind: &'static str,
    text: String,
}

impl Bound {
    /// Digits, with or without a plus before them: the same telephone either way.
    fn mobile(text: &str) -> Result<Self> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let is_mobile = (MOBILE_DIGITS_MIN..=MOBILE_DIGITS_MAX).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_mobile {
            Ok(Self { kind: MOBILE, text: digits.to_owned() })
        } else {
            Err(Error::about(Code::FieldIllegal, "mobile").with_limit(MOBILE_DIGITS_MAX))
        }
    }

    /// One `@` between two parts that can be seen, in any case.
    fn email(text: &str) -> Result<Self> {
        let parts = text.split_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty());
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() || !byte.is_ascii());
        let is_email = parts.is_some_and(|(_, host)| !host.contains('@')) && is_plain;
        if is_email && text.len() <= EMAIL_BYTES_MAX {
            Ok(Self { kind: EMAIL, text: text.to_lowercase() })
        } else {
            Err(Error::about(Code::FieldIllegal, "email").with_limit(EMAIL_BYTES_MAX))
        }
    }
}

/// What a user logs in by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginNames {
    /// Telephone number.
    pub mobile: Option<String>,
    /// Mail address.
    pub email: Option<String>,
}

/// What a user logs in by beside its name.
pub async fn login_names(ctx: &Ctx, app: &App, user: &User) -> Result<LoginNames> {
    let known = ctx
        .db
        .read((app.id, user.user), |sql, (app, user)| {
            Box::pin(async move { Ok::<_, Error>(handles::of_user(sql, *app, *user).await?) })
        })
        .await?;
    let mut names = LoginNames::default();
    for (kind, text) in known {
        match kind.as_str() {
            MOBILE => names.mobile = Some(text),
            EMAIL => names.email = Some(text),
            _ => {}
        }
    }
    Ok(names)
}

/// Has a user log in by a telephone number, in place of the one before.
pub async fn bind_mobile(ctx: &Ctx, app: &App, user: &User, text: &str) -> Result<()> {
    bind(ctx, app, user, Bound::mobile(text)?).await
}

/// Has a user log in by a mail address, in place of the one before.
pub async fn bind_email(ctx: &Ctx, app: &App, user: &User, text: &str) -> Result<()> {
    bind(ctx, app, user, Bound::email(text)?).await
}

/// Has a user called by another name, in place of the one it took before; or by its own again. Its own stays kept for it,
/// since messages and rules know the user by that; the one before is anybody's again.
pub async fn rename(ctx: &Ctx, app: &App, user: &User, text: &str) -> Result<()> {
    let own = text.to_ascii_lowercase() == user.username;
    let name = if own { None } else { Some(Username::parse_by(NameRule::WORD, text)?.into_string()) };
    ctx.db
        .write((app.id, user.user, name), |sql, (app, user, name)| {
            Box::pin(async move {
                let known = users::by_id(sql, *app, *user).await?.ok_or(Code::UserNotFound)?;
                if known.called == *name {
                    return Ok(());
                }
                if let Some(name) = name
                    && !handles::claim(sql, *app, USERNAME, name, *user).await?
                {
                    return Err(Error::about(Code::UsernameTaken, name));
                }
                if let Some(old) = &known.called {
                    handles::give_up(sql, *app, USERNAME, old, *user).await?;
                }
                Ok(users::set_called(sql, *app, *user, name.as_deref()).await?)
            })
        })
        .await
}

async fn bind(ctx: &Ctx, app: &App, user: &User, bound: Bound) -> Result<()> {
    ctx.db
        .write((app.id, user.user, bound), |sql, (app, user, bound)| {
            Box::pin(async move {
                must_exist(sql, *app, *user).await?;
                handles::release(sql, *app, bound.kind, *user).await?;
                let free = handles::claim(sql, *app, bound.kind, &bound.text, *user).await?;
                free.then_some(()).ok_or_else(|| Error::about(Code::LoginNameTaken, &bound.text))
            })
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::Bound;

    #[test]
    fn telephone_numbers_are_digits_and_addresses_have_two_parts() {
        let mobile = |text: &str| Bound::mobile(text).map(|bound| bound.text).ok();
        assert_eq!(mobile("+8613800000000"), mobile("8613800000000"));
        for bad in ["", "+", "123", "1380000000a", "++8613800000000", "123456789012345678901"] {
            assert_eq!(mobile(bad), None, "{bad}");
        }
        let email = |text: &str| Bound::email(text).map(|bound| bound.text).ok();
        assert_eq!(email("Ann@Example.COM").as_deref(), Some("ann@example.com"));
        for bad in ["", "@", "a@", "@b", "a@b@c", "a b@c", "a", "a\0@b"] {
            assert_eq!(email(bad), None, "{bad}");
        }
    }
}
