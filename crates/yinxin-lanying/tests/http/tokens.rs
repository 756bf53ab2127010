//! The three calls for a token. Source: lanying-token.txt, and `docs/dialects/lanying.md` where it is silent.

use serde_json::{Value, json};
use yinxin_core::Code;
use yinxin_core::apps::{self, AppChanges, Profile, TimeUnit};

use crate::asking::{Answer as _, Ask, Bearer as _};
use crate::world::{DAY, START_MS, World};

/// Whether a token opens other calls.
async fn opens(w: &World, token: &str) -> bool {
    let answer = w.get("/user/profile").by(token).await.json();
    match answer["code"].as_i64() {
        Some(200) => true,
        Some(402) => false,
        _ => panic!("{answer}"),
    }
}

#[tokio::test]
async fn a_token_has_every_member_of_the_document_that_says_something() {
    let w = World::new().await;
    w.user("test_user").await;
    let body = json!({ "name": "test_user", "password": "pw-test_user", "device_guid": "phone-1" });
    let granted = w.post("/token/user", &body).await.ok();
    let members: Vec<&str> = granted.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["access_key_secret", "encrypt_type", "expire", "push_token", "store_token", "token", "user_id"];
    assert_eq!(members, expected);
    let id = granted["user_id"].as_i64().unwrap();
    assert!(id.to_string().len() == 13 && id % 16 == 0 && id < 1 << 53, "{id}");
    assert_eq!((&granted["encrypt_type"], &granted["expire"]), (&json!(0), &json!(START_MS + 60 * DAY)));
    assert!(opens(&w, granted["token"].as_str().unwrap()).await);
    for other in ["store_token", "access_key_secret", "push_token"] {
        assert!(!opens(&w, granted[other].as_str().unwrap()).await, "{other}");
    }
    w.change_app(AppChanges { user_token_ttl_s: Some(0), ..AppChanges::default() }).await;
    let granted = w.log_in("test_user").await.ok();
    assert!(granted.get("expire").is_none() && granted.get("push_token").is_none(), "{granted}");
}

#[tokio::test]
async fn a_user_logs_in_by_name_number_mobile_and_mail() {
    let w = World::new().await;
    let ann = w.user("Ann").await;
    w.tell("/user/mobile?mobile=%2B8613800000000").by(&ann.token).await.ok();
    w.tell("/user/email?email=Ann@Example.com").by(&ann.token).await.ok();
    let password = "pw-Ann";
    let by_login = |name: &str| json!({ "login_name": name, "password": password });
    for (path, body) in [
        ("/token/user", json!({ "name": "ann", "password": password })),
        ("/token/user", json!({ "mobile": "8613800000000", "password": password })),
        ("/app/token", json!({ "name": "Ann", "password": password })),
        ("/token/id", json!({ "user_id": ann.id, "password": password })),
        ("/token/id", json!({ "user_id": ann.id.to_string(), "password": password })),
        ("/app/token_id", json!({ "user_id": ann.id.to_string(), "password": password })),
        ("/token/login", by_login("ann")),
        ("/token/login", by_login("+8613800000000")),
        ("/token/login", by_login("8613800000000")),
        ("/token/login", by_login("ann@example.COM")),
    ] {
        assert_eq!(w.post(path, &body).await.ok()["user_id"], json!(ann.id), "{path} {body}");
    }
    for (path, body) in [
        ("/token/user", json!({ "name": "ann@example.com", "password": password })),
        ("/token/user", json!({ "name": "8613800000000", "password": password })),
        ("/token/id", json!({ "user_id": ann.id + 16, "password": password })),
        ("/token/id", json!({ "user_id": -1, "password": password })),
    ] {
        w.post(path, &body).await.refused(402);
    }
}

#[tokio::test]
async fn a_user_whose_name_looks_like_a_number_or_an_address_logs_in_by_it() {
    let w = World::new().await;
    w.foreign_user("13800000000").await;
    let body = json!({ "login_name": "13800000000", "password": "pw-13800000000" });
    w.post("/token/login", &body).await.ok();
    // A user's name is nobody's number.
    w.post("/token/id", &json!({ "user_id": 13_800_000_000_i64, "password": "pw-13800000000" })).await.refused(402);
}

#[tokio::test]
async fn nobody_learns_from_a_refused_login_who_exists() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    let mut said = Vec::new();
    for (path, known, unknown) in [
        ("/token/user", json!({ "name": "ann" }), json!({ "name": "nobody" })),
        ("/token/id", json!({ "user_id": ann.id }), json!({ "user_id": 2_302_128_618_880_i64 })),
        ("/token/login", json!({ "login_name": "ann" }), json!({ "login_name": "nobody@example.com" })),
        ("/token/login", json!({ "login_name": "ann" }), json!({ "login_name": "13800000000" })),
    ] {
        for mut body in [known, unknown] {
            let before = w.ctx.passwords.filled_kib();
            body["password"] = "wrong".into();
            said.push(w.post(path, &body).await.refused(402));
            assert_eq!(w.ctx.passwords.filled_kib() - before, 8, "the same work is done for both: {body}");
        }
    }
    assert!(said.iter().all(|text| text.contains("Operation rejected") && *text == said[0]), "{said:?}");
}

#[tokio::test]
async fn an_app_may_choose_the_documents_codes_and_the_unit_of_ends() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    w.tell("/user/mobile?mobile=13800000000").by(&ann.token).await.ok();
    let nobody = json!({ "name": "nobody", "password": "x" });
    let by_mobile = json!({ "mobile": "13800000000", "password": "pw-ann" });
    // How other dialects answer is another setting.
    w.change_app(AppChanges { profile: Some(Profile::Current), ..AppChanges::default() }).await;
    w.post("/token/user", &nobody).await.refused(402);
    w.post("/token/user", &by_mobile).await.ok();
    let changes = AppChanges {
        token_error_code: Some(10008),
        unknown_login_code: Some(10000),
        expire_unit: Some(TimeUnit::S),
        token_user_mobile: Some(false),
        ..AppChanges::default()
    };
    w.change_app(changes).await;
    w.post("/token/user", &nobody).await.refused(10000);
    w.post("/token/login", &json!({ "login_name": "x@example.com", "password": "x" })).await.refused(10000);
    w.post("/token/user", &json!({ "name": "ann", "password": "x" })).await.refused(402);
    w.get("/user/profile").by("x").await.refused(10008);
    w.get("/user/profile").by(&w.other.admin).await.refused(10008);
    w.post("/user/register/v2", &json!({})).await.refused(10002);
    w.get("/user/profile").await.refused(10003);
    w.post("/token/user", &by_mobile).await.refused(10002);
    // By a mobile one logs in where any login name is asked for.
    w.post("/token/login", &json!({ "login_name": "13800000000", "password": "pw-ann" })).await.ok();
    assert_eq!(w.log_in("ann").await.ok()["expire"], json!((START_MS + 60 * DAY) / 1000));
    let other = |path: &str| Ask::new(&w, "GET", path).header("app_id", &w.other.app_id);
    other("/user/profile").by("x").await.refused(402);
    let app = w.core_app().await;
    for wrong in [
        AppChanges { token_error_code: Some(200), ..AppChanges::default() },
        AppChanges { unknown_login_code: Some(10008), ..AppChanges::default() },
    ] {
        assert_eq!(apps::change(&w.ctx, &app, wrong).await.err().unwrap().code, Code::FieldIllegal);
    }
}

#[tokio::test]
async fn whoever_guesses_must_wait_however_the_user_is_named() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    for number in 0..20 {
        let body = if number % 2 == 0 {
            ("/token/user", json!({ "name": "Ann", "password": "x" }))
        } else {
            ("/token/id", json!({ "user_id": ann.id, "password": "x" }))
        };
        w.post(body.0, &body.1).await.refused(402);
    }
    w.log_in("ann").await.refused(10028);
    let by_name = json!({ "login_name": "ann", "password": "pw-ann" });
    w.post("/token/login", &by_name).await.refused(10028);
    w.clock.move_by(15_000);
    w.log_in("ann").await.ok();
}

#[tokio::test]
async fn a_stale_token_does_not_fail_a_login() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    for stale in ["x", "", &ann.token, &w.app.admin, &w.other.admin] {
        w.log_in("ann").by(stale).header("user_id", ann.id).header("group_id", 7).await.ok();
    }
    // An admin token is no password.
    let body = json!({ "user_id": ann.id });
    w.post("/token/id", &body).by(&w.app.admin).header("user_id", ann.id).await.refused(10002);
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let w = World::new().await;
    for (path, body, field) in [
        ("/token/user", json!({}), "name"),
        ("/token/user", json!({ "name": "ann" }), "password"),
        ("/token/user", json!({ "name": "", "password": "x" }), "username"),
        ("/token/user", json!({ "name": "ann", "password": "" }), "password"),
        ("/token/id", json!({ "password": "x" }), "user_id"),
        ("/token/id", json!({ "user_id": Value::Null, "password": "x" }), "user_id"),
        ("/token/login", json!({ "password": "x" }), "login_name"),
        ("/token/user", json!({ "name": "a", "password": "x", "device_guid": "x".repeat(513) }), "device_guid"),
    ] {
        let said = w.post(path, &body).await.refused(10002);
        assert!(said.contains("invalid request parameter") && said.contains(field), "{body}: {said}");
    }
    for body in [json!({ "user_id": "abc", "password": "x" }), json!({ "user_id": 1.5, "password": "x" })] {
        w.post("/token/id", &body).await.refused(10002);
    }
}

#[tokio::test]
async fn an_app_is_named_and_known() {
    let w = World::new().await;
    w.user("ann").await;
    let body = json!({ "name": "ann", "password": "pw-ann" }).to_string();
    let ask = |id: Option<&str>| {
        let ask = crate::asking::Ask::new(&w, "POST", "/token/user").raw(body.clone());
        id.into_iter().fold(ask, |ask, id| ask.header("app_id", id))
    };
    ask(None).await.refused(10002);
    ask(Some("")).await.refused(10002);
    ask(Some("nosuchappidx")).await.refused(40000);
    ask(Some(&"a".repeat(1000))).await.refused(40000);
    ask(Some(&w.other.app_id)).await.refused(402);
    ask(Some(&w.app.app_id)).await.ok();
}

#[tokio::test]
async fn tokens_end_as_in_every_dialect() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    assert!(opens(&w, &ann.token).await);
    // A ban.
    w.post("/user/disable", &json!({ "list": [ann.id] })).by(&w.app.admin).await.ok();
    assert!(!opens(&w, &ann.token).await);
    w.log_in("ann").await.refused(10010);
    w.post("/token/user", &json!({ "name": "ann", "password": "wrong" })).await.refused(402);
    w.post("/user/enable", &json!({ "list": [ann.id] })).by(&w.app.admin).await.ok();
    assert!(!opens(&w, &ann.token).await);
    let token = w.log_in("ann").await.ok()["token"].as_str().unwrap().to_owned();
    // A new password.
    let change = json!({ "old_password": "wrong", "new_password": "next" });
    w.post("/user/change_password", &change).by(&token).await.refused(11001);
    assert!(opens(&w, &token).await);
    let change = json!({ "old_password": "pw-ann", "new_password": "next" });
    w.post("/user/change_password", &change).by(&token).await.ok();
    assert!(!opens(&w, &token).await);
    let login = |password: &str| json!({ "name": "ann", "password": password });
    let token = w.post("/token/user", &login("next")).await.ok()["token"].as_str().unwrap().to_owned();
    // Its time.
    w.clock.move_by(60 * DAY);
    assert!(!opens(&w, &token).await);
    // The backend's password.
    let set = w.post("/user/change_password_admin", &json!({ "password": "set" })).by(&w.app.admin);
    set.header("user_id", ann.id).await.ok();
    w.post("/token/user", &login("next")).await.refused(402);
    let token = w.post("/token/user", &login("set")).await.ok()["token"].as_str().unwrap().to_owned();
    // The end of the user.
    w.post("/user/delete", &json!({ "password": "wrong" })).by(&token).await.refused(11001);
    w.post("/user/delete", &json!({ "password": "set" })).by(&token).await.ok();
    assert!(!opens(&w, &token).await);
    w.post("/token/user", &login("set")).await.refused(402);
}

#[tokio::test]
async fn a_user_of_another_dialect_logs_in_and_keeps_its_number() {
    let w = World::new().await;
    w.foreign_user("ann").await;
    let first = w.log_in("ann").await.ok();
    let second = w.log_in("ann").await.ok();
    assert_eq!(first["user_id"], second["user_id"]);
    w.post("/token/id", &json!({ "user_id": first["user_id"], "password": "pw-ann" })).await.ok();
}

#[tokio::test]
async fn the_token_of_each_login_opens_every_call() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    for (path, login) in [
        ("/token/user", json!({ "name": "ann", "password": "pw-ann" })),
        ("/token/id", json!({ "user_id": ann.id, "password": "pw-ann" })),
        ("/token/login", json!({ "login_name": "ann", "password": "pw-ann" })),
    ] {
        let token = w.post(path, &login).await.ok()["token"].as_str().unwrap().to_owned();
        for (methods, call) in yinxin_lanying::calls() {
            for method in methods {
                let answer = Ask::new(&w, method, call).header("app_id", &w.app.app_id).by(&token).await;
                let code = answer.json()["code"].as_i64().unwrap();
                assert!(![402, 10003, 10008].contains(&code), "{method} {call} by a token of {path}: {code}");
            }
        }
        assert!(opens(&w, &token).await, "a call has ended the token of {path}");
    }
}
