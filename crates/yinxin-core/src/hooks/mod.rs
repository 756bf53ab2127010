//! Hooks: an app's backend is told of what happens, or asked before a message is stored, by signed HTTP calls.
//!
//! Owns which events there are and what they say ([`Event`]), the signature, the outbox with its schedule of attempts, and what a veto
//! means. Must not know how a call travels (that is the [`Courier`]'s) or how a dialect shows a veto.
//!
//! An event is put into the outbox by the write that makes it happen, so it is told if and only if it happened. An app
//! without hooks pays nothing: its hooks are remembered with it.

mod ask;
mod courier;
mod delivery;
mod event;
mod live;
mod manage;
mod outbox;
mod said;
mod sessions;
mod signature;
mod trial;
mod upkeep;

pub(crate) use ask::{ask, asks};
pub use courier::{Courier, Letter, Nobody, Reply, Undelivered};
pub use delivery::{Head, Look, Outcome, attempt, look};
pub use event::Event;
pub use live::{Key, Live};
pub use manage::{Changes, NewHook, Standing, change, create, find, list, log, redeliver, remove, rotate_secret};
pub use outbox::event_name;
pub(crate) use outbox::{Notes, notes};
pub use said::Content;
pub(crate) use said::Said;
pub use sessions::{EndReason, Known, Opened, end, open};
pub use trial::{Attempt, test};
pub use upkeep::{all, recover, tidy};
pub(crate) use upkeep::{recount, recover_node};
pub use yinxin_store::HookId;
pub use yinxin_store::tables::hook_log::AttemptRow as Logged;

use yinxin_store::AppId;
use yinxin_store::tables::hooks::HookRow;
use zeroize::Zeroizing;

use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::Result;

/// What a hook is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It is told of events after they happened.
    Events,
    /// It is asked before a user's message is stored.
    PreSend,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Events, Self::PreSend];

    /// The name in storage and in our own API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::PreSend => "pre_send",
        }
    }

    /// Reads the name; `None` for an unknown one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }
}

/// What holds when a hook that was asked gives no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnFailure {
    /// The message is sent.
    Open,
    /// The message is refused.
    Closed,
}

impl OnFailure {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Open, Self::Closed];

    /// The name in storage and in our own API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }

    /// Reads the name; `None` for an unknown one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == text)
    }
}

/// A hook as requests see it.
pub struct Hook {
    /// Its id.
    pub id: HookId,
    /// Where it is called.
    pub url: String,
    /// What it is for.
    pub kind: Kind,
    /// What it wants to be told.
    pub events: Vec<Event>,
    /// How long one call may take.
    pub timeout_ms: i64,
    /// What holds when it gives no answer.
    pub on_failure: OnFailure,
    /// Whether it is called at all.
    pub enabled: bool,
    /// Creation time.
    pub created_ms: i64,
    /// Last change by an operator.
    pub modified_ms: i64,
    secret: Zeroizing<Vec<u8>>,
    /// The secret before that, and until when it signs, too.
    secret_before: Option<(Zeroizing<Vec<u8>>, i64)>,
}

/// Whether a hook of the app is told of such events.
pub(crate) fn wanted(app: &App, event: Event) -> bool {
    app.hooks.iter().any(|hook| hook.wants(event))
}

impl Hook {
    /// The secret, for the operator's eyes.
    pub fn reveal_secret(&self) -> Zeroizing<String> {
        signature::spell(&self.secret)
    }

    fn wants(&self, event: Event) -> bool {
        self.enabled && self.kind == Kind::Events && self.events.contains(&event)
    }
}

/// Where a hook's secrets are stored, for their seal.
fn place(app: AppId, hook: HookId) -> String {
    format!("hooks/{}/{}", hex::encode(app.0), hex::encode(hook.0))
}

/// A row with its secrets opened.
pub(crate) fn hook_of(ctx: &Ctx, app: AppId, row: HookRow) -> Result<Hook> {
    let place = place(app, row.hook);
    let open = |sealed: &[u8]| ctx.keys.unseal(&place, sealed).map(Zeroizing::new);
    let before = row.sealed_before.as_deref().map(open).transpose()?;
    Ok(Hook {
        id: row.hook,
        secret: open(&row.sealed_secret)?,
        secret_before: before.zip(row.before_until_ms),
        // What a newer server has written and this one does not know, this one does not do.
        kind: Kind::parse(&row.kind).unwrap_or(Kind::Events),
        events: row.events.split(' ').filter_map(Event::parse).collect(),
        on_failure: OnFailure::parse(&row.on_failure).unwrap_or(OnFailure::Open),
        url: row.url,
        timeout_ms: row.timeout_ms,
        enabled: row.enabled,
        created_ms: row.created_ms,
        modified_ms: row.modified_ms,
    })
}
