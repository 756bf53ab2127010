//! The users of a measurement: how they are named, how they get into the server, how they log in.
//!
//! The one place that knows the way in: [`import`]. It registers through the vendor's batch call, so each user costs
//! the server a password hash.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use crate::client::Connection;
use crate::problem::{Explain as _, Result};
use crate::request::HOLE;
use crate::server::Server;
use crate::site::{App, access_token, login_request, post};
use crate::stats::float;

/// Everybody's password.
pub const PASSWORD: &str = "a password of the bench";
/// Users of one batch register call, the vendor's limit.
const BATCH: u32 = 60;
/// Connections of a preparation: few, because the server answers "busy" when its hashing queue is full.
const CONNECTIONS: usize = 4;
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
    let shared = Arc::new((app.clone(), next, progress));
    let mut callers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (mut connection, shared) = (Connection::open(server.address()).await?, Arc::clone(&shared));
        callers.spawn(async move {
            let (app, next, progress) = &*shared;
            loop {
                let from = next.fetch_add(BATCH, Ordering::Relaxed);
                if from >= users.end {
                    return Ok(());
                }
                let batch = from..users.end.min(from + BATCH);
                connection.ask(&batch_request(app, batch.clone())).await.explain("cannot register users")?;
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

fn batch_request(app: &App, users: Range<u32>) -> Vec<u8> {
    let users: Vec<_> = users.map(|number| json!({ "username": name(number), "password": PASSWORD })).collect();
    post("users", Some(&app.token), Some(&serde_json::Value::from(users).to_string()))
}

/// Logs the first `users` users in; their tokens in order.
pub async fn log_in(server: &Server, users: u32) -> Result<Vec<String>> {
    let next = Arc::new(AtomicU32::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (mut connection, next) = (Connection::open(server.address()).await?, Arc::clone(&next));
        callers.spawn(async move {
            let mut tokens = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= users {
                    return Ok(tokens);
                }
                let reply = connection.ask(&login_request(&name(number))).await.explain("cannot log a user in")?;
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
