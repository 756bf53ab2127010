//! One call: what is sent, what is taken of the answer, what is refused.

use std::sync::Arc;

use yinxin_core::hooks::{Courier, Letter, Reply, Undelivered};
use yinxin_hooks::{Client, ClientOptions};

use crate::receiver::{Receiver, answer};

fn client() -> Client {
    Client::new(&ClientOptions { private_addresses: true, ..ClientOptions::default() }).unwrap()
}

fn letter(url: String) -> Letter {
    Letter {
        url,
        id: "evt_1".to_owned(),
        timestamp_s: 1_700_000_000,
        signature: "v1,abc v1,def".to_owned(),
        body: Arc::from(r#"{"type":"hook.test"}"#),
        timeout_ms: 20_000,
        answer_bytes_max: 0,
    }
}

async fn refused(client: &Client, letter: Letter) -> String {
    let Undelivered(why) = client.post(letter).await.expect_err("no answer");
    why
}

#[tokio::test]
async fn a_call_is_a_signed_post() {
    let mut receiver = Receiver::start(answer("204 No Content", "")).await;
    let reply = client().post(letter(receiver.url("/hook?a=b"))).await.unwrap();
    assert_eq!((reply.status, reply.body.len(), reply.retry_after_s), (204, 0, None));
    let heard = receiver.heard.recv().await.unwrap();
    assert_eq!(heard.head[0], "POST /hook?a=b HTTP/1.1");
    for (name, value) in [
        ("webhook-id", "evt_1"),
        ("webhook-timestamp", "1700000000"),
        ("webhook-signature", "v1,abc v1,def"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(heard.header(name), Some(value));
    }
    assert!(heard.header("user-agent").unwrap().starts_with("yinxin/"));
    assert_eq!(heard.body, r#"{"type":"hook.test"}"#);
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let receiver = Receiver::start(answer("200 OK", "thank you, but nobody reads this")).await;
    let client = client();
    for _ in 0..5 {
        client.post(letter(receiver.url("/"))).await.unwrap();
    }
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn a_kept_connection_that_ends_is_no_answer_yet() {
    // What a server does whose patience with idle connections ends while the call is on its way.
    let mut receiver = Receiver::start_closing(answer("200 OK", r#"{"allow":true}"#), 1).await;
    let (client, wanting) = (client(), || Letter { answer_bytes_max: 100, ..letter(receiver.url("/")) });
    assert_eq!(client.post(wanting()).await.unwrap().status, 200);
    let reply = client.post(Letter { id: "evt_2".to_owned(), ..wanting() }).await.unwrap();
    assert_eq!((reply.status, &*reply.body), (200, &br#"{"allow":true}"#[..]));
    assert_eq!(receiver.connections(), 2);
    let ids: Vec<_> = std::iter::from_fn(|| receiver.heard.try_recv().ok()).collect();
    assert!(ids.iter().map(|heard| heard.header("webhook-id").unwrap()).eq(["evt_1", "evt_2", "evt_2"]));
}

#[tokio::test]
async fn who_never_answers_is_called_twice_and_no_more() {
    let receiver = Receiver::start_closing(Vec::new(), 0).await;
    let why = refused(&client(), letter(receiver.url("/secret-path"))).await;
    assert!(!why.is_empty() && !why.contains("secret") && why != "timed out", "{why}");
    assert_eq!(receiver.connections(), 2);
}

#[tokio::test]
async fn the_second_connection_has_what_is_left_of_the_time() {
    // Its first connection ends; the second stays, and silent.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (told, mut second) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        drop(listener.accept().await.unwrap());
        told.send(listener.accept().await.unwrap()).unwrap();
    });
    assert_eq!(refused(&client(), Letter { timeout_ms: 300, ..letter(url) }).await, "timed out");
    second.try_recv().expect("it was called a second time");
}

#[tokio::test]
async fn a_redirect_is_an_answer_like_any_other() {
    let mut elsewhere = Receiver::start(answer("200 OK", "")).await;
    let moved =
        format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", elsewhere.url("/"));
    let receiver = Receiver::start(moved.into_bytes()).await;
    assert_eq!(client().post(letter(receiver.url("/"))).await.unwrap().status, 307);
    assert!(elsewhere.heard.try_recv().is_err());
}

#[tokio::test]
async fn as_much_of_an_answer_is_read_as_is_wanted() {
    let receiver = Receiver::start(answer("200 OK", r#"{"allow":true}"#)).await;
    let wanting = |answer_bytes_max| Letter { answer_bytes_max, ..letter(receiver.url("/")) };
    let reply: Reply = client().post(wanting(14)).await.unwrap();
    assert_eq!(reply.body, br#"{"allow":true}"#);
    assert_eq!(refused(&client(), wanting(13)).await, "the answer is longer than 13 bytes");
}

#[tokio::test]
async fn an_answer_without_end_is_left_alone() {
    let mut endless = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..100 {
        endless.extend_from_slice(b"4000\r\n");
        endless.resize(endless.len() + 0x4000, b'x');
        endless.extend_from_slice(b"\r\n");
    }
    let receiver = Receiver::start(endless).await;
    assert_eq!(client().post(letter(receiver.url("/"))).await.unwrap().status, 200);
}

#[tokio::test]
async fn silence_ends_in_time() {
    let receiver = Receiver::start(Vec::new()).await;
    let impatient = Letter { timeout_ms: 50, ..letter(receiver.url("/")) };
    assert_eq!(refused(&client(), impatient).await, "timed out");
    // So does an answer whose body never comes, when it is wanted.
    let half = Receiver::start(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n".to_vec()).await;
    let impatient = Letter { timeout_ms: 50, answer_bytes_max: 100, ..letter(half.url("/")) };
    assert_eq!(refused(&client(), impatient).await, "timed out");
}

#[tokio::test]
async fn what_is_no_http_is_said_so() {
    let receiver = Receiver::start(b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()).await;
    let why = refused(&client(), letter(receiver.url("/secret-path"))).await;
    assert!(!why.is_empty() && !why.contains("secret"), "{why}");
}

#[tokio::test]
async fn an_error_does_not_name_the_path() {
    let nobody = {
        let receiver = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        receiver.local_addr().unwrap()
    };
    let why = refused(&client(), letter(format!("http://{nobody}/secret?token=secret"))).await;
    assert!(why.starts_with("no connection: ") && !why.contains("secret"), "{why}");
}

#[tokio::test]
async fn retry_after_is_read_when_it_is_a_number() {
    for (value, expected) in [("7", Some(7)), ("Sat, 21 Nov 2026 22:12:00 GMT", None), ("x", None)] {
        let busy = format!("HTTP/1.1 429 Too Many Requests\r\nretry-after: {value}\r\ncontent-length: 0\r\n\r\n");
        let receiver = Receiver::start(busy.into_bytes()).await;
        let reply = client().post(letter(receiver.url("/"))).await.unwrap();
        assert_eq!((reply.status, reply.retry_after_s), (429, expected));
    }
}

#[tokio::test]
async fn a_certificate_must_be_of_a_known_authority_and_of_that_host() {
    let receiver = Receiver::start_tls(answer("200 OK", "")).await;
    let url = |host: &str| format!("https://{host}:{}/", receiver.addr.port());
    let trusting = |pem: &[u8]| Client::new(&ClientOptions { private_addresses: true, authorities_pem: pem.to_vec() });
    let known = trusting(include_bytes!("tls/authority.pem")).unwrap();
    assert_eq!(known.post(letter(url("localhost"))).await.unwrap().status, 200);
    let why = refused(&known, letter(url("127.0.0.1"))).await;
    assert!(why.contains("certificate"), "{why}");
    let why = refused(&client(), letter(url("localhost"))).await;
    assert!(why.contains("UnknownIssuer"), "{why}");
    for nonsense in [&b"nonsense"[..], b"-----BEGIN CERTIFICATE-----\nAAAA"] {
        assert!(trusting(nonsense).is_err());
    }
}

#[tokio::test]
async fn private_addresses_are_for_those_who_allow_them() {
    let mut receiver = Receiver::start(answer("200 OK", "")).await;
    let strict = Client::new(&ClientOptions::default()).unwrap();
    let port = receiver.addr.port();
    for literal in ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433", "10.0.0.1", "169.254.169.254"] {
        let url = format!("http://{literal}:{port}/");
        assert!(strict.check(&url).is_err(), "{url}");
        assert!(refused(&strict, letter(url)).await.contains("private"));
    }
    let name = format!("http://localhost:{port}/");
    strict.check(&name).expect("where a name leads is seen when it is called");
    let why = refused(&strict, letter(name.clone())).await;
    assert!(why.contains("no address that may be called"), "{why}");
    assert!(receiver.heard.try_recv().is_err());
    assert_eq!(client().post(letter(name)).await.unwrap().status, 200);
}

#[test]
fn only_addresses_that_can_be_called_are_taken() {
    for good in ["http://backend:8080/hooks?a=b", "https://example.com", "HTTPS://EXAMPLE.com/", "http://[fd00::1]/"] {
        client().check(good).expect(good);
    }
    for bad in [
        "",
        "backend",
        "/hooks",
        "ftp://x/",
        "file:///etc/passwd",
        "http://",
        "http://a b/",
        "http://u:p@x/",
        "http://u@x/",
        "http://x/#f",
    ] {
        client().check(bad).expect_err(bad);
    }
}
