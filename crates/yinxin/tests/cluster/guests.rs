//! What goes on beside the [`Talk`](crate::talk::Talk): a guest of rooms, each of whose tokens admits once, and a backend that
//! bans. Neither what is used up nor what is ended may come back, whatever fails meanwhile.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use yinxin_testkit::http::Response;

use crate::rooms;
use crate::talk::Shared;
use crate::world::{BOUND_ALONE, call_at, field, pause};

/// Tokens that are tried again after each fault: the newest.
const TOKENS_MAX: usize = 40;
/// Between two tokens, and two bans: others want to be served, too.
const PACE: Duration = Duration::from_millis(100);

/// What a call may be answered that is not done: too much to do, or no database.
const NOT_NOW: [u16; 2] = [429, 503];
/// The same in the dialect of rooms.
const NO_ENTRY_NOW: [i64; 2] = [416, 503];
const ENTERED: i64 = 200;
/// The token admits nobody, any more.
const TOKEN_WRONG: i64 = 414;

/// A token, and how often it was seen to admit.
struct Ticket {
    room: String,
    token: String,
    admitted: usize,
}

/// Draws tokens and uses each up at all nodes at once; tries those of late once more whenever it is asked to.
pub fn go_on_entering(shared: &Shared) {
    let mut tickets = VecDeque::new();
    for visit in 0.. {
        let is_over = shared.is_over.load(Ordering::SeqCst);
        let asked = shared.tries_asked.load(Ordering::SeqCst);
        if is_over || asked > shared.tries_done.load(Ordering::SeqCst) {
            for ticket in &mut tickets {
                enter(shared, ticket);
            }
            shared.tries_done.store(asked, Ordering::SeqCst);
        }
        if is_over {
            return;
        }
        if let Some(mut ticket) = draw(shared, visit) {
            enter(shared, &mut ticket);
            tickets.push_back(ticket);
            tickets.drain(..tickets.len().saturating_sub(TOKENS_MAX));
        }
        pause(PACE);
    }
}

fn draw(shared: &Shared, visit: usize) -> Option<Ticket> {
    // For the same room the same token would come again until it is used up.
    let room = format!("room-{visit}");
    let answer = rooms::draw(shared.node(visit), &shared.app, &room).ok()?;
    let token = answer["token"].as_str().map(str::to_owned);
    assert!(token.is_some() || NO_ENTRY_NOW.map(Value::from).contains(&answer["code"]), "{answer}");
    token.map(|token| Ticket { room, token, admitted: 0 })
}

fn enter(shared: &Shared, ticket: &mut Ticket) {
    let (room, token) = (&ticket.room, &ticket.token);
    let codes: Vec<_> = thread::scope(|scope| {
        let join = |node: SocketAddr| scope.spawn(move || rooms::join(node, &shared.app, room, token));
        let joins: Vec<_> = shared.nodes().into_iter().map(join).collect();
        joins.into_iter().map(|join| join.join().expect("an answer, or none")).collect()
    });
    for code in codes.into_iter().flatten() {
        assert!(code == ENTERED || code == TOKEN_WRONG || NO_ENTRY_NOW.contains(&code), "a guest is answered {code}");
        ticket.admitted += usize::from(code == ENTERED);
        shared.admitted.fetch_add(usize::from(code == ENTERED), Ordering::SeqCst);
    }
    assert!(ticket.admitted <= 1, "the token for {room} admitted {} times", ticket.admitted);
}

/// Somebody who is banned.
struct Banned {
    name: String,
    token: String,
    acknowledged: Instant,
}

/// Registers people, has all nodes know their tokens, bans them, and asks all nodes with the tokens from then on: after the
/// bound none may be good. Ends when that has been seen of each.
pub fn go_on_banning(shared: &Shared) {
    let mut banned = Vec::new();
    for number in 0.. {
        let is_over = shared.is_over.load(Ordering::SeqCst);
        if !is_over {
            banned.extend(ban(shared, number));
        }
        banned.retain(|one| !is_seen_out_everywhere(shared, one));
        if is_over && banned.is_empty() {
            return;
        }
        pause(PACE);
    }
}

/// `None`: something of it was not done, or nobody knows.
fn ban(shared: &Shared, number: usize) -> Option<Banned> {
    let name = format!("banned-{number}");
    let by_backend = |node: usize, method: &str, path: &str, body: &Value| {
        done(call_at(shared.node(number + node), &shared.token, method, path, body).ok()?)
    };
    by_backend(0, "POST", "users", &json!({ "username": name, "password": "first" }))?;
    let grant = json!({ "grant_type": "password", "username": name, "password": "first" });
    let token = field(&by_backend(1, "POST", "token", &grant)?.json().expect("JSON"), "access_token");
    for node in shared.nodes() {
        // A node that is not there has nothing in memory.
        let known = call_at(node, &token, "GET", &format!("users/{name}"), &Value::Null);
        drop(known.map(done));
    }
    by_backend(2, "POST", &format!("users/{name}/deactivate"), &Value::Null)?;
    shared.banned.fetch_add(1, Ordering::SeqCst);
    Some(Banned { name, token, acknowledged: Instant::now() })
}

fn done(reply: Response) -> Option<Response> {
    assert!(reply.status == 200 || NOT_NOW.contains(&reply.status), "{}: {}", reply.status, reply.text());
    (reply.status == 200).then_some(reply)
}

/// Whether every node has refused the token after the bound. None may take it then.
fn is_seen_out_everywhere(shared: &Shared, Banned { name, token, acknowledged }: &Banned) -> bool {
    let mut is_out = true;
    for node in shared.nodes() {
        let age = acknowledged.elapsed();
        let is_late = age > BOUND_ALONE;
        let answer = call_at(node, token, "GET", &format!("users/{name}"), &Value::Null);
        let status = answer.map(|reply| reply.status).ok();
        assert!(status != Some(200) || !is_late, "{name} is let in by {node} {age:?} after its ban");
        assert!(status.is_none_or(|status| [200, 401].contains(&status) || NOT_NOW.contains(&status)), "{status:?}");
        is_out &= is_late && status == Some(401);
    }
    is_out
}
