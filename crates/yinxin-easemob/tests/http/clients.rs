//! What real clients send: missing and wrong labels, empty headers, bodies where none belong, unknown keys.

use serde_json::json;

use crate::asking::{Answer as _, Ask, Bearer as _};
use crate::world::{Setup, World};

#[tokio::test]
async fn json_is_json_whatever_its_label_says() {
    let w = World::with(Setup { open_registration: true, ..Setup::default() }).await;
    let labels = ["", "application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-8", "x"];
    for (number, label) in labels.into_iter().enumerate() {
        let new = json!({ "username": format!("user{number}"), "password": "1" }).to_string();
        w.call("POST", "/users").anonymous().header("content-type", label).raw(new).await.ok();
        let login =
            json!({ "grant_type": "password", "username": format!("user{number}"), "password": "1" }).to_string();
        w.call("POST", "/token").anonymous().header("content-type", label).raw(login).await.ok();
    }
    w.call("PUT", "/users/user1").raw(r#"{"notification_display_style": "1"}"#).await.ok();
    w.call("POST", "/users").raw(r#" [{"username":"user9","password":"1"}] "#).await.ok();
}

#[tokio::test]
async fn empty_headers_are_as_good_as_none() {
    let w = World::with(Setup { open_registration: true, ..Setup::default() }).await;
    let new = r#"{"username":"user1","password":"1"}"#;
    let bare = |authorization| {
        w.call("POST", "/users").header("authorization", authorization).header("accept", "").header("content-type", "")
    };
    bare("").raw(new).await.ok();
    bare("Bearer ").raw(new.replace("user1", "user2")).await.ok();
    for authorization in ["", " ", "Bearer", "Bearer ", "bearer  "] {
        let fault = w.get("/users/user1").header("authorization", authorization).await.fault();
        assert_eq!((fault.status, &*fault.error), (401, "unauthorized"), "{authorization:?}");
    }
    let login = r#"{"grant_type":"password","username":"user1","password":"1"}"#;
    w.call("POST", "/token").header("authorization", "Bearer ").header("accept", "").raw(login).await.ok();
}

#[tokio::test]
async fn the_word_before_a_token_may_be_spelled_in_any_case() {
    let w = World::new().await;
    for scheme in ["Bearer ", "bearer ", "BEARER  ", ""] {
        w.get("/users").header("authorization", format!("{scheme}{}", w.app.token)).await.ok();
    }
}

#[tokio::test]
async fn bodies_where_none_belong_are_left_alone() {
    let w = World::new().await;
    w.register(&["anna", "bert"]).await;
    w.get("/users/anna").raw("{}").await.ok();
    w.get("/users").json(&json!({ "limit": 1 })).await.ok();
    w.post("/users/anna/contacts/users/bert", json!({})).await.ok();
    w.call("POST", "/users/anna/deactivate").raw("not json").await.ok();
    w.call("POST", "/users/anna/activate").json(&json!([])).await.ok();
    w.call("DELETE", "/users/anna").raw("{").await.ok();
}

#[tokio::test]
async fn a_post_without_a_body_is_one_with_an_empty_object() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    w.call("POST", "/users/batch/status").await.ok();
    let text = "Entity user requires a property named username";
    w.call("POST", "/users").await.refused(400, "illegal_argument", text);
    w.call("PUT", "/users/anna").await.ok();
}

#[tokio::test]
async fn keys_that_nobody_knows_are_left_alone() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let login = json!({
        "grant_type": "password", "username": "anna", "password": "pw-anna", "timestamp": 1_795_278_632_528_i64,
        "nested": { "deep": [1, { "er": null }] },
    });
    w.post("/token", login).await.ok();
    w.put("/users/anna", json!({ "device_id": "d", "device_token": "t", "notifier_name": "n" })).await.ok();
    w.get("/users?limit=2&_v=1795278632528&resource=web_1").await.ok();
    w.post("/users/anna/presence?resource=web_1", json!({ "usernames": ["anna"], "x": 1 })).await.ok();
}

#[tokio::test]
async fn replies_name_the_host_that_was_asked() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let reply = w.get("/users/anna?x=y").header("host", "a1.example.com:8090").await.ok();
    assert_eq!(reply["uri"], "http://a1.example.com:8090/acme/chat/users/anna");
    let options = yinxin_easemob::Options {
        public_url: Some("https://im.example.com/".into()),
        ..yinxin_easemob::Options::default()
    };
    let mut w = w;
    w.router = crate::world::router(&w.ctx, options);
    assert_eq!(w.get("/users/anna").await.ok()["uri"], "https://im.example.com/acme/chat/users/anna");
}

#[tokio::test]
async fn an_app_that_is_not_there_is_answered_on_every_path() {
    let w = World::new().await;
    for path in ["acme/nope/users", "nope/chat/token", "acme/nope", "acme/nope/what/ever", "acme"] {
        let mut parts = path.split('/');
        let name = format!("{}/{}", parts.next().unwrap(), parts.next().unwrap_or_default());
        let text = format!("Could not find application for {name} from URI: {path}");
        for method in ["GET", "POST", "PUT", "DELETE"] {
            let reply = Ask::new(&w, method, &format!("/{path}")).by(&w.app.token).await;
            reply.refused(404, "organization_application_not_found", &text);
        }
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_refused_as_such() {
    let w = World::new().await;
    let text = "Service operation not supported";
    for (method, path) in [
        ("PUT", "/token"),
        ("GET", "/token"),
        ("PATCH", "/users"),
        ("PUT", "/users"),
        ("POST", "/users/anna"),
        ("POST", "/users/anna/disconnect"),
        ("GET", "/users/anna/deactivate"),
        ("DELETE", "/users/anna/status"),
        ("PUT", "/mutes"),
        ("MADEUP", "/users"),
    ] {
        w.call(method, path).await.refused(405, "unsupported_service_operation", text);
    }
    for path in ["/nothing", "/users/anna/nothing", "/metadata", "/metadata/group/x", "/users/anna/contacts/nothing/x"]
    {
        w.get(path).await.refused(404, "service_resource_not_found", "Service resource not found");
    }
}
