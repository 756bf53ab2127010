//! Online states and offline messages. Source: easemob-user-system.txt, 在线与离线; `/resources`: docs/dialects/easemob.md.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use yinxin_core::{Result, offline};

use super::Usernames;
use crate::rest::answer::Answer;
use crate::rest::body::Json;
use crate::rest::call::Call;
use crate::rest::rights::{Backend, SelfOrBackend};

fn one(name: String, value: impl Into<Value>) -> Value {
    Value::Object(Map::from_iter([(name, value.into())]))
}

fn word(online: bool) -> &'static str {
    if online { "online" } else { "offline" }
}

/// `GET /users/{username}/status`.
pub(crate) async fn status(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    let (name, online) = offline::is_online(call.ctx(), &call.app, call.owner()).await?;
    Ok(Answer::read().data(one(name, word(online))))
}

/// `POST /users/batch/status`: names are not checked; unknown ones are offline.
pub(crate) async fn status_batch(call: &mut Call, _: Backend, Json(body): Json<Usernames>) -> Result<Answer> {
    let states = offline::are_online(call.ctx(), &call.app, body.usernames.unwrap_or_default()).await?;
    Answer::action("get batch user status").data_of(&States(&states))
}

/// One object per name. There are up to a hundred: they are written without making a value of each.
struct States<'a>(&'a [(String, bool)]);

impl Serialize for States<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct State<'a>(&'a str, bool);

        impl Serialize for State<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map([(self.0, word(self.1))])
            }
        }

        serializer.collect_seq(self.0.iter().map(|(name, online)| State(name, *online)))
    }
}

/// `GET /users/{username}/offline_msg_count`.
pub(crate) async fn offline_count(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    let (name, count) = offline::waiting(call.ctx(), &call.app, call.owner()).await?;
    Ok(Answer::read().data(one(name, count)))
}

/// `GET /users/{username}/offline_msg_status/{message}`.
pub(crate) async fn offline_status(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    let message = call.param("message").to_owned();
    let waits = offline::waits(call.ctx(), &call.app, call.owner(), &message).await?;
    Ok(Answer::read().data(one(message, if waits { "undelivered" } else { "delivered" })))
}

/// `GET /users/{username}/resources`.
pub(crate) async fn resources(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    let devices = offline::devices(call.ctx(), &call.app, call.owner()).await?;
    let data: Vec<Value> = devices
        .into_iter()
        .map(|device| {
            json!({ "res": device.resource, "device_uuid": device.device_uuid, "device_name": device.device_name })
        })
        .collect();
    let path = format!("/users/{}/resources", call.owner());
    Ok(Answer::write().acted("get").path(path).data(data))
}
