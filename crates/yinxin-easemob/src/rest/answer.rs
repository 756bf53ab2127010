//! [`Answer`]: what a handler gives back, and the envelope it is put in.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;
use yinxin_core::users::User;
use yinxin_core::{Code, Error, Result};

use super::call::Call;
use super::entity::Entity;

/// A successful reply before it has its envelope.
#[derive(Default)]
pub(crate) struct Answer {
    shape: Shape,
    /// Replaces the verb's own word.
    action: Option<&'static str>,
    path: Option<String>,
    uri: Option<String>,
    users: Vec<Arc<User>>,
    entities: Option<Vec<Value>>,
    data: Option<Data>,
    params: Option<Vec<(String, String)>>,
    cursor: Option<String>,
    count: Option<usize>,
    status: Option<&'static str>,
    whole: Vec<u8>,
    ready: Option<Response>,
}

/// What stands under `data`.
#[derive(Serialize)]
#[serde(untagged)]
enum Data {
    Value(Value),
    /// Serialized already.
    Written(Box<RawValue>),
}

/// Which keys an envelope has beside those the answer sets.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Shape {
    /// Reads: `uri`, `entities`, `count`.
    #[default]
    Read,
    /// Writes: `uri`, `entities`, `application`, `organization`, `applicationName`.
    Write,
    /// Only `action` and the times.
    Bare,
    /// `action`, `uri` and the times.
    Noted,
    /// The whole body is given, without an envelope.
    Whole,
}

impl Answer {
    /// A reading call's envelope.
    pub fn read() -> Self {
        Self::default()
    }

    /// A writing call's envelope.
    pub fn write() -> Self {
        Self { shape: Shape::Write, ..Self::default() }
    }

    /// Only an action and the times.
    pub fn action(action: &'static str) -> Self {
        Self { shape: Shape::Bare, action: Some(action), ..Self::default() }
    }

    /// The times and `data`, as the attribute service answers.
    pub fn data_only(data: impl Into<Value>) -> Self {
        Self { shape: Shape::Bare, data: Some(Data::Value(data.into())), ..Self::default() }
    }

    /// `uri`, an action and `status: ok`, as some newer calls answer.
    pub fn noted(action: &'static str) -> Self {
        Self { shape: Shape::Noted, action: Some(action), status: Some("ok"), ..Self::default() }
    }

    /// A body of its own form.
    pub fn whole(body: &impl Serialize) -> Result<Self> {
        Ok(Self { shape: Shape::Whole, whole: to_json(body)?, ..Self::default() })
    }

    /// An answer that is no JSON.
    pub fn ready(response: Response) -> Self {
        Self { ready: Some(response), ..Self::default() }
    }

    /// The verb's word in an envelope that otherwise has none.
    pub fn acted(mut self, action: &'static str) -> Self {
        self.action = Some(action);
        self
    }

    /// `path`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// `uri` behind the app, when it is not the requested path.
    pub fn uri(mut self, path_in_app: impl Into<String>) -> Self {
        self.uri = Some(path_in_app.into());
        self
    }

    /// One user as `entities`.
    pub fn user(self, user: Arc<User>) -> Self {
        self.users(vec![user])
    }

    /// Users as `entities`; a read counts them.
    pub fn users(mut self, users: Vec<Arc<User>>) -> Self {
        self.count = Some(users.len());
        self.users = users;
        self
    }

    /// Other things as `entities`.
    pub fn entities(mut self, entities: Vec<Value>) -> Self {
        self.entities = Some(entities);
        self
    }

    /// `data`.
    pub fn data(mut self, data: impl Into<Value>) -> Self {
        self.data = Some(Data::Value(data.into()));
        self
    }

    /// `data` of a type that writes itself, for long lists.
    pub fn data_of(mut self, data: &impl Serialize) -> Result<Self> {
        let written = serde_json::value::to_raw_value(data);
        self.data = Some(Data::Written(written.map_err(|source| Error::from(Code::Internal).caused_by(source))?));
        Ok(self)
    }

    /// A list of names as `data`, counted.
    pub fn names(mut self, names: Vec<String>) -> Self {
        self.count = Some(names.len());
        self.data(names)
    }

    /// `count`, when it is not that of the entities.
    pub fn count(mut self, count: usize) -> Self {
        self.count = Some(count);
        self
    }

    /// `params`: the query's parameters.
    pub fn params(mut self, params: Vec<(String, String)>) -> Self {
        self.params = Some(params);
        self
    }

    /// `params`, when there are any.
    pub fn params_if_any(self, params: Vec<(String, String)>) -> Self {
        if params.is_empty() { self } else { self.params(params) }
    }

    /// `cursor`, when there is a next page.
    pub fn cursor(mut self, cursor: Option<String>) -> Self {
        self.cursor = cursor;
        self
    }

    /// `status`.
    pub fn status(mut self, status: &'static str) -> Self {
        self.status = Some(status);
        self
    }

    /// The reply.
    pub fn render(mut self, call: &Call) -> Result<Response> {
        if let Some(ready) = self.ready {
            return Ok(ready);
        }
        let body = match self.shape {
            Shape::Whole => std::mem::take(&mut self.whole),
            _ => to_json(&Envelope { answer: &self, call })?,
        };
        Ok(yinxin_http::json_response(StatusCode::OK, body))
    }
}

/// Texts and numbers in memory always serialize; the type cannot say so.
fn to_json(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut json = Vec::with_capacity(512);
    serde_json::to_writer(&mut json, value).map_err(|source| Error::from(Code::Internal).caused_by(source))?;
    Ok(json)
}

struct Envelope<'a> {
    answer: &'a Answer,
    call: &'a Call,
}

impl Serialize for Envelope<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let Self { answer, call } = *self;
        let mut map = serializer.serialize_map(None)?;
        if let Some(action) = answer.action.or_else(|| answer.verb(call)) {
            map.serialize_entry("action", action)?;
        }
        if answer.shape == Shape::Write {
            map.serialize_entry("application", &call.app.uuid())?;
        }
        put(&mut map, "params", answer.params.as_ref().map(|params| Params(params)))?;
        put(&mut map, "path", answer.path.as_ref())?;
        if answer.shape != Shape::Bare {
            let path = answer.uri.as_deref().unwrap_or_else(|| call.path_in_app());
            map.serialize_entry("uri", &(call.base() + path))?;
        }
        match &answer.entities {
            Some(entities) => map.serialize_entry("entities", entities)?,
            None if matches!(answer.shape, Shape::Read | Shape::Write) || !answer.users.is_empty() => {
                map.serialize_entry("entities", &Users(&answer.users))?;
            }
            None => {}
        }
        put(&mut map, "status", answer.status)?;
        put(&mut map, "data", answer.data.as_ref())?;
        map.serialize_entry("timestamp", &call.dialect.now_ms())?;
        map.serialize_entry("duration", &u64::try_from(call.arrival.at.elapsed().as_millis()).unwrap_or_default())?;
        if answer.shape == Shape::Write {
            map.serialize_entry("organization", &call.app.name.org)?;
            map.serialize_entry("applicationName", &call.app.name.name)?;
        }
        put(&mut map, "cursor", answer.cursor.as_ref())?;
        if answer.shape == Shape::Read {
            map.serialize_entry("count", &answer.count.unwrap_or_default())?;
        }
        map.end()
    }
}

impl Answer {
    fn verb(&self, call: &Call) -> Option<&'static str> {
        (self.shape != Shape::Bare).then_some(match *call.parts.method.as_str().as_bytes() {
            [b'P', b'O', ..] => "post",
            [b'P', ..] => "put",
            [b'D', ..] => "delete",
            _ => "get",
        })
    }
}

fn put<M: SerializeMap>(map: &mut M, name: &str, value: Option<impl Serialize>) -> std::result::Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, &value))
}

struct Users<'a>(&'a [Arc<User>]);

impl Serialize for Users<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|user| Entity(user)))
    }
}

/// Every parameter as a list of texts: `{"limit":["2"]}`.
struct Params<'a>(&'a [(String, String)]);

impl Serialize for Params<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (at, (name, _)) in self.0.iter().enumerate() {
            if self.0[..at].iter().all(|(earlier, _)| earlier != name) {
                let values: Vec<&str> =
                    self.0.iter().filter(|(same, _)| same == name).map(|(_, v)| v.as_str()).collect();
                map.serialize_entry(name, &values)?;
            }
        }
        map.end()
    }
}

/// A user's id as the paths of replies print it.
pub(crate) fn id_of(user: &User) -> Uuid {
    Uuid::from_bytes(user.user.0)
}
