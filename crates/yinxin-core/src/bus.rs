//! The port to the other nodes of a cluster: hints from one to another.
//!
//! A hint is never a record: what it is about is in the database, and whoever misses it finds it there, only later.

use std::net::IpAddr;
use std::sync::Arc;

pub use yinxin_store::BoxFuture;
use yinxin_store::{AppId, HookId, NodeId, Touched, UserId};

use crate::presence::News;

/// What a node tells another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hint {
    /// Something was put into that queue of the user's inbox.
    Wake {
        /// The app.
        app: AppId,
        /// Whose inbox.
        user: UserId,
        /// The queue.
        queue: String,
        /// The device that knows.
        but: Option<String>,
    },
    /// The presence of somebody whom the user watches has changed.
    News {
        /// The app.
        app: AppId,
        /// Who watches.
        user: UserId,
        /// What is told.
        news: Arc<News>,
    },
    /// The user has shown a token at that address that ends then.
    Renew {
        /// The app.
        app: AppId,
        /// Whose connections.
        user: UserId,
        /// Those from there.
        from: IpAddr,
        /// [`i64::MAX`]: never.
        token_ends_ms: i64,
    },
    /// Connections are to end: the record knows which.
    Endings,
    /// Rows have changed that may be in memory. The sender waits for [`Hint::Heard`].
    Touches {
        /// Counts the sender's, from 1.
        number: u64,
        /// What has changed.
        touched: Vec<Touched>,
    },
    /// All touches of the receiver up to that number are heard.
    Heard {
        /// The number.
        number: u64,
    },
    /// Something is to be told to those hooks.
    Outbox(Vec<(AppId, HookId)>),
    /// An operator wants that hook told now.
    Hurry {
        /// The app.
        app: AppId,
        /// The hook.
        hook: HookId,
    },
    /// Whatever the sender has told lately may be lost.
    Resync {
        /// The number of its last touches.
        number: u64,
    },
}

/// To whom a hint goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    /// That node.
    Node(NodeId),
    /// Every other node.
    All,
}

/// What comes from the others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Incoming {
    /// A hint.
    Hint {
        /// The sender.
        from: NodeId,
        /// What it says.
        hint: Hint,
    },
    /// Hints may have been lost, in either direction.
    Missed,
}

/// Carries hints. Best effort: one may be lost, come late, or twice.
pub trait Bus: Send + Sync {
    /// Puts a hint on its way, after those that were sent before. Never waits.
    fn send(&self, to: To, hint: Hint);
    /// What comes next. For one who asks; may be dropped and asked again, nothing is lost.
    fn next(&self) -> BoxFuture<'_, Incoming>;
}
