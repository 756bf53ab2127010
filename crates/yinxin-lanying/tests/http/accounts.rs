//! Making users, what they show of themselves, what they set, what a backend does with many.

use std::collections::BTreeSet;
use std::future::IntoFuture as _;

use futures_util::future::join_all;
use serde_json::{Value, json};
use yinxin_core::apps::AppChanges;
use yinxin_core::users;

use crate::asking::{Answer as _, Bearer as _};
use crate::world::{Somebody, World};

#[tokio::test]
async fn the_published_sample_of_a_registration() {
    let w = World::new().await;
    let body = json!({ "username": "test_user", "password": "asd" });
    let made = w.post("/user/register/v2", &body).await.ok();
    assert_eq!(
        made,
        json!({
            "user_id": made["user_id"], "auto_download": false, "group_confirm": false, "no_sounds": false,
            "no_push": false, "vibratory": false, "no_push_detail": false, "auth_mode": 0,
            "no_push_start_hour": 0, "no_push_end_hour": 0,
        })
    );
    w.post("/user/register/v2", &body).await.refused(10004);
    w.post("/user/register/v2", &json!({ "username": "TEST_USER", "password": "x" })).await.refused(10004);
    for name in ["", "123", "a-b", "a b", "maxim1", "mta", "a@b.c", &"a".repeat(65)] {
        w.post("/user/register/v2", &json!({ "username": name, "password": "x" })).await.refused(10002);
    }
    w.post("/user/register/v2", &json!({ "username": "张三", "password": "x" })).await.ok();
    w.post("/token/user", &json!({ "name": "张三", "password": "x" })).await.ok();
}

#[tokio::test]
async fn a_closed_app_is_for_its_backend() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    w.change_app(AppChanges { open_registration: Some(false), ..AppChanges::default() }).await;
    let body = json!({ "username": "ben", "password": "x" });
    w.post("/user/register/v2", &body).await.refused(40001);
    w.post("/user/register/v2", &body).by(&ann.token).await.refused(40001);
    w.post("/user/register/v2", &body).by(&w.other.admin).await.refused(402);
    w.post("/user/register/v2", &body).by(&w.app.admin).await.ok();
}

#[tokio::test]
async fn a_batch_says_of_each_what_became_of_it() {
    let w = World::new().await;
    w.user("ann").await;
    let list = json!({ "list": [
        { "username": "ben", "password": "x" }, { "username": "ann", "password": "x" }, { "username": "1" },
    ] });
    w.post("/user/register/batch", &list).await.refused(10003);
    let made = w.post("/user/register/batch", &list).by(&w.app.admin).await.ok();
    let outcome: Vec<(&Value, &Value)> =
        made.as_array().unwrap().iter().map(|one| (&one["username"], &one["success"])).collect();
    let (yes, no) = (json!(true), json!(false));
    assert_eq!(outcome, [(&json!("ben"), &yes), (&json!("ann"), &no), (&json!("1"), &no)]);
    assert!(made[0]["user_id"].is_i64() && made[1]["reason"].is_string() && made[1].get("user_id").is_none());
    let many: Vec<Value> = (0..61).map(|_| json!({})).collect();
    w.post("/user/register/batch", &json!({ "list": many })).by(&w.app.admin).await.refused(10002);
}

#[tokio::test]
async fn an_anonymous_user_gets_a_name_and_may_take_another() {
    let w = World::new().await;
    let body = json!({ "username": "anon_", "password": "x", "cid": "1" });
    let made = w.post("/user/register/anonymous", &body).await.ok();
    let name = made["username"].as_str().unwrap();
    assert!(name.starts_with("anon_") && name.len() > 12, "{name}");
    let login = json!({ "name": name, "password": "x" });
    let token = w.post("/token/user", &login).await.ok()["token"].as_str().unwrap().to_owned();
    w.tell("/user/username?username=Ben").by(&token).await.ok();
    assert_eq!(w.get("/user/profile").by(&token).await.ok()["username"], "ben");
    w.post("/token/user", &json!({ "name": "ben", "password": "x" })).await.ok();
    w.post("/token/user", &login).await.refused(402);
}

/// Whom a name leads to in this dialect, by each way that takes one.
async fn named(w: &World, asker: &Somebody, name: &str, password: &str) -> Option<i64> {
    let found = w.get(&format!("/roster/name?username={name}")).by(&asker.token).await.json();
    let found = (found["code"] == 200).then(|| found["data"]["user_id"].as_i64().unwrap());
    for (path, body) in [("/token/user", "name"), ("/token/login", "login_name")] {
        let answer = w.post(path, &json!({ body: name, "password": password })).await.json();
        let logged_in = (answer["code"] == 200).then(|| answer["data"]["user_id"].as_i64().unwrap());
        assert_eq!(logged_in, found, "{path} {name}");
        assert!(found.is_some() || answer["code"] == 402, "{answer}");
    }
    found
}

#[tokio::test]
async fn a_user_is_called_by_its_newest_name_and_known_elsewhere_by_its_first() {
    let w = World::new().await;
    let (ann, ben) = (w.user("ann").await, w.user("ben").await);
    let rename = |to: &str| w.tell(&format!("/user/username?username={to}")).by(&ann.token);
    for (name, code) in [("ben", 10004), ("123", 10002), ("a-b", 10002), ("maximus", 10002), ("", 10002)] {
        rename(name).await.refused(code);
    }
    let to_itself = async |name: &str| {
        assert_eq!(w.get("/user/profile").by(&ann.token).await.ok()["username"], name);
        assert_eq!(w.get(&format!("/roster/id?user_id={}", ann.id)).by(&ben.token).await.ok()["username"], name);
        assert_eq!(w.get("/user/list").by(&w.app.admin).await.ok()[0]["username"], name);
    };
    // Found by the first name before, so that it is remembered.
    assert_eq!(named(&w, &ben, "ann", "pw-ann").await, Some(ann.id));
    for name in ["Anna", "anna", "%E5%AE%89"] {
        rename(name).await.ok();
        assert_eq!(named(&w, &ben, "ann", "pw-ann").await, None, "{name}");
    }
    to_itself("安").await;
    assert_eq!(named(&w, &ben, "anna", "pw-ann").await, None);
    // The first name stays the user's, the ones between are anybody's.
    w.tell("/user/username?username=ann").by(&ben.token).await.refused(10004);
    w.get("/app/user/name_check?username=ann").await.refused(10004);
    w.get("/app/user/name_check?username=123").await.refused(10002);
    w.get("/app/user/name_check?username=free").await.ok();
    w.post("/user/register/v2", &json!({ "username": "ann", "password": "x" })).await.refused(10004);
    let heir = w.user("anna").await;
    assert_eq!(named(&w, &ben, "anna", "pw-anna").await, Some(heir.id));
    // Other dialects know the user by the first name as ever, and find it by the one it is called by, too.
    let app = w.core_app().await;
    for reference in ["ann", "安"] {
        let found = users::find(&w.ctx, &app, reference).await.unwrap();
        assert_eq!((found.username.as_str(), found.numeric_id), ("ann", Some(ann.id)));
    }
    rename("ann").await.ok();
    to_itself("ann").await;
    assert_eq!(named(&w, &ben, "ann", "pw-ann").await, Some(ann.id));
    assert!(users::look_up(&w.ctx, app.id, "安").await.unwrap().is_none());
    // A name that this dialect would not give is one to come back to all the same.
    w.foreign_user("a-b").await;
    let token = w.log_in("a-b").await.ok()["token"].as_str().unwrap().to_owned();
    w.tell("/user/username?username=ab").by(&token).await.ok();
    w.tell("/user/username?username=A-B").by(&token).await.ok();
    assert_eq!(w.get("/user/profile").by(&token).await.ok()["username"], "a-b");
}

#[tokio::test]
async fn a_name_that_many_want_is_given_once() {
    let w = World::new().await;
    let mut tokens = Vec::new();
    for number in 0..8 {
        tokens.push(w.user(&format!("user{number}_")).await.token);
    }
    let asked = tokens.iter().map(|token| w.tell("/user/username?username=star").by(token).into_future());
    let taken = join_all(asked).await.iter().filter(|answer| answer.json()["code"] == 200).count();
    assert_eq!(taken, 1);
    let dump = w.dump().await;
    assert_eq!(dump.matches("'star'").count(), 2, "one user is called so, by one handle: {dump}");
}

#[tokio::test]
async fn mobiles_and_addresses_are_one_users() {
    let w = World::new().await;
    let (ann, ben) = (w.user("ann").await, w.user("ben").await);
    w.tell("/user/mobile?mobile=13800000000").by(&ann.token).await.ok();
    w.tell("/user/mobile?mobile=13800000000").by(&ann.token).await.ok();
    w.tell("/user/mobile?mobile=%2B13800000000").by(&ben.token).await.refused(11012);
    w.tell("/user/mobile?mobile=13800000001").by(&ann.token).await.ok();
    w.tell("/user/mobile?mobile=13800000000").by(&ben.token).await.ok();
    w.tell("/user/email?email=a@b.c").by(&ann.token).await.ok();
    w.tell("/user/email?email=A@B.C").by(&ben.token).await.refused(11012);
    for bad in ["/user/mobile", "/user/mobile?mobile=abc", "/user/email?email=a", "/user/mobile?mobile=%00"] {
        w.tell(bad).by(&ann.token).await.refused(10002);
    }
    let profile = w.get("/user/profile").by(&ann.token).await.ok();
    assert_eq!((&profile["mobile"], &profile["email"]), (&json!("13800000001"), &json!("a@b.c")));
    let found = w.get("/roster/mobile?mobile=13800000000").by(&ann.token).await.ok();
    assert_eq!(found["user_id"], json!(ben.id));
}

#[tokio::test]
async fn a_profile_is_set_part_by_part() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    assert_eq!(w.get("/user/profile").by(&ann.token).await.ok(), json!({ "user_id": ann.id, "username": "ann" }));
    let changes = json!({ "nick_name": "安", "description": "d", "public_info": "p", "private_info": "s" });
    w.post("/user/profile", &changes).by(&ann.token).await.ok();
    w.post("/user/avatar", &json!({ "avatar": "http://a/b.png" })).by(&ann.token).await.ok();
    w.tell("/user/nickname?nick_name=%E5%B0%8F").by(&ann.token).await.ok();
    let expected = json!({
        "user_id": ann.id, "username": "ann", "nick_name": "小", "avatar": "http://a/b.png", "description": "d",
        "public_info": "p", "private_info": "s",
    });
    assert_eq!(w.get("/user/profile").by(&ann.token).await.ok(), expected);
    let ben = w.user("ben").await;
    let seen = w.get(&format!("/roster/id?user_id={}", ann.id)).by(&ben.token).await.ok();
    assert!(seen.get("private_info").is_none() && seen["nick_name"] == "小", "{seen}");
    let said = w.post("/user/profile", &json!({ "nick_name": "x".repeat(65) })).by(&ann.token).await.refused(10002);
    assert!(said.contains("nick_name"), "{said}");
    let many = json!({ "list": [{ "user_id": ann.id, "nick_name": "A" }, { "user_id": 16, "nick_name": "B" }] });
    let done = w.post("/user/profile/batch", &many).by(&w.app.admin).await.ok();
    assert_eq!((&done[0]["success"], &done[1]["success"]), (&json!(true), &json!(false)));
    assert_eq!(w.get("/user/profile").by(&ann.token).await.ok()["nick_name"], "A");
}

#[tokio::test]
async fn settings_are_kept_and_checked() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    let set = json!({
        "auth_mode": 2, "auth_question": "q?", "auth_answer": "a", "auto_download": true, "no_push": true,
        "no_push_detail": true, "no_push_start_hour": 22, "no_push_end_hour": 7, "push_nick_name": "Annie",
        "silence_start_time": 60, "silence_end_time": 120,
    });
    w.post("/user/settings", &set).by(&ann.token).await.ok();
    let mut expected = set.clone();
    for (name, value) in [("group_confirm", false), ("no_sounds", false), ("vibratory", false)] {
        expected[name] = value.into();
    }
    expected["user_id"] = ann.id.into();
    assert_eq!(w.get("/user/settings").by(&ann.token).await.ok(), expected);
    let before = w.dump().await;
    for bad in [
        json!({ "auth_mode": 4 }),
        json!({ "auth_mode": -1 }),
        json!({ "no_push_start_hour": 24 }),
        json!({ "auth_question": "x".repeat(1025) }),
        json!({ "no_sounds": "yes" }),
    ] {
        w.post("/user/settings", &bad).by(&ann.token).await.refused(10002);
    }
    w.tell("/user/authmode?value=9").by(&ann.token).await.refused(10002);
    assert_eq!(w.dump().await, before);
    w.tell("/user/authmode?value=3").by(&ann.token).await.ok();
    assert_eq!(w.get("/user/settings").by(&ann.token).await.ok()["auth_mode"], 3);
}

#[tokio::test]
async fn a_backend_lists_users_by_number_or_cursor() {
    let w = World::new().await;
    for number in 0..5 {
        w.foreign_user(&format!("user{number}")).await;
    }
    let page = |query: &str| w.get(&format!("/user/list?{query}")).by(&w.app.admin);
    let all = page("page_size=100").await.ok();
    let ids: BTreeSet<i64> = all.as_array().unwrap().iter().map(|user| user["user_id"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), 5);
    let second = page("page_num=2&page_size=2").await.json();
    assert_eq!(second["data"], json!([all[2], all[3]]));
    let third = page(&format!("page_size=2&cursor={}", second["cursor"].as_str().unwrap())).await.json();
    assert_eq!((&third["data"], third.get("cursor")), (&json!([all[4]]), None));
    assert_eq!(page("page_num=9&page_size=2").await.ok(), json!([]));
    for bad in ["page_size=0", "page_size=101", "cursor=x", "page_num=9999999&page_size=100"] {
        page(bad).await.refused(10002);
    }
}
