//! Presence: publishing and subscribing. Source: docs/dialects/easemob.md.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use yinxin_core::presence::{self, Presence};
use yinxin_core::{Code, Error, Result};

use super::Usernames;
use crate::rest::answer::Answer;
use crate::rest::body::{Json, List};
use crate::rest::call::Call;
use crate::rest::query::Query;
use crate::rest::rights::SelfOrBackend;

fn result(value: impl Into<Value>) -> Result<Answer> {
    Answer::whole(&json!({ "result": value.into() }))
}

fn number(call: &Call, name: &str) -> Result<i64> {
    let text = call.param(name);
    text.parse().map_err(|_| Error::about(Code::FieldIllegal, format!("{name}={text}")))
}

#[derive(Deserialize)]
pub(crate) struct Ext {
    ext: Option<String>,
}

/// `POST /users/{username}/presence/{resource}/{status}`.
pub(crate) async fn publish(call: &mut Call, _: SelfOrBackend, Json(body): Json<Ext>) -> Result<Answer> {
    let status = number(call, "status")?;
    presence::publish(call.ctx(), &call.app, call.owner(), call.param("resource"), status, body.ext).await?;
    result("ok")
}

/// `POST /users/{username}/presence/{expiry}`.
pub(crate) async fn subscribe(call: &mut Call, _: SelfOrBackend, Json(body): Json<Usernames>) -> Result<Answer> {
    let expiry = number(call, "expiry")?;
    let found = presence::subscribe(call.ctx(), &call.app, call.owner(), body.usernames, expiry).await?;
    result(found.into_iter().map(shown).collect::<Vec<_>>())
}

/// `POST /users/{username}/presence`.
pub(crate) async fn get(call: &mut Call, _: SelfOrBackend, Json(body): Json<Usernames>) -> Result<Answer> {
    let found = presence::of_many(call.ctx(), &call.app, call.owner(), body.usernames).await?;
    result(found.into_iter().map(shown).collect::<Vec<_>>())
}

/// Numbers are texts here, as the vendor prints them.
fn shown(presence: Presence) -> Value {
    let newest = presence.devices.first();
    let mut shown = Map::new();
    shown.insert("uid".into(), presence.username.into());
    shown.insert("last_time".into(), newest.map_or(0, |device| device.published_s).to_string().into());
    if let Some(until_s) = presence.until_s {
        shown.insert("expiry".into(), until_s.to_string().into());
    }
    shown.insert("ext".into(), newest.map_or("", |device| &device.ext).into());
    let status: Map<String, Value> =
        presence.devices.iter().map(|device| (device.resource.clone(), device.status.to_string().into())).collect();
    shown.insert("status".into(), Value::Object(status));
    Value::Object(shown)
}

/// `DELETE /users/{username}/presence`: an array of names.
pub(crate) async fn unsubscribe(call: &mut Call, _: SelfOrBackend, List(names): List<String>) -> Result<Answer> {
    presence::unsubscribe(call.ctx(), &call.app, call.owner(), Some(names)).await?;
    result("ok")
}

/// `GET /users/{username}/presence/sublist?pageNum&pageSize`.
pub(crate) async fn subscriptions(call: &mut Call, _: SelfOrBackend, query: Query) -> Result<Answer> {
    let number = query.int("pageNum")?.unwrap_or(1);
    let size = query.int("pageSize")?.unwrap_or(10);
    let (total, rows) = presence::subscriptions(call.ctx(), &call.app, call.owner(), number, size).await?;
    let entry = |row: presence::Subscription| json!({ "uid": row.username, "expiry": row.until_s.to_string() });
    let list: Vec<Value> = rows.into_iter().map(entry).collect();
    result(json!({ "totalnum": total.to_string(), "sublist": list }))
}
