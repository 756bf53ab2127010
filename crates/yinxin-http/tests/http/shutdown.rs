//! The end of serving.

use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use yinxin_http::{Drained, ServeOptions};

use crate::harness::{DEADLINE, Server};

#[tokio::test]
async fn requests_in_flight_are_answered_silent_connections_closed_new_ones_refused() {
    let server = Server::start(ServeOptions::default()).await;
    let address = server.address;
    let gate = server.gate.clone();
    let mut fresh = server.client().await;
    let mut idle = server.client().await;
    assert_eq!(idle.get("/").await.status, 200);
    let mut busy = server.client().await;
    busy.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await;
    gate.entered.acquire().await.unwrap().forget();

    let begin = Instant::now();
    let done = server.begin_stop();
    assert_eq!(idle.until_closed().await, "");
    assert_eq!(fresh.until_closed().await, "");
    assert!(begin.elapsed() < Duration::from_secs(1));
    assert!(TcpStream::connect(address).await.is_err());
    assert!(!done.is_finished());

    gate.open.add_permits(1);
    let reply = busy.reply().await;
    assert_eq!((reply.body.as_str(), reply.header("connection")), ("waited", Some("close")));
    assert_eq!(busy.until_closed().await, "");
    let drained = tokio::time::timeout(DEADLINE, done).await.unwrap().unwrap();
    assert_eq!(drained, Drained { cut: 0 });
}

#[tokio::test]
async fn what_does_not_end_is_cut_when_the_time_has_passed() {
    let short = Duration::from_millis(150);
    let server = Server::start(ServeOptions { drain_timeout: short, ..ServeOptions::default() }).await;
    let mut busy = server.client().await;
    busy.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await;
    server.gate.entered.acquire().await.unwrap().forget();
    let begin = Instant::now();
    let drained = tokio::time::timeout(DEADLINE, server.begin_stop()).await.unwrap().unwrap();
    assert_eq!(drained, Drained { cut: 1 });
    assert!(begin.elapsed() >= short);
    assert_eq!(busy.until_closed().await, "");
}

#[tokio::test]
async fn an_upgraded_connection_is_waited_for() {
    let server = Server::start(ServeOptions::default()).await;
    let mut client = server.client().await;
    client.send("GET /upgrade HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n").await;
    assert_eq!(client.reply().await.status, 101);
    let mut idle = server.client().await;
    assert_eq!(idle.get("/").await.status, 200);
    let done = server.begin_stop();
    idle.until_closed().await;
    client.send("still").await;
    assert_eq!(client.read_exactly(5).await, b"still");
    assert!(!done.is_finished());
    drop(client);
    assert_eq!(tokio::time::timeout(DEADLINE, done).await.unwrap().unwrap(), Drained { cut: 0 });
}
