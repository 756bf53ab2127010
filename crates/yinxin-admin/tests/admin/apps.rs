use axum::http::StatusCode;
use serde_json::json;

use crate::harness::Api;

#[tokio::test]
async fn an_app_lives_from_creation_to_deletion() {
    let api = Api::start().await;
    let settings =
        r#"{"org":"o","app":"a","settings":{"open_registration":true,"profile":"current","user_token_ttl":0}}"#;
    let mut made = api.post("/apps", settings).await.expect(StatusCode::CREATED);
    let admin_token = made["lanying"].as_object_mut().unwrap().remove("admin_token").unwrap();
    assert_eq!(admin_token.as_str().unwrap().len(), 64);
    assert_eq!(made["lanying"]["app_id"].as_str().unwrap().len(), 12);
    let secret = made["easemob"]["client_secret"].as_str().unwrap().to_owned();
    assert_eq!((&made["org"], &made["app"], &made["app_key"]), (&json!("o"), &json!("a"), &json!("o#a")));
    let settings = json!({"open_registration": true, "profile": "current", "user_token_ttl": 0,
        "app_token_ttl": 5_184_000, "contacts_max": 3000, "contacts_only_messaging": false, "safe_mode": true,
        "local_room_tokens": true, "token_error_code": 402, "unknown_login_code": 402, "expire_unit": "ms",
        "token_user_mobile": true});
    assert_eq!(made["settings"], settings);

    let shown = api.get("/apps/o/a").await.expect(StatusCode::OK);
    assert_eq!(shown["easemob"], json!({"client_id": made["easemob"]["client_id"]}));
    assert_eq!(shown["netease"], json!({"app_key": made["netease"]["app_key"]}));
    let shown = api.get("/apps/o/a?secrets=true").await.expect(StatusCode::OK);
    assert_eq!(shown, made);
    let listed = api.get("/apps").await.expect(StatusCode::OK);
    assert_eq!(listed["apps"].as_array().unwrap().len(), 2);
    assert!(!listed.to_string().contains(&secret));

    let patch = r#"{"settings":{"profile":"seed","contacts_max":5,"contacts_only_messaging":true}}"#;
    let changed = api.call("PATCH", "/apps/o/a", patch).await.expect(StatusCode::OK);
    assert_eq!((&changed["settings"]["profile"], &changed["settings"]["contacts_max"]), (&json!("seed"), &json!(5)));
    assert_eq!(changed["settings"]["contacts_only_messaging"], true);
    assert_eq!(changed["settings"]["open_registration"], true);

    let rotated = api.post("/apps/o/a/rotate-secret", "").await.expect(StatusCode::OK);
    assert_eq!(rotated["easemob"]["client_id"], made["easemob"]["client_id"]);
    assert_ne!(rotated["easemob"]["client_secret"].as_str().unwrap(), secret);
    assert_eq!(rotated["netease"], made["netease"]);
    let again = api.post("/apps/o/a/rotate-secret?dialect=netease", "").await.expect(StatusCode::OK);
    assert_eq!(again["easemob"], rotated["easemob"]);
    assert_eq!(again["netease"]["app_key"], made["netease"]["app_key"]);
    assert_ne!(again["netease"]["app_secret"], made["netease"]["app_secret"]);
    assert_ne!(again["netease"]["perm_secret"], made["netease"]["perm_secret"]);
    assert_ne!(again["netease"]["admission_key"], made["netease"]["admission_key"]);
    api.post("/apps/o/a/rotate-secret?dialect=other", "").await.refused(StatusCode::BAD_REQUEST, "FieldIllegal");

    let deleted = api.call("DELETE", "/apps/o/a", "").await.expect(StatusCode::OK);
    assert_eq!(deleted["app_key"], "o#a");
    for (method, path) in [("GET", "/apps/o/a"), ("DELETE", "/apps/o/a"), ("POST", "/apps/o/a/rotate-secret")] {
        let said = api.call(method, path, "").await.refused(StatusCode::NOT_FOUND, "AppNotFound");
        assert_eq!(said, "there is no such app: 'o/a'");
    }
}

#[tokio::test]
async fn names_are_unique_and_of_their_form() {
    let api = Api::start().await;
    api.post("/apps", r#"{"org":"acme","app":"chat"}"#).await.refused(StatusCode::CONFLICT, "AppExists");
    for (org, app) in [("", "a"), ("a", ""), ("a b", "c"), ("a", "b/c"), ("a#b", "c"), ("admin", "v1"), ("a", "小")] {
        let body = json!({"org": org, "app": app}).to_string();
        api.post("/apps", &body).await.refused(StatusCode::BAD_REQUEST, "AppNameIllegal");
    }
}

#[tokio::test]
async fn settings_out_of_bounds_change_nothing() {
    let api = Api::start().await;
    let before = api.get("/apps/acme/chat").await.json;
    for (settings, code) in [
        (r#"{"user_token_ttl":-1}"#, "TtlIllegal"),
        (r#"{"app_token_ttl":4294967296}"#, "TtlIllegal"),
        (r#"{"contacts_max":-1}"#, "FieldIllegal"),
        (r#"{"profile":"none","contacts_max":9}"#, "FieldIllegal"),
        (r#"{"contacts_max":"many"}"#, "FieldIllegal"),
        (r#"{"colour":"red"}"#, "FieldIllegal"),
    ] {
        let body = format!(r#"{{"settings":{settings}}}"#);
        api.call("PATCH", "/apps/acme/chat", &body).await.refused(StatusCode::BAD_REQUEST, code);
    }
    assert_eq!(api.get("/apps/acme/chat").await.json, before);
}

#[tokio::test]
async fn the_server_tells_its_state() {
    let api = Api::start().await;
    let state = api.get("/server").await.expect(StatusCode::OK);
    assert_eq!(state["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(state["uptime_seconds"], 0);
    assert_eq!(state["apps_clearing"], 0);
    assert!(state["writer"]["commits"].as_u64().unwrap() >= 1);
}

#[tokio::test]
async fn an_app_may_bring_its_keys_along() {
    let api = Api::start().await;
    let adopt = |body: String| {
        let api = &api;
        async move { api.call("PUT", "/apps/acme/chat/netease-keys", &body).await }
    };
    let before = api.get("/apps/acme/chat?secrets=true").await.json["netease"].clone();
    let given = json!({"app_key": "94kid09c9ig9k1loimjg012345123456", "app_secret": "123456789012"});
    let adopted = adopt(given.to_string()).await.expect(StatusCode::OK);
    assert_eq!(adopted["netease"]["app_key"], given["app_key"]);
    assert_eq!(adopted["netease"]["app_secret"], given["app_secret"]);
    assert_eq!(adopted["netease"]["perm_secret"], before["perm_secret"]);
    let given = json!({"app_key": "k", "app_secret": "s", "perm_secret": "p"});
    let adopted = adopt(given.to_string()).await.expect(StatusCode::OK)["netease"].clone();
    assert_eq!(["app_key", "app_secret", "perm_secret"].map(|field| &adopted[field]), ["k", "s", "p"]);
    assert_eq!(adopt(given.to_string()).await.expect(StatusCode::OK)["netease"], adopted, "one's own key is free");
    api.post("/apps", r#"{"org":"acme","app":"other"}"#).await.expect(StatusCode::CREATED);
    let taken = api.call("PUT", "/apps/acme/other/netease-keys", &given.to_string()).await;
    taken.refused(StatusCode::CONFLICT, "SigningKeyTaken");
    let long = "x".repeat(129);
    for (field, bad) in
        [("app_key", ""), ("app_key", "a b"), ("app_key", &long[..65]), ("app_secret", "小"), ("perm_secret", &long)]
    {
        let mut body = given.clone();
        body[field] = bad.into();
        let said = adopt(body.to_string()).await.refused(StatusCode::BAD_REQUEST, "FieldIllegal");
        assert!(said.contains(field), "{said}");
    }
    assert_eq!(api.get("/apps/acme/chat?secrets=true").await.json["netease"], adopted);
}

#[tokio::test]
async fn admin_tokens_are_shown_once_listed_and_revoked() {
    let api = Api::start().await;
    let tokens = "/apps/acme/chat/admin-tokens";
    let made = api.post(tokens, r#"{"label":"ci"}"#).await.expect(StatusCode::CREATED);
    let token = made["admin_token"].as_str().unwrap().to_owned();
    let listed = api.get(tokens).await.expect(StatusCode::OK);
    assert!(!listed.to_string().contains(&token));
    let one = listed["admin_tokens"].as_array().unwrap().iter().find(|one| one["id"] == made["id"]).unwrap();
    assert_eq!(one["label"], "ci");
    let path = format!("{tokens}/{}", made["id"].as_str().unwrap());
    api.call("DELETE", &path, "").await.expect(StatusCode::OK);
    api.call("DELETE", &path, "").await.refused(StatusCode::NOT_FOUND, "AdminTokenNotFound");
    api.call("DELETE", &format!("{tokens}/x"), "").await.refused(StatusCode::NOT_FOUND, "AdminTokenNotFound");
    let long = json!({"label": "x".repeat(65)}).to_string();
    api.post(tokens, &long).await.refused(StatusCode::BAD_REQUEST, "FieldIllegal");
    let kept = listed["admin_tokens"].as_array().unwrap().len() - 1;
    for _ in kept..20 {
        api.post(tokens, "").await.expect(StatusCode::CREATED);
    }
    api.post(tokens, "").await.refused(StatusCode::CONFLICT, "AdminTokensFull");
}

#[tokio::test]
async fn an_app_adopts_its_app_id_and_admin_token() {
    let api = Api::start().await;
    let keys = "/apps/acme/chat/lanying-keys";
    let token = "t".repeat(32);
    let body = json!({"app_id": "welovemaxim", "admin_token": token}).to_string();
    let app = api.call("PUT", keys, &body).await.expect(StatusCode::OK);
    assert_eq!(app["lanying"], json!({"app_id": "welovemaxim"}));
    api.call("PUT", keys, &body).await.expect(StatusCode::OK);
    let listed = api.get("/apps/acme/chat/admin-tokens").await.expect(StatusCode::OK);
    let adopted = listed["admin_tokens"].as_array().unwrap().iter().filter(|one| one["label"] == "adopted").count();
    assert_eq!(adopted, 1);
    api.post("/apps", r#"{"org":"o","app":"b"}"#).await.expect(StatusCode::CREATED);
    let refused = api.call("PUT", "/apps/o/b/lanying-keys", r#"{"app_id":"welovemaxim"}"#).await;
    refused.refused(StatusCode::CONFLICT, "ShortIdTaken");
    for bad in [json!({"app_id": ""}), json!({"app_id": "a b"}), json!({"app_id": "a", "admin_token": "short"})] {
        api.call("PUT", keys, &bad.to_string()).await.refused(StatusCode::BAD_REQUEST, "FieldIllegal");
    }
}
