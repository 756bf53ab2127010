//! Users: registering, reading, changing, deleting.

use serde_json::{Value, json};
use yinxin_core::apps::Profile;

use crate::asking::{Answer as _, Bearer as _};
use crate::world::{SECOND, Setup, World, numbered, usernames};

const DUPLICATE: &str = "duplicate_unique_property_exists";
const NOT_FOUND: (u16, &str, &str) = (404, "service_resource_not_found", "Service resource not found");

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn one_user_is_registered_in_all_documented_forms() {
    let w = World::with(Setup { open_registration: true, ..Setup::default() }).await;
    let new = |name: &str| json!({ "username": name, "password": "123", "nickname": "testuser" });
    let open = w.post("/users", new("user1")).anonymous().await.ok();
    let authorised = w.post("/users", new("user2")).await.ok();
    let listed = w.post("/users", json!([new("user3")])).await.ok();
    for (reply, name) in [(&open, "user1"), (&authorised, "user2")] {
        let user = &reply["entities"][0];
        let expected = json!({
            "action": "post",
            "application": w.app().await.uuid(),
            "path": "/users",
            "uri": "http://im.test/acme/chat/users",
            "entities": [{
                "uuid": user["uuid"],
                "type": "user",
                "created": user["created"],
                "modified": user["created"],
                "username": name,
                "activated": true,
                "nickname": "testuser",
            }],
            "timestamp": w.now_ms(),
            "duration": reply["duration"],
            "organization": "acme",
            "applicationName": "chat",
        });
        assert_eq!(reply, &expected);
        let uuid = uuid::Uuid::parse_str(user["uuid"].as_str().unwrap()).unwrap();
        assert_eq!(yinxin_core::mint::time_of(uuid), user["created"].as_i64(), "an id says when it was made");
    }
    assert_eq!(listed["params"], json!({}), "an array of one is answered with empty params");
    assert_eq!(listed["entities"][0]["username"], "user3");
    assert_eq!(listed.get("data"), None);
}

#[tokio::test]
async fn what_may_not_be_registered_is_refused_in_the_documents_words() {
    let w = World::new().await;
    w.register(&["user1"]).await;
    let long = "x".repeat(65);
    let stored = w.dump().await;
    for (username, password, nickname, error, description) in [
        (
            json!("User1"),
            json!("1"),
            json!(null),
            DUPLICATE,
            "Application null Entity user requires that property named username be unique, value of User1 exists",
        ),
        (json!(null), json!("1"), json!(null), "illegal_argument", "Entity user requires a property named username"),
        (json!(""), json!("1"), json!(null), "illegal_argument", "username [] is not legal"),
        (json!("a b"), json!("1"), json!(null), "illegal_argument", "username [a b] is not legal"),
        (json!("小明"), json!("1"), json!(null), "illegal_argument", "username [小明] is not legal"),
        (json!("a@b.c"), json!("1"), json!(null), "illegal_argument", "username [a@b.c] is not legal"),
        (json!("a#b"), json!("1"), json!(null), "illegal_argument", "username [a#b] is not legal"),
        (json!("a/b"), json!("1"), json!(null), "illegal_argument", "username [a/b] is not legal"),
        (json!(long), json!("1"), json!(null), "illegal_argument", "USERNAME_TOO_LONG"),
        (json!("new"), json!(null), json!(null), "illegal_argument", "password or pin must provided"),
        (json!("new"), json!(""), json!(null), "illegal_argument", "password or pin must provided"),
        (json!("new"), json!("密".repeat(65)), json!(null), "illegal_argument", "PASSWORD_TOO_LONG"),
        (json!("new"), json!("1"), json!("昵".repeat(101)), "illegal_argument", "NICKNAME_TOO_LONG"),
    ] {
        let new = json!({ "username": username, "password": password, "nickname": nickname });
        for body in [new.clone(), json!([new])] {
            w.post("/users", body).await.refused(400, error, description);
        }
        // Once in a batch it fails the whole batch, unless the name is only taken.
        let batch = json!([{ "username": "fine", "password": "1" }, new]);
        if error != DUPLICATE {
            w.post("/users", batch).await.refused(400, error, description);
        }
    }
    assert_eq!(w.dump().await, stored);
}

#[tokio::test]
async fn the_longest_values_are_taken_and_come_back() {
    let w = World::new().await;
    let (name, password, nickname) = ("N".repeat(64), "密".repeat(64), "😀".repeat(100));
    w.post("/users", json!({ "username": name, "password": password, "nickname": nickname })).await.ok();
    let user = w.get(&format!("/users/{name}")).await.ok()["entities"][0].clone();
    assert_eq!((&user["username"], &user["nickname"]), (&json!("n".repeat(64)), &json!(nickname)));
    w.log_in(&name, &password).await.ok();
}

#[tokio::test]
async fn a_batch_registers_the_names_that_are_free() {
    let w = World::new().await;
    w.register(&["user3"]).await;
    let new = |name: &str| json!({ "username": name, "password": "1", "nickname": format!("nick of {name}") });
    let reply = w.post("/users", json!([new("user1"), new("user3"), new("User2")])).await.ok();
    assert_eq!(usernames(&reply["entities"]), ["user1", "user2"]);
    let taken = json!([{ "username": "user3", "registerUserFailReason": "the user3 already exists" }]);
    assert_eq!(reply["data"], taken);
    assert_eq!(reply.get("params"), None);
    let all_free = w.post("/users", json!([new("user4"), new("user5")])).await.ok();
    assert_eq!(all_free["data"], json!([]));
    let all_taken =
        "Application null Entity user requires that property named username be unique, value of user5 exists";
    w.post("/users", json!([new("user5"), new("user4")])).await.refused(400, DUPLICATE, all_taken);
    assert_eq!(w.names().await, ["user3", "user1", "user2", "user4", "user5"]);
}

#[tokio::test]
async fn a_batch_has_sixty_users_at_most() {
    let w = World::new().await;
    let batch = |count| -> Value {
        numbered("user", count).into_iter().map(|name| json!({ "username": name, "password": "1" })).collect()
    };
    let text = "Request body array size[61] had almost reached or been greater than the upper range value[60]";
    w.post("/users", batch(61)).await.refused(400, "illegal_argument", text);
    assert_eq!(w.names().await, [""; 0]);
    assert_eq!(w.post("/users", batch(60)).await.ok()["entities"].as_array().unwrap().len(), 60);
    assert_eq!(w.names().await, numbered("user", 60));
}

#[tokio::test]
async fn a_name_twice_in_a_batch_is_one_user_or_a_contradiction() {
    let w = World::new().await;
    let new = |name: &str, password: &str| json!({ "username": name, "password": password });
    let text = "the same user ANNA has a different password, the passwords are hidden";
    w.post("/users", json!([new("anna", "1"), new("ANNA", "2")])).await.refused(400, DUPLICATE, text);
    assert_eq!(w.names().await, [""; 0]);
    let reply = w.post("/users", json!([new("anna", "1"), new("Anna", "1"), new("bert", "1")])).await.ok();
    assert_eq!(usernames(&reply["entities"]), ["anna", "bert"]);
}

#[tokio::test]
async fn a_user_is_found_by_name_in_any_case_and_by_id() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let uuid = w.uuid("anna").await;
    let by_name = w.get("/users/anna").await.ok();
    assert_eq!(keys(&by_name), ["action", "count", "duration", "entities", "path", "timestamp", "uri"]);
    assert_eq!((&by_name["action"], &by_name["path"], &by_name["count"]), (&json!("get"), &json!("/users"), &json!(1)));
    for name in ["anna", "ANNA", "aNNa", &uuid, &uuid.to_uppercase()] {
        let reply = w.get(&format!("/users/{name}")).await.ok();
        assert_eq!(reply["entities"], by_name["entities"], "{name}");
        assert_eq!(reply["uri"], format!("http://im.test/acme/chat/users/{name}"));
    }
    let there = format!("/rival/chat/users/{uuid}");
    let foreign = crate::asking::Ask::new(&w, "GET", &there).by(&w.other.token).await;
    foreign.refused(NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
    w.get("/users/nobody").await.refused(NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
}

#[tokio::test]
async fn push_settings_are_taken_as_text_and_number_and_answered_as_numbers() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    w.clock.move_by(SECOND);
    let settings = json!({
        "nickname": "小安",
        "notification_display_style": "1",
        "notification_no_disturbing": true,
        "notification_no_disturbing_start": "1",
        "notification_no_disturbing_end": 3,
        "notification_ignore_63112447328257": true,
        "device_token": "t0k3n",
        "notifier_name": "2882303761517426801",
        "something_else": { "is": ["left", "alone"] },
    });
    let reply = w.put("/users/ANNA", settings).await.ok();
    assert_eq!((&reply["path"], &reply["uri"]), (&json!("/users"), &json!("http://im.test/acme/chat/users")));
    let user = reply["entities"][0].clone();
    let created = user["created"].as_i64().unwrap();
    assert_eq!(user["modified"], created + SECOND);
    let expected = json!({
        "uuid": user["uuid"], "type": "user", "created": created, "modified": created + SECOND,
        "username": "anna", "activated": true, "nickname": "小安", "notification_display_style": 1,
        "notification_no_disturbing": true, "notification_no_disturbing_start": 1, "notification_no_disturbing_end": 3,
        "notification_ignore_63112447328257": true, "device_token": "t0k3n", "notifier_name": "2882303761517426801",
        "pushInfo": [{ "device_Id": "t0k3n", "device_token": "t0k3n", "notifier_name": "2882303761517426801" }],
    });
    assert_eq!(user, expected);
    assert_eq!(w.get("/users/anna").await.ok()["entities"][0], expected);

    let off = w.put("/users/anna", json!({ "notification_no_disturbing": false })).await.ok()["entities"][0].clone();
    assert_eq!(off["notification_no_disturbing"], false);
    assert_eq!(
        (&off["notification_no_disturbing_start"], &off["notification_no_disturbing_end"]),
        (&json!(1), &json!(3))
    );
}

#[tokio::test]
async fn push_settings_that_make_no_sense_change_nothing() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let stored = w.dump().await;
    let too_long = w.put("/users/anna", json!({ "nickname": "昵".repeat(101) })).await;
    too_long.refused(400, "illegal_argument", "NICKNAME_TOO_LONG");
    for (key, value) in [
        ("notification_display_style", json!("2")),
        ("notification_display_style", json!(-1)),
        ("notification_display_style", json!("bold")),
        ("notification_no_disturbing", json!("perhaps")),
        ("notification_no_disturbing_start", json!(25)),
        ("notification_no_disturbing_end", json!("-1")),
        ("notification_no_disturbing_end", json!(1.5)),
        ("notification_ignore_", json!(true)),
        ("notification_ignore_1", json!(2)),
        ("nickname", json!(7)),
        ("device_token", json!([])),
    ] {
        let fault = w.put("/users/anna", json!({ "nickname": "new", key: value })).await.fault();
        assert_eq!((fault.status, &*fault.error), (400, "illegal_argument"), "{key}");
    }
    let text = "Entity user requires a property named username";
    w.put("/users/nobody", json!({ "nickname": "n" })).await.refused(400, "required_property_not_found", text);
    assert_eq!(w.dump().await, stored);
}

#[tokio::test]
async fn a_password_is_set_without_the_old_one() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let reply = w.put("/users/anna/password", json!({ "newpassword": "123" })).await.ok();
    assert_eq!(keys(&reply), ["action", "duration", "timestamp"]);
    assert_eq!(reply["action"], "set user password");
    w.log_in("anna", "123").await.ok();
    for body in [json!({}), json!({ "newpassword": null }), json!({ "newpassword": "" }), json!({ "password": "x" })] {
        w.put("/users/anna/password", body).await.refused(400, "illegal_argument", "newpassword is required");
    }
    assert_eq!(w.put("/users/anna/password", json!({ "newpassword": "x".repeat(65) })).await.fault().status, 400);
    let unknown = w.put("/users/nobody/password", json!({ "newpassword": "1" })).await;
    unknown.refused(404, "entity_not_found", "User null not found");
    w.log_in("anna", "123").await.ok();
}

#[tokio::test]
async fn a_ban_shows_on_the_user_and_leaves_its_age() {
    for profile in [Profile::Seed, Profile::Current] {
        let w = World::of_profile(profile).await;
        w.register(&["anna"]).await;
        let before = w.get("/users/anna").await.ok()["entities"][0].clone();
        w.clock.move_by(SECOND);
        let reply = w.call("POST", "/users/anna/deactivate").await.ok();
        assert_eq!(keys(&reply), ["action", "duration", "entities", "timestamp"]);
        assert_eq!(reply["action"], "Deactivate user");
        let mut banned = before.clone();
        banned["activated"] = false.into();
        assert_eq!(reply["entities"], json!([banned]));
        assert_eq!(w.get("/users/anna").await.ok()["entities"], json!([banned]));
        // A body means nothing; again is no error.
        w.call("POST", "/users/anna/deactivate").raw("{not json").await.ok();
        let lifted = w.call("POST", "/users/anna/activate").await.ok();
        assert_eq!(
            (keys(&lifted), &lifted["action"]),
            (vec!["action", "duration", "timestamp"], &json!("activate user"))
        );
        assert_eq!(w.get("/users/anna").await.ok()["entities"], json!([before]));
        w.call("POST", "/users/nobody/activate").await.refused(NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
        let unknown = w.call("POST", "/users/nobody/deactivate").await;
        if profile == Profile::Seed {
            let text = format!("User with id null does not exist in app {}", w.app().await.uuid());
            unknown.refused(400, "management", &text);
        } else {
            unknown.refused(NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
        }
    }
}

#[tokio::test]
async fn a_deleted_user_comes_back_in_the_reply_and_is_gone() {
    for (profile, activated) in [(Profile::Seed, true), (Profile::Current, false)] {
        let w = World::of_profile(profile).await;
        w.register(&["anna"]).await;
        let mut user = w.get("/users/anna").await.ok()["entities"][0].clone();
        user["activated"] = activated.into();
        let reply = w.delete("/users/Anna").await.ok();
        assert_eq!(reply["entities"], json!([user]));
        assert_eq!((&reply["path"], &reply["uri"]), (&json!("/users"), &json!("http://im.test/acme/chat/users")));
        for path in ["/users/anna", "/users/anna/status"] {
            w.get(path).await.refused(NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
        }
        w.delete("/users/anna").await.refused(NOT_FOUND.0, NOT_FOUND.1, NOT_FOUND.2);
    }
}

#[tokio::test]
async fn users_may_be_named_like_parts_of_paths() {
    let w = World::new().await;
    let names = ["batch", "get", "capacity", "users", "user", "me", "contacts", "password", "status", "token"];
    w.register(&names).await;
    for name in names {
        let token = w.login(name).await;
        assert_eq!(usernames(&w.get(&format!("/users/{name}")).by(&token).await.ok()["entities"]), [name]);
        let status = w.get(&format!("/users/{name}/status")).by(&token).await.ok();
        assert_eq!(status["data"], json!({ name: "offline" }));
        let path = format!("/metadata/user/{name}");
        let form = "application/x-www-form-urlencoded";
        w.call("PUT", &path).header("content-type", form).raw(format!("nickname={name}")).by(&token).await.ok();
        if name != "capacity" {
            assert_eq!(w.get(&path).by(&token).await.ok()["data"]["nickname"], name);
        }
        let cleared = w.delete(&path).by(&token).await.ok();
        assert_eq!(cleared["data"], true);
        let other = if name == "batch" { "get" } else { "batch" };
        w.call("POST", &format!("/users/{name}/contacts/users/{other}")).by(&token).await.ok();
        let listed = w.get(&format!("/users/{name}/contacts/users")).by(&token).await.ok()["data"].clone();
        assert!(listed.as_array().unwrap().contains(&json!(other)), "{name}: {listed}");
    }
}

#[tokio::test]
async fn an_id_in_a_names_place_is_spelled_as_replies_print_it() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let id = w.uuid("anna").await;
    w.get(&format!("/users/{id}")).await.ok();
    w.get(&format!("/users/{}", id.to_uppercase())).await.ok();
    let simple = id.replace('-', "");
    for other in [simple.clone(), format!("urn:uuid:{id}"), format!("%7B{id}%7D")] {
        assert_eq!(w.get(&format!("/users/{other}")).await.status, 404, "{other}");
    }
    // Without hyphens it is a name like any other.
    w.register(&[&simple]).await;
    assert_ne!(w.uuid(&simple).await, id);
}

#[tokio::test]
async fn quiet_hours_are_hours_of_a_day_and_groups_are_bounded() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    for hour in [0, 23] {
        w.put("/users/anna", json!({ "notification_no_disturbing_start": hour })).await.ok();
        w.put("/users/anna", json!({ "notification_no_disturbing_end": hour.to_string() })).await.ok();
    }
    for hour in [-1, 24] {
        for field in ["notification_no_disturbing_start", "notification_no_disturbing_end"] {
            assert_eq!(w.put("/users/anna", json!({ field: hour })).await.fault().status, 400, "{field} {hour}");
        }
    }
    let groups = |count: usize| {
        let names = numbered("notification_ignore_", count).into_iter();
        Value::Object(names.map(|name| (name, json!(true))).collect())
    };
    w.put("/users/anna", groups(100)).await.ok();
    assert_eq!(w.put("/users/anna", groups(101)).await.fault().status, 400);
}
