//! Contacts ("roster"): the list, applications, the block list.

use serde::{Deserialize, Serialize};
use yinxin_core::contacts::{self, Contact};
use yinxin_core::limits::{APPLICATIONS_AT_ONCE, PEOPLE_PAGE_MAX, PROFILE_BATCH_MAX};
use yinxin_core::push::{self, RuleKind};
use yinxin_core::settings::{self, Setting};
use yinxin_core::users::{self, LoginName, User};
use yinxin_core::{Code, Error, Result, UserId, blocks};

use super::profiles::{self, Shown};
use super::register;
use crate::answer::{self, Answer};
use crate::body::{self, Number};
use crate::call::Call;
use crate::rights::{Myself, Viewer};

/// The push mode of a conversation that is not told of.
const MUTED: &str = "NONE";

async fn numbers(call: &Call, of: Vec<UserId>) -> Result<Vec<i64>> {
    let found = users::numbers_of(&call.ctx, &call.app, of).await?;
    Ok(found.into_iter().map(|(_, number)| number).collect())
}

/// `GET /roster/list`: the numbers of contacts, newest first; all of them unless a page is asked for.
pub(crate) async fn list(call: &Call, me: Myself) -> Answer {
    let (ctx, app, me) = (&call.ctx, &call.app, &me.user.username);
    let cursor = call.query.number("cursor")?;
    let limit = call.query.number("limit")?.unwrap_or_default();
    if cursor.is_none() && limit <= 0 {
        let contacts = contacts::all(ctx, app, me).await?;
        return answer::ok(numbers(call, contacts.iter().map(|contact| contact.user).collect()).await?);
    }
    let limit = if limit <= 0 { PEOPLE_PAGE_MAX } else { limit.min(PEOPLE_PAGE_MAX) };
    let page = contacts::page(ctx, app, me, cursor, limit).await?;
    let contacts = numbers(call, page.entries.iter().map(|contact| contact.user).collect()).await?;
    answer::page(contacts, page.next.map(|next| next.to_string()))
}

/// A user as another sees it.
#[derive(Serialize)]
struct Item {
    #[serde(flatten)]
    shown: Shown,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ext: Option<String>,
    auth_mode: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_question: Option<String>,
    mute_notification: bool,
    /// 0 contact, 2 stranger, 3 blocked.
    relation: u8,
}

async fn item(call: &Call, me: Option<&User>, other: &User) -> Result<Item> {
    let (ctx, app) = (&call.ctx, &call.app);
    let wants = settings::of_user(ctx, app, other).await?;
    let (blocked, contact) = match me {
        Some(me) => contacts::relation(ctx, app, me, other).await?,
        None => (false, None),
    };
    let muted = match me {
        Some(me) => push::rule_of(ctx, app, &me.username, RuleKind::User, &other.username).await?.mode,
        None => None,
    };
    let relation = match (&contact, blocked) {
        (_, true) => 3,
        (Some(_), false) => 0,
        (None, false) => 2,
    };
    let (alias, ext) = contact.map_or((None, None), |Contact { remark, ext, .. }| (remark, ext));
    Ok(Item {
        shown: profiles::shown(call, other).await?,
        alias,
        ext,
        auth_mode: wants.admission().number(),
        auth_question: wants.get(Setting::Question).map(str::to_owned),
        mute_notification: muted.as_deref() == Some(MUTED),
        relation,
    })
}

/// `POST /roster/list`: the users of those numbers; numbers that nobody has are left out.
pub(crate) async fn items(call: &Call, viewer: Viewer) -> Answer {
    #[derive(Deserialize)]
    struct Wanted {
        list: Option<Vec<Number>>,
    }
    let list = call.json::<Wanted>()?.list.ok_or_else(|| Error::about(Code::FieldIllegal, "list"))?;
    if list.len() > PROFILE_BATCH_MAX {
        return Err(Error::about(Code::FieldIllegal, "list").with_limit(PROFILE_BATCH_MAX));
    }
    let mut items = Vec::with_capacity(list.len());
    for Number(number) in list {
        if let Some(user) = users::by_number(&call.ctx, call.app.id, number.unwrap_or_default()).await? {
            items.push(item(call, viewer.user.as_deref(), &user).await?);
        }
    }
    answer::ok(items)
}

/// `GET /roster/id?user_id=`.
pub(crate) async fn by_id(call: &Call, viewer: Viewer) -> Answer {
    let other = call.user_in_query("user_id").await?;
    answer::ok(item(call, viewer.user.as_deref(), &other).await?)
}

/// `GET /roster/name?username=`.
pub(crate) async fn by_name(call: &Call, viewer: Viewer) -> Answer {
    let name = call.query.required("username")?;
    let other = users::logging_in_by(&call.ctx, &call.app, LoginName::Called(name)).await?;
    let other = other.ok_or_else(|| Error::about(Code::UserNotFound, name))?;
    answer::ok(item(call, viewer.user.as_deref(), &other).await?)
}

/// `GET /roster/mobile?mobile=`.
pub(crate) async fn by_mobile(call: &Call, viewer: Viewer) -> Answer {
    let mobile = call.query.required("mobile")?;
    let other = users::logging_in_by(&call.ctx, &call.app, LoginName::Mobile(mobile)).await?;
    let other = other.ok_or_else(|| Error::about(Code::UserNotFound, mobile))?;
    answer::ok(item(call, viewer.user.as_deref(), &other).await?)
}

#[derive(Deserialize)]
struct Application {
    #[serde(default)]
    user_id: Number,
    reason: Option<String>,
    alias: Option<String>,
    auth_answer: Option<String>,
}

impl Application {
    async fn make(&self, call: &Call, me: &User) -> Result<()> {
        let (ctx, app) = (&call.ctx, &call.app);
        let number = self.user_id.0.ok_or_else(|| Error::about(Code::FieldIllegal, "user_id"))?;
        let other = call.user(number).await?;
        let reason = self.reason.as_deref().unwrap_or_default();
        contacts::apply(ctx, app, me, &other, reason, self.auth_answer.as_deref(), self.alias.as_deref()).await
    }
}

/// `POST /roster/apply`.
pub(crate) async fn apply(call: &Call, me: Myself) -> Answer {
    call.json::<Application>()?.make(call, &me.user).await?;
    answer::done()
}

/// `POST /roster/apply/batch`, whose body is a bare array.
pub(crate) async fn apply_to_many(call: &Call, me: Myself) -> Answer {
    #[derive(Serialize, Default)]
    struct Outcome {
        success: Vec<i64>,
        fails: Vec<Failed>,
    }
    #[derive(Serialize)]
    struct Failed {
        user_id: i64,
        reason: String,
    }
    let applications: Vec<Application> = body::array(&call.body)?;
    if applications.len() > APPLICATIONS_AT_ONCE {
        return Err(Error::about(Code::FieldIllegal, "the body").with_limit(APPLICATIONS_AT_ONCE));
    }
    let mut outcome = Outcome::default();
    for application in applications {
        let user_id = application.user_id.0.unwrap_or_default();
        match application.make(call, &me.user).await {
            Ok(()) => outcome.success.push(user_id),
            Err(error) => outcome.fails.push(Failed { user_id, reason: register::reason(error)? }),
        }
    }
    answer::ok(outcome)
}

/// `GET /roster/apply/list`: applications that wait. Those that were answered, or have expired, are not kept.
pub(crate) async fn applications(call: &Call, me: Myself) -> Answer {
    #[derive(Serialize)]
    struct Waiting {
        user_id: i64,
        reason: String,
        status: u8,
        /// Milliseconds since 1970.
        expired_time: i64,
    }
    let limit = call.query.number("limit")?.unwrap_or(i64::MAX);
    let before = call.query.number("cursor")?;
    let page = contacts::invitations(&call.ctx, &call.app, &me.user, before, limit).await?;
    let numbers =
        users::numbers_of(&call.ctx, &call.app, page.entries.iter().map(|entry| entry.inviter).collect()).await?;
    let waiting = page.entries.into_iter().filter_map(|entry| {
        let (_, user_id) = numbers.iter().find(|(known, _)| *known == entry.inviter)?;
        let expired_time = contacts::expires_ms(&entry);
        Some(Waiting { user_id: *user_id, reason: entry.reason, status: 0, expired_time })
    });
    answer::page(waiting.collect::<Vec<_>>(), page.next.map(|next| next.to_string()))
}

/// `POST /roster/accept?user_id=`.
pub(crate) async fn accept(call: &Call, me: Myself) -> Answer {
    let other = call.user_in_query("user_id").await?;
    contacts::accept(&call.ctx, &call.app, &me.user.username, &other.username).await?;
    answer::done()
}

/// `POST /roster/decline`. Its reason is told to nobody: no dialect has a place for it.
pub(crate) async fn decline(call: &Call, me: Myself) -> Answer {
    let other = named(call).await?;
    contacts::decline(&call.ctx, &call.app, &me.user.username, &other.username).await?;
    answer::done()
}

/// The user that a body names.
async fn named(call: &Call) -> Result<std::sync::Arc<User>> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(default)]
        user_id: Number,
    }
    let number = call.json::<Named>()?.user_id.0.ok_or_else(|| Error::about(Code::FieldIllegal, "user_id"))?;
    call.user(number).await
}

/// `POST /roster/delete?user_id=`.
pub(crate) async fn delete(call: &Call, me: Myself) -> Answer {
    let other = call.user_in_query("user_id").await?;
    contacts::remove(&call.ctx, &call.app, &me.user.username, &other.username).await?;
    answer::done()
}

/// `POST /roster/ext`: what the user notes about a contact.
pub(crate) async fn note(call: &Call, me: Myself) -> Answer {
    #[derive(Deserialize)]
    struct Notes {
        alias: Option<String>,
        ext: Option<String>,
        mute_notification: Option<bool>,
    }
    let other = named(call).await?;
    let Notes { alias, ext, mute_notification } = call.json()?;
    let push_mode = mute_notification.map(|muted| if muted { MUTED } else { "DEFAULT" }.to_owned());
    contacts::note(&call.ctx, &call.app, &me.user, &other, contacts::Notes { remark: alias, ext, push_mode }).await?;
    answer::done()
}

/// `GET /roster/blocked_list`.
pub(crate) async fn blocked(call: &Call, me: Myself) -> Answer {
    let blocked = blocks::all(&call.ctx, &call.app, &me.user.username).await?;
    answer::ok(numbers(call, blocked.iter().map(|row| row.user).collect()).await?)
}

/// `POST /roster/block?user_id=`.
pub(crate) async fn block(call: &Call, me: Myself) -> Answer {
    let other = call.user_in_query("user_id").await?;
    blocks::add(&call.ctx, &call.app, &me.user.username, vec![other.username.clone()]).await?;
    answer::done()
}

/// `POST /roster/unblock?user_id=`.
pub(crate) async fn unblock(call: &Call, me: Myself) -> Answer {
    let other = call.user_in_query("user_id").await?;
    blocks::remove(&call.ctx, &call.app, &me.user.username, &other.username).await?;
    answer::done()
}

/// `GET /roster/may_message?user_id=&roster_id=`: whether the first may write to the second. Two others are not a user's
/// business.
pub(crate) async fn may_message(call: &Call, viewer: Viewer) -> Answer {
    let from = call.user_in_query("user_id").await?;
    let to = call.user_in_query("roster_id").await?;
    if viewer.user.is_some_and(|me| me.user != from.user && me.user != to.user) {
        return Err(Code::Forbidden.into());
    }
    answer::ok(contacts::may_write(&call.ctx, &call.app, &from, &to).await?)
}
