use axum::http::StatusCode;
use serde_json::json;

use crate::harness::Api;

const HOOKS: &str = "/apps/acme/chat/hooks";

#[tokio::test]
async fn a_hook_lives_from_creation_to_deletion() {
    let api = Api::start().await;
    let made = api.post(HOOKS, r#"{"url":"http://h/","events":["message.sent"]}"#).await.expect(StatusCode::CREATED);
    let path = format!("{HOOKS}/{}", made["id"].as_str().unwrap());
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"), "{made}");
    let told =
        json!([made["kind"], made["events"], made["timeout_ms"], made["enabled"], made["waiting"], made["failed"]]);
    assert_eq!(told, json!(["events", ["message.sent"], 15_000, true, 0, 0]));

    let shown = api.get(&path).await.expect(StatusCode::OK);
    assert_eq!((shown.get("secret"), &shown["id"]), (None, &made["id"]));
    assert_eq!(api.get(&format!("{path}?secrets=true")).await.expect(StatusCode::OK), made);
    let listed = api.get(HOOKS).await.expect(StatusCode::OK);
    assert_eq!(listed, json!({ "hooks": [shown] }));

    let change =
        r#"{"url":"https://other/","timeout_ms":5000,"enabled":false,"events":["session.ended","message.read"]}"#;
    let changed = api.call("PATCH", &path, change).await.expect(StatusCode::OK);
    let told = json!([changed["url"], changed["timeout_ms"], changed["enabled"], changed["events"]]);
    assert_eq!(told, json!(["https://other/", 5000, false, ["session.ended", "message.read"]]));

    let rotated = api.post(&format!("{path}/rotate-secret"), "").await.expect(StatusCode::OK);
    assert_ne!(rotated["secret"].as_str().unwrap(), secret);

    let tried = api.post(&format!("{path}/test"), "").await.expect(StatusCode::OK);
    assert_eq!(json!([tried["status"], tried["error"], tried["allow"]]), json!([200, null, null]));
    let log = api.get(&format!("{path}/log?limit=1")).await.expect(StatusCode::OK);
    let attempt = &log["attempts"][0];
    assert_eq!(json!([attempt["event"], attempt["id"], attempt["status"]]), json!(["hook.test", null, 200]));
    let again = api.post(&format!("{path}/redeliver"), "").await.expect(StatusCode::OK);
    assert_eq!(again, json!({ "events": 0 }));

    let deleted = api.call("DELETE", &path, "").await.expect(StatusCode::OK);
    assert_eq!(deleted["id"], made["id"]);
    for (method, path) in [
        ("GET", path.clone()),
        ("PATCH", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/test")),
        ("POST", format!("{path}/redeliver")),
        ("POST", format!("{path}/rotate-secret")),
        ("GET", format!("{path}/log")),
        ("GET", format!("{HOOKS}/nonsense")),
    ] {
        let body = if method == "PATCH" { "{}" } else { "" };
        api.call(method, &path, body).await.refused(StatusCode::NOT_FOUND, "HookNotFound");
    }
}

#[tokio::test]
async fn a_hook_that_may_veto_shows_its_verdict() {
    let api = Api::start().await;
    let new = r#"{"url":"http://h/","kind":"pre_send","on_failure":"closed"}"#;
    let made = api.post(HOOKS, new).await.expect(StatusCode::CREATED);
    assert_eq!(json!([made["on_failure"], made["timeout_ms"], made["events"]]), json!(["closed", 200, []]));
    let tried = api.post(&format!("{HOOKS}/{}/test", made["id"].as_str().unwrap()), "").await.expect(StatusCode::OK);
    assert_eq!(json!([tried["allow"], tried["reason"]]), json!([false, "not today"]));
    let said = api.post(HOOKS, new).await.refused(StatusCode::CONFLICT, "HooksFull");
    assert!(said.contains("limit 1"), "{said}");
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let api = Api::start().await;
    let made = api.post(HOOKS, r#"{"url":"http://h/"}"#).await.expect(StatusCode::CREATED);
    let path = format!("{HOOKS}/{}", made["id"].as_str().unwrap());
    for (body, part) in [
        ("{}", "missing field `url`"),
        (r#"{"url":"nowhere"}"#, "url: no scheme"),
        (r#"{"url":"http://h","kind":"both"}"#, "'both'"),
        (r#"{"url":"http://h","on_failure":"ajar","kind":"pre_send"}"#, "'ajar'"),
        (r#"{"url":"http://h","on_failure":"open"}"#, "on_failure"),
        (r#"{"url":"http://h","events":["message.sent","x"]}"#, "'x'"),
        (r#"{"url":"http://h","events":[]}"#, "there are message.sent"),
        (r#"{"url":"http://h","timeout_ms":0}"#, "from 1000 to 30000"),
        (r#"{"url":"http://h","secret":"s"}"#, "unknown field `secret`"),
    ] {
        let said = api.post(HOOKS, body).await.refused(StatusCode::BAD_REQUEST, "FieldIllegal");
        assert!(said.contains(part), "{body}: {said}");
    }
    api.call("PATCH", &path, r#"{"kind":"pre_send"}"#).await.refused(StatusCode::BAD_REQUEST, "FieldIllegal");
    api.get(&format!("{path}/log?limit=101")).await.refused(StatusCode::BAD_REQUEST, "FieldIllegal");
    api.get(&format!("{path}/log?cursor=x")).await.refused(StatusCode::BAD_REQUEST, "FieldIllegal");
    let which = r#"{"event":"evt_5"}"#;
    api.post(&format!("{path}/redeliver"), which).await.refused(StatusCode::NOT_FOUND, "HookEventNotFound");
    assert_eq!(api.get(HOOKS).await.expect(StatusCode::OK)["hooks"].as_array().unwrap().len(), 1);
}
