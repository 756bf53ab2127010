//! Pushes: aliases, tags, and the tasks that hooks are told of. Source: the vendor's REST document, sections "user", "push".

use serde_json::{Value, json};
use yinxin_core::chores::Chores;
use yinxin_core::hooks::{self, Changes, Kind, NewHook};
use yinxin_core::push::{self, NewNotifier};
use yinxin_core::users;

use crate::asking::{Answer as _, Ask, Bearer as _};
use crate::world::{DAY, START_MS, Somebody, World};

/// A hook that is told of pushes, as an operator makes it.
async fn add_hook(w: &World) {
    let events = Some(vec!["push.requested".to_owned()]);
    let settings = Changes { events, ..Changes::default() };
    let new = NewHook { url: "https://backend.example/push".to_owned(), kind: Kind::Events, settings };
    hooks::create(&w.ctx, &*w.core_app().await, new).await.unwrap();
}

/// The app's device of that user, bound, and the token that names it.
async fn device(w: &World, who: &Somebody, guid: &str, notifier: &str) -> String {
    let body = json!({ "name": who.name, "password": format!("pw-{}", who.name), "device_guid": guid });
    let token = w.post("/token/user", &body).await.ok()["push_token"].as_str().unwrap().to_owned();
    let bind = json!({ "push_token": token, "device_token": format!("vendor-{guid}"), "notifier_name": notifier });
    w.post("/user/token/bind", &bind).by(&who.token).await.ok();
    token
}

fn notify<'a>(w: &'a World, audience: &Value) -> Ask<'a> {
    w.post("/push/notify", &json!({ "audience": audience, "message": { "body": "hello" } })).by(&w.app.admin)
}

/// The data of what hooks have been told since the last time; all that waits is told.
async fn told(w: &World) -> Vec<Value> {
    let mut chores = Chores::default();
    while chores.step(&w.ctx).await.unwrap().is_zero() {}
    let said = w.strings("SELECT payload FROM hook_outbox ORDER BY event_seq").await;
    w.ctx
        .db
        .write((), |sql, ()| Box::pin(async move { sql.exec("DELETE FROM hook_outbox", &[]).await }))
        .await
        .unwrap();
    let data = |text: String| {
        let mut event: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(event["type"], "push.requested");
        event["data"].take()
    };
    said.into_iter().map(data).collect()
}

/// Which devices hooks are told of by their own tokens, in order.
async fn reached(w: &World, audience: Value) -> Vec<String> {
    notify(w, &audience).await.ok();
    let mut tokens = Vec::new();
    for event in told(w).await {
        for target in event["targets"].as_array().unwrap() {
            let devices = target["devices"].as_array().unwrap();
            tokens.extend(devices.iter().map(|device| device["token"].as_str().unwrap().to_owned()));
        }
    }
    tokens.sort();
    tokens
}

#[tokio::test]
async fn without_a_hook_that_takes_pushes_they_are_not_enabled() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    notify(&w, &json!("all")).await.refused(12006);
    add_hook(&w).await;
    notify(&w, &json!("all")).await.ok();
    w.post("/push/notify", &json!({})).by(&ann.token).await.refused(10010);
    let only_here = json!({ "audience": "all", "message": { "body": "x" },
        "setting": { "distribution_strategy": "mxpush_only" } });
    w.post("/push/notify", &only_here).by(&w.app.admin).await.refused(12006);
}

#[tokio::test]
async fn a_push_is_told_to_the_hook_with_all_that_a_sender_needs() {
    let w = World::new().await;
    add_hook(&w).await;
    let app = w.core_app().await;
    let certificate = NewNotifier {
        name: "hms".to_owned(),
        provider: "HUAWEIPUSH".to_owned(),
        environment: "PRODUCTION".to_owned(),
        package_name: None,
        certificate: Some("secret".to_owned()),
    };
    push::add_notifier(&w.ctx, &app, certificate).await.unwrap();
    let ann = w.user("ann").await;
    let token = device(&w, &ann, "phone", "hms").await;
    device(&w, &ann, "tablet", "unknown").await;
    w.post("/user/push/badge", &json!({ "badge": 3 })).by(&ann.token).await.ok();
    w.tell("/user/push?value=true").by(&ann.token).await.ok();
    w.tell("/user/push/detail?value=true").by(&ann.token).await.ok();
    w.tell("/user/push/limit?no_push_start_hour=22&no_push_end_hour=7").by(&ann.token).await.ok();
    w.tell("/user/push/nickname?value=Annie").by(&ann.token).await.ok();
    let settings = w.get("/user/settings").by(&ann.token).await.ok();
    let shown = ["no_push", "no_push_detail", "no_push_start_hour", "no_push_end_hour", "push_nick_name"];
    assert_eq!(
        shown.map(|name| settings[name].clone()),
        [json!(true), json!(true), json!(22), json!(7), json!("Annie")]
    );

    let message = json!({ "type": "text", "title": "T", "body": "B", "badge": "+2", "ext": { "k": 1 }, "ios": {} });
    let setting = json!({ "request_id": "r1", "distribution_strategy": "ospush_only", "ospush_sequence": ["ups"] });
    let body = json!({ "audience": { "push_token": [token, "forged"] }, "message": message, "setting": setting });
    let task = w.post("/push/notify", &body).by(&w.app.admin).await.ok()["task_id"].as_i64().unwrap();
    assert!((1..1 << 53).contains(&task));
    let events = told(&w).await;
    let number = yinxin_core::sessions::device_number("phone").to_string();
    let devices = json!([{ "device": number, "notifier": "hms", "provider": "HUAWEIPUSH", "token": "vendor-phone" }]);
    let target = json!({ "user": "ann", "user_id": ann.id, "online": false, "badge": 5, "with_content": false,
        "quiet": { "on": true, "from_hour": 22, "to_hour": 7 }, "devices": devices });
    let setting = json!({ "distribution_strategy": "ospush_only", "ospush_sequence": ["ups"] });
    let expected = json!({ "app": "acme#chat", "task": task.to_string(), "time": START_MS, "message": message,
        "setting": setting, "targets": [target] });
    assert_eq!(events, [expected]);

    let detail = |tasks: Value| w.post("/push/task/detail", &json!({ "list": tasks })).by(&w.app.admin);
    let counted = json!({ "task_id": task, "apns_target": 0, "huawei_target": 1, "xiaomi_target": 0, "flyme_target": 0,
        "vivo_target": 0, "oppo_target": 0, "fcm_target": 0 });
    assert_eq!(detail(json!([task, 7])).await.ok(), json!([counted]));
    detail(json!([null])).await.refused(10002);
    detail(json!((0..101).collect::<Vec<_>>())).await.refused(10002);

    // The same request is made once, as long as it is remembered.
    assert_eq!(w.post("/push/notify", &body).by(&w.app.admin).await.ok()["task_id"], task);
    assert!(told(&w).await.is_empty());
    let nameless = notify(&w, &json!("all")).await.ok()["task_id"].clone();
    assert_eq!(told(&w).await[0]["targets"][0]["badge"], 6);
    w.clock.move_by(8 * DAY);
    assert_ne!(w.post("/push/notify", &body).by(&w.app.admin).await.ok()["task_id"], task);
    assert_eq!(told(&w).await[0]["targets"][0]["badge"], 8);
    assert_eq!(detail(json!([task, nameless])).await.ok(), json!([]));

    let certificate = |query: &str| w.get(&format!("/push/certificate?{query}")).by(&ann.token);
    assert_eq!(certificate("provider=2&environment=1").await.ok(), json!({ "name": "hms" }));
    certificate("provider=2&environment=0").await.refused(12006);
    certificate("provider=8").await.refused(10002);
    certificate("provider=2&environment=2").await.refused(10002);
}

#[tokio::test]
async fn a_push_finds_each_device_once_by_alias_tag_number_and_token() {
    let w = World::new().await;
    add_hook(&w).await;
    let (ann, ben) = (w.user("ann").await, w.user("ben").await);
    let phone = device(&w, &ann, "phone", "n").await;
    device(&w, &ann, "tablet", "n").await;
    let other = device(&w, &ben, "other", "n").await;
    let alias = |body: Value| w.post("/user/push/alias", &body);
    alias(json!({ "alias": "home", "push_token": phone })).by(&ann.token).await.ok();
    alias(json!({ "alias": "ben" })).by(&ben.token).await.ok();
    alias(json!({ "alias": "x", "push_token": other })).by(&ann.token).await.refused(10010);
    alias(json!({ "alias": "away", "push_token": other })).by(&w.app.admin).await.ok();
    let tags = |method: &str, tags: Value| {
        Ask::new(&w, method, "/user/push/tag").header("app_id", &w.app.app_id).raw(json!({ "tags": tags }).to_string())
    };
    tags("POST", json!(["vip", "red"])).by(&ann.token).await.ok();
    tags("POST", json!(["red"])).by(&ben.token).await.ok();
    assert_eq!(w.get("/user/push/tag").by(&ann.token).await.ok(), json!(["red", "vip"]));

    let (a, t, o) = ("vendor-phone", "vendor-tablet", "vendor-other");
    assert_eq!(reached(&w, json!("all")).await, [o, a, t]);
    assert_eq!(reached(&w, json!({ "alias": ["home"] })).await, [a]);
    assert_eq!(reached(&w, json!({ "alias": ["home", "home", "away", "ben", "none"] })).await, [o, a]);
    assert_eq!(reached(&w, json!({ "tag": ["vip"] })).await, [a, t]);
    assert_eq!(reached(&w, json!({ "tag": ["red", "vip"] })).await, [o, a, t]);
    assert_eq!(reached(&w, json!({ "user_id": [ann.id, ann.id.to_string(), 16] })).await, [a, t]);
    assert_eq!(reached(&w, json!({ "push_token": [phone, phone] })).await, [a]);
    assert_eq!(reached(&w, json!({ "push_token": ["nobody's"] })).await, [""; 0]);

    tags("DELETE", json!(["red", "blue"])).by(&ann.token).await.ok();
    assert_eq!(w.get("/user/push/tag").by(&ann.token).await.ok(), json!(["vip"]));
    Ask::new(&w, "DELETE", "/user/push/tag/all").header("app_id", &w.app.app_id).by(&ann.token).await.ok();
    assert_eq!(reached(&w, json!({ "tag": ["red", "vip"] })).await, [o]);
    alias(json!({ "alias": "", "push_token": phone })).by(&ann.token).await.ok();
    assert_eq!(reached(&w, json!({ "alias": ["home"] })).await, [""; 0]);
    // Who may not come in is not called in; a device that is unbound is none.
    w.post("/user/disable", &json!({ "list": [ben.id] })).by(&w.app.admin).await.ok();
    w.tell(&format!("/user/token/unbind?push_token={phone}")).by(&ann.token).await.ok();
    assert_eq!(reached(&w, json!("all")).await, [t]);
    users::delete(&w.ctx, &*w.core_app().await, "ann").await.unwrap();
    assert_eq!(reached(&w, json!("all")).await, [""; 0]);
}

#[tokio::test]
async fn many_are_told_in_pieces_and_none_twice() {
    let w = World::new().await;
    add_hook(&w).await;
    let app = w.core_app().await;
    let mut expected = Vec::new();
    for number in 0..120 {
        let name = format!("user{number:03}");
        w.foreign_user(&name).await;
        let device_token = format!("vendor-{number:03}");
        let device = push::DeviceRow { device_id: "d".to_owned(), notifier_name: "n".to_owned(), device_token };
        expected.push(device.device_token.clone());
        push::bind(&w.ctx, &app, &name, device).await.unwrap();
        let user = users::find(&w.ctx, &app, &name).await.unwrap();
        let tags = if number % 2 == 0 { vec!["all", "even"] } else { vec!["all"] };
        let tags = tags.into_iter().map(str::to_owned).collect();
        yinxin_core::pushes::add_tags(&w.ctx, &app, &user, tags).await.unwrap();
    }
    assert_eq!(reached(&w, json!("all")).await, expected);
    assert_eq!(reached(&w, json!({ "tag": ["even", "none", "all"] })).await, expected);
    let listed = w.get("/user/list?page_size=100").by(&w.app.admin).await.ok();
    let numbers: Vec<Value> = listed.as_array().unwrap().iter().map(|user| user["user_id"].clone()).collect();
    assert_eq!(reached(&w, json!({ "user_id": numbers })).await, expected[..100]);
}

#[tokio::test]
async fn a_push_that_is_none_changes_nothing() {
    let w = World::new().await;
    add_hook(&w).await;
    let ann = w.user("ann").await;
    let before = w.dump().await;
    let long = "x".repeat(129);
    let many: Vec<i64> = (0..501).collect();
    for audience in [
        json!(null),
        json!("none"),
        json!("tag"),
        json!([]),
        json!({}),
        json!({ "tag": [] }),
        json!({ "tag": "x" }),
        json!({ "tag": [1] }),
        json!({ "tag": [""] }),
        json!({ "tag": [long] }),
        json!({ "alias": [""] }),
        json!({ "user_id": [null] }),
        json!({ "user_id": ["x"] }),
        json!({ "tag": ["a"], "alias": ["b"] }),
        json!({ "push_token": [{}] }),
        json!({ "nobody": ["x"] }),
    ] {
        notify(&w, &audience).await.refused(10002);
    }
    notify(&w, &json!({ "user_id": many })).await.refused(12005);
    for message in [
        json!({}),
        json!({ "type": "video" }),
        json!({ "type": 1 }),
        json!({ "body": "x", "badge": "-1" }),
        json!({ "body": "x", "badge": "++1" }),
        json!({ "body": "x", "badge": 100_000 }),
        json!({ "body": "x", "badge": "" , "type": [] }),
        json!({ "body": "x".repeat(16 * 1024) }),
        json!("x"),
    ] {
        let body = json!({ "audience": "all", "message": message });
        w.post("/push/notify", &body).by(&w.app.admin).await.refused(10002);
    }
    for setting in [json!({ "distribution_strategy": "x" }), json!({ "request_id": 1 }), json!({ "request_id": long })]
    {
        let body = json!({ "audience": "all", "message": { "body": "x" }, "setting": setting });
        w.post("/push/notify", &body).by(&w.app.admin).await.refused(10002);
    }
    for (path, body) in [
        ("badge", json!({ "badge": -1 })),
        ("badge", json!({ "badge": 100_000 })),
        ("alias", json!({ "alias": long })),
        ("alias", json!({ "alias": "x", "push_token": "x" })),
        ("tag", json!({ "tags": [] })),
        ("tag", json!({ "tags": [""] })),
        ("tag", json!({ "tags": (0..101).map(|n| n.to_string()).collect::<Vec<_>>() })),
    ] {
        w.post(&format!("/user/push/{path}"), &body).by(&ann.token).await.refused(10002);
    }
    for query in ["", "?value=x", "/limit?no_push_start_hour=1", "/limit?no_push_start_hour=24&no_push_end_hour=1"] {
        w.tell(&format!("/user/push{query}")).by(&ann.token).await.refused(10002);
    }
    assert_eq!(w.dump().await, before);
}

#[tokio::test]
async fn a_user_is_made_for_a_device_that_is_pushed_to() {
    let w = World::new().await;
    add_hook(&w).await;
    let body = json!({ "username": "push_1", "password": "pw-push_1", "alias": "one", "device_guid": "phone",
        "sign": "whatever" });
    let made = w.post("/user/register/push", &body).await.ok();
    let token = made["push_token"].as_str().unwrap();
    let granted = w.log_in("push_1").await.ok();
    let bind = json!({ "push_token": token, "device_token": "vendor-phone", "notifier_name": "n" });
    w.post("/user/token/bind", &bind).by(granted["token"].as_str().unwrap()).await.ok();
    assert_eq!(reached(&w, json!({ "alias": ["one"] })).await, ["vendor-phone"]);
    w.post("/user/register/push", &body).await.refused(10004);
    // The next user of the same device.
    let body = json!({ "username": "push_2", "password": "x", "push_token": token });
    let next = w.post("/user/register/push", &body).await.ok();
    assert_ne!(next["push_token"], made["push_token"]);
    let bind = json!({ "push_token": next["push_token"], "device_token": "again", "notifier_name": "n" });
    w.post("/user/token/bind", &bind).by(&w.app.admin).await.ok();
    assert_eq!(reached(&w, json!({ "push_token": [next["push_token"]] })).await, ["again"]);
    let before = w.dump().await;
    for wrong in [
        json!({ "username": "push_3", "password": "x", "push_token": "x" }),
        json!({ "username": "push_3", "password": "x", "alias": "x".repeat(129) }),
        json!({ "username": "push_3", "password": "x", "device_guid": "x".repeat(513) }),
    ] {
        w.post("/user/register/push", &wrong).await.refused(10002);
    }
    assert_eq!(w.dump().await, before);
}
