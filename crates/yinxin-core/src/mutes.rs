//! Global mutes: a user may not send, in one kind of conversation, for a while or for ever.

use yinxin_store::tables::mutes;
pub use yinxin_store::tables::mutes::MuteRow as Mute;

use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{MUTE_MAX_S, MUTE_PAGE_MAX, MUTE_PAGES_MAX};
use crate::users::{self, must_exist};

/// A kind of conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Between two users.
    Chat,
    /// In groups.
    Group,
    /// In chat rooms.
    Room,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Chat, Self::Group, Self::Room];

    /// The name in storage and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Group => "groupchat",
            Self::Room => "chatroom",
        }
    }
}

/// Sets, prolongs or lifts mutes: seconds from now, 0 lifts, -1 is for ever.
pub async fn set(ctx: &Ctx, app: &App, reference: &str, changes: Vec<(Scope, i64)>) -> Result<()> {
    let user = users::find(ctx, app, reference).await?;
    if let Some((scope, seconds)) = changes.iter().find(|(_, seconds)| !(-1..=MUTE_MAX_S).contains(seconds)) {
        return Err(Error::about(Code::MuteIllegal, format!("{}: {seconds}", scope.name())).with_limit(MUTE_MAX_S));
    }
    let changes: Vec<_> =
        changes.into_iter().map(|(scope, seconds)| (scope.name(), seconds, ctx.mint.order())).collect();
    ctx.db
        .write((app.id, user.user, changes, ctx.clock.now_s()), |sql, (app, user, changes, now_s)| {
            Box::pin(async move {
                must_exist(sql, *app, *user).await?;
                for (scope, seconds, order) in changes {
                    match seconds {
                        0 => mutes::remove(sql, *app, *user, scope).await?,
                        -1 => mutes::put(sql, *app, *user, scope, None, *order).await?,
                        _ => mutes::put(sql, *app, *user, scope, Some(now_s + seconds), *order).await?,
                    }
                }
                Ok::<_, Error>(())
            })
        })
        .await
}

/// The mutes of a user that hold now.
pub async fn of_user(ctx: &Ctx, app: &App, reference: &str) -> Result<(String, Vec<Mute>)> {
    let user = users::find(ctx, app, reference).await?;
    let rows = ctx
        .db
        .read((app.id, user.user, ctx.clock.now_s()), |sql, (app, user, now_s)| {
            Box::pin(async move { Ok::<_, Error>(mutes::of_user(sql, *app, *user, *now_s).await?) })
        })
        .await?;
    Ok((user.username.clone(), rows))
}

/// Page `number` (from 1) of the mutes that hold now, in the order they were set; empty behind the last possible page.
pub async fn page(ctx: &Ctx, app: &App, number: i64, size: i64) -> Result<Vec<Mute>> {
    if number > MUTE_PAGES_MAX {
        return Ok(Vec::new());
    }
    let size = size.clamp(1, MUTE_PAGE_MAX);
    let mut after = 0;
    for _ in 1..number {
        // Keyset paging under a page number: walk to it.
        match read(ctx, app, after, size).await?.last() {
            Some(last) => after = last.since_seq,
            None => return Ok(Vec::new()),
        }
    }
    read(ctx, app, after, size).await
}

async fn read(ctx: &Ctx, app: &App, after: i64, limit: i64) -> Result<Vec<Mute>> {
    ctx.db
        .read((app.id, ctx.clock.now_s(), after, limit), |sql, (app, now_s, after, limit)| {
            Box::pin(async move { Ok::<_, Error>(mutes::page(sql, *app, *now_s, *after, *limit).await?) })
        })
        .await
}

/// Seconds that a mute still holds; -1 = for ever.
pub fn seconds_left(mute: &Mute, now_s: i64) -> i64 {
    mute.until_s.map_or(-1, |until_s| until_s - now_s)
}
