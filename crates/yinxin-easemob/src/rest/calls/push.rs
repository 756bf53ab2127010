//! The newer push calls. Source: docs/dialects/easemob.md.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use yinxin_core::push::{self, DeviceRow, NewNotifier, Notifier, RuleChanges, RuleKind, RuleRow, TemplateRow};
use yinxin_core::{Code, Error, Result};

use crate::rest::answer::Answer;
use crate::rest::body::{Json, List, Object, lenient_int};
use crate::rest::call::Call;
use crate::rest::query::Query;
use crate::rest::rights::{Backend, SelfOrBackend};

fn required(field: &str, value: Option<String>) -> Result<String> {
    value.ok_or_else(|| Error::about(Code::PushSettingIllegal, field))
}

#[derive(Deserialize)]
pub(crate) struct Binding {
    device_id: Option<String>,
    notifier_name: Option<String>,
    device_token: Option<String>,
}

/// `PUT /users/{username}/push/binding`; an empty token unbinds.
pub(crate) async fn bind(call: &mut Call, _: SelfOrBackend, Json(body): Json<Binding>) -> Result<Answer> {
    let device = DeviceRow {
        device_id: required("device_id", body.device_id)?,
        notifier_name: body.notifier_name.unwrap_or_default(),
        device_token: body.device_token.unwrap_or_default(),
    };
    let devices = push::bind(call.ctx(), &call.app, call.owner(), device).await?;
    Ok(Answer::action("put").entities(devices.iter().map(device_shown).collect()))
}

/// `GET /users/{username}/push/binding`.
pub(crate) async fn bindings(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    let devices = push::devices(call.ctx(), &call.app, call.owner()).await?;
    Ok(Answer::action("get").entities(devices.iter().map(device_shown).collect()))
}

fn device_shown(device: &DeviceRow) -> Value {
    json!({
        "device_id": device.device_id,
        "device_token": device.device_token,
        "notifier_name": device.notifier_name,
    })
}

#[derive(Deserialize)]
pub(crate) struct Nickname {
    username: Option<String>,
    push_nickname: Option<String>,
}

/// `PUT /push/nickname`: entities in the order of the request.
pub(crate) async fn nicknames(call: &mut Call, _: Backend, List(body): List<Object<Nickname>>) -> Result<Answer> {
    let pair = |Object(entry): Object<Nickname>| {
        Ok((entry.username.ok_or(Code::UsernameMissing)?, required("push_nickname", entry.push_nickname)?))
    };
    let wanted = body.into_iter().map(pair).collect::<Result<_>>()?;
    let done = push::set_nicknames(call.ctx(), &call.app, wanted).await?;
    let shown = |(name, nickname)| json!({ "username": name, "push_nickname": nickname });
    Ok(Answer::write().path("/push").uri("/push").entities(done.into_iter().map(shown).collect()))
}

#[derive(Deserialize)]
pub(crate) struct Rule {
    #[serde(rename = "type")]
    mode: Option<String>,
    #[serde(rename = "ignoreInterval")]
    ignore_interval: Option<String>,
    #[serde(default, rename = "ignoreDuration", deserialize_with = "lenient_int")]
    ignore_duration: Option<i64>,
}

fn rule_kind(call: &Call) -> Result<RuleKind> {
    RuleKind::parse(call.param("kind")).ok_or_else(|| Code::RouteNotFound.into())
}

/// `PUT /users/{username}/notification/{user|chatgroup}/{key}`.
pub(crate) async fn set_rule(call: &mut Call, _: SelfOrBackend, Json(body): Json<Rule>) -> Result<Answer> {
    let changes =
        RuleChanges { mode: body.mode, ignore_interval: body.ignore_interval, ignore_for_ms: body.ignore_duration };
    let kind = rule_kind(call)?;
    let rule = push::set_rule(call.ctx(), &call.app, call.owner(), kind, call.param("key"), changes).await?;
    Ok(Answer::write().data(rule_shown(rule)))
}

/// `GET` of the same.
pub(crate) async fn get_rule(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    let kind = rule_kind(call)?;
    let rule = push::rule_of(call.ctx(), &call.app, call.owner(), kind, call.param("key")).await?;
    Ok(Answer::read().data(rule_shown(rule)))
}

/// `GET /users/{username}/notification?user=a,b&group=1,2`: the settings of many conversations.
pub(crate) async fn get_rules(call: &mut Call, _: SelfOrBackend, query: Query) -> Result<Answer> {
    let names = |kind, list: &str| {
        let names = query.get(list).unwrap_or_default().split(',').filter(|name| !name.is_empty());
        names.map(|name| (kind, name.to_owned())).collect::<Vec<_>>()
    };
    let wanted = [names(RuleKind::User, "user"), names(RuleKind::Group, "group")].concat();
    let rules = push::rules_of(call.ctx(), &call.app, call.owner(), wanted).await?;
    let mut data = json!({ "user": {}, "group": {} });
    for (kind, target, rule) in rules {
        data[list_of(kind)][target] = rule_shown(rule);
    }
    Ok(Answer::read().data(data))
}

fn list_of(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::User => "user",
        RuleKind::Group => "group",
    }
}

/// `GET /users/{username}/notification/mute/type?limit&cursor`: the conversations with a setting of their own.
pub(crate) async fn modes(call: &mut Call, _: SelfOrBackend, query: Query) -> Result<Answer> {
    let after = query.get("cursor").map(decode_cursor).transpose()?;
    let limit = query.int("limit")?.unwrap_or(10);
    let (modes, is_more) = push::modes(call.ctx(), &call.app, call.owner(), after, limit).await?;
    let last = modes.last().filter(|_| is_more);
    let cursor = last.map(|mode| URL_SAFE_NO_PAD.encode(format!("{}/{}", mode.kind.name(), mode.target)));
    let shown = |mode: push::Mode| json!({ list_of(mode.kind): mode.target, "value": mode.mode });
    let data: Vec<Value> = modes.into_iter().map(shown).collect();
    Ok(Answer::read().count(data.len()).data(data).cursor(cursor))
}

fn decode_cursor(text: &str) -> Result<(RuleKind, String)> {
    let decode = || {
        let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (kind, target) = decoded.split_once('/').filter(|_| !decoded.contains('\0'))?;
        Some((RuleKind::parse(kind)?, target.to_owned()))
    };
    decode().ok_or_else(|| Error::about(Code::FieldIllegal, format!("cursor={text}")))
}

/// The duration comes back as the time it ends at.
fn rule_shown(rule: RuleRow) -> Value {
    json!({
        "type": rule.mode.unwrap_or_else(|| "DEFAULT".into()),
        "ignoreInterval": rule.ignore_interval.unwrap_or_default(),
        "ignoreDuration": rule.ignore_until_ms.unwrap_or_default(),
    })
}

#[derive(Deserialize)]
pub(crate) struct Language {
    #[serde(rename = "translationLanguage")]
    language: Option<String>,
}

/// `PUT /users/{username}/notification/language`.
pub(crate) async fn set_language(call: &mut Call, _: SelfOrBackend, Json(body): Json<Language>) -> Result<Answer> {
    let language = required("translationLanguage", body.language)?;
    let language = push::prefer(call.ctx(), &call.app, call.owner(), push::LANGUAGE, language).await?;
    Ok(Answer::write().data(json!({ "language": language })))
}

/// `GET` of the same.
pub(crate) async fn get_language(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    let language = push::preference(call.ctx(), &call.app, call.owner(), push::LANGUAGE).await?;
    Ok(Answer::read().data(json!({ "language": language.unwrap_or_default() })))
}

#[derive(Deserialize)]
pub(crate) struct Choice {
    #[serde(rename = "templateName")]
    name: Option<String>,
}

/// `PUT /users/{username}/notification/template`.
pub(crate) async fn choose_template(call: &mut Call, _: SelfOrBackend, Json(body): Json<Choice>) -> Result<Answer> {
    let name = required("templateName", body.name)?;
    let name = push::prefer(call.ctx(), &call.app, call.owner(), push::TEMPLATE, name).await?;
    Ok(Answer::write().data(json!({ "templateName": name })))
}

/// `GET` of the same.
pub(crate) async fn chosen_template(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    let name = push::preference(call.ctx(), &call.app, call.owner(), push::TEMPLATE).await?;
    Ok(Answer::read().data(json!({ "templateName": name.unwrap_or_default() })))
}

#[derive(Deserialize)]
pub(crate) struct Template {
    name: Option<String>,
    title_pattern: Option<String>,
    content_pattern: Option<String>,
}

fn template_shown(template: &TemplateRow) -> Value {
    json!({
        "name": template.name,
        "title_pattern": template.title_pattern,
        "content_pattern": template.content_pattern,
        "createAt": template.created_ms,
        "updateAt": template.modified_ms,
    })
}

/// `POST /notification/template`.
pub(crate) async fn add_template(call: &mut Call, _: Backend, Json(body): Json<Template>) -> Result<Answer> {
    let name = required("name", body.name)?;
    let title = required("title_pattern", body.title_pattern)?;
    let content = required("content_pattern", body.content_pattern)?;
    let template = push::add_template(call.ctx(), &call.app, name, title, content).await?;
    Ok(Answer::write().data(template_shown(&template)))
}

/// `PUT /notification/template/{name}`.
pub(crate) async fn set_template(call: &mut Call, _: Backend, Json(body): Json<Template>) -> Result<Answer> {
    let title = required("title_pattern", body.title_pattern)?;
    let content = required("content_pattern", body.content_pattern)?;
    let name = call.param("name").to_owned();
    let template = push::set_template(call.ctx(), &call.app, name, title, content).await?;
    Ok(Answer::write().data(template_shown(&template)))
}

/// `GET /notification/template/{name}`.
pub(crate) async fn get_template(call: &mut Call, _: Backend) -> Result<Answer> {
    let template = push::template(call.ctx(), &call.app, call.param("name")).await?;
    Ok(Answer::read().data(template_shown(&template)))
}

/// `DELETE /notification/template/{name}`.
pub(crate) async fn remove_template(call: &mut Call, _: Backend) -> Result<Answer> {
    let template = push::remove_template(call.ctx(), &call.app, call.param("name")).await?;
    Ok(Answer::write().data(template_shown(&template)))
}

#[derive(Deserialize)]
pub(crate) struct NotifierBody {
    name: Option<String>,
    provider: Option<String>,
    environment: Option<String>,
    #[serde(rename = "packageName")]
    package_name: Option<String>,
    certificate: Option<String>,
}

fn notifier_shown(notifier: Notifier) -> Value {
    let mut shown = json!({
        "uuid": notifier.id,
        "type": "notifier",
        "name": notifier.name,
        "created": notifier.created_ms,
        "modified": notifier.modified_ms,
        "provider": notifier.provider,
        "environment": notifier.environment,
    });
    if let Some(package) = notifier.package_name {
        shown["packageName"] = package.into();
    }
    shown
}

/// `POST /notifiers`. The certificate is kept sealed and never shown.
pub(crate) async fn add_notifier(call: &mut Call, _: Backend, Json(body): Json<NotifierBody>) -> Result<Answer> {
    let new = NewNotifier {
        name: required("name", body.name)?,
        provider: required("provider", body.provider)?,
        environment: body.environment.unwrap_or_else(|| "PRODUCTION".into()),
        package_name: body.package_name,
        certificate: body.certificate,
    };
    let notifier = push::add_notifier(call.ctx(), &call.app, new).await?;
    Ok(Answer::write().path("/notifiers").entities(vec![notifier_shown(notifier)]))
}

/// `GET /notifiers`.
pub(crate) async fn notifiers(call: &mut Call, _: Backend) -> Result<Answer> {
    let found = push::notifiers(call.ctx(), &call.app).await?;
    let count = found.len();
    let entities = found.into_iter().map(notifier_shown).collect();
    Ok(Answer::read().path("/notifiers").entities(entities).count(count))
}

/// `GET /notifiers/{id}`.
pub(crate) async fn notifier(call: &mut Call, _: Backend) -> Result<Answer> {
    let found = push::notifiers(call.ctx(), &call.app).await?;
    let one = found.into_iter().find(|notifier| notifier.id.to_string().eq_ignore_ascii_case(call.param("id")));
    let one = one.ok_or_else(|| Error::about(Code::NotifierNotFound, call.param("id")))?;
    Ok(Answer::read().path("/notifiers").entities(vec![notifier_shown(one)]).count(1))
}

/// `DELETE /notifiers/{id}`.
pub(crate) async fn remove_notifier(call: &mut Call, _: Backend) -> Result<Answer> {
    let notifier = push::remove_notifier(call.ctx(), &call.app, call.param("id")).await?;
    Ok(Answer::write().path("/notifiers").entities(vec![notifier_shown(notifier)]))
}
