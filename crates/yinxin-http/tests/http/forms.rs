//! Bodies that are read as they come: forms with files in them, and the pace at which they must come.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use yinxin_http::ServeOptions;

use crate::harness::{Client, DEADLINE, Server};

const STRETCH: Duration = Duration::from_millis(500);
const LIMIT: usize = 1 << 20;

async fn server() -> Server {
    Server::start(ServeOptions { body_timeout: STRETCH, body_bytes_max: LIMIT, ..ServeOptions::default() }).await
}

fn part(name: &str, data: &str) -> String {
    format!("--XX\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n{data}\r\n")
}

fn head(length: usize) -> String {
    let kind = "content-type: multipart/form-data; boundary=XX";
    format!("POST /form HTTP/1.1\r\nhost: x\r\n{kind}\r\ncontent-length: {length}\r\n\r\n")
}

async fn post(client: &mut Client, form: &str) {
    client.send(head(form.len()) + form).await;
}

#[tokio::test]
async fn a_form_is_read_and_the_connection_goes_on() {
    let server = server().await;
    let mut client = server.client().await;
    let file = "x".repeat(300_000);
    for after in ["", "\r\nan epilogue"] {
        let form = part("file", &file) + &part("unwanted", &file) + &part("width", "100") + "--XX--" + after;
        post(&mut client, &form).await;
        assert_eq!(client.reply().await.body, "file 300000, unwanted 0, width 3");
    }
    assert_eq!(client.get("/").await.status, 200);
}

#[tokio::test]
async fn what_is_no_form_or_a_broken_one_is_said_so() {
    let server = server().await;
    let mut client = server.client().await;
    post(&mut client, &part("file", "cut")).await;
    let reply = client.reply().await;
    assert_eq!((reply.status, &*reply.body), (422, "the form is malformed: it ends before its last boundary"));
    client.send("POST /form HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}").await;
    assert_eq!(client.reply().await.status, 422);
}

#[tokio::test]
async fn a_form_over_the_limit_is_refused_announced_or_not() {
    let server = server().await;
    let mut announced = server.client().await;
    announced.send(head(LIMIT + 1)).await;
    assert_eq!(announced.reply().await.status, 413);
    let mut chunked = server.client().await;
    let kind = "content-type: multipart/form-data; boundary=XX";
    chunked.send(format!("POST /form HTTP/1.1\r\nhost: x\r\n{kind}\r\ntransfer-encoding: chunked\r\n\r\n")).await;
    let large = part("file", &"x".repeat(LIMIT));
    chunked.send(format!("{:x}\r\n{large}\r\n", large.len())).await;
    assert_eq!(chunked.reply().await.status, 413);
}

/// Sends that many bytes again and again, until the server ends it or the form does; the answer's status and the time.
async fn sent_slowly(pieces: usize, bytes: usize, pause: Duration) -> (u16, Duration) {
    let server = server().await;
    let mut client = server.client().await;
    let form = part("file", &"x".repeat(pieces * bytes)) + "--XX--";
    let begin = Instant::now();
    client.send(head(form.len())).await;
    let mut pace = tokio::time::interval(pause);
    let (mut reading, mut writing) = client.stream.split();
    let drip = async {
        for piece in form.as_bytes().chunks(bytes) {
            pace.tick().await;
            if writing.write_all(piece).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    let mut reply = [0; 12];
    tokio::select! {
        read = tokio::io::AsyncReadExt::read_exact(&mut reading, &mut reply) => drop(read.unwrap()),
        () = drip => {}
        () = tokio::time::sleep(DEADLINE) => panic!("never answered"),
    }
    (std::str::from_utf8(&reply[9..]).unwrap().parse().unwrap(), begin.elapsed())
}

#[tokio::test]
async fn a_slow_sender_of_much_is_heard_to_the_end() {
    let (status, took) = sent_slowly(10, 40_000, STRETCH / 4).await;
    assert_eq!(status, 200);
    assert!(took > STRETCH * 2, "{took:?} is not slow");
}

#[tokio::test]
async fn a_sender_who_only_holds_the_line_is_not() {
    let (status, _) = sent_slowly(100_000, 10, STRETCH / 20).await;
    assert_eq!(status, 408);
}
