use std::sync::{Arc, mpsc};
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use yinxin_core::presence::News;
use yinxin_core::sessions::{CloseReason, Device};
use yinxin_core::{UserId, apps, users};
use yinxin_realtime::{Ending, Line, Registration};

use crate::harness::Api;

const USERS: &str = "/apps/acme/chat/users";

/// A connection that remembers how it was told to end.
struct Ear(mpsc::Sender<Ending>);

impl Line for Ear {
    fn end(&self, ending: Ending) {
        // A test that no longer listens has heard what it wanted to.
        let _ = self.0.send(ending);
    }

    fn wake(&self, _: &str) {}

    fn announce(&self, _: &Arc<News>) {}

    fn renew(&self, _: std::net::IpAddr, _: i64) {}
}

async fn connect(api: &Api, name: &str, resource: &str) -> (Registration, mpsc::Receiver<Ending>) {
    let app = apps::find(&api.ctx, "acme", "chat").await.unwrap();
    let user: UserId = users::find(&api.ctx, &app, name).await.unwrap().user;
    let (sender, told) = mpsc::channel();
    let (device_uuid, device_name, note) = ("u".into(), "n".into(), String::new());
    let device = Device { resource: resource.into(), device_uuid, device_name, note };
    (api.registry.register((app.id, user), device, "web", Arc::new(Ear(sender))).unwrap(), told)
}

#[tokio::test]
async fn a_user_lives_from_creation_to_deletion() {
    let api = Api::start().await;
    let made = api.post(USERS, r#"{"name":"Ann","password":"p","nickname":"Änn"}"#).await.expect(StatusCode::CREATED);
    assert_eq!(made["name"], "ann");
    assert_eq!((&made["nickname"], &made["active"], &made["online"]), (&json!("Änn"), &json!(true), &json!(false)));
    api.post(USERS, r#"{"name":"ANN","password":"q"}"#).await.refused(StatusCode::CONFLICT, "UsernameTaken");
    api.post(USERS, r#"{"name":"ann"}"#).await.refused(StatusCode::CONFLICT, "UsernameTaken");

    let one = format!("{USERS}/ann");
    let by_id = format!("{USERS}/{}", made["uuid"].as_str().unwrap());
    assert_eq!(api.get(&by_id).await.expect(StatusCode::OK)["name"], "ann");
    assert_eq!(api.post(&format!("{one}/ban"), "").await.expect(StatusCode::OK)["active"], false);
    assert_eq!(api.get(&one).await.json["active"], false);
    assert_eq!(api.post(&format!("{one}/unban"), "").await.expect(StatusCode::OK)["active"], true);
    api.post(&format!("{one}/password"), r#"{"password":"new"}"#).await.expect(StatusCode::OK);
    assert_eq!(api.call("DELETE", &one, "").await.expect(StatusCode::OK)["uuid"], made["uuid"]);

    for (method, path) in
        [("GET", ""), ("DELETE", ""), ("POST", "/ban"), ("POST", "/unban"), ("POST", "/kick"), ("POST", "/password")]
    {
        let body = if path == "/password" { r#"{"password":"x"}"# } else { "" };
        let said = api.call(method, &format!("{one}{path}"), body).await.refused(StatusCode::NOT_FOUND, "UserNotFound");
        assert_eq!(said, "there is no such user: 'ann'");
    }
}

#[tokio::test]
async fn a_user_without_a_password_is_made_once() {
    let api = Api::start().await;
    let made = api.post(USERS, r#"{"name":"bot","nickname":"Bot"}"#).await.expect(StatusCode::CREATED);
    assert_eq!((&made["name"], &made["nickname"]), (&json!("bot"), &json!("Bot")));
    api.post(USERS, r#"{"name":"Bot"}"#).await.refused(StatusCode::CONFLICT, "UsernameTaken");
    api.post(USERS, r#"{"name":"b t"}"#).await.refused(StatusCode::BAD_REQUEST, "UsernameIllegal");
    api.post(USERS, r#"{"name":"x","nickname":"a\u0000"}"#).await.refused(StatusCode::BAD_REQUEST, "FieldIllegal");
}

#[tokio::test]
async fn actions_reach_the_connections() {
    let api = Api::start().await;
    api.post(USERS, r#"{"name":"ann","password":"p"}"#).await.expect(StatusCode::CREATED);
    let (_phone, phone) = connect(&api, "ann", "phone").await;
    let (_web, web) = connect(&api, "ann", "web").await;
    let shown = api.get(&format!("{USERS}/ann")).await.json;
    assert_eq!(shown["online"], true);
    assert_eq!(shown["devices"][0], json!({"resource": "web", "device_uuid": "u", "device_name": "n"}));

    api.post(&format!("{USERS}/ann/kick"), r#"{"resource":"web"}"#).await.expect(StatusCode::OK);
    assert_eq!(web.try_iter().collect::<Vec<_>>(), [Ending::Asked(CloseReason::Kicked)]);
    assert_eq!(phone.try_iter().count(), 0);
    api.post(&format!("{USERS}/ann/kick"), "").await.expect(StatusCode::OK);
    api.post(&format!("{USERS}/ann/password"), r#"{"password":"q"}"#).await.expect(StatusCode::OK);
    api.post(&format!("{USERS}/ann/ban"), "").await.expect(StatusCode::OK);
    api.call("DELETE", &format!("{USERS}/ann"), "").await.expect(StatusCode::OK);
    let reasons = [CloseReason::Kicked, CloseReason::PasswordChanged, CloseReason::Banned, CloseReason::Deleted];
    assert_eq!(phone.try_iter().collect::<Vec<_>>(), reasons.map(Ending::Asked));
}

#[tokio::test]
async fn what_a_caller_began_is_done_without_it() {
    let api = Api::start().await;
    api.abandon("POST", USERS, r#"{"name":"ann","password":"p"}"#).await;
    let made = async {
        while api.get(&format!("{USERS}/ann")).await.status != StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), made).await.unwrap();
    let (_phone, phone) = connect(&api, "ann", "phone").await;
    api.abandon("POST", &format!("{USERS}/ann/ban"), "").await;
    let told = async {
        loop {
            match phone.try_recv() {
                Ok(ending) => break ending,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    let ending = tokio::time::timeout(Duration::from_mins(1), told).await.unwrap();
    assert_eq!(ending, Ending::Asked(CloseReason::Banned));
}

#[tokio::test]
async fn lists_have_pages_and_filters() {
    let api = Api::start().await;
    for number in 0..5 {
        api.post(USERS, &format!(r#"{{"name":"u{number}"}}"#)).await.expect(StatusCode::CREATED);
    }
    api.post(&format!("{USERS}/u3/ban"), "").await.expect(StatusCode::OK);
    let mut names = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = api.get(&format!("{USERS}?limit=2{cursor}")).await.expect(StatusCode::OK);
        names.extend(page["users"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()));
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(names, ["u0", "u1", "u2", "u3", "u4"]);
    let banned = api.get(&format!("{USERS}?active=false")).await.expect(StatusCode::OK);
    assert_eq!((&banned["users"][0]["name"], &banned["cursor"]), (&json!("u3"), &json!(null)));
    for query in ["limit=0", "limit=101", "limit=x", "cursor=x", "active=maybe", "page=2", "limit=1&limit=2"] {
        api.get(&format!("{USERS}?{query}")).await.refused(StatusCode::BAD_REQUEST, "FieldIllegal");
    }
    let foreign = "cursor=2c624232-e5e8-41f1-a781-237cbe5a25a7";
    api.get(&format!("{USERS}?{foreign}")).await.refused(StatusCode::BAD_REQUEST, "FieldIllegal");
}

#[tokio::test]
async fn passwords_are_held_to_their_rule() {
    let api = Api::start().await;
    let long = format!(r#"{{"name":"ann","password":"{}"}}"#, "x".repeat(65));
    api.post(USERS, &long).await.refused(StatusCode::BAD_REQUEST, "PasswordTooLong");
    api.post(USERS, r#"{"name":"ann","password":""}"#).await.refused(StatusCode::BAD_REQUEST, "PasswordMissing");
    api.get(&format!("{USERS}/ann")).await.refused(StatusCode::NOT_FOUND, "UserNotFound");
}
