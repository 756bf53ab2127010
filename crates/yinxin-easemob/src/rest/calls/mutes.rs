//! Global mutes, `/mutes`. Source: docs/dialects/easemob.md.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use yinxin_core::mutes::{self, Scope};
use yinxin_core::{Code, Result};

use crate::rest::answer::Answer;
use crate::rest::body::{Json, lenient_int};
use crate::rest::call::Call;
use crate::rest::query::Query;
use crate::rest::rights::Backend;

#[derive(Deserialize)]
pub(crate) struct Mute {
    username: Option<String>,
    #[serde(default, deserialize_with = "lenient_int")]
    chat: Option<i64>,
    #[serde(default, deserialize_with = "lenient_int")]
    groupchat: Option<i64>,
    #[serde(default, deserialize_with = "lenient_int")]
    chatroom: Option<i64>,
}

/// `POST /mutes`.
pub(crate) async fn set(call: &mut Call, _: Backend, Json(body): Json<Mute>) -> Result<Answer> {
    let username = body.username.ok_or(Code::UsernameMissing)?;
    let given = [(Scope::Chat, body.chat), (Scope::Group, body.groupchat), (Scope::Room, body.chatroom)];
    let changes = given.into_iter().filter_map(|(scope, seconds)| Some((scope, seconds?))).collect();
    mutes::set(call.ctx(), &call.app, &username, changes).await?;
    Ok(Answer::write().path("/mutes").data(json!({ "result": "ok" })))
}

/// `GET /mutes/{username}`: seconds left per kind of conversation, 0 where there is no mute.
pub(crate) async fn get(call: &mut Call, _: Backend) -> Result<Answer> {
    let (name, held) = mutes::of_user(call.ctx(), &call.app, call.param("username")).await?;
    let now_s = call.ctx().clock.now_s();
    let mut data = Map::new();
    data.insert("userid".into(), format!("{}_{name}", call.app.name.app_key()).into());
    for scope in Scope::ALL {
        let mute = held.iter().find(|mute| mute.scope == scope.name());
        data.insert(scope.name().into(), mute.map_or(0, |mute| mutes::seconds_left(mute, now_s)).into());
    }
    data.insert("unixtime".into(), now_s.into());
    Ok(Answer::read().path("/mutes").data(Value::Object(data)))
}

/// `GET /mutes?pageNum&pageSize`: a row per mute.
pub(crate) async fn list(call: &mut Call, _: Backend, query: Query) -> Result<Answer> {
    // Quirk(easemob): clients spell the parameters in two ways. Source: docs/dialects/easemob.md.
    let number = query.int("pageNum")?.or(query.int("pagenum")?).unwrap_or(1);
    let size = query.int("pageSize")?.or(query.int("pagesize")?).unwrap_or(10);
    let held = mutes::page(call.ctx(), &call.app, number, size).await?;
    let now_s = call.ctx().clock.now_s();
    let row = |mute: &mutes::Mute| {
        let mut row = Map::new();
        row.insert("username".into(), mute.username.clone().into());
        row.insert(mute.scope.clone(), mutes::seconds_left(mute, now_s).into());
        Value::Object(row)
    };
    let rows: Vec<Value> = held.iter().map(row).collect();
    Ok(Answer::read().path("/mutes").params_if_any(query.into_pairs()).data(json!({ "data": rows, "unixtime": now_s })))
}
