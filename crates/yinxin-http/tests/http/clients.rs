//! Who the client is.

use yinxin_http::ServeOptions;

use crate::harness::{Client, Server};

async fn client_of(server: &Server, headers: &str) -> String {
    let mut client = server.client().await;
    client.send(format!("GET /client HTTP/1.1\r\nhost: x\r\n{headers}\r\n")).await;
    client.reply().await.body
}

#[tokio::test]
async fn a_trusted_proxy_is_believed() {
    let server = Server::start(ServeOptions::default()).await;
    assert_eq!(client_of(&server, "").await, "127.0.0.1 http");
    assert_eq!(client_of(&server, "X-Forwarded-For: 203.0.113.9\r\n").await, "203.0.113.9 http");
    assert_eq!(client_of(&server, "X-Forwarded-For: 8.8.8.8, 203.0.113.9, 127.0.0.1\r\n").await, "203.0.113.9 http");
    assert_eq!(client_of(&server, "X-Forwarded-For: ::ffff:203.0.113.9\r\n").await, "203.0.113.9 http");
    assert_eq!(client_of(&server, "X-Forwarded-Proto: https\r\n").await, "127.0.0.1 https");
}

#[tokio::test]
async fn anybody_else_is_not() {
    let nobody = ServeOptions { trusted_proxies: Vec::new(), ..ServeOptions::default() };
    let server = Server::start(nobody).await;
    let claims = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n";
    assert_eq!(client_of(&server, claims).await, "127.0.0.1 http");
}

#[tokio::test]
async fn an_ipv4_address_that_came_over_ipv6_is_an_ipv4_address() {
    let server = Server::start_at("[::]:0", ServeOptions::default()).await;
    let mut client = Client::connect(([127, 0, 0, 1], server.address.port()).into()).await;
    assert_eq!(client.get("/client").await.body, "127.0.0.1 http");
    // Being loopback, it is also trusted.
    client.send("GET /client HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 203.0.113.9\r\n\r\n").await;
    assert_eq!(client.reply().await.body, "203.0.113.9 http");
}
