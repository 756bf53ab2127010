//! Accounts: what they log in by, their passwords, their end, and what a backend does with many.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yinxin_core::limits::{LISTED_BY_NUMBER_MAX, USER_PAGE_MAX, USERS_NAMED_MAX};
use yinxin_core::users;
use yinxin_core::{Code, Error, Result};
use zeroize::Zeroizing;

use crate::answer::{self, Answer};
use crate::body::Number;
use crate::call::Call;
use crate::rights::{Backend, Myself};

/// `POST /user/mobile?mobile=`.
pub(crate) async fn bind_mobile(call: &Call, me: Myself) -> Answer {
    users::bind_mobile(&call.ctx, &call.app, &me.user, call.query.required("mobile")?).await?;
    answer::done()
}

/// `POST /user/email?email=`.
pub(crate) async fn bind_email(call: &Call, me: Myself) -> Answer {
    users::bind_email(&call.ctx, &call.app, &me.user, call.query.required("email")?).await?;
    answer::done()
}

/// `POST /user/username?username=`.
pub(crate) async fn rename(call: &Call, me: Myself) -> Answer {
    users::rename(&call.ctx, &call.app, &me.user, call.query.required("username")?).await?;
    answer::done()
}

/// `POST /user/change_password`.
pub(crate) async fn change_password(call: &Call, me: Myself) -> Answer {
    #[derive(Deserialize)]
    struct Passwords {
        old_password: Option<String>,
        new_password: Option<String>,
    }
    let Passwords { old_password, new_password } = call.json()?;
    let [old, new] = [old_password, new_password].map(|password| password.map(Zeroizing::new));
    users::change_own_password(&call.ctx, &call.app, &me.user, old, new, call.arrival.client).await?;
    answer::done()
}

#[derive(Deserialize)]
struct Password {
    password: Option<String>,
}

/// `POST /user/change_password_admin`.
pub(crate) async fn change_password_admin(call: &Call, me: Myself) -> Answer {
    if !me.by_backend {
        return Err(Code::Forbidden.into());
    }
    let password = call.json::<Password>()?.password.map(Zeroizing::new);
    users::set_password(&call.ctx, &call.app, &me.user.username, password).await?;
    answer::done()
}

/// `POST /user/delete`: a user by its password, a backend without.
pub(crate) async fn delete(call: &Call, me: Myself) -> Answer {
    let password = call.json::<Password>()?.password.map(Zeroizing::new);
    if me.by_backend {
        users::delete(&call.ctx, &call.app, &me.user.username).await?;
    } else {
        users::delete_oneself(&call.ctx, &call.app, &me.user, password, call.arrival.client).await?;
    }
    answer::done()
}

/// The users that a body names, all of whom must exist.
async fn named(call: &Call) -> Result<Vec<std::sync::Arc<users::User>>> {
    #[derive(Deserialize)]
    struct Named {
        list: Option<Vec<Number>>,
    }
    let list = call.json::<Named>()?.list.ok_or_else(|| Error::about(Code::FieldIllegal, "list"))?;
    if list.len() > USERS_NAMED_MAX {
        return Err(Error::about(Code::FieldIllegal, "list").with_limit(USERS_NAMED_MAX));
    }
    let mut found = Vec::with_capacity(list.len());
    for Number(number) in list {
        found.push(call.user(number.unwrap_or_default()).await?);
    }
    Ok(found)
}

/// `PUT /user/disable`: a ban, which is one in every dialect.
pub(crate) async fn disable(call: &Call, _: Backend) -> Answer {
    for user in named(call).await? {
        users::ban(&call.ctx, &call.app, &user.username).await?;
    }
    answer::done()
}

/// `PUT /user/enable`.
pub(crate) async fn enable(call: &Call, _: Backend) -> Answer {
    for user in named(call).await? {
        users::lift_ban(&call.ctx, &call.app, &user.username).await?;
    }
    answer::done()
}

/// `GET /user/list`: pages by number, as the vendor has it, or by the cursor of the page before, which reads no more than
/// it gives.
pub(crate) async fn list(call: &Call, _: Backend) -> Answer {
    #[derive(Serialize)]
    struct Listed {
        user_id: i64,
        username: String,
        /// 0 enabled, 1 disabled.
        status: u8,
    }
    let size = call.query.number("page_size")?.unwrap_or(USER_PAGE_MAX);
    let number = call.query.number("page_num")?.unwrap_or(1).max(1);
    let illegal = |what: &str| Error::about(Code::FieldIllegal, what);
    if !(1..=USER_PAGE_MAX).contains(&size) {
        return Err(illegal("page_size").with_limit(USER_PAGE_MAX));
    }
    let cursor = call.query.get("cursor");
    let mut from = cursor.map(Uuid::try_parse).transpose().map_err(|_| illegal("cursor"))?;
    let before = if cursor.is_some() { 0 } else { number - 1 };
    if before.saturating_mul(size) > LISTED_BY_NUMBER_MAX {
        return Err(illegal("page_num; use cursor").with_limit(LISTED_BY_NUMBER_MAX / size));
    }
    let (ctx, app) = (&call.ctx, &call.app);
    for _ in 0..before {
        match users::list(ctx, app, from, None, size).await?.next {
            Some(next) => from = Some(Uuid::from_bytes(next.0)),
            None => return answer::ok([(); 0]),
        }
    }
    let page = users::list(ctx, app, from, None, size).await?;
    let numbers = users::numbers_of(ctx, app, page.users.iter().map(|user| user.user).collect()).await?;
    let listed = page.users.into_iter().filter_map(|user| {
        let (_, user_id) = numbers.iter().find(|(known, _)| *known == user.user)?;
        Some(Listed { user_id: *user_id, username: user.called().to_owned(), status: u8::from(!user.active) })
    });
    answer::page(listed.collect::<Vec<_>>(), page.next.map(|next| Uuid::from_bytes(next.0).to_string()))
}
