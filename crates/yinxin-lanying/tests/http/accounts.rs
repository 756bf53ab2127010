//! Making users, what they show of themselves, what they set, what a backend does with many.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yinxin_core::apps::AppChanges;

use crate::asking::{Answer as _, Bearer as _};
use crate::world::World;

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
async fn an_anonymous_user_gets_a_name_and_may_take_one_later() {
    let w = World::new().await;
    let body = json!({ "username": "anon_", "password": "x", "cid": "1" });
    let made = w.post("/user/register/anonymous", &body).await.ok();
    let name = made["username"].as_str().unwrap();
    assert!(name.starts_with("anon_") && name.len() > 12, "{name}");
    let login = json!({ "name": name, "password": "x" });
    let token = w.post("/token/user", &login).await.ok()["token"].as_str().unwrap().to_owned();
    w.user("ann").await;
    w.tell("/user/username?username=ann").by(&token).await.refused(10004);
    w.tell("/user/username?username=123").by(&token).await.refused(10002);
    w.tell("/user/username?username=Ben").by(&token).await.ok();
    w.tell("/user/username?username=ben").by(&token).await.ok();
    w.tell("/user/username?username=carl").by(&token).await.refused(10011);
    assert_eq!(w.get("/user/profile").by(&token).await.ok()["username"], "ben");
    for name in ["ben", name] {
        w.post("/token/user", &json!({ "name": name, "password": "x" })).await.ok();
    }
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
