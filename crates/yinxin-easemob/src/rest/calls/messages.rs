//! Messages from a backend. Source: docs/dialects/easemob.md.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt};
use serde::Deserialize;
use serde_json::{Map, Value};
use yinxin_core::limits::RECEIVERS_MAX;
use yinxin_core::messages::{self, Act, Kind, Outgoing, Sender};
use yinxin_core::names::Username;
use yinxin_core::users::{self, User};
use yinxin_core::{Code, Error, Result};
use yinxin_msync::body::Body;
use yinxin_msync::body::content::{self, Attachment};
use yinxin_msync::wire::{Content, MessageType};

use crate::msync::outgoing;
use crate::rest::answer::Answer;
use crate::rest::body::Json;
use crate::rest::call::Call;
use crate::rest::rights::Backend;

/// Whose name a message bears when the backend names none.
const HOUSE: &str = "admin";
/// Sends of one call under way at a time; they share commits.
const AT_A_TIME: usize = 64;

#[derive(Deserialize)]
pub(crate) struct Message {
    from: Option<String>,
    #[serde(default)]
    to: Vec<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    body: Map<String, Value>,
    #[serde(default)]
    ext: Map<String, Value>,
    routetype: Option<String>,
}

/// `POST /messages/users`. The reply has the id of each message that was sent.
pub(crate) async fn send(call: &mut Call, _: Backend, Json(message): Json<Message>) -> Result<Answer> {
    let sent = send_to_all(call, &message).await?;
    let ids: Map<String, Value> = sent.into_iter().map(|(name, sent)| (name, sent.id.to_string().into())).collect();
    Ok(Answer::write().path("/messages/users").data(Value::Object(ids)))
}

#[derive(Deserialize)]
pub(crate) struct OldMessage {
    target_type: Option<String>,
    #[serde(default)]
    target: Vec<String>,
    #[serde(default)]
    msg: Map<String, Value>,
    from: Option<String>,
    #[serde(default)]
    ext: Map<String, Value>,
}

/// `POST /messages`: the older form.
pub(crate) async fn send_old(call: &mut Call, _: Backend, Json(old): Json<OldMessage>) -> Result<Answer> {
    if old.target_type.as_deref() != Some("users") {
        return Err(Error::about(Code::FieldIllegal, "target_type can only be 'users'"));
    }
    let kind = old.msg.get("type").and_then(Value::as_str).map(str::to_owned);
    let message = Message { from: old.from, to: old.target, kind, body: old.msg, ext: old.ext, routetype: None };
    let sent = send_to_all(call, &message).await?;
    let done: Map<String, Value> = sent.into_iter().map(|(name, _)| (name, "success".into())).collect();
    Ok(Answer::write().path("/messages").data(Value::Object(done)))
}

/// Sends to each receiver that can be sent to. When there is none, the first refusal is the answer.
async fn send_to_all(call: &Call, message: &Message) -> Result<Vec<(String, messages::Sent)>> {
    if message.to.is_empty() || message.to.len() > RECEIVERS_MAX {
        let limit = i64::try_from(RECEIVERS_MAX).unwrap_or(i64::MAX);
        return Err(Error::about(Code::FieldIllegal, "to").with_limit(limit));
    }
    let content = content_of(message.kind.as_deref().unwrap_or("txt"), &message.body)?;
    let name = Username::parse(message.from.as_deref().filter(|from| !from.is_empty()).unwrap_or(HOUSE))?;
    let user = users::look_up(call.ctx(), call.app.id, name.as_str()).await?;
    let sender = user.as_deref().map_or(Sender::House(name.as_str()), |user: &User| Sender::User(user));
    // Named twice, in whatever case, a user gets one message: the reply has one id for it.
    let receivers: BTreeSet<String> = message.to.iter().map(|to| to.to_ascii_lowercase()).collect();
    let letter = Letter { message, content, from: name.as_str(), sender };
    let letter = &letter;
    let results: Vec<(String, Result<messages::Sent>)> =
        stream::iter(receivers).map(|to| letter.post(call, to)).buffered(AT_A_TIME).collect().await;
    let (mut sent, mut refusal) = (Vec::new(), None);
    for (to, result) in results {
        match result {
            Ok(done) => sent.push((to, done)),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    match refusal {
        Some(error) if sent.is_empty() => Err(error),
        _ => Ok(sent),
    }
}

/// One message, for several receivers.
struct Letter<'a> {
    message: &'a Message,
    content: Content,
    from: &'a str,
    sender: Sender<'a>,
}

impl Letter<'_> {
    async fn post(&self, call: &Call, to: String) -> (String, Result<messages::Sent>) {
        let payload = Body::new(MessageType::Chat, self.from, &to).content(self.content.clone()).ext(&self.message.ext);
        let outgoing = Outgoing {
            kind: Kind::Chat,
            origin: String::new(),
            payload: payload.encode(),
            act: Act::Says,
            online_only: self.message.routetype.as_deref() == Some("ROUTE_ONLINE"),
            read: outgoing::content,
        };
        let sent = messages::send(call.ctx(), &call.app, self.sender, &to, outgoing).await;
        (to, sent)
    }
}

/// The content of a message of that type.
fn content_of(kind: &str, body: &Map<String, Value>) -> Result<Content> {
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    let required = |key: &str| text(key).ok_or_else(|| Error::about(Code::FieldIllegal, format!("body.{key}")));
    let number = |key: &str| body.get(key).and_then(Value::as_f64);
    let whole = |key: &str| body.get(key).and_then(Value::as_i64).and_then(|number| i32::try_from(number).ok());
    let empty = Map::new();
    let object = |key: &str| body.get(key).and_then(Value::as_object).unwrap_or(&empty);
    let file = || -> Result<Attachment<'_>> {
        Ok(Attachment {
            url: required("url")?,
            secret: text("secret"),
            name: text("filename"),
            length: whole("file_length"),
        })
    };
    Ok(match kind {
        "txt" => content::text(required("msg")?),
        "img" => content::image(file()?, None),
        "audio" => content::voice(file()?, whole("length")),
        "video" => {
            let thumb =
                text("thumb").map(|url| Attachment { url, secret: text("thumb_secret"), name: None, length: None });
            content::video(file()?, thumb, whole("length"))
        }
        "file" => content::file(file()?),
        "loc" => {
            content::location(number("lat").unwrap_or_default(), number("lng").unwrap_or_default(), text("addr"), None)
        }
        "cmd" => content::command(required("action")?, &empty),
        "custom" => content::custom(required("customEvent")?, object("customExts")),
        other => return Err(Error::about(Code::FieldIllegal, format!("type={other}"))),
    })
}
