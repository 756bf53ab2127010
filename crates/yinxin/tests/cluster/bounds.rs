//! Within which time what one node acknowledged holds at every node: with NATS, without, and while NATS is there and says
//! nothing.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use yinxin_testkit::http::request;

use crate::world::{BOUND, BOUND_ALONE, PATIENCE, World, eventually, field, is_wanted, metric};

/// What ends a user's rights.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Deed {
    Kick,
    Ban,
    Password,
    Delete,
}

impl Deed {
    const ALL: [Self; 4] = [Self::Kick, Self::Ban, Self::Password, Self::Delete];

    fn perform(self, world: &World, node: usize, user: &str) {
        let path = format!("users/{user}");
        match self {
            Self::Kick => world.call(node, "GET", &format!("{path}/disconnect"), &Value::Null),
            Self::Ban => world.call(node, "POST", &format!("{path}/deactivate"), &Value::Null),
            Self::Password => world.call(node, "PUT", &format!("{path}/password"), &json!({ "newpassword": "second" })),
            Self::Delete => world.call(node, "DELETE", &path, &Value::Null),
        };
    }
}

/// Performs a deed at the first node; how long it takes until no session and no token of the user is left anywhere.
async fn measured(world: &World, deed: Deed, round: &str, bound: Duration) -> Duration {
    let user = format!("{deed:?}-{round}").to_lowercase();
    world.register(0, &user);
    let token = world.token_of(1, &user, "first");
    let mut clients = Vec::new();
    for node in 0..3 {
        clients.push(world.connect(node, &user, &format!("device-{node}")).await);
        // From the second time on it may be answered from memory.
        (0..3).for_each(|_| assert_eq!(world.status_for(node, &user, &token), 200));
    }
    deed.perform(world, 0, &user);
    let acknowledged = Instant::now();
    let closing: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            tokio::spawn(async move {
                client.until_closed().await;
                acknowledged.elapsed()
            })
        })
        .collect();
    let mut longest = Duration::ZERO;
    if deed != Deed::Kick {
        eventually(bound, || (0..3).all(|node| world.status_for(node, &user, &token) == 401));
        longest = acknowledged.elapsed();
    }
    for closed in closing {
        longest = longest.max(closed.await.unwrap());
    }
    eventually(bound, || {
        let states = |node| world.call(node, "POST", "users/batch/status", &json!({ "usernames": [user] }));
        (0..3).all(|node| states(node)["data"][0][&user] == "offline")
    });
    longest
}

/// The answer to a call to an app beside the one that the others are about.
fn call_of(world: &World, node: usize, app: &str, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = (!body.is_null()).then(|| body.to_string());
    let path = format!("/acme/{app}/{path}");
    let reply = request(world.addr(node), method, &path, &headers, body.as_deref().map(str::as_bytes));
    let reply = reply.expect("the node answers");
    (reply.status, reply.json().expect("JSON"))
}

/// Ends a backend's tokens at the first node, one of each kind; how long it takes until none opens anything anywhere.
fn revoked(world: &World, round: &str, bound: Duration) -> [Duration; 2] {
    let (app, name) = (&format!("of-{round}"), &format!("acme/of-{round}"));
    let made = world.nodes[0].create_app("acme", app, &[]);
    let printed = world.nodes[0].run(&["app", "admin-token", "create", name, "--label", "ci", "--json"]);
    let standing: Value = serde_json::from_str(&printed).expect("JSON");
    let grant = json!({ "grant_type": "client_credentials", "client_id": made.easemob.client_id,
        "client_secret": made.easemob.client_secret, "ttl": 0 });
    let of_app = field(&call_of(world, 1, app, "", "POST", "token", &grant).1, "access_token");
    let status = |node: usize, token: &str| call_of(world, node, app, token, "GET", "users", &Value::Null).0;
    let ended = |token: &str, args: &[&str]| {
        // From the second time on it may be answered from memory.
        (0..9).for_each(|time| assert_eq!(status(time % 3, token), 200));
        world.nodes[0].run(args);
        eventually(bound, || (0..3).all(|node| status(node, token) == 401))
    };
    let id = field(&standing, "id");
    let by_id = ended(&field(&standing, "admin_token"), &["app", "admin-token", "revoke", name, &id, "--yes"]);
    assert_eq!(status(2, &of_app), 200, "the other is not ended by that");
    [by_id, ended(&of_app, &["app", "rotate-secret", name, "--yes"])]
}

/// How long it takes until a message reaches somebody at another node.
async fn carried(world: &World, round: &str) -> Duration {
    let (from, to) = (format!("from-{round}"), format!("to-{round}"));
    world.register(0, &from);
    world.register(1, &to);
    let (mut writer, mut reader) = (world.connect(0, &from, "phone").await, world.connect(1, &to, "phone").await);
    writer.text(&to, "hello").await;
    writer.stored().await;
    let stored = Instant::now();
    assert_eq!(reader.received(&from).await, ["hello"]);
    stored.elapsed()
}

async fn hold(world: &World, round: &str, bound: Duration) {
    for deed in Deed::ALL {
        deed_holds(world, deed, round, bound).await;
    }
    println!("revocation and a new secret, {round}: {:?}", revoked(world, round, bound));
    message_holds(world, round, bound).await;
}

async fn deed_holds(world: &World, deed: Deed, round: &str, bound: Duration) {
    let took = measured(world, deed, round, bound).await;
    println!("{deed:?}, {round}: {took:?}");
    assert!(took <= bound, "{deed:?}, {round}: {took:?}");
}

async fn message_holds(world: &World, round: &str, bound: Duration) {
    let took = carried(world, round).await;
    println!("message, {round}: {took:?}");
    assert!(took <= bound, "message, {round}: {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_rights_holds_everywhere_in_time() {
    if !is_wanted() {
        return;
    }
    let mut world = World::of_three();
    // A node that has just started keeps nothing in memory, which would make this too easy.
    world.register(0, "somebody");
    let keeps = |node: usize| {
        world.get(node, "users/somebody");
        metric(world.addr(node), "yinxin_cached_users").is_some_and(|users| users != "0")
    };
    eventually(PATIENCE, || (0..3).all(keeps));
    hold(&world, "with-nats", BOUND).await;
    world.nats.kill();
    let connected = |world: &World, word: &str| {
        eventually(PATIENCE, || {
            (0..3).all(|node| metric(world.addr(node), "yinxin_bus_connected").as_deref() == Some(word))
        });
    };
    connected(&world, "0");
    hold(&world, "without-nats", BOUND_ALONE).await;
    world.nats.restart();
    connected(&world, "1");
    hold(&world, "with-nats-again", BOUND).await;
    // Nobody has found out yet.
    world.nats.freeze();
    message_holds(&world, "while-nats-seems-there", BOUND_ALONE).await;
    for deed in [Deed::Ban, Deed::Kick] {
        deed_holds(&world, deed, "while-nats-is-silent", BOUND_ALONE).await;
    }
    world.nats.thaw();
    connected(&world, "1");
    hold(&world, "after-the-silence", BOUND).await;
}
