//! Keeping outboxes and logs within their bounds, and what a start finds that the end before left behind.

use std::sync::Arc;

use yinxin_store::tables::hook_log;
use yinxin_store::tables::hook_outbox::{self, FAILED, NewEvent, WAITING};
use yinxin_store::tables::hook_sessions::{self, SessionRow};
use yinxin_store::tables::hooks::{self, HookRow};
use yinxin_store::tables::nodes;
use yinxin_store::{AppId, NodeId, Sql};

use super::{Event, Key, outbox, sessions};
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::limits::{HOOK_EVENT_DAYS, HOOK_SESSIONS_PAGE};
use crate::mint::{Mint, ORDER_BITS};

/// All hooks there are: what a server looks at when it starts.
pub async fn all(ctx: &Ctx) -> Result<Vec<Key>> {
    ctx.db.read((), |sql, ()| Box::pin(async move { Ok::<_, Error>(hooks::all(sql).await?) })).await
}

/// Removes what is too old or too much, and counts what is left.
pub async fn tidy(ctx: &Ctx, (app, hook): Key) -> Result<()> {
    let before_seq = (ctx.clock.now_ms() - HOOK_EVENT_DAYS * 86_400_000) << ORDER_BITS;
    ctx.db
        .write((app, hook, before_seq, ctx.hooks.log_max), |sql, (app, hook, before_seq, log_max)| {
            Box::pin(async move {
                // A hook that was switched off for so long is not told of them any more.
                let late = hook_outbox::expire(sql, *app, *hook, *before_seq).await?;
                if late > 0 {
                    hooks::count_dropped(sql, *app, *hook, i64::try_from(late).unwrap_or(i64::MAX)).await?;
                }
                hook_outbox::trim_delivered(sql, *app, *hook, *log_max).await?;
                Ok::<_, Error>(hook_log::trim(sql, *app, *hook, *log_max).await?)
            })
        })
        .await?;
    let (waiting, failed) = kept(ctx, (app, hook)).await?;
    ctx.hooks.count((app, hook), waiting + failed);
    Ok(())
}

/// How many events of a hook wait, and how many have failed.
pub(super) async fn kept(ctx: &Ctx, (app, hook): Key) -> Result<(i64, i64)> {
    ctx.db
        .read((app, hook), |sql, (app, hook)| {
            Box::pin(async move {
                let waiting = hook_outbox::count(sql, *app, *hook, WAITING).await?;
                Ok::<_, Error>((waiting, hook_outbox::count(sql, *app, *hook, FAILED).await?))
            })
        })
        .await
}

/// Counts anew what is kept for the hooks that this server knows: another tells them.
pub(crate) async fn recount(ctx: &Ctx) -> Result<()> {
    for key in ctx.hooks.known() {
        let (waiting, failed) = kept(ctx, key).await?;
        ctx.hooks.count(key, waiting + failed);
    }
    Ok(())
}

/// Ends the sessions that the server's own end has cut off: called once, at the start, before anybody is connected. In a
/// cluster the others do that when a node is dead, and one that starts ends those of no node: there may have been one server
/// only, or a cluster elsewhere.
pub async fn recover(ctx: &Ctx) -> Result<usize> {
    if ctx.cluster.is_some() { end_orphans(ctx).await } else { end_all(ctx, None).await }
}

/// The same for a node that is condemned.
pub(crate) async fn recover_node(ctx: &Ctx, node: NodeId) -> Result<usize> {
    end_all(ctx, Some(node)).await
}

async fn end_all(ctx: &Ctx, of: Option<NodeId>) -> Result<usize> {
    let mut ended = 0;
    loop {
        let input = (Arc::clone(&ctx.mint), ctx.clock.now_ms(), of);
        let some = ctx
            .db
            .write(input, |sql, (mint, now_ms, of)| {
                Box::pin(async move {
                    let cut_off = match of {
                        None => hook_sessions::any(sql, HOOK_SESSIONS_PAGE).await?,
                        Some(node) if !nodes::is_condemned(sql, *node).await? => Vec::new(),
                        Some(node) => hook_sessions::of_node(sql, *node, HOOK_SESSIONS_PAGE).await?,
                    };
                    for (app, session) in &cut_off {
                        end_one(sql, mint, *app, session, *now_ms).await?;
                    }
                    Ok::<_, Error>(cut_off.len())
                })
            })
            .await?;
        if some == 0 {
            return Ok(ended);
        }
        ended += some;
    }
}

/// Ends the sessions of no node. They are looked for apart from the write, which would meet those of all nodes; another that
/// has just started may end them, too.
async fn end_orphans(ctx: &Ctx) -> Result<usize> {
    let mut ended = 0;
    loop {
        let orphans = ctx.db.read((), |sql, ()| {
            Box::pin(async move { Ok::<_, Error>(hook_sessions::orphans(sql, HOOK_SESSIONS_PAGE).await?) })
        });
        let orphans = orphans.await?;
        if orphans.is_empty() {
            return Ok(ended);
        }
        let input = (orphans, Arc::clone(&ctx.mint), ctx.clock.now_ms());
        ended += ctx
            .db
            .write(input, |sql, (orphans, mint, now_ms)| {
                Box::pin(async move {
                    let mut ended = 0;
                    for (app, session) in orphans {
                        ended += usize::from(end_one(sql, mint, *app, session, *now_ms).await?);
                    }
                    Ok::<_, Error>(ended)
                })
            })
            .await?;
    }
}

/// Gives whether it was still there.
async fn end_one(sql: &mut dyn Sql, mint: &Mint, app: AppId, session: &SessionRow, now_ms: i64) -> Result<bool> {
    if !hook_sessions::end(sql, app, session.session_seq).await? {
        return Ok(false);
    }
    let seq = mint.order();
    let payload = sessions::cut_off(&session.data, now_ms);
    let event = Event::SessionEnded;
    let wanting = |hook: &HookRow| hook.events.split(' ').any(|name| name == event.name());
    for hook in hooks::of_app(sql, app).await?.iter().filter(|hook| wanting(hook)) {
        let new = NewEvent { seq, event: event.name(), lane: &session.lane, payload: &payload };
        outbox::put(sql, mint, (app, hook.hook), new).await?;
    }
    Ok(true)
}
