//! The handshake, and the end of a socket. What goes wrong on one is told by the dialects' tests.

use yinxin_http::ServeOptions;

use crate::harness::{Client, Reply, Server};

const REQUEST: &str = "GET /websocket HTTP/1.1\r\nhost: x\r\nconnection: keep-alive, Upgrade\r\n\
                       upgrade: h2c, WebSocket\r\nsec-websocket-version: 13\r\n\
                       sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

async fn answer(client: &mut Client, request: &str) -> Reply {
    client.send(request).await;
    client.reply().await
}

#[tokio::test]
async fn a_request_that_is_whole_is_accepted_with_its_proof() {
    let server = Server::start(ServeOptions::default()).await;
    let mut client = server.client().await;
    let reply = answer(&mut client, REQUEST).await;
    assert_eq!(reply.status, 101);
    // RFC 6455, 1.3.
    assert_eq!(reply.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    client.send([0x81, 0x82, 1, 2, 3, 4, b'h' ^ 1, b'i' ^ 2]).await;
    assert_eq!(client.read_exactly(4).await, [0x81, 2, b'h', b'i']);
}

#[tokio::test]
async fn a_request_that_lacks_something_is_not() {
    let server = Server::start(ServeOptions::default()).await;
    for lacking in [
        REQUEST.replace("GET", "POST"),
        REQUEST.replace(", Upgrade", ""),
        REQUEST.replace("WebSocket", "socket"),
        REQUEST.replace("version: 13", "version: 8"),
        REQUEST.replace("sec-websocket-key", "x"),
    ] {
        let mut client = server.client().await;
        assert_eq!(answer(&mut client, &lacking).await.status, 426, "{lacking}");
    }
}

#[tokio::test]
async fn who_goes_on_sending_is_still_told_why_it_ends() {
    let server = Server::start(ServeOptions::default()).await;
    let mut client = server.client().await;
    assert_eq!(answer(&mut client, REQUEST).await.status, 101);
    let mut message = vec![0x82, 0xff, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    message.resize(1 << 24, 0);
    client.send(&message).await;
    // 1009 and the reason, which a reset would have swallowed on most systems.
    assert_eq!(client.read_exactly(10).await, b"\x88\x08\x03\xf1enough");
    assert_eq!(client.until_closed().await, "");
}
