//! Contacts. Source: easemob-user-system.txt, 好友与黑名单; pages, remarks, import, check: docs/dialects/easemob.md.

use serde::Deserialize;
use serde_json::{Value, json};
use yinxin_core::limits::{CONTACT_IMPORT_MAX, PEOPLE_PAGE_DEFAULT};
use yinxin_core::{Code, Error, Result, contacts, users};
use yinxin_token::cursor::{decode_order_cursor, encode_order_cursor};

use super::Usernames;
use crate::rest::answer::{Answer, id_of};
use crate::rest::body::Json;
use crate::rest::call::Call;
use crate::rest::query::Query;
use crate::rest::rights::{Backend, SelfOrBackend};

/// A reply about a list of the owner's, whose path has the owner's id.
pub(super) async fn in_list_of_owner(call: &Call, list: &str) -> Result<Answer> {
    let owner = users::find(call.ctx(), &call.app, call.owner()).await?;
    let path = format!("/users/{}/{list}", id_of(&owner));
    Ok(Answer::write().uri(path.clone()).path(path))
}

/// `POST /users/{username}/contacts/users/{other}`.
pub(crate) async fn add(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    let friend = contacts::add(call.ctx(), &call.app, call.owner(), call.other()).await?;
    Ok(in_list_of_owner(call, "contacts").await?.user(friend))
}

/// `DELETE /users/{username}/contacts/users/{other}`.
pub(crate) async fn remove(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    let friend = contacts::remove(call.ctx(), &call.app, call.owner(), call.other()).await?;
    Ok(in_list_of_owner(call, "contacts").await?.user(friend))
}

/// `DELETE /contacts/users/{username}`: all of them.
pub(crate) async fn clear(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    contacts::remove_all(call.ctx(), &call.app, call.owner()).await?;
    Ok(Answer::write())
}

/// `GET /users/{username}/contacts/users`: names or, as the web SDK asks, names with remarks.
pub(crate) async fn list(call: &mut Call, _: SelfOrBackend, query: Query) -> Result<Answer> {
    let rows = contacts::all(call.ctx(), &call.app, call.owner()).await?;
    if query.flag("needReturnRemark")?.unwrap_or(false) {
        let count = rows.len();
        let entry = |row: contacts::Contact| json!({ "username": row.username, "remark": row.remark });
        return Ok(Answer::read().entities(rows.into_iter().map(entry).collect()).count(count));
    }
    Ok(Answer::read().names(rows.into_iter().map(|row| row.username).collect()))
}

/// The order id in a page's cursor.
pub(super) fn before(query: &Query) -> Result<Option<i64>> {
    let decode =
        |text| decode_order_cursor(text).ok_or_else(|| Error::about(Code::FieldIllegal, format!("cursor={text}")));
    query.get("cursor").map(decode).transpose()
}

/// `GET /user/{username}/contacts?limit&cursor&needReturnRemark`.
pub(crate) async fn page(call: &mut Call, _: SelfOrBackend, query: Query) -> Result<Answer> {
    let limit = query.int("limit")?.unwrap_or(PEOPLE_PAGE_DEFAULT);
    let with_remark = query.flag("needReturnRemark")?.unwrap_or(false);
    let page = contacts::page(call.ctx(), &call.app, call.owner(), before(&query)?, limit).await?;
    let count = page.entries.len();
    let entry = |row: yinxin_core::contacts::Contact| {
        if with_remark {
            json!({ "username": row.username, "remark": row.remark })
        } else {
            json!({ "username": row.username })
        }
    };
    let mut data = json!({ "contacts": page.entries.into_iter().map(entry).collect::<Vec<Value>>() });
    if let Some(next) = page.next {
        data["cursor"] = encode_order_cursor(next).into();
    }
    // Quirk(easemob): the reply's uri names the service behind. Source: docs/dialects/easemob.md.
    Ok(Answer::read().uri(format!("/users/{}/rostersByPage", call.owner())).data(data).count(count))
}

#[derive(Deserialize)]
pub(crate) struct Remark {
    remark: Option<String>,
}

/// `PUT /user/{username}/contacts/users/{other}`.
pub(crate) async fn set_remark(call: &mut Call, _: SelfOrBackend, Json(body): Json<Remark>) -> Result<Answer> {
    let remark = body.remark.ok_or_else(|| Error::about(Code::FieldIllegal, "remark is missing"))?;
    contacts::set_remark(call.ctx(), &call.app, call.owner(), call.other(), remark).await?;
    Ok(Answer::noted("put"))
}

/// `POST /users/{username}/contacts/import`.
pub(crate) async fn import(call: &mut Call, _: Backend, Json(body): Json<Usernames>) -> Result<Answer> {
    let names = body.usernames.filter(|names| !names.is_empty()).ok_or(Code::NamesEmpty)?;
    let done = contacts::import(call.ctx(), &call.app, call.owner(), names).await?;
    let data = json!({
        "success": done.added,
        "NotExistFailed": done.unknown,
        "maxLimitFailed": done.full,
        "UnKnowFailed": done.failed,
    });
    Ok(Answer::data_only(data).acted("post").status("ok"))
}

#[derive(Deserialize)]
pub(crate) struct Invitation {
    usernames: Option<Vec<String>>,
    reason: Option<String>,
}

/// `POST /users/{username}/contacts/apply`.
pub(crate) async fn invite(call: &mut Call, _: SelfOrBackend, Json(body): Json<Invitation>) -> Result<Answer> {
    let names = body.usernames.filter(|names| !names.is_empty()).ok_or(Code::NamesEmpty)?;
    if names.len() > CONTACT_IMPORT_MAX {
        return Err(Error::over(Code::ImportTooLarge, 10));
    }
    let reason = body.reason.unwrap_or_default();
    let mut asked = Vec::with_capacity(names.len());
    for name in names {
        asked.push(contacts::invite(call.ctx(), &call.app, call.owner(), &name, &reason).await?.username.clone());
    }
    Ok(Answer::write().path("/users/contacts/apply").data(json!({ "applyContacts": asked })))
}

/// `POST /users/{username}/contacts/accept/users/{other}`.
pub(crate) async fn accept(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    let user = contacts::accept(call.ctx(), &call.app, call.owner(), call.other()).await?;
    Ok(Answer::write().path("/users/contacts/accept").data(json!({ "acceptContacts": [user.username] })))
}

/// `POST /users/{username}/contacts/decline/users/{other}`.
pub(crate) async fn decline(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    let user = contacts::decline(call.ctx(), &call.app, call.owner(), call.other()).await?;
    Ok(Answer::write().path("/users/contacts/decline").data(json!({ "declineContacts": [user.username] })))
}

/// `{"username", "check_list"}`.
#[derive(Deserialize)]
pub(crate) struct Check {
    username: Option<String>,
    check_list: Option<Vec<String>>,
}

impl Check {
    /// The owner and the names, both given.
    pub fn split(self) -> Result<(String, Vec<String>)> {
        let username = self.username.filter(|name| !name.is_empty());
        Ok((username.ok_or(Code::UsernameMissing)?, self.check_list.unwrap_or_default()))
    }
}

/// Each name with the word for its relation.
pub(super) fn relations(found: Vec<(String, bool)>, yes: &str, no: &str) -> Answer {
    let entry = |(name, holds)| json!({ "username": name, "relation": if holds { yes } else { no } });
    Answer::write().entities(found.into_iter().map(entry).collect())
}

/// `POST /contacts/check`.
pub(crate) async fn check(call: &mut Call, _: Backend, Json(body): Json<Check>) -> Result<Answer> {
    let (owner, names) = body.split()?;
    let found = contacts::check(call.ctx(), &call.app, &owner, names).await?;
    Ok(relations(found, "friend", "not_friend"))
}
