//! `/users`: registering, reading, changing and deleting users. Source: easemob-user-system.txt, 用户管理.

use std::net::IpAddr;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;
use yinxin_core::apps::Profile;
use yinxin_core::limits::USER_PAGE_DEFAULT;
use yinxin_core::users::{self, PushChanges, PushProfile, Registration, User};
use yinxin_core::{Code, Error, Result, UserId};
use yinxin_token::cursor::{decode_user_cursor, encode_user_cursor};
use zeroize::Zeroizing;

use crate::rest::answer::Answer;
use crate::rest::body::{Json, Members, OneOrMany};
use crate::rest::call::Call;
use crate::rest::query::Query;
use crate::rest::rights::{Backend, FromCall, SelfOrBackend};

#[derive(Deserialize)]
pub(crate) struct NewUser {
    username: Option<String>,
    password: Option<String>,
    nickname: Option<String>,
}

impl NewUser {
    fn by(self, client: IpAddr) -> Registration {
        let password = self.password.map(Zeroizing::new);
        Registration {
            username: self.username,
            password,
            nickname: self.nickname,
            from: Some(client),
            ..Registration::default()
        }
    }
}

/// The right to register: the app's backend or, for one user where the app allows it, anybody.
pub(crate) struct MayRegister {
    many: bool,
}

impl FromCall for MayRegister {
    async fn from_call(call: &mut Call) -> Result<Self> {
        match Backend::from_call(call).await {
            Ok(_) => Ok(Self { many: true }),
            Err(_) if call.app.settings.open_registration => {
                // The documents allow many only to the backend, today's servers to anybody. Source: docs/dialects/easemob.md.
                Ok(Self { many: call.app.settings.profile == Profile::Current })
            }
            Err(error) if error.code == Code::TokenMissing => Err(Code::RegistrationClosed.into()),
            Err(error) => Err(error),
        }
    }
}

/// `POST /users`: an object or an array of one registers one user, a longer array many.
pub(crate) async fn register(call: &mut Call, may: MayRegister, new: OneOrMany<NewUser>) -> Result<Answer> {
    let ctx = call.ctx();
    let client = call.arrival.client;
    match new {
        OneOrMany::One(one) => {
            let user = users::register(ctx, &call.app, one.by(client)).await?;
            Ok(Answer::write().path("/users").user(user))
        }
        OneOrMany::Many(list) if list.len() == 1 => {
            let one = list.into_iter().next().map(|one| one.by(client)).unwrap_or_default();
            let user = users::register(ctx, &call.app, one).await?;
            // Quirk(easemob): an array of one is answered like one, with empty params. Source: 注册单个用户(授权).
            Ok(Answer::write().path("/users").user(user).params(Vec::new()))
        }
        OneOrMany::Many(_) if !may.many => Err(Code::RegistrationClosed.into()),
        OneOrMany::Many(list) => {
            let list = list.into_iter().map(|one| one.by(client)).collect();
            let done = users::register_batch(ctx, &call.app, list).await?;
            let taken: Vec<Value> = done.taken.iter().map(|name| already_exists(name)).collect();
            Ok(Answer::write().path("/users").users(done.created).data(taken))
        }
    }
}

fn already_exists(name: &str) -> Value {
    json!({ "username": name, "registerUserFailReason": format!("the {name} already exists") })
}

/// `GET /users/{username}`.
pub(crate) async fn get(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    let user = users::find(call.ctx(), &call.app, call.owner()).await?;
    Ok(Answer::read().path("/users").user(user))
}

/// `GET /users?limit&cursor&activated`.
pub(crate) async fn list(call: &mut Call, _: Backend, query: Query) -> Result<Answer> {
    let limit = query.int("limit")?.unwrap_or(USER_PAGE_DEFAULT);
    let (from, active) = (cursor(&query)?, query.flag("activated")?);
    let page = users::list(call.ctx(), &call.app, from, active, limit).await?;
    let found = page.users.into_iter().map(Arc::new).collect();
    Ok(Answer::read().path("/users").users(found).params_if_any(query.into_pairs()).cursor(next(page.next)))
}

fn cursor(query: &Query) -> Result<Option<Uuid>> {
    let decode =
        |text| decode_user_cursor(text).ok_or_else(|| Error::about(Code::FieldIllegal, format!("cursor={text}")));
    query.get("cursor").map(decode).transpose()
}

fn next(user: Option<UserId>) -> Option<String> {
    user.map(|id| encode_user_cursor(Uuid::from_bytes(id.0)))
}

/// `DELETE /users/{username}`.
pub(crate) async fn delete(call: &mut Call, _: SelfOrBackend) -> Result<Answer> {
    let user = users::delete(call.ctx(), &call.app, call.owner()).await?;
    // Quirk(easemob): the reply's uri lacks the name.
    Ok(Answer::write().path("/users").uri("/users").user(deleted(call, user)))
}

/// `DELETE /users?limit&cursor`.
pub(crate) async fn delete_many(call: &mut Call, _: Backend, query: Query) -> Result<Answer> {
    if let Some(ql) = query.get("ql") {
        // Nobody speaks that language here, and without its condition the call would delete others.
        return Err(Error::about(Code::FieldIllegal, format!("ql={ql}")));
    }
    let limit = query.int("limit")?.unwrap_or(USER_PAGE_DEFAULT);
    let page = users::delete_oldest(call.ctx(), &call.app, cursor(&query)?, limit).await?;
    let gone = page.users.into_iter().map(|user| deleted(call, Arc::new(user))).collect();
    Ok(Answer::write().path("/users").users(gone).params_if_any(query.into_pairs()).cursor(next(page.next)))
}

/// A deleted user as it was, or as today's servers show it. Source: docs/dialects/easemob.md.
fn deleted(call: &Call, user: Arc<User>) -> Arc<User> {
    match call.app.settings.profile {
        Profile::Seed => user,
        Profile::Current => Arc::new(User { active: false, ..User::clone(&user) }),
    }
}

#[derive(Deserialize)]
pub(crate) struct NewPassword {
    newpassword: Option<String>,
}

/// `PUT /users/{username}/password`.
pub(crate) async fn set_password(call: &mut Call, _: SelfOrBackend, Json(new): Json<NewPassword>) -> Result<Answer> {
    users::set_password(call.ctx(), &call.app, call.owner(), new.newpassword.map(Zeroizing::new)).await?;
    Ok(Answer::action("set user password"))
}

/// `PUT /users/{username}`: push settings. Keys that are none are left alone.
pub(crate) async fn put(call: &mut Call, _: SelfOrBackend, Members(body): Members) -> Result<Answer> {
    let user = users::change_push(call.ctx(), &call.app, call.owner(), changes(body)?).await?;
    // Quirk(easemob): the reply's uri lacks the name.
    Ok(Answer::write().path("/users").uri("/users").user(user))
}

const IGNORE_GROUP: &str = "notification_ignore_";

fn changes(body: Vec<(String, Value)>) -> Result<PushChanges> {
    let mut profile = PushProfile::default();
    let mut group_ignores = Vec::new();
    for (key, value) in body.into_iter().flat_map(opened) {
        match key.as_str() {
            _ if value.is_null() => {}
            "nickname" => profile.nickname = Some(text(&key, value)?),
            "notification_display_style" => profile.style = Some(number(&key, &value)?),
            "notification_no_disturbing" => profile.quiet = Some(switch(&key, &value)?),
            "notification_no_disturbing_start" => profile.quiet_start_h = Some(number(&key, &value)?),
            "notification_no_disturbing_end" => profile.quiet_end_h = Some(number(&key, &value)?),
            "notifier_name" => profile.notifier_name = Some(text(&key, value)?),
            "device_token" => profile.device_token = Some(text(&key, value)?),
            _ => {
                if let Some(group) = key.strip_prefix(IGNORE_GROUP) {
                    group_ignores.push((group.to_owned(), switch(&key, &value)?));
                }
            }
        }
    }
    Ok(PushChanges { profile, group_ignores })
}

/// Quirk(easemob): the web SDK wraps the setting of a group into a list of entities. Source: its `blockGroupMessages`.
fn opened((key, value): (String, Value)) -> Vec<(String, Value)> {
    match value {
        Value::Array(entities) if key == "entities" => {
            let objects = entities.into_iter().filter_map(|entity| match entity {
                Value::Object(members) => Some(members),
                _ => None,
            });
            objects.flatten().collect()
        }
        value => vec![(key, value)],
    }
}

fn illegal(key: &str, value: &Value) -> Error {
    Error::about(Code::FieldIllegal, format!("{key}={value}"))
}

fn text(key: &str, value: Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(illegal(key, &other)),
    }
}

/// Numbers are sent as numbers and as texts, and always printed as numbers. Source: docs/dialects/easemob.md.
fn number(key: &str, value: &Value) -> Result<i64> {
    let parsed = value.as_str().map_or_else(|| value.as_i64(), |text| text.parse().ok());
    parsed.ok_or_else(|| illegal(key, value))
}

fn switch(key: &str, value: &Value) -> Result<bool> {
    match value {
        Value::Bool(on) => Ok(*on),
        Value::String(text) if text == "true" || text == "1" => Ok(true),
        Value::String(text) if text == "false" || text == "0" => Ok(false),
        Value::Number(number) if number.as_i64() == Some(1) => Ok(true),
        Value::Number(number) if number.as_i64() == Some(0) => Ok(false),
        other => Err(illegal(key, other)),
    }
}
