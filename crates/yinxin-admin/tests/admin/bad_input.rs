use axum::body::Body;
use axum::http::{Request, StatusCode};
use yinxin_http::Arrival;

use crate::harness::Api;

#[tokio::test]
async fn without_the_key_nothing_is_answered() {
    let api = Api::start().await;
    let short = &api.authorization()[..api.authorization().len() - 1];
    for path in ["/admin/v1/apps", "/admin/v1/apps/acme/chat", "/admin/v1/nothing", "/admin/v1/apps/no/such"] {
        api.send("GET", path, None, vec![]).await.refused(StatusCode::UNAUTHORIZED, "TokenMissing");
        for wrong in ["Bearer x", "Basic x", "", short] {
            api.send("GET", path, Some(wrong), vec![]).await.refused(StatusCode::UNAUTHORIZED, "TokenUnknown");
        }
    }
    api.send("DELETE", "/admin/v1/apps/acme/chat", None, vec![])
        .await
        .refused(StatusCode::UNAUTHORIZED, "TokenMissing");
    api.get("/apps/acme/chat").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_in_shape() {
    let api = Api::start().await;
    for path in ["/", "/x", "/apps/", "/apps/acme", "/apps/acme/chat/x", "/apps/acme/chat/users/a/x", "/apps/%ff/a"] {
        api.get(path).await.refused(StatusCode::NOT_FOUND, "RouteNotFound");
    }
    for path in ["/admin", "/admin/", "/admin/x", "/admin/v2/apps", "/admin/../admin/v1"] {
        api.send("GET", path, None, vec![]).await.refused(StatusCode::NOT_FOUND, "RouteNotFound");
    }
    api.call("PUT", "/apps", "").await.refused(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed");
    api.call("POST", "/server", "").await.refused(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed");
    api.call("POST", "/openapi.json", "").await.refused(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed");
}

#[tokio::test]
async fn bodies_that_do_not_fit_are_refused() {
    let api = Api::start().await;
    let deep = "[".repeat(10_000);
    for (body, code, part) in [
        ("", "BodyMalformed", "EOF"),
        ("{", "BodyMalformed", "EOF"),
        ("nonsense", "BodyMalformed", "line 1"),
        (deep.as_str(), "FieldIllegal", "invalid type"),
        (r#"{"org":"a","org":"b","app":"c"}"#, "FieldIllegal", "duplicate field `org`"),
        (r#"{"org":"a"}"#, "FieldIllegal", "missing field `app`"),
        (r#"{"org":"a","app":"b","colour":"red"}"#, "FieldIllegal", "unknown field `colour`"),
        (r#"{"org":5,"app":"b"}"#, "FieldIllegal", "expected a string"),
        ("null", "FieldIllegal", "invalid type"),
        (r#"{"org":"a","app":"b"} x"#, "BodyMalformed", "trailing"),
    ] {
        let said = api.post("/apps", body).await.refused(StatusCode::BAD_REQUEST, code);
        assert!(said.contains(part), "{body:.60}: {said}");
    }
    let broken = br#"{"org":"\xff","app":"b"}"#.map(|byte| if byte == b'\\' { 0xff } else { byte }).to_vec();
    let reply = api.send("POST", "/admin/v1/apps", Some(api.authorization()), broken).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    let large = format!(r#"{{"org":"{}","app":"b"}}"#, "x".repeat(65 * 1024));
    api.post("/apps", &large).await.refused(StatusCode::PAYLOAD_TOO_LARGE, "BodyTooLarge");
    api.post("/apps/acme/chat/users/x/kick", "[").await.refused(StatusCode::BAD_REQUEST, "BodyMalformed");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused_in_shape() {
    let api = Api::start().await;
    let arrival = Arrival { head_too_large: true, ..Arrival::in_process() };
    let request = Request::get("/admin/v1/apps").extension(arrival).body(Body::empty()).unwrap();
    api.send_whole(request).await.refused(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "HeadersTooLarge");
}
