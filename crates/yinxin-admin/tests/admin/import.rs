use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use axum::http::StatusCode;
use serde_json::json;
use yinxin_core::tokens::{Login, log_in};
use yinxin_core::users::LoginName;
use yinxin_core::{Code, apps};

use crate::harness::Api;

const IMPORT: &str = "/apps/acme/chat/users/import";

#[tokio::test]
async fn imported_users_log_in_with_their_old_passwords() {
    let api = Api::start().await;
    let hash = api.ctx.passwords.hash("old secret".to_owned().into(), None).await.unwrap();
    let lines = format!(
        "{{\"username\":\"Ann\",\"password_hash\":\"{hash}\",\"nickname\":\"A\"}}\r\n\n{{\"username\":\"bob\"}}"
    );
    assert_eq!(api.post(IMPORT, &lines).await.expect(StatusCode::OK), json!({"imported": 2, "existing": 0}));
    assert_eq!(api.post(IMPORT, &lines).await.expect(StatusCode::OK), json!({"imported": 0, "existing": 2}));

    let app = apps::find(&api.ctx, "acme", "chat").await.unwrap();
    let login = |name, password: &str| Login {
        name: Some(LoginName::Name(name)),
        password: Some(password.to_owned().into()),
        ttl_s: None,
        tells_unknown: false,
        from: IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    assert_eq!(log_in(&api.ctx, &app, login("ann", "old secret")).await.unwrap().1.username, "ann");
    assert_eq!(log_in(&api.ctx, &app, login("ann", "other")).await.unwrap_err().code, Code::WrongPassword);
    assert_eq!(log_in(&api.ctx, &app, login("bob", "")).await.unwrap_err().code, Code::PasswordMissing);
}

#[tokio::test]
async fn a_large_import_goes_through_in_chunks() {
    let api = Api::start().await;
    let mut lines = String::new();
    for number in 0..2_500 {
        writeln!(lines, "{{\"username\":\"u{}\"}}", number % 2_400).unwrap();
    }
    assert_eq!(api.post(IMPORT, &lines).await.expect(StatusCode::OK), json!({"imported": 2_400, "existing": 100}));
    assert_eq!(api.get("/apps/acme/chat/users/u2399").await.status, StatusCode::OK);
}

#[tokio::test]
async fn one_illegal_line_imports_nobody_and_is_named() {
    let api = Api::start().await;
    for (line, code, part) in [
        (r#"{"username":"b c"}"#, "UsernameIllegal", "'b c'"),
        (r#"{"username":"b","password_hash":"secret"}"#, "FieldIllegal", "password_hash"),
        (r#"{"username":"b","password":"secret"}"#, "FieldIllegal", "unknown field `password`"),
        (r#"{"name":"b"}"#, "FieldIllegal", "unknown field `name`"),
        ("{", "BodyMalformed", "EOF"),
        ("[]", "FieldIllegal", "invalid length"),
    ] {
        let reply = api.post(IMPORT, &format!("{{\"username\":\"ann\"}}\n{line}\n")).await;
        let said = reply.refused(StatusCode::BAD_REQUEST, code);
        assert!(said.starts_with("line 2: ") && said.contains(part) && !said.contains("secret\""), "{said}");
    }
    api.get("/apps/acme/chat/users/ann").await.refused(StatusCode::NOT_FOUND, "UserNotFound");
}

#[tokio::test]
async fn imports_are_bounded() {
    let api = Api::start().await;
    let lines = "{\"username\":\"a\"}\n".repeat(10_001);
    api.post(IMPORT, &lines).await.refused(StatusCode::BAD_REQUEST, "BatchTooLarge");
    let blank = "\n".repeat(8 * 1024 * 1024 + 1);
    api.post(IMPORT, &blank).await.refused(StatusCode::PAYLOAD_TOO_LARGE, "BodyTooLarge");
    assert_eq!(api.post(IMPORT, "\n\n").await.expect(StatusCode::OK), json!({"imported": 0, "existing": 0}));
}

#[tokio::test]
async fn an_import_keeps_the_numbers_that_users_had() {
    let api = Api::start().await;
    let line = |name: &str, number: i64| json!({"username": name, "user_id": number}).to_string();
    let done = api.post(IMPORT, &line("ann", 2_302_128_618_880)).await.expect(StatusCode::OK);
    assert_eq!(done["imported"], 1);
    let app = apps::find(&api.ctx, "acme", "chat").await.unwrap();
    let ann = yinxin_core::users::by_number(&api.ctx, app.id, 2_302_128_618_880).await.unwrap().unwrap();
    assert_eq!((ann.username.as_str(), ann.numeric_id), ("ann", Some(2_302_128_618_880)));
    let said = api.post(IMPORT, &line("ben", 2_302_128_618_880)).await;
    said.refused(StatusCode::CONFLICT, "LoginNameTaken");
    for illegal in [0, -1, 1 << 53] {
        api.post(IMPORT, &line("ben", illegal)).await.refused(StatusCode::BAD_REQUEST, "FieldIllegal");
    }
    assert!(api.get("/apps/acme/chat/users/ben").await.status == StatusCode::NOT_FOUND);
}
