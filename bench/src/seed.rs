//! The users of a measurement: how they are named, how they get into the server, how they log in.
//!
//! The one place that knows the way in: [`import`]. It uses the server's own import call with one password hash for
//! everybody, so that a million users take seconds.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use crate::argon;
use crate::client::Connection;
use crate::problem::{Explain as _, Result};
use crate::request::HOLE;
use crate::server::Server;
use crate::site::{App, access_token};
use crate::stats::float;

/// Everybody's password.
pub const PASSWORD: &str = "a password of the bench";
/// Users of one import call, the server's limit.
const BATCH: u32 = 10_000;
/// Connections of a preparation: one call is written while the next is read.
const CONNECTIONS: usize = 2;
/// An import shorter than this is not worth a word.
const WORTH_A_WORD: Duration = Duration::from_secs(3);

/// The name of a seeded user; always as long as [`template_name`].
pub fn name(number: u32) -> String {
    format!("u{number:08}")
}

/// The name of a seeded user with a hole for its number.
pub fn template_name() -> String {
    format!("u{HOLE}")
}

/// Brings the users with these numbers into the server's folder.
pub async fn import(server: &Server, app: &App, users: Range<u32>) -> Result<()> {
    let began = Instant::now();
    let wanted = users.len();
    let progress = Progress { began, wanted, done: AtomicU32::new(0) };
    let next = AtomicU32::new(users.start);
    let shared = Arc::new((app.clone(), argon::phc(PASSWORD)?, next, progress));
    let mut callers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (mut connection, shared) = (Connection::open(server.address()).await?, Arc::clone(&shared));
        callers.spawn(async move {
            let (app, hash, next, progress) = &*shared;
            loop {
                let from = next.fetch_add(BATCH, Ordering::Relaxed);
                if from >= users.end {
                    return Ok(());
                }
                let batch = from..users.end.min(from + BATCH);
                connection.ask(&import_request(app, hash, batch.clone())).await.explain("cannot import users")?;
                progress.report(batch.len());
            }
        });
    }
    finish(callers).await?;
    if began.elapsed() > WORTH_A_WORD {
        let rate = float(wanted as u64) / began.elapsed().as_secs_f64();
        eprintln!("  {wanted} users imported, {rate:.0}/s");
    }
    Ok(())
}

fn import_request(app: &App, hash: &str, users: Range<u32>) -> Vec<u8> {
    let line = |number| json!({ "username": name(number), "password_hash": hash }).to_string();
    app.import_request(&users.map(line).collect::<Vec<_>>().join("\n"))
}

/// Tokens of the first `users` users, in order, asked for by the app's backend: no password is checked.
pub async fn user_tokens(server: &Server, app: &App, users: u32) -> Result<Vec<String>> {
    let next = Arc::new(AtomicU32::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (mut connection, next) = (Connection::open(server.address()).await?, Arc::clone(&next));
        let app = app.clone();
        callers.spawn(async move {
            let mut tokens = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= users {
                    return Ok(tokens);
                }
                let reply =
                    connection.ask(&app.inherit_request(&name(number))).await.explain("cannot get a user's token")?;
                tokens.push((number, access_token(&reply)?));
            }
        });
    }
    let mut tokens: Vec<(u32, String)> = finish(callers).await?.into_iter().flatten().collect();
    tokens.sort_unstable();
    Ok(tokens.into_iter().map(|(_, token)| token).collect())
}

/// Waits for all callers; the first problem ends the others.
async fn finish<T: 'static>(mut callers: JoinSet<Result<T>>) -> Result<Vec<T>> {
    let mut results = Vec::new();
    while let Some(done) = callers.join_next().await {
        results.push(done.explain("a preparing caller failed")??);
    }
    Ok(results)
}

/// A word on standard error for each tenth of a long import.
struct Progress {
    began: Instant,
    wanted: usize,
    done: AtomicU32,
}

impl Progress {
    fn report(&self, users: usize) {
        let users = u32::try_from(users).unwrap_or(u32::MAX);
        let before = self.done.fetch_add(users, Ordering::Relaxed);
        let (wanted, before, after) = (self.wanted as u64, u64::from(before), u64::from(before + users));
        let passed_a_tenth = before * 10 / wanted != after * 10 / wanted;
        if passed_a_tenth && after < wanted && self.began.elapsed() > WORTH_A_WORD {
            let left = self.began.elapsed().as_secs_f64() * float(wanted - after) / float(after);
            eprintln!("  {after} of {wanted} users imported, about {left:.0} s left");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{name, template_name};

    #[test]
    fn names_fit_the_template() {
        assert_eq!(name(42), "u00000042");
        assert_eq!(name(99_999_999).len(), template_name().len());
    }
}
