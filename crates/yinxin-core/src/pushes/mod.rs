//! Pushes that an app's backend asks for: to whom, how far they are told, and to which hooks.
//!
//! Sending is not this server's. A push is a task, which is kept before it is answered and then told, a few users at a time,
//! to the hooks that want pushes: with the tokens of the devices, so that whoever is told can send. Each piece is one
//! transaction, which writes the event and moves the task on; so a crash neither loses nor repeats one.

mod audience;
mod marks;
mod step;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use yinxin_store::tables::push_tasks::{self, NewTask};

pub use audience::Audience;
pub(crate) use marks::check_alias;
pub use marks::{add_tags, clear_tags, remove_tags, set_alias, tags};
pub(crate) use step::{Turns, step};

use crate::apps::{self, App};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::hooks::{self, Event};
use crate::limits::{
    PUSH_BADGE_MAX, PUSH_MARK_BYTES_MAX, PUSH_MESSAGE_BYTES_MAX, PUSH_TASK_BATCH_MAX, PUSH_TASK_KEPT_MS,
    PUSH_TASKS_OPEN_MAX,
};
use crate::rng;
use audience::Addressed;
use step::Progress;

/// What becomes of the number on the app's icon.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Badge {
    /// It is that.
    Set(i64),
    /// It is so many more.
    Add(i64),
}

/// A push that is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// What its asker calls it: a request that is known already is not made again.
    pub id: Option<String>,
    /// To whom.
    pub audience: Audience,
    /// What, in the asker's words: they are for whoever sends it.
    pub message: Map<String, Value>,
    /// How, in the asker's words.
    pub setting: Map<String, Value>,
    /// What becomes of the number on the app's icon.
    pub badge: Badge,
}

/// What is kept of a task.
#[derive(Serialize, Deserialize)]
struct Asked {
    to: Addressed,
    message: Map<String, Value>,
    setting: Map<String, Value>,
    badge: Badge,
}

/// Takes a push on and gives the number of its task. It is told from then on.
pub async fn request(ctx: &Ctx, app: &App, request: Request) -> Result<i64> {
    if !hooks::wanted(app, Event::PushRequested) {
        return Err(Code::PushUnavailable.into());
    }
    check(&request)?;
    let Request { id, audience, message, setting, badge } = request;
    let asked = Asked { to: audience::resolve(ctx, app, audience).await?, message, setting, badge };
    let task = NewTask {
        task_id: draw(ctx),
        request_id: id.filter(|id| !id.is_empty()),
        made_ms: ctx.clock.now_ms(),
        asked: written(&asked)?,
        progress: written(&Progress::default())?,
    };
    let made = ctx
        .db
        .write((app.id, task), |sql, (app, task)| {
            Box::pin(async move {
                apps::must_exist(sql, *app).await?;
                if let Some(request) = &task.request_id {
                    push_tasks::forget_request(sql, *app, request, task.made_ms - PUSH_TASK_KEPT_MS).await?;
                    if let Some(known) = push_tasks::by_request(sql, *app, request).await? {
                        return Ok(known);
                    }
                }
                if push_tasks::open_count(sql, *app).await? >= PUSH_TASKS_OPEN_MAX {
                    return Err(Error::over(Code::RateLimited, PUSH_TASKS_OPEN_MAX));
                }
                if !push_tasks::insert(sql, *app, task).await? {
                    return Err(Error::about(Code::Internal, "the number that was drawn for a push is taken"));
                }
                Ok(task.task_id)
            })
        })
        .await?;
    ctx.chores.notify_one();
    Ok(made)
}

fn check(request: &Request) -> Result<()> {
    let illegal = |what: &str, limit: usize| Err(Error::about(Code::FieldIllegal, what).with_limit(limit));
    if request.id.as_ref().is_some_and(|id| id.len() > PUSH_MARK_BYTES_MAX) {
        return illegal("request_id", PUSH_MARK_BYTES_MAX);
    }
    if request.message.is_empty() {
        return Err(Error::about(Code::FieldIllegal, "message"));
    }
    if written(&request.message)?.len() + written(&request.setting)?.len() > PUSH_MESSAGE_BYTES_MAX {
        return illegal("message", PUSH_MESSAGE_BYTES_MAX);
    }
    let (Badge::Set(number) | Badge::Add(number)) = request.badge;
    if (0..=PUSH_BADGE_MAX).contains(&number) { Ok(()) } else { Err(Error::about(Code::FieldIllegal, "badge")) }
}

/// Drawn, so that it tells nothing; of 52 bits, so that JavaScript holds it.
fn draw(ctx: &Ctx) -> i64 {
    (u64::from_be_bytes(rng::bytes(ctx.rng.as_ref())) >> 12).max(1).cast_signed()
}

/// Our own types always serialize; the type cannot say so.
fn written(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|source| Error::from(Code::Internal).caused_by(source))
}

/// How many devices a task has reached so far, by the providers of their certificates.
#[derive(Debug)]
pub struct Detail {
    /// The task.
    pub task: i64,
    /// Devices that hooks were told of.
    pub targets: BTreeMap<String, i64>,
}

/// What became of tasks; those that nobody knows, or any more, are left out.
pub async fn details(ctx: &Ctx, app: &App, tasks: Vec<i64>) -> Result<Vec<Detail>> {
    if tasks.len() > PUSH_TASK_BATCH_MAX {
        return Err(Error::about(Code::FieldIllegal, "list").with_limit(PUSH_TASK_BATCH_MAX));
    }
    ctx.db
        .read((app.id, tasks), |sql, (app, tasks)| {
            Box::pin(async move {
                let mut found = Vec::with_capacity(tasks.len());
                for task in tasks {
                    if let Some((_, progress)) = push_tasks::one(sql, *app, *task).await? {
                        found.push(Detail { task: *task, targets: Progress::read(&progress).targets });
                    }
                }
                Ok::<_, Error>(found)
            })
        })
        .await
}
