//! A server with a small router, and a client that speaks raw HTTP to it.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Extension, Router};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use yinxin_http::metrics::PrometheusHandle;
use yinxin_http::websocket::{self, Fault, Message};
use yinxin_http::{Arrival, BodyFault, Drained, Form, FormFault, PacedBody, ServeOptions, read_body};

/// Longer than anything a test waits for.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Lets a test hold handlers of `/wait`, and see that they have begun.
#[derive(Clone)]
pub struct Gate {
    pub entered: Arc<Semaphore>,
    pub open: Arc<Semaphore>,
}

pub struct Server {
    pub address: SocketAddr,
    pub gate: Gate,
    stop: oneshot::Sender<()>,
    done: JoinHandle<Drained>,
}

impl Server {
    pub async fn start(options: ServeOptions) -> Self {
        Self::start_at("127.0.0.1:0", options).await
    }

    pub async fn start_at(address: &str, options: ServeOptions) -> Self {
        metrics();
        let listener = yinxin_http::bind(address.parse().unwrap(), options.backlog).await.unwrap();
        let address = listener.local_addr().unwrap();
        let gate = Gate { entered: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) };
        let (stop, stopped) = oneshot::channel();
        let router = router(gate.clone());
        let done = tokio::spawn(yinxin_http::serve(listener, router, options, async {
            let _ = stopped.await;
        }));
        Self { address, gate, stop, done }
    }

    pub async fn client(&self) -> Client {
        Client::connect(self.address).await
    }

    /// Begins the shutdown; the handle tells how it ended.
    pub fn begin_stop(self) -> JoinHandle<Drained> {
        self.stop.send(()).unwrap();
        self.done
    }
}

/// The process's metrics, installed once.
pub fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| yinxin_http::metrics::install().unwrap())
}

/// The value of a series; 0 when there is none.
pub fn metric(series: &str) -> u64 {
    let text = yinxin_http::metrics::render(metrics());
    let line = text.lines().find(|line| line.rsplit_once(' ').is_some_and(|(name, _)| name == series));
    line.and_then(|line| line.rsplit_once(' ')).map_or(0, |(_, value)| value.parse().unwrap())
}

fn router(gate: Gate) -> Router {
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/json", get(|| async { yinxin_http::json_response(StatusCode::CREATED, b"{}".to_vec()) }))
        .route("/client", get(|Extension(arrival): Extension<Arrival>| async move { client_text(&arrival) }))
        .route("/head", get(|Extension(arrival): Extension<Arrival>| async move { arrival.head_too_large.to_string() }))
        .route("/id", get(|Extension(arrival): Extension<Arrival>| async move { arrival.id.to_string() }))
        .route("/echo", post(echo))
        .route("/form", post(form))
        .route("/unread", post(|| async { StatusCode::FORBIDDEN }))
        .route("/wait", get(wait))
        .route("/upgrade", get(upgrade))
        .route("/websocket", any(echo_messages))
        .with_state(gate)
}

fn client_text(arrival: &Arrival) -> String {
    format!("{} {}", arrival.client, if arrival.https { "https" } else { "http" })
}

async fn echo(Extension(arrival): Extension<Arrival>, body: Body) -> Response {
    match read_body(body, arrival.body_bytes_max, arrival.body_timeout).await {
        Ok(bytes) => bytes.into_response(),
        Err(fault) => told(fault),
    }
}

fn told(fault: BodyFault) -> Response {
    match fault {
        BodyFault::TooLarge { limit } => (StatusCode::PAYLOAD_TOO_LARGE, limit.to_string()).into_response(),
        BodyFault::Incomplete => StatusCode::BAD_REQUEST.into_response(),
        BodyFault::TimedOut => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

/// Answers each field's name and length.
async fn form(Extension(arrival): Extension<Arrival>, headers: HeaderMap, body: Body) -> Response {
    let fields = async {
        let body = PacedBody::new(body, arrival.body_bytes_max, arrival.body_timeout)?;
        let mut form = Form::new(headers.get(header::CONTENT_TYPE), body)?;
        let mut fields = Vec::new();
        while let Some(field) = form.field().await? {
            let mut length = 0;
            // The contents of a field that nobody wants are passed over.
            if field.name != "unwanted" {
                while let Some(data) = form.data().await? {
                    length += data.len();
                }
            }
            fields.push(format!("{} {length}", field.name));
        }
        Ok(fields.join(", "))
    };
    match fields.await {
        Ok(fields) => fields.into_response(),
        Err(FormFault::Body(fault)) => told(fault),
        Err(fault) => (StatusCode::UNPROCESSABLE_ENTITY, fault.to_string()).into_response(),
    }
}

async fn wait(State(gate): State<Gate>) -> &'static str {
    gate.entered.add_permits(1);
    gate.open.acquire().await.unwrap().forget();
    "waited"
}

/// Answers 101 and then sends back what it gets.
async fn upgrade(mut request: Request<Body>) -> Response {
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut io = TokioIo::new(upgrade.await.unwrap());
        let mut buffer = [0; 64];
        while let Ok(read @ 1..) = io.read(&mut buffer).await {
            io.write_all(&buffer[..read]).await.unwrap();
        }
    });
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    response.headers_mut().insert("connection", "upgrade".parse().unwrap());
    response.headers_mut().insert("upgrade", "echo".parse().unwrap());
    response
}

/// Sends back each message, up to the first that cannot be read.
async fn echo_messages(mut request: Request<Body>) -> Response {
    let Some((response, handshake)) = websocket::accept(&mut request) else {
        return StatusCode::UPGRADE_REQUIRED.into_response();
    };
    tokio::spawn(async move {
        let Some(mut socket) = handshake.socket(100).await else { return };
        let fault = loop {
            let echoed = match socket.recv().await {
                Ok(Message::Text(text)) => socket.send_text(text.to_string()).await,
                Ok(Message::Binary(bytes)) => socket.send_bytes(bytes.into()).await,
                Ok(Message::Sign) => Ok(()),
                Err(fault) => break fault,
            };
            echoed.unwrap();
        };
        let code = if fault == Fault::TooLarge { 1009 } else { 1002 };
        socket.close(code, "enough", DEADLINE).await;
    });
    response
}

pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

pub struct Client {
    pub stream: TcpStream,
    read: Vec<u8>,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), read: Vec::new() }
    }

    pub async fn send(&mut self, text: impl AsRef<[u8]>) {
        self.stream.write_all(text.as_ref()).await.unwrap();
    }

    pub async fn get(&mut self, path: &str) -> Reply {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        self.reply().await
    }

    /// The next answer, its body by its content-length.
    pub async fn reply(&mut self) -> Reply {
        self.reply_to("GET").await
    }

    pub async fn reply_to(&mut self, method: &str) -> Reply {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(self.more().await > 0, "closed within a head: {:?}", String::from_utf8_lossy(&self.read));
        };
        let head = String::from_utf8(self.read.drain(..end).collect()).unwrap();
        let mut reply = Reply { status: head[9..12].parse().unwrap(), head, body: String::new() };
        let length = reply.header("content-length").map_or(0, |value| value.parse().unwrap());
        if method != "HEAD" {
            while self.read.len() < length {
                assert!(self.more().await > 0, "closed within a body");
            }
            reply.body = String::from_utf8(self.read.drain(..length).collect()).unwrap();
        }
        reply
    }

    /// Waits until the server has closed; what came before.
    pub async fn until_closed(&mut self) -> String {
        while self.more().await > 0 {}
        String::from_utf8(std::mem::take(&mut self.read)).unwrap()
    }

    pub async fn read_exactly(&mut self, length: usize) -> Vec<u8> {
        while self.read.len() < length {
            assert!(self.more().await > 0, "closed");
        }
        self.read.drain(..length).collect()
    }

    /// Reads once; 0 when closed or reset.
    async fn more(&mut self) -> usize {
        let read = tokio::time::timeout(DEADLINE, self.stream.read_buf(&mut self.read)).await;
        read.expect("the deadline has passed").unwrap_or(0)
    }
}
