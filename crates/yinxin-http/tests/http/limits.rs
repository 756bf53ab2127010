//! Connections, heads and bodies over their limits.

use yinxin_http::ServeOptions;

use crate::harness::{Server, metric};

#[tokio::test]
async fn one_connection_too_many_is_told_so_and_the_others_go_on() {
    let before = metric("yinxin_http_connections_refused_total{reason=\"full\"}");
    let server = Server::start(ServeOptions { connections_max: 2, ..ServeOptions::default() }).await;
    let mut first = server.client().await;
    let mut second = server.client().await;
    assert_eq!(first.get("/").await.status, 200);
    assert_eq!(second.get("/").await.status, 200);
    let mut third = server.client().await;
    third.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let refusal = third.reply().await;
    assert_eq!((refusal.status, refusal.body.as_str()), (503, ""));
    assert_eq!(third.until_closed().await, "");
    assert!(metric("yinxin_http_connections_refused_total{reason=\"full\"}") > before);
    assert_eq!(first.get("/").await.status, 200);
    // A place that is given back is taken by the next.
    second.send("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    second.until_closed().await;
    drop(second);
    let admitted = async {
        loop {
            let mut next = server.client().await;
            if next.get("/").await.status == 200 {
                break;
            }
        }
    };
    tokio::time::timeout(crate::harness::DEADLINE, admitted).await.unwrap();
}

#[tokio::test]
async fn one_client_can_be_limited_and_a_trusted_proxy_is_not() {
    let one_each = ServeOptions { connections_per_client_max: 1, ..ServeOptions::default() };
    let server = Server::start(ServeOptions { trusted_proxies: Vec::new(), ..one_each.clone() }).await;
    let mut first = server.client().await;
    assert_eq!(first.get("/").await.status, 200);
    assert_eq!(server.client().await.reply().await.status, 503);
    assert_eq!(first.get("/").await.status, 200);

    let server = Server::start(one_each).await;
    let mut first = server.client().await;
    let mut second = server.client().await;
    assert_eq!(first.get("/").await.status, 200);
    assert_eq!(second.get("/").await.status, 200);
}

#[tokio::test]
async fn a_large_head_reaches_the_router_and_is_marked() {
    let server = Server::start(ServeOptions::default()).await;
    let mut client = server.client().await;
    assert_eq!(client.get("/head").await.body, "false");
    for bytes in [17 * 1024, 70 * 1024, 150 * 1024] {
        let large = "a".repeat(bytes);
        client.send(format!("GET /head HTTP/1.1\r\nhost: x\r\nlarge: {large}\r\n\r\n")).await;
        assert_eq!(client.reply().await.body, "true");
    }
}

#[tokio::test]
async fn an_endless_head_is_answered_431_without_text() {
    let server = Server::start(ServeOptions::default()).await;
    let mut client = server.client().await;
    client.send(format!("GET /head HTTP/1.1\r\nhost: x\r\nlarge: {}", "a".repeat(400 * 1024))).await;
    let reply = client.reply().await;
    assert_eq!((reply.status, reply.body.as_str()), (431, ""));
    let mut client = server.client().await;
    client.send(format!("GET /head HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(101))).await;
    let reply = client.reply().await;
    assert_eq!((reply.status, reply.body.as_str()), (431, ""));
}

#[tokio::test]
async fn an_announced_body_over_the_limit_is_refused_before_it_is_read() {
    let server = Server::start(ServeOptions { body_bytes_max: 1000, ..ServeOptions::default() }).await;
    let mut client = server.client().await;
    client.send("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1001\r\n\r\n").await;
    let reply = client.reply().await;
    assert_eq!((reply.status, reply.body.as_str()), (413, "1000"));
    // Not one byte more was waited for, but one who goes on sending is not reset before it has seen the answer.
    let mut client = server.client().await;
    client.send("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n").await;
    client.send("a".repeat(1_000_000)).await;
    assert_eq!(client.reply().await.status, 413);
    let mut client = server.client().await;
    let whole = "a".repeat(1000);
    client.send(format!("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{whole}")).await;
    assert_eq!(client.reply().await.body, whole);
}

#[tokio::test]
async fn a_chunked_body_is_cut_at_the_limit() {
    let server = Server::start(ServeOptions { body_bytes_max: 1000, ..ServeOptions::default() }).await;
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("1f4\r\n{}\r\n", "a".repeat(500));
    let mut client = server.client().await;
    client.send(format!("{head}{chunk}{chunk}0\r\n\r\n")).await;
    assert_eq!(client.reply().await.body, "a".repeat(1000));
    // The connection is as good as new after a body of exactly the limit.
    client.send(format!("{head}{chunk}{chunk}1\r\na\r\n")).await;
    assert_eq!(client.reply().await.status, 413);
    // One endless chunk.
    let mut client = server.client().await;
    client.send(format!("{head}ffffffff\r\n{}", "a".repeat(100_000))).await;
    assert_eq!(client.reply().await.status, 413);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_incomplete() {
    let server = Server::start(ServeOptions::default()).await;
    let mut client = server.client().await;
    client.send("POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n").await;
    assert_eq!(client.reply().await.status, 400);
}

#[tokio::test]
async fn a_body_that_no_handler_reads_does_not_cost_the_answer() {
    let server = Server::start(ServeOptions::default()).await;
    let mut client = server.client().await;
    client.send("POST /unread HTTP/1.1\r\nhost: x\r\ncontent-length: 2000000\r\n\r\n").await;
    client.send("a".repeat(2_000_000)).await;
    assert_eq!(client.reply().await.status, 403);
    assert_eq!(client.until_closed().await, "");
}
