//! Bad input on every operation: refused in the vendor's shape, never a 5xx, and nothing is changed by it.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use yinxin_testkit::ground;

use crate::asking::{Answer as _, Ask, Bearer as _, Reply};
use crate::operations::{OPERATIONS, Operation};
use crate::world::World;

const FORM: &str = "application/x-www-form-urlencoded";

async fn world() -> World {
    let w = World::new().await;
    w.register(&["anna", "bert", "carl"]).await;
    w.call("POST", "/users/anna/contacts/users/bert").await.ok();
    w.post("/users/anna/blocks/users", json!({ "usernames": ["carl"] })).await.ok();
    w
}

/// The operation with another body.
fn with_body<'w>(w: &'w World, operation: &Operation, body: impl Into<axum::body::Bytes>) -> Ask<'w> {
    let ask = w.call(operation.method, &operation.path("anna", "bert")).raw(body);
    if operation.needs_label() { ask.header("content-type", FORM) } else { ask }
}

/// Expects a refusal for which the caller is to blame.
#[track_caller]
fn blames_the_caller(reply: &Reply, title: &str) {
    assert!((400..500).contains(&reply.status), "{title}: {} {}", reply.status, reply.text());
    reply.fault();
}

/// The operations that read a JSON body.
fn with_json() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(|op| op.body.starts_with(['{', '[']) && op.path != "/push/single")
}

#[tokio::test]
async fn bodies_that_are_no_json_are_refused() {
    let w = world().await;
    let stored = w.dump().await;
    let deep = [vec![b'['; 10_000], vec![b']'; 10_000]].concat();
    let bodies: Vec<Vec<u8>> = vec![
        b"{".into(),
        b"[".into(),
        b"[1,".into(),
        b"nope".into(),
        b"username=anna&password=1".into(),
        b"{\"a\":}".into(),
        b"{\"username\":\"anna\"".into(),
        b"{'username':'anna'}".into(),
        b"{}{}".into(),
        b"\xef\xbb\xbf{}".into(),
        b"\xff\xfe".into(),
        b"\x00".into(),
        b"{\"username\":\"a\x00b\"}".into(),
        b"{\"nobody-knows\":\"\xff\"}".into(),
        b"{\"nobody-knows\":\"\xed\xa0\x80\"}".into(),
        b"\"".into(),
        deep,
    ];
    for operation in with_json() {
        for body in &bodies {
            let title = format!("{} {:.60}", operation.title(), String::from_utf8_lossy(body));
            blames_the_caller(&with_body(&w, operation, body.clone()).await, &title);
        }
    }
    assert_eq!(w.dump().await, stored);
}

#[tokio::test]
async fn what_unknown_keys_hold_is_left_alone_however_odd() {
    let w = world().await;
    let deep = format!("{}1{}", r#"{"x":"#.repeat(10_000), "}".repeat(10_000));
    for operation in with_json().filter(|op| op.body.starts_with('{')) {
        for odd in [&*deep, "1e400", "\"\\ud800\"", "[[[[[[]]]]]]", "123456789012345678901234567890"] {
            let body = operation.body("anna", "bert").replacen('{', &format!(r#"{{"nobody-knows":{odd},"#), 1);
            let reply = with_body(&w, operation, body).await;
            assert!(reply.status < 500, "{} {odd:.20}", operation.title());
        }
    }
}

#[tokio::test]
async fn json_of_another_type_is_refused() {
    let w = world().await;
    let stored = w.dump().await;
    for operation in with_json() {
        let list = operation.body.starts_with('[');
        for body in [
            "null",
            "true",
            "1",
            "-1.5e9",
            "\"text\"",
            "[[]]",
            "[null]",
            "[1]",
            "[\"a\",\"b\",\"c\",\"d\",1,1,1]",
            "[{\"x\":{}},[]]",
        ] {
            // A list of one name is what one call takes.
            blames_the_caller(&with_body(&w, operation, body).await, &format!("{} {body}", operation.title()));
        }
        let other = if list { "{\"username\":\"dora\"}" } else { "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\"]" };
        blames_the_caller(&with_body(&w, operation, other).await, &format!("{} {other}", operation.title()));
    }
    assert_eq!(w.dump().await, stored);
}

/// The body's objects with one value each replaced.
fn replaced(body: &Value, by: &Value) -> Vec<Value> {
    match body {
        Value::Object(members) => members
            .keys()
            .map(|key| {
                let mut body = body.clone();
                body[key] = by.clone();
                body
            })
            .collect(),
        Value::Array(elements) => {
            let mut bodies: Vec<Value> = vec![json!([by])];
            bodies.extend(replaced(&elements[0], by).into_iter().map(|element| json!([element])));
            bodies
        }
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn a_field_of_another_type_is_refused() {
    let w = world().await;
    let stored = w.dump().await;
    for operation in with_json() {
        let body: Value = serde_json::from_str(&operation.body("dora", "bert")).unwrap();
        for by in [
            json!({ "a": 1 }),
            json!([[1]]),
            json!([{}]),
            json!("nul\0"),
            json!(["nul\0"]),
            json!(1e300),
            json!(u64::MAX),
        ] {
            for body in replaced(&body, &by) {
                let title = format!("{} {body}", operation.title());
                blames_the_caller(&with_body(&w, operation, body.to_string()).await, &title);
            }
        }
    }
    assert_eq!(w.dump().await, stored);
}

#[tokio::test]
async fn a_key_twice_is_refused() {
    let w = world().await;
    let stored = w.dump().await;
    for operation in with_json() {
        let body = operation.body("anna", "bert");
        let Some((before, object)) = body.split_once('{') else { continue };
        let (first, rest) = object.split_once(':').unwrap();
        let twice = format!("{before}{{{first}:\"x\",{first}:{rest}");
        blames_the_caller(&with_body(&w, operation, twice.clone()).await, &format!("{} {twice}", operation.title()));
    }
    for body in [r#"{"nickname":"a","nickname":"b"}"#, r#"{"nobody-knows":1,"nobody-knows":1}"#] {
        blames_the_caller(&w.call("PUT", "/users/anna").raw(body).await, body);
    }
    assert_eq!(w.dump().await, stored);
}

#[tokio::test]
async fn a_megabyte_is_too_much() {
    let w = world().await;
    let stored = w.dump().await;
    let body = format!(r#"{{"nobody-knows":"{}"}}"#, "x".repeat(1 << 20));
    for operation in OPERATIONS.iter().filter(|op| !op.body.is_empty() && op.path != "/push/single") {
        let reply = with_body(&w, operation, body.clone()).await;
        reply.refused(413, "web_application", "Request Entity Too Large");
    }
    assert_eq!(w.dump().await, stored);
}

#[tokio::test]
async fn long_texts_are_refused_where_they_are_kept_and_unknown_where_they_are_names() {
    let w = world().await;
    let stored = w.dump().await;
    let long = "x".repeat(20_000);
    for operation in OPERATIONS.iter().filter(|op| op.path.contains("{u}")) {
        let ask = w.call(operation.method, &operation.path(&long, "bert")).raw(operation.body(&long, "bert"));
        let reply = if operation.needs_label() { ask.header("content-type", FORM) } else { ask }.await;
        assert!(reply.status < 500, "{}", operation.title());
        assert!(reply.status == 200 || reply.fault().status >= 400, "{}", operation.title());
    }
    for (method, path, body) in [
        ("POST", "/users", json!({ "username": long, "password": "1" })),
        ("POST", "/users", json!({ "username": "new", "password": long })),
        ("PUT", "/users/anna", json!({ "nickname": long })),
        ("PUT", "/users/anna", json!({ "device_token": long, "notifier_name": "n" })),
        ("PUT", "/users/anna", json!({ "device_token": "t", "notifier_name": long })),
        ("PUT", "/users/anna", json!({ format!("notification_ignore_{long}"): true })),
        ("PUT", "/users/anna/push/binding", json!({ "device_id": long, "notifier_name": "n", "device_token": "t" })),
        ("PUT", "/users/anna/push/binding", json!({ "device_id": "d", "notifier_name": "n", "device_token": long })),
        ("POST", "/notification/template", json!({ "name": long, "title_pattern": "t", "content_pattern": "c" })),
        ("POST", "/notification/template", json!({ "name": "n", "title_pattern": long, "content_pattern": "c" })),
        ("POST", "/notifiers", json!({ "name": long, "provider": "APNS" })),
    ] {
        blames_the_caller(&w.call(method, path).json(&body).await, &format!("{method} {path}"));
    }
    let resource = w.post(&format!("/users/anna/presence/{long}/1"), json!({ "ext": "x" })).await;
    blames_the_caller(&resource, "a long resource");
    assert_eq!(w.dump().await, stored);
}

#[tokio::test]
async fn tricks_with_paths_find_nothing() {
    let w = world().await;
    let stored = w.dump().await;
    let tricks = [
        "",
        ".",
        "..",
        "%2E%2E",
        "%2F",
        "anna%2F",
        "anna%2Fpassword",
        "%2e%2e%2fanna",
        "%252F",
        "anna%252e",
        "%00",
        "anna%00",
        "%2500",
        "%FF",
        "%C0%AE",
        "%ED%A0%80",
        "anna%20",
        "%0A",
        "anna;x=1",
        "anna,bert",
        "*",
        "'%20OR%201=1--",
        "%E2%80%8Banna",
        "%EF%BD%81nna",
        "anna%C2%A0",
        "null",
        "undefined",
        "0",
        "-1",
        "%7Bu%7D",
        "{u}",
    ];
    for operation in OPERATIONS.iter().filter(|op| op.path.contains("{u}")) {
        for trick in tricks {
            let path = operation.path(trick, "bert");
            let ask = w.call(operation.method, &path).raw(operation.body("carl", "bert"));
            let reply = if operation.needs_label() { ask.header("content-type", FORM) } else { ask }.await;
            // Nobody's attributes and devices are none, and clearing them is no error.
            let lenient = operation.is_attributes() || operation.path.ends_with("/resources");
            if lenient && reply.status == 200 {
                assert_eq!(
                    reply.ok()["data"].to_string().len(),
                    if operation.method == "DELETE" { 4 } else { 2 },
                    "{path}"
                );
            } else {
                blames_the_caller(&reply, &format!("{} {path}", operation.method));
            }
        }
    }
    for trick in ["%00", "a%00b", "%FF"] {
        for (method, path, body) in [
            ("GET", "/users/anna/offline_msg_status/{}", json!({})),
            ("DELETE", "/users/anna/disconnect/{}", json!({})),
            ("POST", "/users/anna/presence/{}/1", json!({ "ext": "x" })),
            ("POST", "/users/anna/presence/phone/{}", json!({ "ext": "x" })),
            ("PUT", "/users/anna/notification/user/{}", json!({ "type": "NONE" })),
            ("GET", "/users/anna/notification/user/{}", json!({})),
            ("PUT", "/notification/template/{}", json!({ "title_pattern": "t", "content_pattern": "c" })),
            ("GET", "/notification/template/{}", json!({})),
            ("DELETE", "/notifiers/{}", json!({})),
        ] {
            let path = path.replace("{}", trick);
            blames_the_caller(&w.call(method, &path).json(&body).await, &path);
        }
    }
    assert_eq!(w.dump().await, stored);
}

#[tokio::test]
async fn paths_that_nobody_knows_are_refused_in_the_vendors_shape() {
    let w = world().await;
    let stored = w.dump().await;
    for path in [
        "/",
        "//",
        "///",
        "/acme",
        "/acme/",
        "/acme/chat",
        "/acme/chat/",
        "/acme/chat//users",
        "/acme//chat/users",
        "//acme/chat/users",
        "/acme/chat/users/",
        "/acme/chat/users//password",
        "/acme/chat/../chat/users",
        "/./acme/chat/users",
        "/acme%2Fchat/users",
        "/acme/chat%2Fusers",
        "/%61cme/chat/users",
        "/acme/chat/Users",
        "/acme/chat/users/anna/",
        "/acme/chat/users/anna/contacts/users/bert/",
        "/%00/chat/users",
        "/acme/%FF/users",
        "/favicon.ico",
        // The socket's paths, asked for as if they were pages.
        "/ws",
        "/websocket",
        "/acme/chat/users/anna/../bert",
        "/acme/CHAT/users",
        "/ACME/chat/users",
    ] {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"] {
            // One of these is an operation: the app's own settings.
            if (method, path) != ("PUT", "/acme/chat") {
                let reply = Ask::new(&w, method, path).by(&w.app.token).await;
                blames_the_caller(&reply, &format!("{method} {path}"));
            }
        }
    }
    for operation in OPERATIONS {
        let path = operation.path("anna", "bert");
        let path = path.split('?').next().unwrap();
        for method in ["PATCH", "BREW", "TRACE"] {
            w.call(method, path).await.refused(405, "unsupported_service_operation", "Service operation not supported");
        }
    }
    assert_eq!(w.dump().await, stored);
}

/// Anything somebody might send to anything.
fn anything() -> impl Strategy<Value = (Operation, String, String, Vec<u8>)> {
    let segment = prop_oneof![
        Just("anna".to_owned()),
        Just("nobody".to_owned()),
        "[a-zA-Z0-9._%{}~-]{0,12}",
        "(%[0-9A-F]{2}){1,5}",
        "\\PC{0,6}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(json!("anna")),
        Just(json!("password")),
        Just(json!("client_credentials")),
    ];
    let keys = prop::sample::select(vec![
        "username",
        "password",
        "newpassword",
        "usernames",
        "grant_type",
        "ttl",
        "nickname",
        "remark",
        "ext",
        "chat",
        "targets",
        "properties",
        "check_list",
        "type",
        "ignoreDuration",
        "ignoreInterval",
        "name",
        "device_id",
        "device_token",
        "autoCreateUser",
        "notification_no_disturbing",
        "notification_display_style",
        "push_nickname",
        "title_pattern",
        "templateName",
        "x",
    ]);
    let tree = leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(keys.clone(), inner, 0..6)
                .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    });
    let body = prop_oneof![
        3 => tree.prop_map(|tree| tree.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..200),
        1 => "[a-z=&%0-9+]{0,60}".prop_map(String::into_bytes),
    ];
    let query = prop_oneof![
        Just(String::new()),
        "\\?(limit|cursor|pageNum|pageSize|activated|needReturnRemark)=[a-zA-Z0-9%=-]{0,12}",
    ];
    (prop::sample::select(OPERATIONS), segment, query, body)
}

#[test]
fn nothing_that_is_sent_breaks_anything() {
    let runtime = ground::runtime();
    let w = runtime.block_on(world());
    let cases = std::env::var("YINXIN_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&anything(), |(operation, segment, query, body)| {
        for path in [operation.path(&segment, "bert"), operation.path("anna", &segment)] {
            let path = format!("/acme/chat{}{query}", path.split('?').next().unwrap_or_default());
            if path.parse::<axum::http::Uri>().is_err() {
                continue;
            }
            for token in [Some(&w.app.token), None] {
                let ask = Ask::new(&w, operation.method, &path).header("content-type", FORM).raw(body.clone());
                let ask = if let Some(token) = token { ask.by(token) } else { ask };
                let reply = runtime.block_on(ask.into_future());
                prop_assert!(reply.status < 500, "{} {}", operation.method, path);
                if reply.status == 401 && operation.is_attributes() {
                    prop_assert_eq!(&reply.json()["desc"], "Unauthorized");
                } else if reply.status >= 400 {
                    reply.fault();
                } else {
                    reply.ok();
                }
            }
        }
        Ok(())
    });
    outcome.unwrap();
}
