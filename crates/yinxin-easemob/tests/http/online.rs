//! Who is connected, what waits for those who are not, and closing connections.

use serde_json::{Value, json};
use yinxin_core::sessions::CloseReason;

use crate::asking::{Answer as _, Ask, Bearer as _};
use crate::connections::Close;
use crate::world::{DAY, World, numbered};

const NOT_FOUND: (u16, &str, &str) = (404, "service_resource_not_found", "Service resource not found");

async fn connect(w: &World, name: &str, resource: &str) {
    w.connections.connect(w.app().await.id, &w.uuid(name).await, resource);
}

async fn status(w: &World, name: &str) -> Value {
    w.get(&format!("/users/{name}/status")).await.ok()["data"].clone()
}

#[tokio::test]
async fn a_user_is_online_while_any_device_is() {
    let w = World::new().await;
    w.register(&["user1"]).await;
    assert_eq!(status(&w, "user1").await, json!({ "user1": "offline" }));
    connect(&w, "user1", "web_1").await;
    let reply = w.get("/users/USER1/status").await.ok();
    let expected = json!({
        "action": "get", "uri": "http://im.test/acme/chat/users/USER1/status", "entities": [],
        "data": { "user1": "online" }, "timestamp": w.now_ms(), "duration": reply["duration"], "count": 0,
    });
    assert_eq!(reply, expected);
    w.get("/users/nobody/status").await.refused(NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
}

#[tokio::test]
async fn many_states_come_in_the_order_of_the_call() {
    let w = World::new().await;
    w.register(&["user1", "user2"]).await;
    connect(&w, "user2", "web_1").await;
    let body = json!({ "usernames": ["user2", "nobody", "user1", "no such name!", "user2"] });
    let reply = w.post("/users/batch/status", body).await.ok();
    let expected = json!({
        "action": "get batch user status",
        "data": [{ "user2": "online" }, { "nobody": "offline" }, { "user1": "offline" }, { "no such name!": "offline" }, { "user2": "online" }],
        "timestamp": w.now_ms(), "duration": reply["duration"],
    });
    assert_eq!(reply, expected);
    let hundred = w.post("/users/batch/status", json!({ "usernames": numbered("user", 100) })).await.ok();
    assert_eq!(hundred["data"].as_array().unwrap().len(), 100);
    let text = "request body exceeds maximum limit, maximum limit is 100";
    let too_many = w.post("/users/batch/status", json!({ "usernames": numbered("user", 101) })).await;
    too_many.refused(400, "illegal_argument", text);
}

/// A text from the backend; its id.
async fn send(w: &World, to: &str) -> String {
    let message = json!({ "to": [to], "type": "txt", "body": { "msg": "hello" } });
    w.post("/messages/users", message).await.ok()["data"][to].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_waits_is_counted_and_what_does_not_is_delivered() {
    let w = World::new().await;
    w.register(&["user1"]).await;
    let reply = w.get("/users/User1/offline_msg_count").await.ok();
    assert_eq!((&reply["data"], &reply["count"], &reply["entities"]), (&json!({ "user1": 0 }), &json!(0), &json!([])));
    let sent = send(&w, "user1").await;
    assert_eq!(w.get("/users/user1/offline_msg_count").await.ok()["data"], json!({ "user1": 1 }));
    for (message, state) in [(&*sent, "undelivered"), ("123", "delivered"), ("abc", "delivered")] {
        let reply = w.get(&format!("/users/user1/offline_msg_status/{message}")).await.ok();
        assert_eq!((&reply["data"], &reply["count"]), (&json!({ message: state }), &json!(0)));
    }
    for path in ["/users/nobody/offline_msg_count", "/users/nobody/offline_msg_status/123"] {
        w.get(path).await.refused(NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
    }
}

#[tokio::test]
async fn what_is_too_old_neither_waits_nor_counts() {
    let w = World::new().await;
    w.register(&["user1"]).await;
    let old = send(&w, "user1").await;
    w.clock.move_by(7 * DAY);
    let new = send(&w, "user1").await;
    assert_eq!(w.get("/users/user1/offline_msg_count").await.ok()["data"], json!({ "user1": 2 }));
    w.clock.move_by(1);
    assert_eq!(w.get("/users/user1/offline_msg_count").await.ok()["data"], json!({ "user1": 1 }));
    for (message, state) in [(&old, "delivered"), (&new, "undelivered")] {
        let reply = w.get(&format!("/users/user1/offline_msg_status/{message}")).await.ok();
        assert_eq!(reply["data"], json!({ message: state }));
    }
}

#[tokio::test]
async fn devices_are_listed_by_name() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    assert_eq!(w.get("/users/anna/resources").await.ok()["data"], json!([]));
    connect(&w, "anna", "android_1").await;
    let reply = w.get("/users/anna/resources").await.ok();
    let device = json!({ "res": "android_1", "device_uuid": "uuid of android_1", "device_name": "name of android_1" });
    assert_eq!((&reply["data"], &reply["path"]), (&json!([device]), &json!("/users/anna/resources")));
    assert_eq!((&reply["organization"], &reply["applicationName"]), (&json!("acme"), &json!("chat")));
    assert_eq!(reply["application"], w.app().await.uuid().to_string());
    assert_eq!(w.get("/users/nobody/resources").await.ok()["data"], json!([]), "nobody has no devices");
}

#[tokio::test]
async fn a_kick_closes_all_devices_or_one() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let token = w.login("anna").await;
    let user = w.uuid("anna").await;
    let close = |resource: Option<&str>| Close {
        user: user.clone(),
        resource: resource.map(str::to_owned),
        reason: CloseReason::Kicked,
    };
    for device in ["phone", "web_1", "pad"] {
        connect(&w, "anna", device).await;
    }
    for (method, action, device) in
        [("GET", "get", "phone"), ("DELETE", "delete", "web_1"), ("DELETE", "delete", "no-such")]
    {
        let reply = w.call(method, &format!("/users/anna/disconnect/{device}")).await.ok();
        assert_eq!((&reply["action"], &reply["data"]), (&json!(action), &json!({ "result": true })));
        assert_eq!(reply["application"], w.app().await.uuid().to_string(), "{method} is answered like the other");
        assert_eq!((&reply["organization"], &reply["applicationName"]), (&json!("acme"), &json!("chat")));
        assert_eq!(w.connections.take_closed(), [close(Some(device))]);
    }
    assert_eq!(status(&w, "anna").await, json!({ "anna": "online" }));
    let reply = w.get("/users/anna/disconnect").await.ok();
    let expected = json!({
        "action": "get", "uri": "http://im.test/acme/chat/users/anna/disconnect", "entities": [],
        "data": { "result": true }, "timestamp": w.now_ms(), "duration": reply["duration"], "count": 0,
    });
    assert_eq!(reply, expected);
    assert_eq!(w.connections.take_closed(), [close(None)]);
    assert_eq!(status(&w, "anna").await, json!({ "anna": "offline" }));
    w.get("/users/anna/disconnect").await.ok();
    w.get("/users/anna").by(&token).await.ok();
    for (method, path) in [("GET", "/users/nobody/disconnect"), ("DELETE", "/users/nobody/disconnect/phone")] {
        w.call(method, path).await.refused(NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
    }
}

#[tokio::test]
async fn what_ends_logins_closes_connections() {
    let w = World::new().await;
    w.register(&["anna", "bert", "carl", "dora"]).await;
    let mut ids = Vec::new();
    for name in ["anna", "bert", "carl", "dora"] {
        ids.push(w.uuid(name).await);
    }
    w.put("/users/anna/password", json!({ "newpassword": "2" })).await.ok();
    w.call("POST", "/users/bert/deactivate").await.ok();
    w.delete("/users/carl").await.ok();
    w.delete("/users?limit=1").await.ok();
    let closed = w.connections.take_closed();
    let expected = [
        (&ids[0], CloseReason::PasswordChanged),
        (&ids[1], CloseReason::Banned),
        (&ids[2], CloseReason::Deleted),
        (&ids[0], CloseReason::Deleted),
    ];
    let expected = expected.map(|(user, reason)| Close { user: user.clone(), resource: None, reason });
    assert_eq!(closed, expected);
    // What is refused closes nothing.
    w.call("POST", "/users/dora/deactivate").anonymous().await.fault();
    Ask::new(&w, "GET", "/acme/chat/users/dora/disconnect").by(&w.other.token).await.fault();
    assert_eq!(w.connections.take_closed(), []);
}

#[tokio::test]
async fn a_state_is_that_of_the_names_present_owner() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let ask = async || {
        let reply = w.post("/users/batch/status", json!({ "usernames": ["anna"] })).await.ok();
        reply["data"][0]["anna"].clone()
    };
    connect(&w, "anna", "phone").await;
    assert_eq!(ask().await, "online");
    let id = w.uuid("anna").await;
    w.delete("/users/anna").await.ok();
    // As if its device had come again while it was deleted.
    w.connections.connect(w.app().await.id, &id, "phone");
    assert_eq!(ask().await, "offline");
    w.register(&["anna"]).await;
    assert_eq!(ask().await, "offline");
    connect(&w, "anna", "phone").await;
    assert_eq!(ask().await, "online");
}
