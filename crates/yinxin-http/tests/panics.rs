//! The last net under a handler that panics: in a process of its own, since the panic hook is the process's.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tracing_subscriber::fmt::MakeWriter;
use yinxin_http::ServeOptions;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

async fn panic_literally() -> &'static str {
    panic!("a literal text")
}

async fn panic_with_secret() -> &'static str {
    let secret = String::from("hunter2");
    panic!("made of {secret}")
}

#[tokio::test]
async fn a_panic_is_answered_500_without_text_counted_and_logged_once() {
    yinxin_http::panics::install_hook();
    let handle = yinxin_http::metrics::install().unwrap();
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let router = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/literal", get(panic_literally))
        .route("/secret", get(panic_with_secret));
    let listener = yinxin_http::bind(([127, 0, 0, 1], 0).into(), 16).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(yinxin_http::serve(listener, router, ServeOptions::default(), std::future::pending()));

    // All on one connection: it goes on after a panic.
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /literal HTTP/1.1\r\nx-request-id: id-1\r\n\r\n").await.unwrap();
    stream.write_all(b"GET /secret HTTP/1.1\r\nx-request-id: id-2\r\n\r\n").await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answers = String::new();
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_string(&mut answers)).await;
    read.unwrap().unwrap();
    let heads: Vec<&str> = answers.split("\r\n\r\n").collect();
    assert_eq!(heads.len(), 4, "{answers}");
    for (head, id) in heads.iter().zip(["id-1", "id-2"]) {
        // Its body is empty: what follows is the next head.
        assert!(head.starts_with("HTTP/1.1 500 ") && head.contains("content-length: 0"), "{answers}");
        assert!(head.contains(&format!("x-request-id: {id}")), "{answers}");
    }
    assert!(heads[2].starts_with("HTTP/1.1 200 ") && heads[3] == "hello", "{answers}");
    assert!(handle.render().contains("yinxin_http_panics_total 2\n"));

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].contains("id-1") && lines[0].contains("panics.rs:"), "{text}");
    assert!(lines[0].contains("a literal text"), "{text}");
    // A text that was put together may hold anything.
    assert!(lines[1].contains("id-2") && !lines[1].contains("hunter2"), "{text}");
}
