//! User attributes, `/metadata/user…`. Source: docs/dialects/easemob.md.

use serde::Deserialize;
use serde_json::{Map, Value};
use yinxin_core::{Result, attributes};

use crate::rest::answer::Answer;
use crate::rest::body::{Form, LabelledJson};
use crate::rest::call::Call;
use crate::rest::rights::{AttributeReader, Backend, SelfOrBackend};

fn object(pairs: Vec<attributes::Pair>) -> Value {
    Value::Object(pairs.into_iter().map(|(name, value)| (name, value.into())).collect::<Map<_, _>>())
}

/// `PUT /metadata/user/{username}`, a form or an object of texts; an empty value removes its key. The reply has the pairs that were set.
pub(crate) async fn put(call: &mut Call, _: SelfOrBackend, Form(pairs): Form) -> Result<Answer> {
    attributes::put(call.ctx(), &call.app, call.owner(), pairs.clone()).await?;
    Ok(Answer::data_only(object(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect())))
}

/// `GET /metadata/user/{username}`.
pub(crate) async fn get(call: &mut Call, _: AttributeReader) -> Result<Answer> {
    Ok(Answer::data_only(object(attributes::all(call.ctx(), &call.app, call.owner()).await?)))
}

#[derive(Deserialize)]
pub(crate) struct Batch {
    #[serde(default)]
    targets: Vec<String>,
    #[serde(default)]
    properties: Vec<String>,
}

/// `POST /metadata/user/get`.
pub(crate) async fn get_many(
    call: &mut Call,
    _: AttributeReader,
    LabelledJson(body): LabelledJson<Batch>,
) -> Result<Answer> {
    let found = attributes::of_many(call.ctx(), &call.app, body.targets, &body.properties).await?;
    let data: Map<String, Value> = found.into_iter().map(|(name, pairs)| (name, object(pairs))).collect();
    Ok(Answer::data_only(Value::Object(data)))
}

/// `DELETE /metadata/user/{username}`.
pub(crate) async fn clear(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    attributes::clear(call.ctx(), &call.app, call.owner()).await?;
    Ok(Answer::data_only(true))
}

/// `GET /metadata/user/capacity`.
pub(crate) async fn capacity(call: &mut Call, _: Backend) -> Result<Answer> {
    Ok(Answer::data_only(attributes::bytes(call.ctx(), &call.app).await?))
}
