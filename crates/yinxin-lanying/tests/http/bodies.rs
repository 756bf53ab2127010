//! Bodies that are too large, shorter or longer than was said, or packed: answered in the dialect's shape, and changing
//! nothing.

use std::net::SocketAddr;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use yinxin_testkit::ground::Listener;

use crate::asking::{Answer as _, Ask, Bearer as _};
use crate::world::World;

/// More than any call takes.
const TOO_MANY: usize = 1 << 20;

#[tokio::test]
async fn a_megabyte_is_too_much() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    let body = json!({ "username": "ben", "password": "x", "nobody-knows": "x".repeat(TOO_MANY) }).to_string();
    let before = w.dump().await;
    for (methods, path) in yinxin_lanying::calls().filter(|(_, path)| *path != "/file/upload/content") {
        for method in methods {
            for (token, user) in [(&ann.token, 0), (&w.app.admin, ann.id)] {
                let ask = Ask::new(&w, method, path).header("app_id", &w.app.app_id).by(token).header("user_id", user);
                let answer = ask.raw(body.clone()).await;
                let code = answer.json()["code"].as_i64();
                // Whoever has not the right hears of that first.
                let is_forbidden = (answer.status, code) == (200, Some(10010)) && *token == ann.token;
                assert!(
                    is_forbidden || (answer.status, code) == (413, Some(413)),
                    "{method} {path}: {}",
                    answer.text()
                );
            }
        }
    }
    assert_eq!(w.dump().await, before);
}

/// What a server says to these bytes, after which nothing comes.
async fn said_to(address: SocketAddr, bytes: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    said
}

#[tokio::test]
async fn a_body_of_another_length_than_was_said_is_refused() {
    let w = World::new().await;
    let before = w.dump().await;
    let server = Listener::start(w.router.clone()).await;
    let body = json!({ "username": "ben", "password": "x" }).to_string();
    let app = &w.app.app_id;
    for path in ["/user/register/v2", "/user/register", "/user/register/anonymous", "/token/user", "/token/login"] {
        let head = |length: usize| {
            format!("POST {path} HTTP/1.1\r\nhost: x\r\napp_id: {app}\r\ncontent-length: {length}\r\n\r\n")
        };
        let cut = said_to(server.address, &(head(body.len() - 5) + &body + "\r\n\r\n")).await;
        // The rest of it is no request.
        let (first, second) = cut.split_at(cut.rfind("HTTP/1.1").unwrap());
        assert!(first.starts_with("HTTP/1.1 200 ") && first.contains(r#""code":10002"#), "{cut}");
        assert!(second.starts_with("HTTP/1.1 400 "), "{cut}");
        let missing = said_to(server.address, &(head(body.len() + 5) + &body)).await;
        assert!(missing.starts_with("HTTP/1.1 400 ") && missing.contains(r#""code":400"#), "{missing:?}");
    }
    assert_eq!(w.dump().await, before);
}

#[tokio::test]
async fn a_packed_body_is_no_json() {
    // {"username":"ben","password":"x"}
    const PACKED: &[u8] =
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabV*-N-\xcaK\xccMU\xb2RJJ\xcdS\xd2Q*H,..\xcf/J\x01\nT(\
        \xd5\x02\x00\xf0w\x9d\x1e!\x00\x00\x00";
    let w = World::new().await;
    let before = w.dump().await;
    for path in ["/user/register/v2", "/user/register/anonymous", "/user/register/push", "/token/user", "/token/login"]
    {
        let ask = w.tell(path).header("content-type", "application/json").header("content-encoding", "gzip");
        let said = ask.raw(PACKED).await.refused(10002);
        assert!(said.contains("not valid JSON"), "{path}: {said}");
    }
    assert_eq!(w.dump().await, before);
}
