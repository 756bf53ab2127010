//! Reactions to messages, pinned messages, reports. Source: docs/dialects/easemob-sdk.md.

use serde::Deserialize;
use serde_json::{Value, json};
use yinxin_core::messages::Entry;
use yinxin_core::{Code, Error, Result, pins, reactions, reports, users};
use yinxin_msync::body;

use super::conversations::{meta, only_chat};
use super::history::{done, ids, reaction_shown};
use crate::rest::answer::Answer;
use crate::rest::body::Json;
use crate::rest::call::Call;
use crate::rest::query::Query;
use crate::rest::rights::SelfOrBackend;

#[derive(Deserialize)]
pub(crate) struct Reaction {
    #[serde(rename = "msgId")]
    message: Option<String>,
    #[serde(rename = "message")]
    reaction: Option<String>,
}

/// The id of a message; what is no number is no message's.
fn id(text: Option<&str>, otherwise: Code) -> Result<i64> {
    text.and_then(|text| text.parse().ok()).ok_or_else(|| otherwise.into())
}

/// `POST /reaction/user/{username}`.
pub(crate) async fn add(call: &mut Call, right: SelfOrBackend, Json(body): Json<Reaction>) -> Result<Answer> {
    let message = id(body.message.as_deref(), Code::ReactionIllegal)?;
    let reaction = body.reaction.unwrap_or_default();
    let by = right.by(None);
    reactions::set(call.ctx(), &call.app, call.owner(), message, &reaction, true, by).await?;
    let now_ms = call.dialect.now_ms();
    let data = json!({ "msgId": message.to_string(), "msgType": "chat", "groupId": null, "reaction": reaction });
    Answer::whole(&json!({ "requestStatusCode": "ok", "timestamp": now_ms, "data": data }))
}

/// `DELETE /reaction/user/{username}?msgId&message`.
pub(crate) async fn remove(call: &mut Call, right: SelfOrBackend, query: Query) -> Result<Answer> {
    let message = id(query.get("msgId"), Code::ReactionIllegal)?;
    let reaction = query.get("message").unwrap_or_default();
    let by = right.by(None);
    reactions::set(call.ctx(), &call.app, call.owner(), message, reaction, false, by).await?;
    done(call)
}

/// `GET /reaction/user/{username}?msgIdList&msgType`.
pub(crate) async fn list(call: &mut Call, _: SelfOrBackend, query: Query) -> Result<Answer> {
    only_chat(query.get("msgType"), query.get("groupId").unwrap_or_default())?;
    let found = reactions::of_messages(call.ctx(), &call.app, call.owner(), ids(&query, "msgIdList")?).await?;
    let owner = users::find(call.ctx(), &call.app, call.owner()).await?;
    let shown = |(message, reactions): (i64, Vec<reactions::Reaction>)| {
        let list: Vec<Value> = reactions.iter().map(|reaction| reaction_shown(&owner.username, reaction)).collect();
        json!({ "msgId": message.to_string(), "reactionList": list })
    };
    let data: Vec<Value> = found.into_iter().map(shown).collect();
    Answer::whole(&json!({ "requestStatusCode": "ok", "timestamp": call.dialect.now_ms(), "data": data }))
}

/// `GET /reaction/user/{username}/detail?msgId&message`: one reaction with everybody who has it, which is at most two.
pub(crate) async fn detail(call: &mut Call, _: SelfOrBackend, query: Query) -> Result<Answer> {
    let message = id(query.get("msgId"), Code::ReactionIllegal)?;
    let wanted = query.get("message").unwrap_or_default();
    let found = reactions::of_messages(call.ctx(), &call.app, call.owner(), vec![message]).await?;
    let owner = users::find(call.ctx(), &call.app, call.owner()).await?;
    let reaction = found.into_iter().flat_map(|(_, reactions)| reactions).find(|one| one.reaction == wanted);
    let nobody = || reactions::Reaction { reaction: wanted.to_owned(), reactors: Vec::new() };
    let mut data = reaction_shown(&owner.username, &reaction.unwrap_or_else(nobody));
    data["cursor"] = "".into();
    Answer::whole(&json!({ "requestStatusCode": "ok", "timestamp": call.dialect.now_ms(), "data": data }))
}

#[derive(Deserialize)]
pub(crate) struct Pin {
    to: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(rename = "pin_msg_id")]
    message: Option<String>,
}

/// `POST /sdk/user/{username}/user_channel/pin`: a message of a conversation.
pub(crate) async fn pin(call: &mut Call, right: SelfOrBackend, Json(body): Json<Pin>) -> Result<Answer> {
    set_pinned(call, right, body, true).await
}

/// `DELETE` of the same, with a body, too.
pub(crate) async fn unpin(call: &mut Call, right: SelfOrBackend, Json(body): Json<Pin>) -> Result<Answer> {
    set_pinned(call, right, body, false).await
}

async fn set_pinned(call: &Call, right: SelfOrBackend, body: Pin, pinned: bool) -> Result<Answer> {
    let to = body.to.unwrap_or_default();
    only_chat(body.kind.as_deref(), &to)?;
    let otherwise = if pinned { Code::PinIllegal } else { Code::PinNotFound };
    let message = id(body.message.as_deref(), otherwise)?;
    let query = Query::of(call)?;
    let by = right.by(query.get("resource"));
    pins::set(call.ctx(), &call.app, call.owner(), &to, message, pinned, by).await?;
    Ok(Answer::write().data(json!({ "result": "ok" })))
}

/// `GET` of the same: the pinned messages of a conversation.
pub(crate) async fn pinned(call: &mut Call, _: SelfOrBackend, query: Query) -> Result<Answer> {
    let to = query.get("to").unwrap_or_default();
    only_chat(query.get("type"), to)?;
    let (before, limit) = (query.int("cursor")?, query.int("limit")?.unwrap_or(10));
    let page = pins::list(call.ctx(), &call.app, call.owner(), to, before, limit).await?;
    let owner = users::find(call.ctx(), &call.app, call.owner()).await?;
    let shown = |pin: &pins::Pin| {
        json!({
            "message": meta(call, &owner.username, &to.to_ascii_lowercase(), &pin.entry),
            "pin_opt_at": pin.pinned_ms,
            "pin_operator": pin.operator,
        })
    };
    let infos: Vec<Value> = page.entries.iter().map(shown).collect();
    let next = page.next.map_or_else(String::new, |next| next.to_string());
    Ok(Answer::write().acted("get").data(json!({ "cursor": next, "msg_infos": infos })))
}

#[derive(Deserialize)]
pub(crate) struct Report {
    #[serde(rename = "reportType")]
    kind: Option<String>,
    #[serde(rename = "reportReason")]
    reason: Option<String>,
}

/// `POST /user/{username}/moderation/report/message/{message}`.
pub(crate) async fn report(call: &mut Call, _: SelfOrBackend, Json(body): Json<Report>) -> Result<Answer> {
    let message = id(Some(call.param("message")), Code::ReportIllegal)?;
    let field = |name: &str, value: Option<String>| {
        value.ok_or_else(|| Error::about(Code::FieldIllegal, format!("{name} is missing")))
    };
    let said = (field("reportType", body.kind)?, field("reportReason", body.reason)?);
    let text = |entry: &Entry| {
        let summary = body::inspect(&entry.payload).ok();
        summary.and_then(|summary| summary.text).unwrap_or_default().into_owned()
    };
    reports::add(call.ctx(), &call.app, call.owner(), message, said, text).await?;
    Ok(Answer::write().data(json!({ "result": "ok" })))
}
