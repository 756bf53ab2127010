//! Presence: publishing, subscribing, asking. All numbers in replies are texts.

use serde_json::{Value, json};

use crate::asking::Answer as _;
use crate::world::{DAY, SECOND, World, numbered};

async fn publish(w: &World, user: &str, device: &str, status: i64, ext: &str) {
    let reply = w.post(&format!("/users/{user}/presence/{device}/{status}"), json!({ "ext": ext })).await.ok();
    assert_eq!(reply, json!({ "result": "ok" }));
}

fn names(names: &[&str]) -> Value {
    json!({ "usernames": names })
}

#[tokio::test]
async fn what_a_device_publishes_is_seen_by_those_who_ask() {
    let w = World::new().await;
    w.register(&["anna", "bert"]).await;
    publish(&w, "bert", "phone", 1, "away").await;
    w.clock.move_by(SECOND);
    publish(&w, "bert", "web", 101, "busy").await;
    let reply = w.post("/users/anna/presence", names(&["bert", "anna", "nobody"])).await.ok();
    let now = w.now_s().to_string();
    let expected = json!({ "result": [
        { "uid": "bert", "last_time": now, "ext": "busy", "status": { "phone": "1", "web": "101" } },
        { "uid": "anna", "last_time": "0", "ext": "", "status": {} },
        { "uid": "nobody", "last_time": "0", "ext": "", "status": {} },
    ]});
    assert_eq!(reply, expected);
}

#[tokio::test]
async fn a_subscription_lasts_as_long_as_asked_for() {
    let w = World::new().await;
    w.register(&["anna", "bert", "carl"]).await;
    let reply = w.post("/users/anna/presence/3600", names(&["bert", "carl", "nobody"])).await.ok();
    let until = (w.now_s() + 3600).to_string();
    assert_eq!(reply["result"][0]["expiry"], until);
    let list = async |query: &str| w.get(&format!("/users/anna/presence/sublist?{query}")).await.ok()["result"].clone();
    let both =
        json!({ "totalnum": "2", "sublist": [{ "uid": "bert", "expiry": until }, { "uid": "carl", "expiry": until }] });
    assert_eq!(list("pageNum=1&pageSize=500").await, both);
    // A web client counts its pages from 0, others from 1.
    assert_eq!(list("pageNum=0&pageSize=20").await, both);
    assert_eq!(list("pageNum=2&pageSize=1").await["sublist"], json!([{ "uid": "carl", "expiry": until }]));
    assert_eq!(list("pageNum=3&pageSize=1").await, json!({ "totalnum": "2", "sublist": [] }));
    w.clock.move_by(10 * SECOND);
    w.post("/users/anna/presence/3600", names(&["bert"])).await.ok();
    w.clock.move_by(3590 * SECOND);
    assert_eq!(list("").await["totalnum"], "1", "prolonged, the other ended");
    let reply = w.call("DELETE", "/users/anna/presence").json(&json!(["bert", "nobody"])).await.ok();
    assert_eq!(reply, json!({ "result": "ok" }));
    assert_eq!(list("").await, json!({ "totalnum": "0", "sublist": [] }));
}

#[tokio::test]
async fn presence_calls_are_refused_in_the_documents_words() {
    let w = World::new().await;
    w.register(&["anna", "bert"]).await;
    let stored = w.dump().await;
    let many = json!({ "usernames": numbered("user", 101) });
    for (method, path, body, text) in [
        ("POST", "/users/anna/presence/phone/1", json!({}), "ext cannot be null"),
        ("POST", "/users/anna/presence/phone/1", json!({ "ext": "x".repeat(1025) }), "ext is too big"),
        ("POST", "/users/anna/presence/60", json!({ "usernames": [] }), "usernames is empty"),
        ("POST", "/users/anna/presence/60", json!({}), "usernames cannot be null"),
        ("POST", "/users/anna/presence/60", many.clone(), "too many sub presence"),
        ("POST", "/users/anna/presence/60", names(&["bert", "ANNA"]), "you can't sub yourself"),
        ("POST", "/users/anna/presence", json!({ "usernames": [] }), "usernames is empty"),
        ("POST", "/users/anna/presence", json!({}), "usernames cannot be null"),
        ("POST", "/users/anna/presence", many.clone(), "too many get presences"),
        ("DELETE", "/users/anna/presence", many["usernames"].clone(), "too many unsub presences"),
        ("DELETE", "/users/anna/presence", json!([]), "usernames is empty"),
        ("GET", "/users/anna/presence/sublist?pageNum=1&pageSize=501", json!({}), "too many queries"),
    ] {
        w.call(method, path).json(&body).await.refused(400, "illegal_argument", text);
    }
    for path in ["0", "-1", "2592001", "phone"] {
        let fault = w.post(&format!("/users/anna/presence/{path}"), names(&["bert"])).await.fault();
        assert_eq!((fault.status, &*fault.error), (400, "illegal_argument"), "{path}");
    }
    w.post("/users/anna/presence/2592000", names(&["nobody"])).await.ok();
    assert_eq!(w.dump().await, stored);
}

#[tokio::test]
async fn a_subscription_of_thirty_days_ends_after_thirty_days() {
    let w = World::new().await;
    w.register(&["anna", "bert"]).await;
    w.post("/users/anna/presence/2592000", names(&["bert"])).await.ok();
    w.clock.move_by(30 * DAY - SECOND);
    assert_eq!(w.get("/users/anna/presence/sublist").await.ok()["result"]["totalnum"], "1");
    w.clock.move_by(SECOND);
    assert_eq!(w.get("/users/anna/presence/sublist").await.ok()["result"]["totalnum"], "0");
}

#[tokio::test]
async fn of_too_many_devices_the_one_that_was_silent_longest_gives_way() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let known = async || {
        let reply = w.post("/users/anna/presence", names(&["anna"])).await.ok();
        let mut known: Vec<String> = reply["result"][0]["status"].as_object().unwrap().keys().cloned().collect();
        known.sort();
        known
    };
    for device in 10..30 {
        publish(&w, "anna", &format!("d{device}"), 1, "").await;
        w.clock.move_by(SECOND);
    }
    publish(&w, "anna", "d10", 1, "").await;
    publish(&w, "anna", "zz", 1, "").await;
    let mut left: Vec<String> = (12..30).map(|device| format!("d{device}")).collect();
    left.extend(["d10".to_owned(), "zz".to_owned()]);
    left.sort();
    assert_eq!(known().await, left);
    // Whatever the clock says, who has just spoken is known.
    w.clock.move_by(-DAY);
    publish(&w, "anna", "zzz", 1, "").await;
    assert!(known().await.contains(&"zzz".to_owned()));
    assert_eq!(known().await.len(), 20);
}
