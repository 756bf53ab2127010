//! Who may call what: every call with no token, with those of another app, with a user's where a backend's is needed; and
//! the headers by which an admin speaks for a user.

use serde_json::json;
use yinxin_core::apps::{self, AppChanges};
use yinxin_core::rooms::{self, RoomUid};

use crate::asking::Ask;
use crate::asking::{Answer as _, Bearer as _};
use crate::world::World;

/// The calls that anybody may make.
const OPEN: [&str; 9] = [
    "/v2/app_dns",
    "/app/config",
    "/token/user",
    "/token/id",
    "/token/login",
    "/app/token",
    "/app/token_id",
    "/user/register",
    "/user/register/v2",
];
/// Those that anybody may make where registration is open.
const REGISTERING: [&str; 3] = ["/user/register/anonymous", "/user/register/push", "/app/user/name_check"];

#[tokio::test]
async fn no_call_answers_another_apps_credentials() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    let before = w.dump().await;
    for (methods, path) in yinxin_lanying::calls() {
        if OPEN.contains(&path) || REGISTERING.contains(&path) || path.starts_with("/file/") {
            continue;
        }
        for method in methods {
            let ask = |app: &str| Ask::new(&w, method, path).header("app_id", app).header("user_id", ann.id);
            ask(&w.app.app_id).await.refused(10003);
            for token in ["x", &w.other.admin, &ann.token[1..]] {
                ask(&w.app.app_id).by(token).await.refused(402);
            }
            for token in [&ann.token, &w.app.admin] {
                ask(&w.other.app_id).by(token).await.refused(402);
            }
            // The right app's backend does not reach the other app's users by their numbers.
            let answer = ask(&w.other.app_id).by(&w.other.admin).await.json();
            assert!(answer["code"] != 200 || !answer.to_string().contains(&ann.id.to_string()), "{path}: {answer}");
        }
    }
    assert_eq!(w.dump().await, before);
}

/// What belongs to the app, to one of its users or to a file, and is no token of this dialect.
async fn other_words(w: &World) -> Vec<(&'static str, String)> {
    let app = w.core_app().await;
    let login = json!({ "name": "ann", "password": "pw-ann", "device_guid": "phone" });
    let granted = w.post("/token/user", &login).await.ok();
    let told = |member: &str| granted[member].as_str().unwrap().to_owned();
    let uid = RoomUid::parse("7").unwrap();
    let request = rooms::tokens::Request { uid, room: None, ttl_s: None, repeat_use: None };
    vec![
        ("store_token", told("store_token")),
        ("access_key_secret", told("access_key_secret")),
        ("push_token", told("push_token")),
        ("the user's number", granted["user_id"].to_string()),
        ("the user's password", "pw-ann".to_owned()),
        ("a room token", rooms::tokens::issue(&w.ctx, &app, &request).await.unwrap()),
        ("NetEase's AppKey", app.signing.key.clone()),
        ("NetEase's AppSecret", app.signing.reveal_secret().to_owned()),
        ("NetEase's secret of permission keys", app.signing.reveal_permission_secret().to_owned()),
        ("Easemob's client id", app.client_id.clone()),
        ("Easemob's client secret", app.reveal_client_secret().to_owned()),
        ("the app's id", app.uuid().to_string()),
        ("the app's short id", app.short_id.clone()),
        ("a token of the backend that was cut", w.app.admin[1..].to_owned()),
    ]
}

#[tokio::test]
async fn what_opens_something_else_opens_no_call() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    let words = other_words(&w).await;
    let file = crate::files::upload(&w, "ann").await;
    let before = w.dump().await;
    for (methods, path) in yinxin_lanying::calls() {
        if OPEN.contains(&path) || REGISTERING.contains(&path) {
            continue;
        }
        for method in methods {
            for (what, word) in &words {
                let ask =
                    |path: &str| Ask::new(&w, method, path).header("app_id", &w.app.app_id).header("user_id", ann.id);
                let said = ask(&format!("{path}?file_id={file}")).by(word).await;
                assert_eq!((said.status, &said.json()["code"]), (200, &json!(402)), "{method} {path} by {what}");
                let in_address = format!("{path}?file_id={file}&access-token={word}");
                let said = ask(&in_address).await;
                assert_eq!((said.status, &said.json()["code"]), (200, &json!(402)), "{method} {path} by {what}");
            }
        }
    }
    assert_eq!(w.dump().await, before);
}

#[tokio::test]
async fn calls_of_a_backend_are_not_a_users() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    let before = w.dump().await;
    for path in ["/user/register/batch", "/user/profile/batch", "/user/avatar/batch", "/user/disable", "/user/enable"] {
        w.post(path, &json!({ "list": [{ "user_id": ann.id }] })).by(&ann.token).await.refused(10010);
    }
    w.get("/user/list").by(&ann.token).await.refused(10010);
    for path in ["/push/notify", "/push/task/detail"] {
        w.post(path, &json!({ "list": [1] })).by(&ann.token).await.refused(10010);
    }
    let set = w.post("/user/change_password_admin", &json!({ "password": "x" })).by(&ann.token);
    set.header("user_id", ann.id).await.refused(10010);
    assert_eq!(w.dump().await, before);
}

#[tokio::test]
async fn whoever_has_not_the_right_is_refused_before_its_body_is_read() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    w.change_app(AppChanges { open_registration: Some(false), ..AppChanges::default() }).await;
    for (methods, path) in yinxin_lanying::calls() {
        if OPEN[..7].contains(&path) || path.starts_with("/file/") {
            continue;
        }
        for method in methods {
            let ask = || Ask::new(&w, method, path).header("app_id", &w.app.app_id).unreadable();
            let closed = OPEN.contains(&path) || REGISTERING.contains(&path);
            ask().await.refused(if closed { 40001 } else { 10003 });
            ask().by("x").await.refused(402);
            Ask::new(&w, method, path)
                .header("app_id", "nosuchappidx")
                .by(&ann.token)
                .unreadable()
                .await
                .refused(40000);
        }
    }
    w.post("/user/disable", &json!({})).by(&ann.token).unreadable().await.refused(10010);
}

#[tokio::test]
async fn an_admin_speaks_for_a_user_and_a_user_for_itself() {
    let w = World::new().await;
    let (ann, ben) = (w.user("ann").await, w.user("ben").await);
    let profile = || w.get("/user/profile");
    assert_eq!(profile().by(&w.app.admin).header("user_id", ben.id).await.ok()["username"], "ben");
    // With a user's own token the header means nothing.
    assert_eq!(profile().by(&ann.token).header("user_id", ben.id).await.ok()["username"], "ann");
    profile().by(&w.app.admin).await.refused(10002);
    profile().by(&w.app.admin).header("user_id", "x").await.refused(10002);
    profile().by(&w.app.admin).header("user_id", 16).await.refused(10000);
    profile().by(&w.app.admin).header("group_id", 2_306_414_607_729_i64).await.refused(20001);
    w.get("/group/info?group_id=1").by(&ann.token).await.refused(20001);
    assert_eq!(w.get("/group/user_joined").by(&ann.token).await.ok(), json!([]));
    w.post("/user/delete", &json!({})).by(&w.app.admin).header("user_id", ben.id).await.ok();
    w.log_in("ben").await.refused(402);
}

#[tokio::test]
async fn a_revoked_admin_token_is_good_for_nothing() {
    let w = World::new().await;
    let app = w.core_app().await;
    let second = apps::create_admin_token(&w.ctx, &app, "second".to_owned()).await.unwrap();
    w.get("/user/list").by(&second.token).await.ok();
    apps::revoke_admin_token(&w.ctx, &app, &second.id.to_string()).await.unwrap();
    w.get("/user/list").by(&second.token).await.refused(402);
    w.get("/user/list").by(&w.app.admin).await.ok();
}

#[tokio::test]
async fn an_adopted_app_id_and_token_work_and_the_old_id_does_not() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    let app = w.core_app().await;
    let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzUxMiJ9.e30.c2ln";
    let adopt = |id: &str, token: &str| {
        let token = Some(token.to_owned().into());
        apps::adopt_admin(&w.ctx, &app, id.to_owned(), token, "adopted".to_owned())
    };
    assert!(adopt("welovemaxim", "short").await.is_err());
    assert!(adopt(&w.other.app_id, token).await.is_err());
    adopt("welovemaxim", token).await.unwrap();
    let ask = |id: &str| Ask::new(&w, "GET", "/user/list").header("app_id", id);
    ask("welovemaxim").by(token).await.ok();
    ask("welovemaxim").by(&w.app.admin).await.ok();
    ask(&w.app.app_id).by(token).await.refused(40000);
    let profile = Ask::new(&w, "GET", "/user/profile").header("app_id", "welovemaxim");
    profile.by(&ann.token).await.ok();
}
