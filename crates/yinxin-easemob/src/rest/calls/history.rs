//! What was said in a conversation: reading it, and removing it from one's own side. Source: docs/dialects/easemob-sdk.md.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use yinxin_core::conversations::{self, From};
use yinxin_core::messages::Entry;
use yinxin_core::reactions::{self, Reaction};
use yinxin_core::users::{self, User};
use yinxin_core::{Code, Error, Result};
use yinxin_msync::body;

use crate::msync::metas;
use crate::rest::answer::Answer;
use crate::rest::body::{Json, lenient_int};
use crate::rest::call::Call;
use crate::rest::query::Query;
use crate::rest::rights::SelfOrBackend;

#[derive(Deserialize)]
pub(crate) struct Roaming {
    queue: Option<String>,
    #[serde(default, deserialize_with = "lenient_int")]
    start: Option<i64>,
    #[serde(default, deserialize_with = "lenient_int")]
    pull_number: Option<i64>,
    is_positive: Option<bool>,
}

/// `POST /users/{username}/messageroaming`: the history of a conversation.
pub(crate) async fn read(call: &mut Call, _: SelfOrBackend, Json(body): Json<Roaming>) -> Result<Answer> {
    let queue = body.queue.unwrap_or_default();
    let peer = queue.split('@').next().unwrap_or_default();
    let start = body.start.filter(|start| *start > 0);
    let from = if body.is_positive.unwrap_or(false) { From::After(start) } else { From::Before(start) };
    let page =
        conversations::history(call.ctx(), &call.app, call.owner(), peer, from, body.pull_number.unwrap_or(20)).await?;
    let owner = users::find(call.ctx(), &call.app, call.owner()).await?;
    let app_key = call.app.name.app_key();
    let is_last = page.next.is_none();
    let next_key = page.next.map_or_else(String::new, |next| next.to_string());
    let mut entries = page.entries;
    add_reactions(call, &owner, &mut entries).await?;
    let shown = |entry: Entry| {
        let meta = metas::meta(&app_key, &owner.username, peer, entry, false)?;
        Some(json!({ "msg": STANDARD.encode(meta.encode_to_vec()) }))
    };
    let messages: Vec<Value> = entries.into_iter().filter_map(shown).collect();
    Ok(Answer::write().data(json!({ "msgs": messages, "is_last": is_last, "next_key": next_key })))
}

/// Writes into messages what people have stuck to them.
async fn add_reactions(call: &Call, owner: &User, entries: &mut [Entry]) -> Result<()> {
    let ids = entries.iter().map(|entry| entry.message_id).collect();
    let found = reactions::of_own(call.ctx(), &call.app, owner, ids).await?;
    for (entry, reactions) in entries.iter_mut().zip(found) {
        if reactions.is_empty() {
            continue;
        }
        let shown: Vec<Value> = reactions.iter().map(|reaction| reaction_shown(&owner.username, reaction)).collect();
        let meta = Map::from_iter([("reaction".to_owned(), shown.into())]);
        if let Ok(payload) = body::add_meta(&entry.payload, &meta) {
            entry.payload = payload.into();
        }
    }
    Ok(())
}

/// A reaction with the three who had it first. `state`: the caller has it, too.
pub(super) fn reaction_shown(caller: &str, reaction: &Reaction) -> Value {
    json!({
        "reaction": reaction.reaction,
        "count": reaction.reactors.len(),
        "userCount": reaction.reactors.len(),
        "state": reaction.reactors.iter().any(|reactor| reactor == caller),
        "userList": reaction.reactors.iter().take(3).collect::<Vec<_>>(),
    })
}

/// What these calls answer.
pub(super) fn done(call: &Call) -> Result<Answer> {
    Answer::whole(&json!({ "requestStatusCode": "ok", "timestamp": call.dialect.now_ms() }))
}

fn peer(query: &Query) -> Result<&str> {
    query.get("userId").ok_or_else(|| Error::about(Code::FieldIllegal, "userId is missing"))
}

/// Ids of messages, in one parameter with commas. What is no number is no message's id.
pub(super) fn ids(query: &Query, name: &str) -> Result<Vec<i64>> {
    let list = query.get(name).ok_or_else(|| Error::about(Code::FieldIllegal, format!("{name} is missing")))?;
    list.split(',')
        .map(|id| id.trim().parse().map_err(|_| Error::about(Code::FieldIllegal, format!("{name}={list}"))))
        .collect()
}

/// `DELETE /sdk/message/roaming/chat/user/{username}?userId&msgIdList`, and `/rest/…`: some messages.
pub(crate) async fn erase(call: &mut Call, right: SelfOrBackend, query: Query) -> Result<Answer> {
    let ids = ids(&query, "msgIdList")?;
    let by = right.by(query.get("resource"));
    conversations::erase(call.ctx(), &call.app, call.owner(), peer(&query)?, ids, by).await?;
    done(call)
}

/// `DELETE …/time?userId&delTime`: all up to a time.
pub(crate) async fn erase_until(call: &mut Call, right: SelfOrBackend, query: Query) -> Result<Answer> {
    let until_ms = query.int("delTime")?.ok_or_else(|| Error::about(Code::FieldIllegal, "delTime is missing"))?;
    let by = right.by(query.get("resource"));
    conversations::erase_until(call.ctx(), &call.app, call.owner(), peer(&query)?, until_ms, by).await?;
    done(call)
}

/// `POST /sdk/message/roaming/user/{username}/delete/all`: all messages of all conversations.
pub(crate) async fn erase_all(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    conversations::remove_all(call.ctx(), &call.app, call.owner()).await?;
    done(call)
}
