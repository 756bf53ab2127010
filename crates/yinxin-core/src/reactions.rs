//! Reactions: small signs that the two people of a conversation stick to its messages. Both see the same.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use yinxin_store::tables::inbox;
use yinxin_store::tables::reactions::{self, ReactionRow};
use yinxin_store::{AppId, Sql};

use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{REACTION_BATCH_MAX, REACTION_CHARS_MAX, REACTIONS_MAX};
use crate::messages::{self, By, Deed, Kind, News};
use crate::mint::Mint;
use crate::retention::kept_from;
use crate::users::{self, User, must_exist};

/// A reaction to a message, with everybody who has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reaction {
    /// What it is.
    pub reaction: String,
    /// Folded names, the first first.
    pub reactors: Vec<String>,
}

/// What the two of a conversation are told when one reacts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Change {
    /// The message.
    pub message: i64,
    /// What it is.
    pub reaction: String,
    /// It was added; otherwise taken back.
    pub added: bool,
    /// Folded names of everybody who has it now.
    pub reactors: Vec<String>,
}

/// Whose reaction to which message, to be stored.
struct Reacting {
    app: AppId,
    owner: Arc<User>,
    /// The other of the conversation, if there still is one and it is not the owner.
    peer: Option<Arc<User>>,
    queue: String,
    row: ReactionRow,
    change: Change,
    /// The peer must have the owner among its contacts.
    contacts_only: bool,
    to_owner: Option<News>,
    to_peer: Option<News>,
    mint: Arc<Mint>,
}

/// Adds a reaction of a user to a message of one of its conversations, or takes one back.
pub async fn set(
    ctx: &Ctx,
    app: &App,
    owner: &str,
    message: i64,
    reaction: &str,
    added: bool,
    by: By<'_>,
) -> Result<()> {
    let owner = users::find(ctx, app, owner).await?;
    if reaction.is_empty() || reaction.chars().count() > REACTION_CHARS_MAX {
        return Err(Error::about(Code::FieldIllegal, "message").with_limit(REACTION_CHARS_MAX));
    }
    let queue = queue_of(ctx, app.id, &owner, message).await?.ok_or(Code::ReactionIllegal)?;
    let peer = users::look_up(ctx, app.id, &queue).await?.filter(|peer| peer.user != owner.user);
    let change = Change { message, reaction: reaction.to_owned(), added, reactors: Vec::new() };
    let deed = Deed { owner: &owner, peer: &queue, by };
    let to_peer = match &peer {
        Some(peer) => News::if_online(ctx, app.id, peer, Kind::Reacted, &owner, "").await?,
        None => None,
    };
    let reacting = Reacting {
        app: app.id,
        to_owner: News::to_own_devices(ctx, app.id, deed, Kind::Reacted, "").await?,
        to_peer,
        row: ReactionRow { reaction: reaction.to_owned(), reactor: owner.username.clone() },
        owner: Arc::clone(&owner),
        peer: peer.clone(),
        queue: queue.clone(),
        change,
        mint: Arc::clone(&ctx.mint),
        contacts_only: by.needs_contact(app),
    };
    ctx.db.write(reacting, |sql, reacting| Box::pin(store(sql, reacting))).await?;
    ctx.sessions.wake(app.id, owner.user, &queue);
    if let Some(peer) = peer {
        ctx.sessions.wake(app.id, peer.user, &owner.username);
    }
    Ok(())
}

async fn store(sql: &mut dyn Sql, reacting: &Reacting) -> Result<()> {
    let Reacting { app, owner, peer, queue, row, change, mint, .. } = reacting;
    let since_seq = mint.order();
    must_exist(sql, *app, owner.user).await?;
    let entry = inbox::entry(sql, *app, owner.user, queue, change.message).await?;
    if entry.is_none_or(|entry| entry.kind != Kind::Chat.number()) {
        return Err(Code::ReactionIllegal.into());
    }
    if change.added {
        if let Some(peer) = peer {
            messages::may_reach(sql, *app, owner.user, peer.user, reacting.contacts_only).await?;
        }
        let beside = reactions::kinds_beside(sql, *app, owner.user, change.message, &row.reaction).await?;
        if beside >= REACTIONS_MAX {
            return Err(Error::over(Code::ReactionsFull, REACTIONS_MAX));
        }
        if !reactions::add(sql, *app, owner.user, change.message, row, since_seq).await? {
            return Err(Code::ReactionExists.into());
        }
    } else if !reactions::remove(sql, *app, owner.user, change.message, row).await? {
        return Err(Code::ReactionIllegal.into());
    }
    let now = reactions::of_message(sql, *app, owner.user, change.message, all()).await?;
    let reactors = now.into_iter().filter(|one| one.reaction == row.reaction).map(|one| one.reactor).collect();
    let text = serde_json::to_string(&Change { reactors, ..change.clone() })
        .map_err(|source| Error::from(Code::Internal).caused_by(source))?;
    if let Some(news) = &reacting.to_owner {
        messages::note(sql, *app, owner.user, &News { text: text.clone(), ..news.clone() }).await?;
    }
    let Some(peer) = peer else { return Ok(()) };
    // A peer that has removed the message from its side has nothing to see it on.
    if inbox::entry(sql, *app, peer.user, &owner.username, change.message).await?.is_none() {
        return Ok(());
    }
    if change.added {
        reactions::add(sql, *app, peer.user, change.message, row, since_seq).await?;
    } else {
        reactions::remove(sql, *app, peer.user, change.message, row).await?;
    }
    match &reacting.to_peer {
        Some(news) => messages::note(sql, *app, peer.user, &News { text, ..news.clone() }).await,
        None => Ok(()),
    }
}

/// As many as a message can have: each of two people may have every one.
fn all() -> i64 {
    2 * REACTIONS_MAX
}

async fn queue_of(ctx: &Ctx, app: AppId, owner: &User, message: i64) -> Result<Option<String>> {
    if message < kept_from(ctx.clock.now_ms()) {
        return Ok(None);
    }
    ctx.db
        .read((app, owner.user, message), |sql, (app, owner, message)| {
            Box::pin(async move { Ok::<_, Error>(inbox::queue_of(sql, *app, *owner, *message).await?) })
        })
        .await
}

/// The reactions to each of up to 20 messages of a user, in order; a message that it does not have has none.
pub async fn of_messages(ctx: &Ctx, app: &App, owner: &str, ids: Vec<i64>) -> Result<Vec<(i64, Vec<Reaction>)>> {
    let owner = users::find(ctx, app, owner).await?;
    if ids.len() > REACTION_BATCH_MAX {
        return Err(Error::over(Code::ReactionBatchTooLarge, REACTION_BATCH_MAX));
    }
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let reactions = match queue_of(ctx, app.id, &owner, id).await? {
            None => Vec::new(),
            Some(_) => of_own(ctx, app, &owner, vec![id]).await?.pop().unwrap_or_default(),
        };
        found.push((id, reactions));
    }
    Ok(found)
}

/// The reactions to each of a user's messages, in order.
pub async fn of_own(ctx: &Ctx, app: &App, owner: &User, ids: Vec<i64>) -> Result<Vec<Vec<Reaction>>> {
    ctx.db
        .read((app.id, owner.user, ids), |sql, (app, owner, ids)| {
            Box::pin(async move {
                let mut found = Vec::with_capacity(ids.len());
                for id in ids {
                    found.push(grouped(reactions::of_message(sql, *app, *owner, *id, all()).await?));
                }
                Ok::<_, Error>(found)
            })
        })
        .await
}

/// Each reaction once, in the order of their first.
fn grouped(rows: Vec<ReactionRow>) -> Vec<Reaction> {
    let mut groups: Vec<Reaction> = Vec::new();
    for ReactionRow { reaction, reactor } in rows {
        match groups.iter_mut().find(|group| group.reaction == reaction) {
            Some(group) => group.reactors.push(reactor),
            None => groups.push(Reaction { reaction, reactors: vec![reactor] }),
        }
    }
    groups
}
