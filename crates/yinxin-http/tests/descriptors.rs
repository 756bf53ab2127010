//! Out of file descriptors: in a process of its own, since the limit is the process's.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use yinxin_http::ServeOptions;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

async fn is_answered(stream: &mut TcpStream) -> bool {
    let exchange = async {
        stream.write_all(REQUEST).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"hello") {
            if stream.read_buf(&mut answer).await? == 0 {
                break;
            }
        }
        std::io::Result::Ok(answer)
    };
    let answer = tokio::time::timeout(Duration::from_secs(10), exchange).await;
    answer.is_ok_and(|read| read.is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200 OK")))
}

#[tokio::test]
async fn the_accept_loop_outlives_a_lack_of_descriptors() {
    let handle = yinxin_http::metrics::install().unwrap();
    let listener = yinxin_http::bind(([127, 0, 0, 1], 0).into(), 16).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(|| async { "hello" }));
    tokio::spawn(yinxin_http::serve(listener, router, ServeOptions::default(), std::future::pending()));
    let mut open = TcpStream::connect(address).await.unwrap();
    assert!(is_answered(&mut open).await);

    // The socket exists, and then nothing more may: the server cannot take the other end.
    let waiting = TcpSocket::new_v4().unwrap();
    let usual = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(3), maximum: usual.maximum }).unwrap();
    let mut waiting = waiting.connect(address).await.unwrap();
    let failed = async {
        while !handle
            .render()
            .lines()
            .any(|line| line.starts_with("yinxin_http_accept_errors_total ") && !line.ends_with(" 0"))
        {
            // The connection that is open goes on.
            assert!(is_answered(&mut open).await);
        }
    };
    tokio::time::timeout(Duration::from_secs(10), failed).await.unwrap();

    setrlimit(Resource::Nofile, usual).unwrap();
    assert!(is_answered(&mut waiting).await);
    assert!(is_answered(&mut TcpStream::connect(address).await.unwrap()).await);
}
