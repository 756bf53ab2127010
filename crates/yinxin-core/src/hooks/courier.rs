//! The port to whoever carries calls to hooks.

use std::sync::Arc;

use futures_util::future::BoxFuture;

/// A call to make, by POST.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Where to.
    pub url: String,
    /// `webhook-id`: the same for every attempt of an event.
    pub id: String,
    /// `webhook-timestamp`: when this attempt is made.
    pub timestamp_s: i64,
    /// `webhook-signature`.
    pub signature: String,
    /// The body, JSON.
    pub body: Arc<str>,
    /// How long all of it may take.
    pub timeout_ms: i64,
    /// Bytes of the answer's body that are wanted; 0 = none, whatever there is.
    pub answer_bytes_max: usize,
}

/// An answer, whatever its status.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its body, as far as it was wanted.
    pub body: Vec<u8>,
    /// `retry-after`, if it is a number.
    pub retry_after_s: Option<i64>,
}

/// There was no answer; the text says why and names neither path nor query of the address, which may be secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Undelivered(pub String);

/// Carries calls. Never follows a redirect; calls again only when a connection ended before an answer began.
pub trait Courier: Send + Sync {
    /// Whether an address can be called at all; the error says why not.
    fn check(&self, url: &str) -> Result<(), String>;
    /// Makes a call within its time.
    fn post(&self, letter: Letter) -> BoxFuture<'_, Result<Reply, Undelivered>>;
}

/// Carries nothing: for a core without hooks.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Courier for Nobody {
    fn check(&self, _url: &str) -> Result<(), String> {
        Err("this server makes no calls".to_owned())
    }

    fn post(&self, _letter: Letter) -> BoxFuture<'_, Result<Reply, Undelivered>> {
        Box::pin(std::future::ready(Err(Undelivered("this server makes no calls".to_owned()))))
    }
}
