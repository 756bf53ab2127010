//! What is no call, no JSON, or nothing it should be: answered in the dialect's shape, and changing nothing.

use std::cell::Cell;
use std::future::IntoFuture as _;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use yinxin_testkit::ground;

use crate::asking::Ask;
use crate::asking::{Answer as _, Bearer as _};
use crate::world::World;

#[tokio::test]
async fn no_body_breaks_a_call_or_changes_anything() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let bodies: [&[u8]; 14] = [
        b"",
        b" ",
        b"{",
        b"[]",
        b"null",
        b"1",
        b"\"x\"",
        b"\xff\xfe",
        b"{\"a\":1}}",
        b"{\"list\":1,\"user_id\":[],\"username\":{},\"password\":1,\"name\":[],\"login_name\":1}",
        b"{\"username\":\"a\\u0000\",\"password\":\"x\",\"name\":\"\\u0000\",\"login_name\":\"\\u0000\"}",
        b"{\"name\":\"a\",\"name\":\"b\"}",
        b"{\"user_id\":99999999999999999999999,\"list\":[99999999999999999999]}",
        deep.as_bytes(),
    ];
    let before = w.dump().await;
    for (methods, path) in yinxin_lanying::calls() {
        for method in methods.iter().filter(|method| **method != "GET") {
            // What these ask for is nothing, which is something to answer with a yes.
            let is_harmless = ["/user/settings", "/user/profile", "/user/delete"].contains(&path)
                || path.starts_with("/roster/apply")
                || path == "/user/push/tag/all";
            for (number, body) in bodies.iter().enumerate() {
                for (token, user) in [(&ann.token, 0), (&w.app.admin, ann.id), (&w.app.admin, 16)] {
                    if path == "/user/delete" && *token == w.app.admin {
                        continue;
                    }
                    let ask = Ask::new(&w, method, path).header("app_id", &w.app.app_id).by(token);
                    let answer = ask.header("user_id", user).raw(body.to_vec()).await;
                    let code = answer.json()["code"].as_i64().unwrap();
                    assert!(answer.status < 500 || code == 501, "{path} {number}: {code}");
                    assert!(code != 200 || is_harmless, "{method} {path} {number}: {}", answer.json());
                }
            }
        }
    }
    assert_eq!(w.dump().await, before);
}

#[tokio::test]
async fn no_query_breaks_a_call() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    for (methods, path) in yinxin_lanying::calls() {
        for query in
            ["?", "?user_id=x&limit=x&cursor=x", "?user_id=%ff", "?user_id=%00", "?&&=&x", "?limit=-9&cursor=-9"]
        {
            for method in methods.iter().filter(|method| **method == "GET") {
                let ask = Ask::new(&w, method, &format!("{path}{query}")).header("app_id", &w.app.app_id);
                let answer = ask.by(&ann.token).await;
                assert!(answer.status < 500, "{path}{query}");
                assert!(answer.json()["code"].is_i64(), "{path}{query}");
            }
        }
    }
    let many = "a=1&".repeat(2000);
    w.get(&format!("/roster/list?{many}")).by(&ann.token).await.refused(10002);
}

#[tokio::test]
async fn what_is_no_call_is_said_in_the_dialects_shape() {
    let w = World::new().await;
    for (method, path, status) in [
        ("GET", "/user/nothing", 404),
        ("POST", "/token/refresh", 404),
        ("GET", "/roster/a/b/c", 404),
        ("GET", "/token/user", 405),
        ("DELETE", "/user/profile", 405),
        ("PATCH", "/v2/app_dns", 405),
    ] {
        let answer = Ask::new(&w, method, path).header("app_id", &w.app.app_id).await;
        assert_eq!((answer.status, answer.json()["code"].as_u64()), (status, Some(status.into())), "{path}");
    }
}

#[tokio::test]
async fn a_page_of_any_origin_may_call() {
    let w = World::new().await;
    let asked = Ask::new(&w, "OPTIONS", "/token/user").header("origin", "http://localhost").await;
    assert_eq!(asked.status, 204);
    assert_eq!(asked.headers["access-control-allow-origin"], "*");
    let allowed = asked.headers["access-control-allow-headers"].to_str().unwrap();
    assert!(allowed.contains("app_id") && allowed.contains("access-token") && allowed.contains("Content-Type"));
    for ask in [w.get("/v2/app_dns"), w.get("/user/profile"), w.get("/user/nothing")] {
        assert_eq!(ask.await.headers["access-control-allow-origin"], "*");
    }
}

#[tokio::test]
async fn a_client_is_told_where_the_servers_are() {
    let w = World::new().await;
    let ask = |path: &str| Ask::new(&w, "GET", path).header("host", "chat.example:8090");
    let dns = ask(&format!("/v2/app_dns?app_id={}&source=sdk", w.app.app_id)).await.ok();
    let here = json!([{ "protocol": "http", "host": "chat.example:8090", "ip_list": [] }]);
    let cluster = json!({ "ratel": here, "webim": here, "ws": here, "rtc": here });
    assert_eq!(dns["dns_list"], json!([{ "group_level": 0, "clusters": [cluster] }]));
    assert_eq!((&dns["app_status"], &dns["version"]), (&json!("normal"), &json!(1)));
    ask("/v2/app_dns?app_id=nosuchappidx").await.refused(99997);
    ask("/v2/app_dns").await.refused(10002);
    w.get("/app/config?platform=6").await.ok();
}

#[tokio::test]
async fn a_call_one_part_of_which_is_refused_does_none_of_it() {
    let w = World::new().await;
    let (ann, ben) = (w.user("ann").await, w.user("ben").await);
    let stranger = w.user("cid").await;
    w.post("/roster/apply", &json!({ "user_id": ben.id })).by(&ann.token).await.ok();
    let long = "x".repeat(1025);
    let before = w.dump().await;
    for (path, body, named) in [
        ("/user/settings", json!({ "auth_mode": 1, "no_push_start_hour": 24 }), "no_push_start_hour"),
        ("/user/settings", json!({ "no_push": true, "auth_mode": 4 }), "auth_mode (limit 3)"),
        ("/user/settings", json!({ "no_push": true, "silence_end_time": -1 }), "silence_end_time"),
        ("/user/settings", json!({ "no_push": true, "auth_question": long }), "auth_question (limit 1024)"),
        ("/user/settings", json!({ "auth_mode": 1, "push_nick_name": long }), "nick_name"),
        ("/user/profile", json!({ "nick_name": "x", "private_info": long }), "private_info (limit 1024)"),
        ("/user/profile", json!({ "private_info": "x", "description": long }), "description"),
        ("/roster/ext", json!({ "user_id": ben.id, "ext": "x", "alias": long }), "alias"),
        ("/roster/ext", json!({ "user_id": ben.id, "mute_notification": true, "ext": long.repeat(9) }), "ext"),
        ("/roster/apply", json!({ "user_id": stranger.id, "alias": long }), "alias"),
        ("/user/register/push", json!({ "username": "new", "password": "x", "alias": long }), "alias"),
        ("/user/push/badge", json!({ "badge": -1 }), "badge"),
    ] {
        let said = w.post(path, &body).by(&ann.token).await.refused(10002);
        assert!(said.contains(named), "{path} {body}: {said}");
    }
    let said = w.tell("/user/authmode?value=9").by(&ann.token).await.refused(10002);
    assert!(said.contains("auth_mode (limit 3)"), "{said}");
    w.post("/roster/ext", &json!({ "user_id": stranger.id, "mute_notification": true }))
        .by(&ann.token)
        .await
        .refused(10010);
    assert_eq!(w.dump().await, before);
}

/// A request of nobody in particular.
#[derive(Clone, Debug)]
struct Anything {
    method: &'static str,
    path: String,
    body: Vec<u8>,
}

/// What calls look at, and something else.
static NAMES: &[&str] = &[
    "user_id",
    "username",
    "name",
    "login_name",
    "mobile",
    "email",
    "password",
    "old_password",
    "new_password",
    "list",
    "value",
    "nick_name",
    "avatar",
    "alias",
    "reason",
    "auth_mode",
    "auth_answer",
    "device_sn",
    "device_guid",
    "device_token",
    "notifier_name",
    "push_token",
    "audience",
    "message",
    "setting",
    "tags",
    "badge",
    "limit",
    "cursor",
    "page_num",
    "page_size",
    "no_push_start_hour",
    "group_id",
    "x",
];

fn anything() -> impl Strategy<Value = Anything> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "[0-9+@.a-z]{0,14}".prop_map(Value::from),
        Just(json!("all")),
        Just(json!(16)),
    ];
    let names = prop::sample::select(NAMES);
    let keys = names.clone();
    let tree = leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            3 => prop::collection::hash_map(keys.clone(), inner, 0..6)
                .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    });
    let body = prop_oneof![
        4 => tree.prop_map(|tree| tree.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..200),
        1 => "[a-z=&%0-9+{}\":]{0,60}".prop_map(String::into_bytes),
    ];
    let parameter = (names, "[a-zA-Z0-9%@+_-]{0,14}").prop_map(|(name, value)| format!("{name}={value}"));
    let query = prop::collection::vec(parameter, 0..5).prop_map(|all| all.join("&"));
    let calls: Vec<(&'static str, &'static str)> =
        yinxin_lanying::calls().flat_map(|(methods, path)| methods.iter().map(move |method| (*method, path))).collect();
    let call = prop_oneof![
        9 => prop::sample::select(calls).prop_map(|(method, path)| (method, path.to_owned())),
        1 => (prop::sample::select(vec!["GET", "POST", "PUT", "DELETE"]), "/(user|roster|group|token)/[a-z/%0-9]{1,12}"),
    ];
    (call, query, body).prop_map(|((method, path), query, body)| Anything {
        method,
        path: format!("{path}?{query}"),
        body,
    })
}

#[test]
fn nothing_that_is_sent_breaks_anything() {
    let runtime = ground::runtime();
    let w = runtime.block_on(World::new());
    let cases = std::env::var("YINXIN_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let asked_by = Cell::new(0);
    let outcome = runner.run(&anything(), |Anything { method, path, body }| {
        if path.parse::<axum::http::Uri>().is_err() {
            return Ok(());
        }
        // Somebody to whom nothing has happened: it may well be deleted.
        asked_by.set(asked_by.get() + 1);
        w.clock.move_by(1000);
        let ann = runtime.block_on(w.user(&format!("ann{}", asked_by.get())));
        for (token, user) in [("", 0), (&*ann.token, 0), (&*w.app.admin, ann.id), (&*w.app.admin, 0), ("x", ann.id)] {
            let ask = Ask::new(&w, method, &path).header("app_id", &w.app.app_id).by(token);
            let ask = if user == 0 { ask } else { ask.header("user_id", user) };
            let reply = runtime.block_on(ask.raw(body.clone()).into_future());
            let code = reply.json()["code"].as_u64();
            let own = [404, 405, 413, 501].contains(&reply.status).then_some(u64::from(reply.status));
            prop_assert!(
                code.is_some() && (reply.status == 200 || code == own),
                "{} {}: {}",
                method,
                path,
                reply.text()
            );
        }
        Ok(())
    });
    outcome.unwrap();
}
