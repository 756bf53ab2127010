//! What the tests of hooks share: a receiver that answers as it is told and remembers what it heard.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use yinxin_core::hooks::{
    self, Changes, Content, Courier, Hook, Key, Kind, Letter, Look, NewHook, Outcome, Reply, Standing, Undelivered,
};
use yinxin_core::messages::{self, Act, Edit, Outgoing, Rewritten, Sender, Sent};
use yinxin_core::{Code, Result, User};

use crate::kit::{Setup, Site};

pub const URL: &str = "https://backend.test/hook";

/// An answer, or why there was none.
pub type Heard = Result<Reply, Undelivered>;

/// Answers 200 unless it was told otherwise.
#[derive(Default)]
pub struct Receiver {
    letters: Mutex<Vec<Letter>>,
    answers: Mutex<VecDeque<Heard>>,
}

impl Receiver {
    /// The next calls are answered so, one after the other.
    pub fn answer(&self, answers: impl IntoIterator<Item = Heard>) {
        self.answers.lock().unwrap().extend(answers);
    }

    /// What was heard since this was last asked.
    pub fn heard(&self) -> Vec<Letter> {
        std::mem::take(&mut *self.letters.lock().unwrap())
    }

    /// The bodies of what was heard.
    pub fn bodies(&self) -> Vec<Value> {
        self.heard().iter().map(|letter| serde_json::from_str(&letter.body).unwrap()).collect()
    }
}

impl Courier for Receiver {
    fn check(&self, url: &str) -> Result<(), String> {
        if url.starts_with("https://") { Ok(()) } else { Err("not https".to_owned()) }
    }

    fn post(&self, letter: Letter) -> BoxFuture<'_, Heard> {
        self.letters.lock().unwrap().push(letter);
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(std::future::ready(answer.unwrap_or_else(|| status(200))))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "an answer, or none")]
pub fn status(status: u16) -> Heard {
    Ok(Reply { status, ..Reply::default() })
}

#[expect(clippy::unnecessary_wraps, reason = "an answer, or none")]
pub fn says(body: &str) -> Heard {
    Ok(Reply { status: 200, body: body.as_bytes().to_vec(), retry_after_s: None })
}

pub fn silence() -> Heard {
    Err(Undelivered("timed out".to_owned()))
}

/// A site whose calls go to a receiver.
pub struct Place {
    pub site: Site,
    pub receiver: Arc<Receiver>,
    pub ann: Arc<User>,
}

impl Place {
    pub async fn new() -> Self {
        Self::of(Setup::new()).await
    }

    pub async fn of(mut setup: Setup) -> Self {
        let receiver = Arc::new(Receiver::default());
        setup.courier = receiver.clone();
        let site = Site::of(setup).await;
        let ann = site.register("ann").await;
        site.register("ben").await;
        Self { site, receiver, ann }
    }

    pub async fn hook(&self, kind: Kind, settings: Changes) -> Hook {
        let new = NewHook { url: URL.to_owned(), kind, settings };
        hooks::create(&self.site.ctx, &self.site.app, new).await.unwrap().hook
    }

    /// A hook that is told of these events.
    pub async fn told_of(&self, events: &[&str]) -> Key {
        let events = Some(events.iter().map(|&name| name.to_owned()).collect());
        let hook = self.hook(Kind::Events, Changes { events, ..Changes::default() }).await;
        (self.site.app.id, hook.id)
    }

    pub async fn send(&self, outgoing: Outgoing) -> Result<Sent> {
        messages::send(&self.site.ctx, &self.site.app, Sender::User(&self.ann), "ben", outgoing).await
    }

    /// How the app's only hook does.
    pub async fn standing(&self) -> Standing {
        hooks::list(&self.site.ctx, &self.site.app).await.unwrap().remove(0)
    }

    pub async fn look(&self, key: Key) -> Look {
        hooks::look(&self.site.ctx, key, 1000).await.unwrap()
    }

    /// Tries all that is due, in order.
    pub async fn tell(&self, key: Key) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for head in self.look(key).await.heads {
            outcomes.push(hooks::attempt(&self.site.ctx, key, head.seq).await.unwrap());
        }
        outcomes
    }

    pub fn move_by(&self, ms: i64) {
        self.site.setup.clock.move_by(ms);
    }
}

fn read(payload: &[u8]) -> Content {
    let body = json!({ "type": "txt", "msg": String::from_utf8_lossy(payload) });
    Content { bodies: vec![body], ..Content::default() }
}

/// A text of ann's phone.
pub fn text(text: &str) -> Outgoing {
    Outgoing {
        kind: messages::Kind::Chat,
        origin: "phone".to_owned(),
        payload: text.as_bytes().to_vec(),
        act: Act::Says,
        online_only: false,
        read,
    }
}

/// Something else than a text.
pub fn about(act: Act) -> Outgoing {
    Outgoing { kind: messages::Kind::About, act, ..text("changed") }
}

/// A message becomes what is sent instead, with how often it was changed.
pub fn edits(message: i64) -> Act {
    Act::Edits(Edit {
        message,
        apply: |_, sent, stamp| {
            let payload = [sent, format!(" {}", stamp.count).as_bytes()].concat();
            Some(Rewritten { news: payload.clone(), payload })
        },
    })
}

pub fn refusal<T>(result: Result<T>) -> (Code, String) {
    let error = result.err().expect("a refusal");
    (error.code, error.subject)
}
