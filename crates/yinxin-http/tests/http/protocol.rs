//! HTTP/1.1 itself.

use yinxin_http::ServeOptions;

use crate::harness::Server;

#[tokio::test]
async fn a_connection_is_kept_for_many_requests() {
    let server = Server::start(ServeOptions::default()).await;
    let mut client = server.client().await;
    for _ in 0..100 {
        let reply = client.get("/").await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "hello"));
    }
    client.send("GET / HTTP/1.0\r\n\r\n").await;
    assert!(client.until_closed().await.ends_with("hello"));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = Server::start(ServeOptions::default()).await;
    let mut client = server.client().await;
    let post = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n";
    client.send(format!("{post}one{post}two")).await;
    client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(client.reply().await.body, "one");
    assert_eq!(client.reply().await.body, "two");
    assert_eq!(client.reply().await.body, "hello");
    assert_eq!(client.reply().await.status, 404);
}

#[tokio::test]
async fn head_has_the_length_and_no_body() {
    let server = Server::start(ServeOptions::default()).await;
    let mut client = server.client().await;
    client.send("HEAD / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let reply = client.reply_to("HEAD").await;
    assert_eq!((reply.status, reply.header("content-length")), (200, Some("5")));
    assert_eq!(client.get("/").await.body, "hello");
}

#[tokio::test]
async fn a_json_answer_says_what_and_how_long_it_is() {
    let server = Server::start(ServeOptions::default()).await;
    let reply = server.client().await.get("/json").await;
    assert_eq!((reply.status, reply.body.as_str()), (201, "{}"));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("content-length"), Some("2"));
}

#[tokio::test]
async fn who_expects_100_continue_gets_it_only_if_the_body_is_wanted() {
    let server = Server::start(ServeOptions { body_bytes_max: 100, ..ServeOptions::default() }).await;
    let mut client = server.client().await;
    client.send("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n").await;
    assert_eq!(client.reply().await.status, 100);
    client.send("hello").await;
    assert_eq!(client.reply().await.body, "hello");
    client.send("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 101\r\nexpect: 100-continue\r\n\r\n").await;
    assert_eq!(client.reply().await.status, 413);
    assert_eq!(client.until_closed().await, "");
}

#[tokio::test]
async fn what_is_not_http_is_answered_400_without_text() {
    let server = Server::start(ServeOptions::default()).await;
    for nonsense in [
        "\u{16}\u{3}\u{1}\u{2}\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nname : x\r\n\r\n",
        "POST /echo HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "POST /echo HTTP/1.1\r\ncontent-length: x\r\n\r\n",
        "GET /\u{7f} HTTP/1.1\r\n\r\n",
    ] {
        let mut client = server.client().await;
        client.send(nonsense).await;
        let text = client.until_closed().await;
        assert!(text.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{nonsense:?}: {text:?}");
        assert!(text.ends_with("\r\n\r\n") && text.matches("\r\n\r\n").count() == 1, "{nonsense:?}: {text:?}");
    }
}

#[tokio::test]
async fn a_connection_can_be_upgraded_and_outlives_the_timeouts() {
    let short = std::time::Duration::from_millis(100);
    let server =
        Server::start(ServeOptions { idle_timeout: short, header_timeout: short, ..ServeOptions::default() }).await;
    let mut client = server.client().await;
    client.send("GET /upgrade HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n").await;
    assert_eq!(client.reply().await.status, 101);
    server.client().await.until_closed().await;
    server.client().await.until_closed().await;
    client.send("over").await;
    assert_eq!(client.read_exactly(4).await, b"over");
}

#[tokio::test]
async fn every_answer_carries_the_requests_id() {
    let server = Server::start(ServeOptions::default()).await;
    let mut client = server.client().await;
    let first = client.get("/id").await;
    let second = client.get("/nowhere").await;
    assert_eq!(first.header("x-request-id"), Some(first.body.as_str()));
    assert_eq!(second.header("x-request-id").unwrap().len(), 13);
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    client.send("GET /id HTTP/1.1\r\nhost: x\r\nx-request-id: mine-7\r\n\r\n").await;
    let given = client.reply().await;
    assert_eq!((given.body.as_str(), given.header("x-request-id")), ("mine-7", Some("mine-7")));
    client.send(format!("GET /id HTTP/1.1\r\nhost: x\r\nx-request-id: {}\r\n\r\n", "x".repeat(65))).await;
    assert_eq!(client.reply().await.body.len(), 13);
}
