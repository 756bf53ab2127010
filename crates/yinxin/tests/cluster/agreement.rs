//! Three nodes behave as one.

use std::env;
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::thread;

use serde_json::{Value, json};
use yinxin_testkit::http::request;
use yinxin_testkit::nats::Nats;

use crate::rooms;
use crate::world::{BOUND, PATIENCE, Setup, World, call_at, eventually, field, is_wanted};

const PAIRS: usize = 2000;
const RACES: usize = 20;
const RACERS: usize = 64;

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_are_one_server() {
    if !is_wanted() {
        return;
    }
    let world = World::of_three();
    who_is_on_different_nodes_chats(&world).await;
    the_nodes_speak_another_dialect_alike(&world).await;
    a_room_token_is_used_once(&world);
    what_one_node_acknowledged_every_node_reads(&world);
    one_wins_a_name(&world);
    the_database_is_the_nodes_own(&world);
}

/// What the binary says when it refuses.
fn refused(world: &World, args: &[&str]) -> String {
    let data = world.folder.path().join("other");
    let mut command = Command::new(env!("CARGO_BIN_EXE_yinxin"));
    command.args(args).env("YINXIN_DATABASE__URL", &world.url).env("YINXIN_DATA", data);
    command.env("YINXIN_KEYS__MASTER_FILE", world.folder.path().join("master.key")).stdin(Stdio::null());
    let done = command.output().unwrap();
    assert!(!done.status.success(), "{done:?}");
    String::from_utf8(done.stderr).unwrap()
}

fn the_database_is_the_nodes_own(world: &World) {
    let alone = refused(world, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(alone.contains("the database is in use by yinxin node node-"), "{alone}");
    let place = format!("sqlite:{}", world.folder.path().join("copy").display());
    let moved = refused(world, &["migrate-store", "--from", &world.url, "--to", &place]);
    assert!(moved.contains("stop them first"), "{moved}");
}

async fn who_is_on_different_nodes_chats(world: &World) {
    world.register(0, "ann");
    world.register(1, "ben");
    let (mut ann, mut ben) = (world.connect(0, "ann", "phone").await, world.connect(1, "ben", "desk").await);
    let ann_too = world.connect(2, "ann", "web").await;
    for round in 0..20 {
        let text = format!("hello {round}");
        ann.text("ben", &text).await;
        ann.stored().await;
        assert_eq!(ben.received("ann").await, std::slice::from_ref(&text));
        ben.text("ann", &text).await;
        ben.stored().await;
        assert_eq!(ann.received("ben").await, [text]);
    }
    for node in 0..3 {
        let asked = json!({ "usernames": ["ann", "ben", "nobody"] });
        let states = world.call(node, "POST", "users/batch/status", &asked);
        assert_eq!(states["data"], json!([{ "ann": "online" }, { "ben": "online" }, { "nobody": "offline" }]));
        let devices = world.get(node, "users/ann/resources");
        let names: Vec<_> = devices["data"].as_array().unwrap().iter().map(|device| device["res"].clone()).collect();
        assert_eq!(names, ["web", "phone"], "newest first, wherever they are");
    }
    drop(ann_too);
    eventually(PATIENCE, || world.get(1, "users/ann/resources")["data"].as_array().unwrap().len() == 1);
    world.call(2, "GET", "users/ann/disconnect", &Value::Null);
    world.call(2, "GET", "users/ben/disconnect", &Value::Null);
    ann.until_closed().await;
    ben.until_closed().await;
    assert!((0..3).all(|node| !world.is_online(node, "ann") && !world.is_online(node, "ben")));
}

/// The data that a call of Lanying's is answered with, or the code of its refusal.
fn lanying(world: &World, node: usize, token: &str, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
    let headers = [("app_id", world.app.lanying.app_id.as_str()), ("access-token", token)];
    let body = (!body.is_null()).then(|| body.to_string());
    let reply = request(world.addr(node), method, path, &headers, body.as_deref().map(str::as_bytes));
    let mut answer = reply.expect("the node answers").json().expect("JSON");
    if answer["code"] == 200 { Ok(answer["data"].take()) } else { Err(answer["code"].take()) }
}

/// A token of one node opens the calls of the others, and a kick at one closes the connection at another.
async fn the_nodes_speak_another_dialect_alike(world: &World) {
    world.register(0, "dan");
    let login = json!({ "name": "dan", "password": "first" });
    let granted = lanying(world, 0, "", "POST", "/token/user", &login).unwrap();
    let token = field(&granted, "token");
    let profile = |node| lanying(world, node, &token, "GET", "/user/profile", &Value::Null);
    for node in 0..3 {
        assert_eq!(profile(node).unwrap()["user_id"], granted["user_id"], "one number, whoever is asked");
    }
    let mut dan = world.connect(1, "dan", "desk").await;
    let devices = lanying(world, 0, &token, "GET", "/user/device/list", &Value::Null).unwrap();
    let kick = json!({ "device_sn": devices[0]["device_sn"] });
    lanying(world, 2, &token, "POST", "/user/kick", &kick).unwrap();
    dan.until_closed().await;
    assert_eq!(lanying(world, 0, &token, "GET", "/user/online_status", &Value::Null), Ok(json!({ "online": false })));
    // A device that has to go is no user that has.
    assert_eq!(profile(1).unwrap()["user_id"], granted["user_id"]);
    let ban = json!({ "list": [granted["user_id"]] });
    lanying(world, 1, &world.app.lanying.admin_token, "POST", "/user/disable", &ban).unwrap();
    eventually(BOUND, || (0..3).all(|node| profile(node) == Err(json!(402))));
}

fn a_room_token_is_used_once(world: &World) {
    for round in 0..10 {
        let made = rooms::draw(world.addr(round % 3), &world.app, "one").expect("an answer");
        let token = made["token"].as_str().unwrap_or_else(|| panic!("{made}"));
        let all = Barrier::new(3);
        let codes: Vec<i64> = thread::scope(|scope| {
            let joins: Vec<_> = (0..3)
                .map(|node| {
                    let all = &all;
                    scope.spawn(move || {
                        all.wait();
                        rooms::join(world.addr(node), &world.app, "one", token).expect("an answer")
                    })
                })
                .collect();
            joins.into_iter().map(|join| join.join().unwrap()).collect()
        });
        assert_eq!(codes.iter().filter(|code| **code == 200).count(), 1, "{codes:?}");
    }
}

fn what_one_node_acknowledged_every_node_reads(world: &World) {
    world.register(0, "cat");
    for pair in 0..PAIRS {
        let (writer, reader) = (pair % 3, (pair + 1 + pair / 3 % 2) % 3);
        let nickname = format!("number {pair}");
        world.call(writer, "PUT", "users/cat", &json!({ "nickname": nickname }));
        let read = world.get(reader, "users/cat");
        assert_eq!(read["entities"][0]["nickname"], nickname, "written at {writer}, read at {reader}");
    }
}

fn one_wins_a_name(world: &World) {
    let races = env::var("YINXIN_CLUSTER_RACES").map_or(RACES, |text| text.parse().unwrap());
    for race in 0..races {
        let (all, name) = (Barrier::new(RACERS), format!("name-{race}"));
        let statuses: Vec<u16> = thread::scope(|scope| {
            let running: Vec<_> = (0..RACERS)
                .map(|racer| {
                    let (all, name) = (&all, &name);
                    scope.spawn(move || {
                        let body = json!({ "username": name, "password": format!("of racer {racer}") });
                        all.wait();
                        // A node that has too much to do says so; that is no win.
                        call_at(world.addr(racer % 3), &world.token, "POST", "users", &body).unwrap().status
                    })
                })
                .collect();
            running.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 400, 429, 503].contains(status)), "{statuses:?}");
    }
}

#[test]
fn wrong_passwords_are_counted_together() {
    if !is_wanted() {
        return;
    }
    let world = World::start(Nats::start(), &Setup { failures: Some(6), ..Setup::default() });
    world.register(0, "ann");
    let try_at = |node: usize, password: &str| {
        let grant = json!({ "grant_type": "password", "username": "ann", "password": password });
        call_at(world.addr(node), "", "POST", "token", &grant).unwrap().status
    };
    let tried: Vec<u16> = (0..12).map(|round| try_at(round % 3, "wrong")).collect();
    assert_eq!(tried[..6], [400; 6], "{tried:?}");
    assert_eq!(tried[7..], [429; 5], "{tried:?}");
    assert!((0..3).all(|node| try_at(node, "first") == 429), "nor does the right one pass until they are forgiven");
}
