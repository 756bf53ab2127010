//! User attributes: a form in, an object out, two kilobytes per user.

use serde_json::{Value, json};
use yinxin_core::apps::Profile;

use crate::asking::{Answer as _, Ask, Bearer as _};
use crate::world::{World, numbered};

const FORM: &str = "application/x-www-form-urlencoded";

fn put<'w>(w: &'w World, user: &str, form: &str) -> Ask<'w> {
    w.call("PUT", &format!("/metadata/user/{user}")).header("content-type", FORM).raw(form.to_owned())
}

async fn of(w: &World, user: &str) -> Value {
    w.get(&format!("/metadata/user/{user}")).await.ok()["data"].clone()
}

#[tokio::test]
async fn a_form_sets_pairs_and_an_empty_value_removes_one() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let reply =
        put(&w, "Anna", "nickname=%E5%B0%8F%E5%AE%89&avatarurl=http%3A%2F%2Fx%2Fa.png%3Fb%3D1&sign=a+b%2Bc").await.ok();
    let pairs = json!({ "nickname": "小安", "avatarurl": "http://x/a.png?b=1", "sign": "a b+c" });
    assert_eq!(reply, json!({ "timestamp": w.now_ms(), "data": pairs, "duration": reply["duration"] }));
    assert_eq!(of(&w, "anna").await, pairs);
    put(&w, "anna", "sign=new&mail=m").await.ok();
    let reply = put(&w, "anna", "mail=&nickname=&avatarurl=&ext").await.ok();
    assert_eq!(reply["data"], json!({}));
    assert_eq!(of(&w, "anna").await, json!({ "sign": "new" }));
    put(&w, "nobody", "a=b").await.refused(404, "service_resource_not_found", "Service resource not found");
}

#[tokio::test]
async fn a_body_without_a_label_is_refused_with_an_empty_body() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let targets = json!({ "targets": ["anna"], "properties": [] }).to_string();
    for (method, path, body) in [("PUT", "/metadata/user/anna", "a=b"), ("POST", "/metadata/user/get", &*targets)] {
        for label in [None, Some("")] {
            let ask = w.call(method, path).raw(body.to_owned());
            let reply = if let Some(label) = label { ask.header("content-type", label) } else { ask }.await;
            assert_eq!((reply.status, reply.text()), (415, String::new()), "{method} {label:?}");
        }
        // Whatever the label is, one is enough.
        w.call(method, path).raw(body.to_owned()).header("content-type", "text/plain; charset=utf-8").await.ok();
    }
}

#[tokio::test]
async fn an_object_of_texts_is_taken_when_it_says_what_it_is() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let put_json = |label: &str, body: &str| {
        w.call("PUT", "/metadata/user/anna").header("content-type", label).raw(body.to_owned())
    };
    let pairs = json!({ "nickname": "小安", "sign": "a=b&c" });
    for label in ["application/json", "Application/JSON; charset=utf-8"] {
        let reply = put_json(label, &pairs.to_string()).await.ok();
        assert_eq!(reply["data"], pairs);
        assert_eq!(of(&w, "anna").await, pairs);
        put_json(label, r#" {"sign":""}"#).await.ok();
        assert_eq!(of(&w, "anna").await, json!({ "nickname": "小安" }));
    }
    // Examples label forms as JSON, too.
    put_json("application/json", "sign=s").await.ok();
    let stored = w.dump().await;
    for (label, body) in [
        (FORM, r#"{"a":"b"}"#),
        ("text/plain", "\n{}"),
        ("application/json", r#"{"a":1}"#),
        ("application/json", r#"{"a":null}"#),
        ("application/json", r#"{"a":{"b":"c"}}"#),
        ("application/json", r#"{"a":"b","a":"c"}"#),
        ("application/json", r#"{"":"b"}"#),
        ("application/json", r#"{"a":"\u0000"}"#),
    ] {
        let fault = put_json(label, body).await.fault();
        assert_eq!((fault.status, &*fault.error), (400, "illegal_argument"), "{label} {body}");
    }
    assert_eq!(put_json("application/json", r#"{"a":"#).await.fault().error, "json_parse");
    assert_eq!(w.dump().await, stored);
}

#[tokio::test]
async fn two_kilobytes_are_the_limit_and_too_much_changes_nothing() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    // One pair counts its name, its value and seven more.
    put(&w, "anna", &format!("sign={}", "x".repeat(2048 - 7 - 4))).await.ok();
    let stored = w.dump().await;
    let text = "size of metadata for this single user exceeds the user defined limit, 2048Bytes";
    put(&w, "anna", "a=b").await.refused(403, "FORBIDDEN", text);
    put(&w, "anna", &format!("first=1&sign={}", "y".repeat(2048))).await.refused(403, "FORBIDDEN", text);
    assert_eq!(w.dump().await, stored);
    // Bytes, not characters.
    put(&w, "anna", "sign=").await.ok();
    put(&w, "anna", &format!("sign={}", "%E5%B0%8F".repeat(679))).await.ok();
    put(&w, "anna", &format!("sign={}", "%E5%B0%8F".repeat(680))).await.refused(403, "FORBIDDEN", text);
}

#[tokio::test]
async fn the_app_can_ask_for_the_bytes_it_uses() {
    let w = World::new().await;
    w.register(&["anna", "bert"]).await;
    let capacity = async || w.get("/metadata/user/capacity").await.ok()["data"].as_i64().unwrap();
    assert_eq!(capacity().await, 0);
    put(&w, "anna", "nickname=%E5%B0%8F").await.ok();
    assert_eq!(capacity().await, 8 + 3 + 7);
    put(&w, "bert", "a=b").await.ok();
    assert_eq!(capacity().await, 8 + 3 + 7 + 1 + 1 + 7);
    w.delete("/users/bert").await.ok();
    assert_eq!(capacity().await, 8 + 3 + 7);
}

#[tokio::test]
async fn many_users_are_asked_for_at_once() {
    let w = World::new().await;
    w.register(&["anna", "bert"]).await;
    put(&w, "anna", "nickname=n&mail=m").await.ok();
    let get = |targets: Value, properties: Value| {
        w.post("/metadata/user/get", json!({ "targets": targets, "properties": properties }))
    };
    let found = get(json!(["anna", "bert", "nobody"]), json!(["nickname", "sign"])).await.ok();
    assert_eq!(found["data"], json!({ "anna": { "nickname": "n" }, "bert": {}, "nobody": {} }));
    assert_eq!(found.as_object().unwrap().len(), 3);
    get(json!(numbered("user", 100)), json!(["nickname"])).await.ok();
    get(json!(numbered("user", 101)), json!([])).await.refused(400, "BAD_REQUEST", "exceed allowed batch size 100");
}

#[tokio::test]
async fn clearing_is_true_whether_or_not_there_was_anything() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    put(&w, "anna", "nickname=n").await.ok();
    for user in ["anna", "anna", "nobody"] {
        assert_eq!(w.delete(&format!("/metadata/user/{user}")).await.ok()["data"], true);
    }
    assert_eq!(of(&w, "anna").await, json!({}));
    assert_eq!(of(&w, "nobody").await, json!({}));
}

#[tokio::test]
async fn todays_servers_show_attributes_to_everybody() {
    let w = World::of_profile(Profile::Current).await;
    w.register(&["anna"]).await;
    put(&w, "anna", "nickname=n").await.ok();
    assert_eq!(w.get("/metadata/user/anna").anonymous().await.ok()["data"], json!({ "nickname": "n" }));
    let body = json!({ "targets": ["anna"], "properties": ["nickname"] });
    let found = w.post("/metadata/user/get", body).anonymous().await.ok();
    assert_eq!(found["data"], json!({ "anna": { "nickname": "n" } }));
    assert_eq!(put(&w, "anna", "nickname=other").anonymous().await.status, 401);
}

#[tokio::test]
async fn forms_that_are_none_are_refused_and_change_nothing() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let stored = w.dump().await;
    for form in ["a=%FF", "a=%00", "%00=a", "=value", "a=1&=2", "a=\u{0}"] {
        assert_eq!(put(&w, "anna", form).await.fault().status, 400, "{form:?}");
    }
    assert_eq!(w.dump().await, stored);
}

#[tokio::test]
async fn questions_and_changes_are_bounded() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    put(&w, "anna", "user1=a&user2=b").await.ok();
    let get = |targets: Value, properties: Vec<String>| {
        w.post("/metadata/user/get", json!({ "targets": targets, "properties": properties }))
    };
    let found = get(json!(vec!["anna"; 100]), numbered("user", 100)).await.ok();
    assert_eq!(found["data"], json!({ "anna": { "user1": "a", "user2": "b" } }));
    let fault = get(json!(["anna"]), numbered("user", 101)).await.fault();
    assert_eq!((fault.status, &*fault.error), (400, "illegal_argument"));
    let pairs =
        |count: usize| numbered("user", count).iter().map(|name| format!("{name}=")).collect::<Vec<_>>().join("&");
    let stored = w.dump().await;
    assert_eq!(put(&w, "anna", &pairs(301)).await.fault().status, 403);
    assert_eq!(w.dump().await, stored);
    put(&w, "anna", &pairs(300)).await.ok();
    assert_eq!(of(&w, "anna").await, json!({}));
}
