//! Block lists. Source: easemob-user-system.txt, 好友与黑名单; pages, check: docs/dialects/easemob.md.

use yinxin_core::{Code, Error, Result, blocks};
use yinxin_token::cursor::encode_order_cursor;

use super::Usernames;
use super::contacts::{Check, before, in_list_of_owner, relations};
use crate::rest::answer::Answer;
use crate::rest::body::Json;
use crate::rest::call::Call;
use crate::rest::query::Query;
use crate::rest::rights::{Backend, SelfOrBackend};

/// `POST /users/{username}/blocks/users`.
pub(crate) async fn add(call: &mut Call, _: SelfOrBackend, Json(body): Json<Usernames>) -> Result<Answer> {
    let names = body.usernames.ok_or(Code::NamesMissing)?;
    let added = blocks::add(call.ctx(), &call.app, call.owner(), names).await.map_err(|error| match error.code {
        // Quirk(easemob): the text of this error names both users.
        Code::BlockTargetNotFound => {
            Error::about(Code::BlockTargetNotFound, format!("{}/{}", error.subject, call.owner()))
        }
        _ => error,
    })?;
    // Quirk(easemob): the uri is the app's and there is no path.
    Ok(Answer::write().uri("").data(added))
}

/// `DELETE /users/{username}/blocks/users/{other}`.
pub(crate) async fn remove(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    let user = blocks::remove(call.ctx(), &call.app, call.owner(), call.other()).await?;
    Ok(in_list_of_owner(call, "blocks").await?.user(user))
}

/// `DELETE /sdk/user/{username}/blocks`: several, as the web SDK does.
pub(crate) async fn remove_many(call: &mut Call, _: SelfOrBackend, Json(body): Json<Usernames>) -> Result<Answer> {
    let mut lifted = Vec::new();
    for name in body.usernames.ok_or(Code::NamesMissing)? {
        lifted.push(blocks::remove(call.ctx(), &call.app, call.owner(), &name).await?.username.clone());
    }
    Ok(Answer::write().uri("").data(lifted))
}

/// `GET /users/{username}/blocks/users`: all, or a page when `pageSize` or `cursor` is given.
pub(crate) async fn list(call: &mut Call, _: SelfOrBackend, query: Query) -> Result<Answer> {
    let cursor = before(&query)?;
    let size = query.int("pageSize")?;
    let (rows, next) = if size.is_some() || cursor.is_some() {
        let size = size.unwrap_or(yinxin_core::limits::PEOPLE_PAGE_MAX);
        let page = blocks::page(call.ctx(), &call.app, call.owner(), cursor, size).await?;
        (page.entries, page.next)
    } else {
        (blocks::all(call.ctx(), &call.app, call.owner()).await?, None)
    };
    let names = rows.into_iter().map(|row| row.username).collect();
    Ok(Answer::read().names(names).params_if_any(query.into_pairs()).cursor(next.map(encode_order_cursor)))
}

/// `POST /blocks/check`.
pub(crate) async fn check(call: &mut Call, _: Backend, Json(body): Json<Check>) -> Result<Answer> {
    let (owner, names) = body.split()?;
    let found = blocks::check(call.ctx(), &call.app, &owner, names).await?;
    Ok(relations(found, "blacklist", "not_blacklist"))
}
