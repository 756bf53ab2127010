//! Contacts: adding, removing, lists in pages, remarks, import, checks; what outlives a restart and what a deletion.

use serde_json::{Value, json};

use crate::asking::{Answer as _, Bearer as _};
use crate::world::{SECOND, Setup, World, numbered};

const NOT_FOUND: (u16, &str, &str) = (404, "service_resource_not_found", "Service resource not found");

async fn contacts(w: &World, owner: &str) -> Vec<String> {
    let reply = w.get(&format!("/users/{owner}/contacts/users")).await.ok();
    let names: Vec<String> = serde_json::from_value(reply["data"].clone()).unwrap();
    assert_eq!((&reply["entities"], &reply["count"]), (&json!([]), &json!(names.len())));
    names
}

async fn befriend(w: &World, owner: &str, friend: &str) -> Value {
    w.call("POST", &format!("/users/{owner}/contacts/users/{friend}")).await.ok()
}

#[tokio::test]
async fn friends_are_mutual_and_listed_newest_first() {
    let w = World::new().await;
    w.register(&["user1", "user2", "user3"]).await;
    befriend(&w, "user1", "user2").await;
    befriend(&w, "USER3", "User1").await;
    befriend(&w, "user1", "user2").await;
    assert_eq!(contacts(&w, "user1").await, ["user3", "user2"]);
    assert_eq!(contacts(&w, "user2").await, ["user1"]);
    assert_eq!(contacts(&w, "user3").await, ["user1"]);
    w.delete("/users/user2/contacts/users/user1").await.ok();
    w.delete("/users/user2/contacts/users/user1").await.ok();
    assert_eq!(contacts(&w, "user1").await, ["user3"]);
    assert_eq!(contacts(&w, "user2").await, [""; 0]);
}

#[tokio::test]
async fn adding_and_removing_shows_the_friend_under_the_owners_id() {
    let w = World::new().await;
    w.register(&["user1", "user2"]).await;
    w.clock.move_by(SECOND);
    let friend = w.get("/users/user2").await.ok()["entities"][0].clone();
    let path = format!("/users/{}/contacts", w.uuid("user1").await);
    for (method, action) in [("POST", "post"), ("DELETE", "delete")] {
        let reply = w.call(method, "/users/user1/contacts/users/user2").await.ok();
        let expected = json!({
            "action": action, "application": w.app().await.uuid(), "path": path,
            "uri": format!("http://im.test/acme/chat{path}"), "entities": [friend], "timestamp": w.now_ms(),
            "duration": reply["duration"], "organization": "acme", "applicationName": "chat",
        });
        assert_eq!(reply, expected, "the friend is as before, its age too");
    }
}

#[tokio::test]
async fn friends_must_exist_in_the_same_app() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let theirs = json!({ "username": "bert", "password": "1" });
    crate::asking::Ask::new(&w, "POST", "/rival/chat/users").by(&w.other.token).json(&theirs).await.ok();
    for method in ["POST", "DELETE"] {
        for path in ["/users/anna/contacts/users/bert", "/users/bert/contacts/users/anna"] {
            w.call(method, path).await.refused(NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
        }
    }
    for path in ["/users/bert/contacts/users", "/users/bert/contacts", "/user/bert/contacts"] {
        w.get(path).await.refused(NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
    }
    assert_eq!(w.call("POST", "/users/anna/contacts/users/ANNA").await.fault().status, 400);
    assert_eq!(contacts(&w, "anna").await, [""; 0]);
}

#[tokio::test]
async fn the_number_of_friends_is_the_apps_to_say() {
    let w = World::with(Setup { contacts_max: Some(2), ..Setup::default() }).await;
    w.register(&["anna", "bert", "carl", "dora"]).await;
    befriend(&w, "anna", "bert").await;
    befriend(&w, "anna", "carl").await;
    befriend(&w, "anna", "bert").await;
    let text = "user contact number exceed limit";
    w.call("POST", "/users/anna/contacts/users/dora").await.refused(403, "exceed_limit", text);
    w.call("POST", "/users/dora/contacts/users/anna").await.refused(403, "exceed_limit", text);
    assert_eq!(contacts(&w, "dora").await, [""; 0], "neither side has half a friendship");
    w.delete("/users/anna/contacts/users/bert").await.ok();
    befriend(&w, "dora", "anna").await;
    assert_eq!(contacts(&w, "anna").await, ["dora", "carl"]);
    assert_eq!(World::new().await.app().await.settings.contacts_max, 3000, "when the app does not say");
}

#[tokio::test]
async fn pages_of_friends_make_up_the_whole_list() {
    let w = World::new().await;
    let all = numbered("user", 53);
    w.register(&all.iter().map(String::as_str).chain(["anna"]).collect::<Vec<_>>()).await;
    for name in &all {
        befriend(&w, "anna", name).await;
    }
    let newest_first: Vec<String> = all.into_iter().rev().collect();
    for (path, limit) in [("users", 1), ("user", 10), ("users", 49), ("user", 50)] {
        let mut seen = Vec::new();
        let mut query = format!("limit={limit}&cursor=");
        loop {
            let reply = w.get(&format!("/{path}/anna/contacts?{query}")).await.ok();
            let entries = reply["data"]["contacts"].as_array().unwrap().clone();
            assert_eq!(
                (&reply["count"], reply["uri"].as_str()),
                (&json!(entries.len()), Some("http://im.test/acme/chat/users/anna/rostersByPage"))
            );
            seen.extend(entries.iter().map(|entry| entry["username"].as_str().unwrap().to_owned()));
            let Some(cursor) = reply["data"]["cursor"].as_str() else { break };
            assert_eq!(entries.len(), limit);
            query = format!("limit={limit}&cursor={cursor}");
        }
        assert_eq!(seen, newest_first, "by {limit}");
    }
    let by_default = w.get("/users/anna/contacts").await.ok();
    assert_eq!(by_default["count"], 10);
    let text = "getContacts | page size more than max limit : 50";
    w.get("/users/anna/contacts?limit=51").await.refused(400, "illegal_argument", text);
    assert_eq!(w.get("/users/anna/contacts?cursor=nonsense").await.fault().status, 400);
}

#[tokio::test]
async fn remarks_are_the_owners_own() {
    let w = World::new().await;
    w.register(&["anna", "bert", "carl"]).await;
    befriend(&w, "anna", "bert").await;
    let reply = w.put("/user/anna/contacts/users/bert", json!({ "remark": "老友 \"B\"" })).await.ok();
    assert_eq!((&reply["action"], &reply["status"]), (&json!("put"), &json!("ok")));
    assert_eq!(reply.as_object().unwrap().len(), 5, "action, duration, status, timestamp, uri: {reply}");
    let entry = |reply: Value| reply["data"]["contacts"][0].clone();
    let with = w.get("/users/anna/contacts?needReturnRemark=true").await.ok();
    assert_eq!(entry(with), json!({ "username": "bert", "remark": "老友 \"B\"" }));
    let theirs = w.get("/users/bert/contacts?needReturnRemark=true").await.ok();
    assert_eq!(entry(theirs), json!({ "username": "anna", "remark": null }));
    assert_eq!(entry(w.get("/users/anna/contacts").await.ok()), json!({ "username": "bert" }));

    w.put("/users/anna/contacts/users/bert", json!({ "remark": "字".repeat(100) })).await.ok();
    let text = "updateRemark they are not friends, please add as a friend first.";
    w.put("/users/anna/contacts/users/carl", json!({ "remark": "x" })).await.refused(400, "illegal_argument", text);
    let unknown = w.put("/users/anna/contacts/users/nobody", json!({ "remark": "x" })).await;
    unknown.refused(NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
    for body in [json!({ "remark": "字".repeat(101) }), json!({}), json!({ "remark": 7 })] {
        assert_eq!(w.put("/users/anna/contacts/users/bert", body).await.fault().status, 400);
    }
    // A friendship that ended takes its remark with it.
    w.delete("/users/anna/contacts/users/bert").await.ok();
    befriend(&w, "anna", "bert").await;
    assert_eq!(entry(w.get("/users/anna/contacts?needReturnRemark=true").await.ok())["remark"], Value::Null);
}

#[tokio::test]
async fn an_import_says_what_became_of_each_name() {
    let w = World::with(Setup { contacts_max: Some(3), ..Setup::default() }).await;
    w.register(&["anna", "bert", "carl", "full", "a", "b", "c"]).await;
    for friend in ["a", "b", "c"] {
        befriend(&w, "full", friend).await;
    }
    let import = |names: Value| w.post("/users/anna/contacts/import?isSendNotice=false", json!({ "usernames": names }));
    let reply = import(json!(["Bert", "nobody", "full", "anna"])).await.ok();
    assert_eq!((&reply["status"], &reply["action"]), (&json!("ok"), &json!("post")));
    let expected = json!({
        "success": ["Bert"], "NotExistFailed": ["nobody"], "maxLimitFailed": ["full"], "UnKnowFailed": ["anna"],
    });
    assert_eq!(reply["data"], expected);
    assert_eq!(contacts(&w, "anna").await, ["bert"]);
    let eleven: Vec<String> = numbered("user", 11);
    import(json!(eleven)).await.refused(400, "illegal_argument", "request user over flow limit:10.");
    import(json!(["carl", "a"])).await.ok();
    import(json!(["b"])).await.refused(403, "exceed_limit", "Inviter's contact max count.");
}

#[tokio::test]
async fn a_check_tells_friends_from_others_in_the_order_of_the_call() {
    let w = World::new().await;
    w.register(&["anna", "bert", "carl"]).await;
    befriend(&w, "anna", "bert").await;
    let check =
        |username: Value, list: Value| w.post("/contacts/check", json!({ "username": username, "check_list": list }));
    let reply = check(json!("anna"), json!(["carl", "bert", "nobody"])).await.ok();
    let expected = json!([
        { "username": "carl", "relation": "not_friend" },
        { "username": "bert", "relation": "friend" },
        { "username": "nobody", "relation": "not_friend" },
    ]);
    assert_eq!(reply["entities"], expected);
    let text = "check_list size must be between 1 and 100";
    for list in [json!([]), json!(null), json!(vec!["x"; 101])] {
        check(json!("anna"), list).await.refused(400, "illegal_argument", text);
    }
    for blank in [json!(""), json!(null)] {
        check(blank, json!(["bert"])).await.refused(400, "illegal_argument", "username cannot be blank");
    }
    check(json!("nobody"), json!(["bert"])).await.refused(NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
}

#[tokio::test]
async fn all_friends_can_be_removed_at_once() {
    let w = World::new().await;
    w.register(&["anna", "bert", "carl"]).await;
    befriend(&w, "anna", "bert").await;
    befriend(&w, "anna", "carl").await;
    befriend(&w, "bert", "carl").await;
    w.delete("/contacts/users/anna").await.ok();
    assert_eq!(contacts(&w, "anna").await, [""; 0]);
    assert_eq!(contacts(&w, "bert").await, ["carl"]);
}

#[tokio::test]
async fn lists_are_the_same_after_a_restart() {
    let w = World::new().await;
    w.register(&["anna", "bert", "carl"]).await;
    befriend(&w, "anna", "bert").await;
    befriend(&w, "anna", "carl").await;
    w.put("/users/anna/contacts/users/bert", json!({ "remark": "r" })).await.ok();
    w.post("/users/anna/blocks/users", json!({ "usernames": ["carl"] })).await.ok();
    let (stored, list) =
        (w.dump().await, w.get("/users/anna/contacts?needReturnRemark=true").await.ok()["data"].clone());
    let w = w.restarted().await;
    assert_eq!(w.dump().await, stored);
    assert_eq!(w.get("/users/anna/contacts?needReturnRemark=true").await.ok()["data"], list);
    assert_eq!(contacts(&w, "anna").await, ["carl", "bert"]);
    assert_eq!(w.get("/users/anna/blocks/users").await.ok()["data"], json!(["carl"]));
}

#[tokio::test]
async fn a_deleted_user_leaves_no_trace_in_anybodys_data() {
    let w = World::new().await;
    w.register(&["bert", "carl"]).await;
    befriend(&w, "bert", "carl").await;
    let before = w.dump().await;
    w.register(&["anna"]).await;
    let id = w.uuid("anna").await.replace('-', "").to_uppercase();
    befriend(&w, "anna", "bert").await;
    befriend(&w, "carl", "anna").await;
    for (method, path, body) in [
        ("POST", "/users/anna/blocks/users", json!({ "usernames": ["bert"] })),
        ("POST", "/users/bert/blocks/users", json!({ "usernames": ["anna"] })),
        ("PUT", "/users/anna", json!({ "nickname": "n", "notification_ignore_1": true })),
        ("POST", "/mutes", json!({ "username": "anna", "chat": -1, "groupchat": 60 })),
        ("POST", "/users/anna/presence/phone/1", json!({ "ext": "x" })),
        ("POST", "/users/anna/presence/3600", json!({ "usernames": ["bert"] })),
        ("POST", "/users/bert/presence/3600", json!({ "usernames": ["anna"] })),
        ("PUT", "/users/anna/push/binding", json!({ "device_id": "d", "notifier_name": "n", "device_token": "t" })),
        ("PUT", "/users/anna/notification/user/bert", json!({ "type": "NONE" })),
        ("PUT", "/users/anna/notification/language", json!({ "translationLanguage": "en" })),
    ] {
        w.call(method, path).json(&body).await.ok();
    }
    w.call("PUT", "/metadata/user/anna").header("content-type", "text/plain").raw("k=v").await.ok();
    assert!(w.dump().await.contains(&id));
    w.delete("/users/anna").await.ok();
    assert_eq!(w.dump().await, before);
}
