//! The list of conversations and what a user makes of it. Source: docs/dialects/easemob-sdk.md.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use yinxin_core::conversations::{self, Conversation, Listing, Which};
use yinxin_core::limits::{CONVERSATION_PAGES_MAX, HISTORY_PAGE_MAX};
use yinxin_core::messages::Entry;
use yinxin_core::{Code, Error, Result, users};
use yinxin_msync::body;

use crate::rest::answer::Answer;
use crate::rest::body::Json;
use crate::rest::call::Call;
use crate::rest::query::Query;
use crate::rest::rights::SelfOrBackend;

/// The one kind of conversation there is.
const CHAT: &str = "chat";

/// Refuses conversations of groups and rooms.
pub(super) fn only_chat(kind: Option<&str>, id: &str) -> Result<()> {
    match kind {
        None | Some(CHAT) => Ok(()),
        Some(_) => Err(Error::about(Code::GroupNotFound, id)),
    }
}

fn required(name: &str, value: Option<String>) -> Result<String> {
    let given = value.filter(|value| !value.is_empty());
    given.ok_or_else(|| Error::about(Code::FieldIllegal, format!("{name} is missing")))
}

/// `GET /sdk/user/{username}/user_channels/list`: the conversations, the latest first, or the pinned ones.
pub(crate) async fn list(call: &mut Call, _: SelfOrBackend, query: Query) -> Result<Answer> {
    let which = if query.flag("is_top")?.unwrap_or(false) { Which::Pinned } else { Which::All };
    page(call, &query, which).await
}

/// `GET /sdk/user/{username}/user_channels/mark/search`: those with a mark.
pub(crate) async fn marked(call: &mut Call, _: SelfOrBackend, query: Query) -> Result<Answer> {
    let mark = query.get("mark").ok_or_else(|| Error::from(Code::MarkIllegal))?;
    page(call, &query, Which::Marked(mark_number(mark)?)).await
}

async fn page(call: &Call, query: &Query, which: Which) -> Result<Answer> {
    let listing = Listing {
        which,
        before: query.int("cursor")?,
        limit: query.int("limit")?.unwrap_or(20),
        with_empty: query.flag("needEmptySession")?.unwrap_or(false),
    };
    let page = conversations::list(call.ctx(), &call.app, call.owner(), listing).await?;
    let owner = users::find(call.ctx(), &call.app, call.owner()).await?;
    let next = page.next.map_or_else(String::new, |next| next.to_string());
    let infos: Vec<Value> = page.entries.iter().map(|one| channel(call, &owner.username, one)).collect();
    Ok(Answer::write().acted("get").data(json!({ "cursor": next, "channel_infos": infos })))
}

fn channel(call: &Call, owner: &str, conversation: &Conversation) -> Value {
    let marks: Vec<String> = conversation.marks.iter().map(|mark| format!("mark_{mark}")).collect();
    json!({
        "session_to": conversation.peer,
        "session_type": CHAT,
        "is_top": conversation.pinned_ms.is_some(),
        "update_top_status_time": conversation.pinned_ms.unwrap_or_default(),
        "unread_num": conversation.waiting,
        "marks": marks,
        "meta": last_message(call, owner, conversation),
    })
}

/// The last message, or an empty object.
fn last_message(call: &Call, owner: &str, conversation: &Conversation) -> Value {
    let last = conversation.last.as_ref();
    last.map_or_else(|| json!({}), |last| meta(call, owner, &conversation.peer, last))
}

/// A message as lists show it: addresses, time, and its body as a JSON text.
pub(super) fn meta(call: &Call, owner: &str, peer: &str, entry: &Entry) -> Value {
    let to = if entry.sender == owner { peer } else { owner };
    let said = body::digest(&entry.payload).unwrap_or_default();
    let mut payload = json!({ "from": entry.sender, "to": to, "type": CHAT, "bodies": said.bodies, "ext": said.ext });
    if !said.meta.is_empty() {
        payload["meta"] = said.meta.into();
    }
    let app_key = call.app.name.app_key();
    let address = |name: &str| format!("{app_key}_{name}@easemob.com");
    json!({
        "id": entry.message_id.to_string(),
        "from": address(&entry.sender),
        "to": address(to),
        "timestamp": entry.sent_ms,
        "payload": payload.to_string(),
    })
}

/// `GET /users/{username}/user_channels` and `…/page`: the same as older SDKs ask for it.
pub(crate) async fn list_old(call: &mut Call, _: SelfOrBackend, query: Query) -> Result<Answer> {
    let size = query.int("pageSize")?.unwrap_or(HISTORY_PAGE_MAX).clamp(1, HISTORY_PAGE_MAX);
    let number = query.int("pageNum")?.unwrap_or(1).max(1);
    let owner = users::find(call.ctx(), &call.app, call.owner()).await?;
    let mut before = None;
    let mut found = Vec::new();
    for at in 1..=number.min(CONVERSATION_PAGES_MAX) {
        let listing = Listing { which: Which::All, before, limit: size, with_empty: false };
        let page = conversations::list(call.ctx(), &call.app, call.owner(), listing).await?;
        if at == number {
            found = page.entries;
        }
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let app_key = call.app.name.app_key();
    let shown = |one: &Conversation| {
        json!({
            "channel_id": format!("{app_key}_{}@easemob.com", one.peer),
            "unread_num": one.waiting,
            "meta": last_message(call, &owner.username, one),
        })
    };
    let infos: Vec<Value> = found.iter().map(shown).collect();
    Ok(Answer::write().acted("get").data(json!({ "channel_infos": infos })))
}

#[derive(Deserialize)]
pub(crate) struct Target {
    to: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// `POST /sdk/user/{username}/user_channel/top`.
pub(crate) async fn pin(call: &mut Call, right: SelfOrBackend, Json(body): Json<Target>) -> Result<Answer> {
    let to = required("to", body.to)?;
    only_chat(body.kind.as_deref(), &to)?;
    set_pinned(call, right, &to, true).await
}

/// `DELETE` of the same, with its parameters in the query.
pub(crate) async fn unpin(call: &mut Call, right: SelfOrBackend, query: Query) -> Result<Answer> {
    let to = required("to", query.get("to").map(str::to_owned))?;
    only_chat(query.get("type"), &to)?;
    set_pinned(call, right, &to, false).await
}

async fn set_pinned(call: &Call, right: SelfOrBackend, to: &str, pinned: bool) -> Result<Answer> {
    let query = Query::of(call)?;
    let by = right.by(query.get("resource"));
    let pinned_ms = conversations::set_pinned(call.ctx(), &call.app, call.owner(), to, pinned, by).await?;
    let data = json!({ "is_top": pinned_ms.is_some(), "update_top_status_time": pinned_ms.unwrap_or_default() });
    Ok(Answer::write().data(data))
}

#[derive(Deserialize)]
pub(crate) struct Marking {
    mark: Option<String>,
    #[serde(default)]
    targets: Vec<Target>,
}

/// `mark_0` to `mark_19`.
fn mark_number(name: &str) -> Result<u8> {
    let number = name.strip_prefix("mark_").and_then(|number| number.parse().ok());
    number.ok_or_else(|| Error::about(Code::MarkIllegal, name))
}

/// `POST /sdk/user/{username}/user_channels/mark`.
pub(crate) async fn mark(call: &mut Call, right: SelfOrBackend, Json(body): Json<Marking>) -> Result<Answer> {
    set_marked(call, right, body, true).await
}

/// `DELETE` of the same, with a body, too.
pub(crate) async fn unmark(call: &mut Call, right: SelfOrBackend, Json(body): Json<Marking>) -> Result<Answer> {
    set_marked(call, right, body, false).await
}

async fn set_marked(call: &Call, right: SelfOrBackend, body: Marking, marked: bool) -> Result<Answer> {
    let mark = mark_number(&required("mark", body.mark)?)?;
    let (mut peers, mut ignored) = (Vec::new(), Vec::new());
    for target in body.targets {
        let to = required("to", target.to)?;
        match target.kind.as_deref() {
            None | Some(CHAT) => peers.push(to),
            Some(kind) => ignored.push(json!({ "to": to, "type": kind })),
        }
    }
    let query = Query::of(call)?;
    let by = right.by(query.get("resource"));
    let unknown = conversations::set_marked(call.ctx(), &call.app, call.owner(), &peers, (mark, marked), by).await?;
    ignored.extend(unknown.into_iter().map(|to| json!({ "to": to, "type": CHAT })));
    Ok(Answer::write().data(Map::from_iter([("ignore".to_owned(), ignored.into())])))
}

#[derive(Deserialize)]
pub(crate) struct Removal {
    channel: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    delete_roam: Option<bool>,
}

/// `DELETE /user/{username}/user_channel`, and `/users/…`: a conversation, and what was said in it if the caller asks.
pub(crate) async fn remove(call: &mut Call, right: SelfOrBackend, Json(body): Json<Removal>) -> Result<Answer> {
    let peer = required("channel", body.channel)?;
    only_chat(body.kind.as_deref(), &peer)?;
    let query = Query::of(call)?;
    let by = right.by(query.get("resource"));
    let with_history = body.delete_roam.unwrap_or(false);
    conversations::remove(call.ctx(), &call.app, call.owner(), &peer, with_history, by).await?;
    Ok(Answer::write().path("/users/user_channel").data(json!({ "result": "ok" })))
}
