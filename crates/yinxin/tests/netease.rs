//! The NetEase dialect on the built server: one user base with the Easemob dialect on one port, and tokens that are
//! still the same after kill -9.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;

use serde_json::{Value, json};
use yinxin_testkit::http::{Response, request};
use yinxin_testkit::server::{AppCredentials, Server};

const FORM: &str = "application/x-www-form-urlencoded;charset=utf-8";
const CHEAP: [(&str, &str); 2] = [("YINXIN_PASSWORDS__MEMORY_KIB", "8"), ("YINXIN_PASSWORDS__PASSES", "1")];

fn start() -> (Server, AppCredentials) {
    let server = Server::start_with(Path::new(env!("CARGO_BIN_EXE_yinxin")), &[], &CHEAP);
    let app = server.create_app("org", "app", &[]);
    (server, app)
}

fn try_signed(addr: SocketAddr, app: &AppCredentials, action: &str, form: &str) -> io::Result<Response> {
    let signed = app.netease.sign("12345", None);
    let mut headers: Vec<_> = signed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    headers.push(("content-type", FORM));
    request(addr, "POST", &format!("/nimserver/user/{action}.action"), &headers, Some(form.as_bytes()))
}

fn signed(server: &Server, app: &AppCredentials, action: &str, form: &str) -> Value {
    let reply = try_signed(server.addr(), app, action, form).expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.text());
    let body = reply.json().expect("JSON");
    assert_eq!(body["code"], 200, "{action} {form}: {body}");
    body
}

/// The code that a client is answered who joins with that token.
fn join(server: &Server, app: &AppCredentials, uid: u64, room: &str, token: &str) -> Value {
    let key = &app.netease.app_key;
    let form = format!("uid={uid}&appkey={key}&channelName={room}&checksum={token}&secureType=1");
    let headers = [("content-type", FORM)];
    let reply = request(server.addr(), "POST", "/nrtc/getChannelInfos.action", &headers, Some(form.as_bytes()));
    reply.expect("an answer").json().expect("JSON")["code"].take()
}

/// A call as the other dialect's backend or client makes it.
fn easemob(server: &Server, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = body.to_string();
    let reply = request(server.addr(), method, &format!("/org/app/{path}"), &headers, Some(body.as_bytes()));
    let reply = reply.expect("an answer");
    (reply.status, reply.json().expect("JSON"))
}

fn log_in(server: &Server, name: &str, password: &str) -> (u16, Value) {
    let grant = json!({ "grant_type": "password", "username": name, "password": password });
    easemob(server, "", "POST", "token", &grant)
}

#[test]
fn one_user_base_under_two_dialects() {
    let (server, app) = start();
    let (_, granted) = easemob(
        &server,
        "",
        "POST",
        "token",
        &json!({ "grant_type": "client_credentials", "client_id": app.easemob.client_id,
            "client_secret": app.easemob.client_secret }),
    );
    let backend = granted["access_token"].as_str().expect("a token");
    let registered =
        easemob(&server, backend, "POST", "users", &json!({ "username": "ann", "password": "by-easemob" }));
    assert_eq!(registered.0, 200);
    let refused = try_signed(server.addr(), &app, "create", "accid=Ann").unwrap().json().unwrap();
    assert_eq!(refused, json!({ "desc": "already register", "code": 414 }));

    // Banned by one, banned by both.
    signed(&server, &app, "block", "accid=ann&needkick=true");
    assert_eq!(log_in(&server, "ann", "by-easemob").1["error_description"], "user not activated");
    signed(&server, &app, "unblock", "accid=ann");
    assert_eq!(log_in(&server, "ann", "by-easemob").0, 200);
    assert_eq!(easemob(&server, backend, "POST", "users/ann/deactivate", &json!({})).0, 200);
    let found = signed(&server, &app, "getUinfos", "accids=%5B%22ann%22%5D");
    assert_eq!(found["uinfos"][0]["valid"], false);

    // Also in rooms, where it is known by its number.
    let number = json!({ "username": "123456", "password": "by-easemob" });
    assert_eq!(easemob(&server, backend, "POST", "users", &number).0, 200);
    let token = signed(&server, &app, "getToken", "uid=123456")["token"].as_str().unwrap().to_owned();
    assert_eq!(join(&server, &app, 123_456, "abc", &token), 200);
    assert_eq!(easemob(&server, backend, "POST", "users/123456/deactivate", &json!({})).0, 200);
    assert_eq!(join(&server, &app, 123_456, "abc", &token), 422);

    // Made by one, logged in by the other.
    let made = signed(&server, &app, "create", "accid=Ben&name=%E5%B0%8F%E6%98%8E&ex=more");
    let token = made["info"]["token"].as_str().expect("a token");
    assert_eq!(log_in(&server, "ben", token).0, 200);
    assert_eq!(easemob(&server, backend, "GET", "users/ben", &Value::Null).1["entities"][0]["username"], "ben");
    let shown = easemob(&server, backend, "GET", "metadata/user/ben", &Value::Null).1;
    assert_eq!(shown["data"], json!({ "nickname": "小明", "ext": "more" }));
    let renewed = signed(&server, &app, "refreshToken", "accid=ben");
    assert_eq!(log_in(&server, "ben", token).0, 400);
    assert_eq!(log_in(&server, "ben", renewed["info"]["token"].as_str().unwrap()).0, 200);

    // Gone for one, gone for both.
    assert_eq!(easemob(&server, backend, "DELETE", "users/ben", &Value::Null).0, 200);
    let gone = try_signed(server.addr(), &app, "refreshToken", "accid=ben").unwrap().json().unwrap();
    assert_eq!(gone, json!({ "desc": "ben not register", "code": 414 }));
}

/// Asks for tokens of one number after the other until the server is killed; gives what it was given.
fn ask_until_killed(
    addr: SocketAddr,
    app: &AppCredentials,
    first: u64,
    killed: &AtomicBool,
    given: &Sender<()>,
) -> Vec<(u64, String)> {
    let mut tokens = Vec::new();
    for uid in first.. {
        let form = format!("uid={uid}&channelName=room&expireAt=86400");
        match try_signed(addr, app, "getToken", &form) {
            Ok(reply) => {
                let body = reply.json().expect("JSON");
                assert_eq!(body["code"], 200, "{body}");
                tokens.push((uid, body["token"].as_str().expect("a token").to_owned()));
                // Nobody counts any more once the server is being killed.
                let _ = given.send(());
            }
            Err(fault) => {
                assert!(killed.load(Ordering::SeqCst), "a living server does not answer: {fault}");
                break;
            }
        }
    }
    tokens
}

#[test]
fn a_token_that_was_given_is_the_same_after_a_kill() {
    let (mut server, app) = start();
    let mut tokens = HashMap::new();
    for round in 0_u64..5 {
        let (killed, addr) = (AtomicBool::new(false), server.addr());
        let (give, given) = mpsc::channel();
        let more = thread::scope(|scope| {
            let askers: Vec<_> = (0_u64..4)
                .map(|asker| {
                    let (app, killed, give) = (&app, &killed, give.clone());
                    let first = (round * 4 + asker) * 1_000_000;
                    scope.spawn(move || ask_until_killed(addr, app, first, killed, &give))
                })
                .collect();
            for _ in 0..40 {
                given.recv().expect("the askers go on until the server is killed");
            }
            killed.store(true, Ordering::SeqCst);
            server.kill();
            askers.into_iter().map(|asker| asker.join().expect("an asker ends")).collect::<Vec<_>>()
        });
        tokens.extend(more.into_iter().flatten());
        server.restart();
        for (uid, token) in &tokens {
            let again = signed(&server, &app, "getToken", &format!("uid={uid}&channelName=room&expireAt=86400"));
            assert_eq!(again["token"], token.as_str(), "{uid}");
        }
    }
    assert!(tokens.len() >= 200, "{}", tokens.len());
}

#[test]
fn what_was_used_up_is_so_after_a_kill() {
    let (mut server, app) = start();
    let give = |server: &Server, uid: u64| {
        let given = signed(server, &app, "getToken", &format!("uid={uid}&repeatUse=false&expireAt=86400"));
        given["token"].as_str().expect("a token").to_owned()
    };
    let fresh: Vec<String> = (0..5).map(|round| give(&server, 100 + round)).collect();
    for (round, fresh) in (0..5).zip(&fresh) {
        let token = give(&server, round);
        assert_eq!(join(&server, &app, round, "abc", &token), 200);
        server.kill();
        server.restart();
        assert_eq!(join(&server, &app, round, "abc", &token), 414);
        assert_eq!(join(&server, &app, 100 + round, "abc", fresh), 200);
        assert_eq!(join(&server, &app, 100 + round, "abc", fresh), 414);
    }
}

#[test]
fn a_kicked_one_stays_out_after_a_kill() {
    let (mut server, app) = start();
    let managed = |server: &Server, method: &str, path: &str| {
        let signed = app.netease.sign("12345", None);
        let headers: Vec<_> = signed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let reply = request(server.addr(), method, path, &headers, None).expect("an answer");
        assert_eq!(reply.status, 200, "{method} {path}: {}", reply.text());
        reply.json().expect("JSON")
    };
    let token = |uid: u64| {
        let form = format!("uid={uid}&channelName=abc&expireAt=86400");
        signed(&server, &app, "getToken", &form)["token"].as_str().expect("a token").to_owned()
    };
    let (ann, ben) = (token(1), token(2));
    assert_eq!(join(&server, &app, 1, "abc", &ann), 200);
    managed(&server, "POST", "/v3/api/kicklist/members?cname=abc&uid=1&duration=3600");
    server.kill();
    server.restart();
    assert_eq!(managed(&server, "GET", "/v3/api/kicklist?cname=abc")["uids"], json!([1]));
    assert_eq!(join(&server, &app, 1, "abc", &ann), 403);
    assert_eq!(join(&server, &app, 1, "abc", "x"), 414);
    assert_eq!(join(&server, &app, 2, "abc", &ben), 200);
    managed(&server, "DELETE", "/v3/api/kicklist/members?cname=abc&uid=1");
    assert_eq!(join(&server, &app, 1, "abc", &ann), 200);
}
