//! What is slow is closed in time, and nothing else is.

use std::time::{Duration, Instant};

use yinxin_http::ServeOptions;

use crate::harness::{DEADLINE, Server, metric};

const SHORT: Duration = Duration::from_millis(150);
const LONG: Duration = Duration::from_mins(1);

fn options() -> ServeOptions {
    ServeOptions { header_timeout: LONG, idle_timeout: LONG, body_timeout: LONG, ..ServeOptions::default() }
}

fn assert_took_about(begin: Instant, expected: Duration) {
    let took = begin.elapsed();
    assert!(took >= expected && took < DEADLINE, "{took:?} instead of {expected:?}");
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let before = metric("yinxin_http_timeouts_total{phase=\"idle\"}");
    let server = Server::start(ServeOptions { idle_timeout: SHORT, ..options() }).await;
    let begin = Instant::now();
    let mut client = server.client().await;
    assert_eq!(client.until_closed().await, "");
    assert_took_about(begin, SHORT);
    assert!(metric("yinxin_http_timeouts_total{phase=\"idle\"}") > before);
}

#[tokio::test]
async fn a_connection_silent_between_requests_is_closed_and_each_request_begins_the_time_anew() {
    let server = Server::start(ServeOptions { idle_timeout: SHORT * 2, ..options() }).await;
    let mut client = server.client().await;
    let begin = Instant::now();
    let mut last = begin;
    while begin.elapsed() < SHORT * 5 {
        assert_eq!(client.get("/").await.status, 200);
        last = Instant::now();
        tokio::task::yield_now().await;
    }
    assert_eq!(client.until_closed().await, "");
    assert_took_about(last, SHORT);
}

#[tokio::test]
async fn slow_headers_are_closed_even_when_they_keep_coming() {
    let before = metric("yinxin_http_timeouts_total{phase=\"head\"}");
    let server = Server::start(ServeOptions { header_timeout: SHORT, ..options() }).await;
    let mut client = server.client().await;
    let begin = Instant::now();
    client.send("GET / HTTP/1.1\r\n").await;
    let (mut reading, mut writing) = client.stream.split();
    let drip = async {
        let mut pace = tokio::time::interval(SHORT / 10);
        loop {
            pace.tick().await;
            if tokio::io::AsyncWriteExt::write_all(&mut writing, b"x: y\r\n").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut nothing = Vec::new();
    tokio::select! {
        read = tokio::io::AsyncReadExt::read_to_end(&mut reading, &mut nothing) => drop(read),
        () = drip => {}
        () = tokio::time::sleep(DEADLINE) => panic!("never closed"),
    }
    assert_took_about(begin, SHORT);
    assert!(nothing.is_empty());
    assert!(metric("yinxin_http_timeouts_total{phase=\"head\"}") > before);
}

#[tokio::test]
async fn slow_headers_of_a_later_request_are_closed() {
    let server = Server::start(ServeOptions { header_timeout: SHORT, ..options() }).await;
    let mut client = server.client().await;
    assert_eq!(client.get("/").await.status, 200);
    let begin = Instant::now();
    client.send("GET / HT").await;
    assert_eq!(client.until_closed().await, "");
    assert_took_about(begin, SHORT);
}

#[tokio::test]
async fn a_slow_body_times_out_and_is_answered() {
    let server = Server::start(ServeOptions { body_timeout: SHORT, ..options() }).await;
    let mut client = server.client().await;
    let begin = Instant::now();
    client.send("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc").await;
    assert_eq!(client.reply().await.status, 408);
    assert_took_about(begin, SHORT);
}

#[tokio::test]
async fn a_slow_handler_is_not_timed_out() {
    let server = Server::start(ServeOptions { header_timeout: SHORT, idle_timeout: SHORT, ..options() }).await;
    let mut client = server.client().await;
    client.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await;
    server.gate.entered.acquire().await.unwrap().forget();
    // Another connection, silent for as long as the handler would be allowed if it were timed.
    server.client().await.until_closed().await;
    server.client().await.until_closed().await;
    server.gate.open.add_permits(1);
    assert_eq!(client.reply().await.body, "waited");
}

#[tokio::test]
async fn a_client_that_does_not_take_its_answers_is_closed() {
    let server = Server::start(ServeOptions { idle_timeout: SHORT, ..options() }).await;
    let client = server.client().await;
    // Pipelines without reading until neither side can write any more; the server then waits for room in vain.
    let request = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1000);
    let ended = tokio::time::timeout(DEADLINE, async {
        loop {
            client.stream.writable().await.unwrap();
            match client.stream.try_write(&request) {
                Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => break,
                _ => {}
            }
        }
    });
    assert!(ended.await.is_ok(), "never closed");
}
