//! The newer push calls: devices, nicknames, rules, languages, templates, certificates.

use serde_json::{Value, json};

use crate::asking::Answer as _;
use crate::world::{SECOND, World, numbered};

const NO_USER: (u16, &str, &str) =
    (400, "required_property_not_found", "Entity user requires a property named username");

#[tokio::test]
async fn devices_are_bound_and_unbound() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let device = |id: &str, token: &str| json!({ "device_id": id, "notifier_name": "n", "device_token": token });
    let path = "/users/anna/push/binding";
    let reply = w.put(path, device("a", "1")).await.ok();
    assert_eq!(reply.as_object().unwrap().len(), 4, "timestamp, entities, action, duration: {reply}");
    assert_eq!(reply["entities"], json!([device("a", "1")]));
    w.put(path, device("b", "2")).await.ok();
    w.put(path, device("a", "3")).await.ok();
    let found = w.get(path).await.ok()["entities"].clone();
    assert_eq!(found.as_array().unwrap().len(), 2);
    assert!(found.as_array().unwrap().contains(&device("a", "3")));
    w.put(path, device("b", "")).await.ok();
    assert_eq!(w.put(path, device("a", "")).await.ok()["entities"], json!([]));
    let fault = w.put(path, json!({ "notifier_name": "n", "device_token": "t" })).await.fault();
    assert_eq!((fault.status, &*fault.description), (400, "parameters is invalid : device_id"));
}

#[tokio::test]
async fn nicknames_are_set_in_the_order_of_the_call_or_not_at_all() {
    let w = World::new().await;
    w.register(&["anna", "bert"]).await;
    let entry = |name: &str, nickname: &str| json!({ "username": name, "push_nickname": nickname });
    let reply = w.put("/push/nickname", json!([entry("bert", "b"), entry("Anna", "安")])).await.ok();
    assert_eq!((&reply["path"], &reply["uri"]), (&json!("/push"), &json!("http://im.test/acme/chat/push")));
    assert_eq!(reply["entities"], json!([entry("bert", "b"), entry("anna", "安")]));
    assert_eq!(w.get("/users/anna").await.ok()["entities"][0]["nickname"], "安");
    let stored = w.dump().await;
    let too_long = json!([entry("bert", "new"), entry("anna", &"x".repeat(101))]);
    let text = "anna push nickname length exceeds the limit";
    w.put("/push/nickname", too_long).await.refused(400, "illegal_argument", text);
    let unknown = json!([entry("bert", "new"), entry("nobody", "x")]);
    w.put("/push/nickname", unknown).await.refused(NO_USER.0, NO_USER.1, NO_USER.2);
    let empty = "put user push nicknames illegal empty request body";
    w.put("/push/nickname", json!([])).await.refused(400, "illegal_argument", empty);
    let many: Value = numbered("user", 51).iter().map(|name| entry(name, "n")).collect();
    let fault = w.put("/push/nickname", many).await.fault();
    assert!(fault.description.ends_with("exceeds the limit"), "{}", fault.description);
    assert_eq!(w.dump().await, stored);
}

#[tokio::test]
async fn a_rule_keeps_what_was_set_and_says_when_it_ends() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let path = "/users/anna/notification/chatgroup/12345";
    let unset = json!({ "type": "DEFAULT", "ignoreInterval": "", "ignoreDuration": 0 });
    assert_eq!(w.get(path).await.ok()["data"], unset);
    let rule = json!({ "type": "NONE", "ignoreInterval": "21:30-08:00", "ignoreDuration": 604_800_000 });
    let until = w.now_ms() + 604_800_000;
    let expected = json!({ "type": "NONE", "ignoreInterval": "21:30-08:00", "ignoreDuration": until });
    assert_eq!(w.put(path, rule).await.ok()["data"], expected);
    w.clock.move_by(SECOND);
    w.put(path, json!({ "type": "AT" })).await.ok();
    let expected = json!({ "type": "AT", "ignoreInterval": "21:30-08:00", "ignoreDuration": until });
    assert_eq!(w.get(path).await.ok()["data"], expected);
    assert_eq!(w.get("/users/anna/notification/user/anna").await.ok()["data"], unset, "another conversation");
}

#[tokio::test]
async fn rules_that_make_no_sense_change_nothing() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let stored = w.dump().await;
    let path = "/users/anna/notification/user/bert";
    for (field, value) in [
        ("type", json!("SOME")),
        ("type", json!("none")),
        ("ignoreInterval", json!("21:30")),
        ("ignoreInterval", json!("25:00-08:00")),
        ("ignoreInterval", json!("21:60-08:00")),
        ("ignoreInterval", json!("9:00-10:00")),
        ("ignoreDuration", json!(-1)),
        ("ignoreDuration", json!(604_800_001)),
    ] {
        let text = format!("parameters is invalid : {field}");
        w.put(path, json!({ field: value })).await.refused(400, "illegal_argument", &text);
    }
    for call in
        [w.put("/users/nobody/notification/user/bert", json!({})), w.get("/users/nobody/notification/user/bert")]
    {
        call.await.refused(NO_USER.0, NO_USER.1, NO_USER.2);
    }
    for call in [w.put("/users/anna/notification/room/1", json!({})), w.get("/users/anna/notification/room/1")] {
        let fault = call.await.fault();
        assert_eq!((fault.status, &*fault.description), (404, "url is invalid"));
    }
    assert_eq!(w.dump().await, stored);
}

#[tokio::test]
async fn a_language_is_remembered() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let path = "/users/anna/notification/language";
    assert_eq!(w.get(path).await.ok()["data"], json!({ "language": "" }));
    assert_eq!(
        w.put(path, json!({ "translationLanguage": "zh-Hans" })).await.ok()["data"],
        json!({ "language": "zh-Hans" })
    );
    assert_eq!(w.get(path).await.ok()["data"], json!({ "language": "zh-Hans" }));
    for body in [json!({}), json!({ "translationLanguage": "" }), json!({ "translationLanguage": "x".repeat(513) })] {
        assert_eq!(w.put(path, body).await.fault().status, 400);
    }
}

#[tokio::test]
async fn templates_are_the_apps_and_chosen_by_users() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let template = |title: &str| json!({ "name": "hi", "title_pattern": title, "content_pattern": "{0}" });
    let missing = w.get("/notification/template/hi").await.refused(400, "entity_not_found", "hi template is not exist");
    assert!(missing.exception.unwrap().ends_with("EntityNotFoundException"));
    let made = w.post("/notification/template", template("t")).await.ok()["data"].clone();
    let made_ms = w.now_ms();
    assert_eq!(
        (&made["name"], &made["title_pattern"], &made["content_pattern"]),
        (&json!("hi"), &json!("t"), &json!("{0}"))
    );
    assert_eq!(w.post("/notification/template", template("other")).await.fault().status, 400);
    w.clock.move_by(SECOND);
    let changed = w.put("/notification/template/hi", template("new")).await.ok()["data"].clone();
    assert_eq!((&changed["title_pattern"], &changed["createAt"]), (&json!("new"), &json!(made_ms)));
    assert_eq!(changed["updateAt"], made_ms + SECOND);
    assert_eq!(w.get("/notification/template/hi").await.ok()["data"], changed);

    let choice = "/users/anna/notification/template";
    assert_eq!(w.put(choice, json!({ "templateName": "hi" })).await.ok()["data"], json!({ "templateName": "hi" }));
    assert_eq!(w.get(choice).await.ok()["data"], json!({ "templateName": "hi" }));
    let unknown = w.put(choice, json!({ "templateName": "no" })).await;
    unknown.refused(400, "entity_not_found", "no template is not exist");
    assert_eq!(w.delete("/notification/template/hi").await.ok()["data"], changed);
    w.delete("/notification/template/hi").await.refused(400, "entity_not_found", "hi template is not exist");
}

#[tokio::test]
async fn certificates_are_kept_and_never_shown() {
    let w = World::new().await;
    let new = json!({ "name": "apns", "provider": "APNS", "environment": "DEVELOPMENT", "packageName": "com.x", "certificate": "very-secret-pem" });
    let made = w.post("/notifiers", new.clone()).await.ok()["entities"][0].clone();
    let expected = json!({
        "uuid": made["uuid"], "type": "notifier", "name": "apns", "provider": "APNS", "environment": "DEVELOPMENT",
        "packageName": "com.x", "created": w.now_ms(), "modified": w.now_ms(),
    });
    assert_eq!(made, expected);
    let listed = w.get("/notifiers").await.ok();
    assert_eq!((&listed["entities"], &listed["count"]), (&json!([made]), &json!(1)));
    assert!(!w.dump().await.contains("very-secret-pem"));
    let in_hex = "766572792D7365637265742D70656D";
    assert!(!w.dump().await.contains(in_hex));
    assert_eq!(w.post("/notifiers", new).await.fault().status, 400);
    let path = format!("/notifiers/{}", made["uuid"].as_str().unwrap());
    assert_eq!(w.delete(&path).await.ok()["entities"], json!([made]));
    for gone in [&*path, "/notifiers/not-an-id"] {
        assert_eq!(w.delete(gone).await.fault().status, 404);
    }
}

#[tokio::test]
async fn the_other_push_product_is_not_offered() {
    let w = World::new().await;
    for (method, path) in
        [("POST", "/push/single"), ("POST", "/push/sync/anna"), ("GET", "/push/task/1"), ("POST", "/push/list/label")]
    {
        w.call(method, path).await.refused(403, "forbidden_service_operation", "Service operation not allowed");
    }
}
