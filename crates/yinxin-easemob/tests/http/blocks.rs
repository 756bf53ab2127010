//! Block lists: five hundred names, newest first, next to the contacts and apart from them.

use serde_json::{Value, json};
use yinxin_core::apps::Profile;

use crate::asking::Answer as _;
use crate::world::{World, numbered};

const NOT_FOUND: (u16, &str, &str) = (404, "service_resource_not_found", "Service resource not found");

async fn blocked(w: &World, owner: &str) -> Vec<String> {
    let reply = w.get(&format!("/users/{owner}/blocks/users")).await.ok();
    let names: Vec<String> = serde_json::from_value(reply["data"].clone()).unwrap();
    assert_eq!((&reply["entities"], &reply["count"]), (&json!([]), &json!(names.len())));
    names
}

fn block<'w>(w: &'w World, owner: &str, names: &[String]) -> crate::asking::Ask<'w> {
    w.post(&format!("/users/{owner}/blocks/users"), json!({ "usernames": names }))
}

async fn register(w: &World, names: &[String]) {
    w.register(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn blocking_answers_with_the_names_and_the_app_as_uri() {
    let w = World::new().await;
    w.register(&["user1", "user2", "user3"]).await;
    let reply = block(&w, "user1", &["User2".into(), "user3".into()]).await.ok();
    let expected = json!({
        "action": "post", "application": w.app().await.uuid(), "uri": "http://im.test/acme/chat", "entities": [],
        "data": ["user2", "user3"], "timestamp": w.now_ms(), "duration": reply["duration"],
        "organization": "acme", "applicationName": "chat",
    });
    assert_eq!(reply, expected);
    assert_eq!(blocked(&w, "user1").await, ["user3", "user2"]);
    assert_eq!(blocked(&w, "user2").await, [""; 0], "blocking is one-sided");
}

#[tokio::test]
async fn unblocking_shows_the_user_under_the_owners_id() {
    let w = World::new().await;
    w.register(&["user1", "user2"]).await;
    block(&w, "user1", &["user2".into()]).await.ok();
    let reply = w.delete("/users/user1/blocks/users/User2").await.ok();
    let path = format!("/users/{}/blocks", w.uuid("user1").await);
    assert_eq!((&reply["path"], &reply["uri"]), (&json!(path), &json!(format!("http://im.test/acme/chat{path}"))));
    assert_eq!(reply["entities"], w.get("/users/user2").await.ok()["entities"]);
    assert_eq!(blocked(&w, "user1").await, [""; 0]);
    w.delete("/users/user1/blocks/users/user2").await.ok();
}

#[tokio::test]
async fn whom_to_block_must_exist_and_else_nobody_is_blocked() {
    for profile in [Profile::Seed, Profile::Current] {
        let w = World::of_profile(profile).await;
        w.register(&["user1", "user2"]).await;
        let reply = block(&w, "user1", &["user2".into(), "user20".into()]).await;
        match profile {
            Profile::Seed => {
                let text = "attempt to adding new block[user20] for user[user1],but user[user20] not found.";
                let fault = reply.refused(400, "illegal_argument", text);
                assert_eq!(fault.exception.as_deref(), Some("java.lang.IllegalArgumentException"));
            }
            Profile::Current => drop(reply.refused(NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2)),
        }
        assert_eq!(blocked(&w, "user1").await, [""; 0]);
        block(&w, "nobody", &["user2".into()]).await.refused(NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
        w.get("/users/nobody/blocks/users").await.refused(NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
        for path in ["/users/user1/blocks/users/nobody", "/users/nobody/blocks/users/user1"] {
            w.delete(path).await.refused(NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
        }
    }
}

#[tokio::test]
async fn five_hundred_are_blocked_and_no_more() {
    let w = World::new().await;
    let all = numbered("user", 502);
    register(&w, &all).await;
    assert_eq!(block(&w, "user1", &all[1..]).await.fault().status, 403, "501 at once");
    assert_eq!(blocked(&w, "user1").await, [""; 0]);
    block(&w, "user1", &all[1..400]).await.ok();
    let fault = block(&w, "user1", &all[400..502]).await.fault();
    assert_eq!((fault.status, &*fault.error), (403, "exceed_limit"));
    assert_eq!(blocked(&w, "user1").await.len(), 399, "none of a call that goes too far");
    block(&w, "user1", &all[400..501]).await.ok();
    assert_eq!(block(&w, "user1", &all[501..]).await.fault().status, 403);
    // Whoever is blocked already takes no place.
    block(&w, "user1", &all[1..501]).await.ok();
    let newest_first: Vec<String> = all[1..501].iter().rev().cloned().collect();
    assert_eq!(blocked(&w, "user1").await, newest_first);
    assert_eq!(pages(&w, 50).await, newest_first);
    w.delete("/users/user1/blocks/users/user2").await.ok();
    block(&w, "user1", &all[501..]).await.ok();
}

/// The list in pages of that size.
async fn pages(w: &World, size: usize) -> Vec<String> {
    let mut seen: Vec<Value> = Vec::new();
    let mut query = format!("pageSize={size}");
    loop {
        let reply = w.get(&format!("/users/user1/blocks/users?{query}")).await.ok();
        let names = reply["data"].as_array().unwrap();
        assert_eq!(reply["count"], names.len());
        seen.extend(names.iter().cloned());
        let Some(cursor) = reply["cursor"].as_str().filter(|cursor| !cursor.is_empty()) else { break };
        assert_eq!(names.len(), size);
        assert_eq!(yinxin_token::decode_order_cursor(cursor).unwrap().to_string().len(), 19, "as the vendor's");
        query = format!("pageSize={size}&cursor={cursor}");
    }
    seen.into_iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_make_up_the_whole_list() {
    let w = World::new().await;
    let all = numbered("user", 33);
    register(&w, &all).await;
    block(&w, "user1", &all[1..]).await.ok();
    let newest_first: Vec<String> = all[1..].iter().rev().cloned().collect();
    for size in [1, 8, 31, 32, 33, 50] {
        assert_eq!(pages(&w, size).await, newest_first, "by {size}");
    }
    assert_eq!(w.get("/users/user1/blocks/users?pageSize=51").await.fault().status, 400);
    assert_eq!(w.get("/users/user1/blocks/users?cursor=x").await.fault().status, 400);
}

#[tokio::test]
async fn a_blocked_friend_stays_a_friend() {
    let w = World::new().await;
    w.register(&["anna", "bert"]).await;
    w.call("POST", "/users/anna/contacts/users/bert").await.ok();
    block(&w, "anna", &["bert".into()]).await.ok();
    let friends = w.get("/users/anna/contacts/users").await.ok()["data"].clone();
    assert_eq!(friends, json!(["bert"]));
    w.delete("/users/anna/blocks/users/bert").await.ok();
    assert_eq!(w.get("/users/anna/contacts/users").await.ok()["data"], friends);
}

#[tokio::test]
async fn a_check_tells_blocked_users_from_others() {
    let w = World::new().await;
    w.register(&["anna", "bert", "carl"]).await;
    block(&w, "anna", &["bert".into()]).await.ok();
    let body = json!({ "username": "anna", "check_list": ["bert", "carl"] });
    let expected = json!([
        { "username": "bert", "relation": "blacklist" },
        { "username": "carl", "relation": "not_blacklist" },
    ]);
    assert_eq!(w.post("/blocks/check", body).await.ok()["entities"], expected);
    let blank = w.post("/blocks/check", json!({ "username": "", "check_list": ["bert"] })).await;
    blank.refused(400, "illegal_argument", "username cannot be blank");
}
