//! Pushes: what a user sets about them, by which alias and tags it is found, and those that a backend asks for, which are
//! told to the app's hooks. Source: the vendor's REST document, sections "user" and "push".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use yinxin_core::push::{self, Notifier};
use yinxin_core::pushes::{self, Audience, Badge, Detail, Request};
use yinxin_core::sessions::device_id;
use yinxin_core::settings::{self, Setting};
use yinxin_core::users::{PushProfile, User};
use yinxin_core::{Code, Error, Result, push_tokens};

use crate::answer::{self, Answer};
use crate::body::Number;
use crate::call::Call;
use crate::rights::{Backend, Myself, Viewer};

/// The vendor's numbers for push providers, its names for them in counts, and how the names of certificates' providers
/// begin here.
const PROVIDERS: [(i64, &str, &str); 7] = [
    (1, "apns", "apns"),
    (2, "huawei", "huawei"),
    (3, "xiaomi", "xiaomi"),
    (4, "flyme", "meizu"),
    (5, "vivo", "vivo"),
    (6, "oppo", "oppo"),
    (7, "fcm", "fcm"),
];

fn illegal(what: &str) -> Error {
    Error::about(Code::FieldIllegal, what)
}

fn is_of(provider: &str, beginning: &str) -> bool {
    provider.get(..beginning.len()).is_some_and(|own| own.eq_ignore_ascii_case(beginning))
}

async fn change(call: &Call, user: &User, profile: PushProfile) -> Answer {
    let changes = settings::Changes { push: profile, ..settings::Changes::default() };
    super::settings::change(call, user, changes).await
}

/// `POST /user/push?value=`: whether pushes are off.
pub(crate) async fn set_quiet(call: &Call, me: Myself) -> Answer {
    let quiet = Some(call.query.flag("value")?);
    change(call, &me.user, PushProfile { quiet, ..PushProfile::default() }).await
}

/// `POST /user/push/detail?value=`: whether pushes hide what was said.
pub(crate) async fn set_detail(call: &Call, me: Myself) -> Answer {
    let style = Some(i64::from(!call.query.flag("value")?));
    change(call, &me.user, PushProfile { style, ..PushProfile::default() }).await
}

/// `POST /user/push/limit?no_push_start_hour=&no_push_end_hour=`.
pub(crate) async fn set_hours(call: &Call, me: Myself) -> Answer {
    let hour = |name: &'static str| {
        let number = call.query.number(name)?;
        number.ok_or_else(|| illegal(name)).map(Some)
    };
    let (quiet_start_h, quiet_end_h) = (hour("no_push_start_hour")?, hour("no_push_end_hour")?);
    change(call, &me.user, PushProfile { quiet_start_h, quiet_end_h, ..PushProfile::default() }).await
}

/// `POST /user/push/nickname?value=`.
pub(crate) async fn set_nickname(call: &Call, me: Myself) -> Answer {
    let nickname = Some(call.query.required("value")?.to_owned());
    change(call, &me.user, PushProfile { nickname, ..PushProfile::default() }).await
}

/// `POST /user/push/badge`: the number that the app's icon shows.
pub(crate) async fn set_badge(call: &Call, me: Myself) -> Answer {
    #[derive(Deserialize)]
    struct Shown {
        #[serde(default)]
        badge: Number,
    }
    let number = call.json::<Shown>()?.badge.0.ok_or_else(|| illegal("badge"))?;
    super::settings::change(call, &me.user, (Setting::Badge, number.to_string()).into()).await
}

/// `POST /user/push/alias`: of the device that a push token names, which the app's backend may show for any user; without
/// one, of all devices of the user.
pub(crate) async fn set_alias(call: &Call, viewer: Viewer) -> Answer {
    #[derive(Deserialize)]
    struct Named {
        alias: Option<String>,
        push_token: Option<String>,
    }
    let Named { alias, push_token } = call.json()?;
    let alias = alias.ok_or_else(|| illegal("alias"))?;
    let (user, device) = match push_token {
        Some(token) => viewer.device_of(call, &token).await.map(|(user, device)| (user, Some(device)))?,
        None => (viewer.user.ok_or_else(|| illegal("user_id"))?, None),
    };
    pushes::set_alias(&call.ctx, &call.app, &user, device, alias).await?;
    answer::done()
}

impl Viewer {
    /// Whose device a push token names, and the device as it is known to pushes. Others' are no user's business.
    pub(crate) async fn device_of(&self, call: &Call, token: &str) -> Result<(std::sync::Arc<User>, String)> {
        let (user, device) = push_tokens::open(&call.ctx, &call.app, token).await?;
        match &self.user {
            Some(me) if me.user != user.user => Err(Code::Forbidden.into()),
            _ => Ok((user, device_id(&device))),
        }
    }
}

fn tags_of(call: &Call) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Tags {
        tags: Option<Vec<String>>,
    }
    call.json::<Tags>()?.tags.ok_or_else(|| illegal("tags"))
}

/// `GET /user/push/tag`.
pub(crate) async fn tags(call: &Call, me: Myself) -> Answer {
    answer::ok(pushes::tags(&call.ctx, &call.app, &me.user).await?)
}

/// `POST /user/push/tag`.
pub(crate) async fn add_tags(call: &Call, me: Myself) -> Answer {
    pushes::add_tags(&call.ctx, &call.app, &me.user, tags_of(call)?).await?;
    answer::done()
}

/// `DELETE /user/push/tag`.
pub(crate) async fn remove_tags(call: &Call, me: Myself) -> Answer {
    pushes::remove_tags(&call.ctx, &call.app, &me.user, tags_of(call)?).await?;
    answer::done()
}

/// `DELETE /user/push/tag/all`.
pub(crate) async fn clear_tags(call: &Call, me: Myself) -> Answer {
    pushes::clear_tags(&call.ctx, &call.app, &me.user).await?;
    answer::done()
}

/// `GET /push/certificate?provider=&environment=`: under which name a device of that provider is bound. What the
/// certificate holds is for nobody to read.
pub(crate) async fn certificate(call: &Call, _: Viewer) -> Answer {
    let number = call.query.number("provider")?.ok_or_else(|| illegal("provider"))?;
    let (.., beginning) = PROVIDERS.iter().find(|(known, ..)| *known == number).ok_or_else(|| illegal("provider"))?;
    let environment = match call.query.number("environment")?.unwrap_or(1) {
        0 => "dev",
        1 => "prod",
        _ => return Err(illegal("environment")),
    };
    let fits = |notifier: &Notifier| is_of(&notifier.provider, beginning) && is_of(&notifier.environment, environment);
    let found = push::notifiers(&call.ctx, &call.app).await?.into_iter().find(fits);
    let found = found.ok_or_else(|| Error::about(Code::NotifierNotFound, number.to_string()))?;
    answer::ok(json!({ "name": found.name }))
}

#[derive(Deserialize)]
struct Notify {
    audience: Option<Value>,
    setting: Option<Map<String, Value>>,
    message: Option<Map<String, Value>>,
}

/// `"all"`, or an object with one list.
fn audience_of(value: Option<Value>) -> Result<Audience> {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Lists {
        Tag(Vec<String>),
        Alias(Vec<String>),
        UserId(Vec<Number>),
        PushToken(Vec<String>),
    }
    let value = value.ok_or_else(|| illegal("audience"))?;
    if value == "all" {
        return Ok(Audience::All);
    }
    // A word alone is no list, though serde would look for one under that name.
    let lists = if value.is_object() { serde_json::from_value(value).ok() } else { None };
    Ok(match lists.ok_or_else(|| illegal("audience"))? {
        Lists::Tag(tags) => Audience::Tags(tags),
        Lists::Alias(aliases) => Audience::Aliases(aliases),
        Lists::PushToken(tokens) => Audience::Devices(tokens),
        Lists::UserId(numbers) => {
            let numbers = numbers.into_iter().map(|number| number.0).collect::<Option<_>>();
            Audience::Numbers(numbers.ok_or_else(|| illegal("audience"))?)
        }
    })
}

/// A number, or with a plus before it how many more; one more when nothing is said.
fn badge_of(message: &Map<String, Value>) -> Result<Badge> {
    let text = match message.get("badge") {
        None | Some(Value::Null) => return Ok(Badge::Add(1)),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) if text.is_empty() => return Ok(Badge::Add(1)),
        Some(Value::String(text)) => text.clone(),
        Some(_) => return Err(illegal("badge")),
    };
    let (more, digits) = text.strip_prefix('+').map_or((false, text.as_str()), |digits| (true, digits));
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().ok().filter(|_| is_number).ok_or_else(|| illegal("badge"))?;
    Ok(if more { Badge::Add(number) } else { Badge::Set(number) })
}

/// One of some words, which may be left out.
fn one_of(object: &Map<String, Value>, name: &str, words: &[&str]) -> Result<()> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(word)) if words.contains(&word.as_str()) => Ok(()),
        Some(_) => Err(illegal(name)),
    }
}

/// `POST /push/notify`: a task, told to the app's hooks as `push.requested`. There is no channel of the vendor's own.
pub(crate) async fn notify(call: &Call, _: Backend) -> Answer {
    let Notify { audience, setting, message } = call.json()?;
    let message = message.ok_or_else(|| illegal("message"))?;
    one_of(&message, "type", &["text", "image", "cmd"])?;
    let mut setting = setting.unwrap_or_default();
    one_of(&setting, "distribution_strategy", &["combined", "mxpush_only", "ospush_only"])?;
    if setting.get("distribution_strategy").is_some_and(|strategy| strategy == "mxpush_only") {
        return Err(Code::PushUnavailable.into());
    }
    let id = match setting.remove("request_id") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id),
        Some(_) => return Err(illegal("request_id")),
    };
    let (audience, badge) = (audience_of(audience)?, badge_of(&message)?);
    let task = pushes::request(&call.ctx, &call.app, Request { id, audience, message, setting, badge }).await?;
    answer::ok(json!({ "task_id": task }))
}

/// `POST /push/task/detail`: how many devices hooks were told of. What becomes of them then is not known here.
pub(crate) async fn task_detail(call: &Call, _: Backend) -> Answer {
    #[derive(Deserialize)]
    struct Tasks {
        list: Option<Vec<Number>>,
    }
    #[derive(Serialize)]
    struct Shown {
        task_id: i64,
        #[serde(flatten)]
        targets: BTreeMap<String, i64>,
    }
    let list = call.json::<Tasks>()?.list.ok_or_else(|| illegal("list"))?;
    let tasks = list.into_iter().map(|number| number.0).collect::<Option<Vec<_>>>().ok_or_else(|| illegal("list"))?;
    let shown = |detail: Detail| {
        let of = |beginning| {
            detail.targets.iter().filter(|(provider, _)| is_of(provider, beginning)).map(|(_, count)| count).sum()
        };
        let targets = PROVIDERS.map(|(_, name, beginning)| (format!("{name}_target"), of(beginning)));
        Shown { task_id: detail.task, targets: targets.into() }
    };
    let details = pushes::details(&call.ctx, &call.app, tasks).await?;
    answer::ok(details.into_iter().map(shown).collect::<Vec<_>>())
}
