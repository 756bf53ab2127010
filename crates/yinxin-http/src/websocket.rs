//! Websockets: the handshake, and a socket that no peer can make hold more than it may.
//!
//! Owns the protocol up to whole messages, and how a socket ends: the peer is told why. Must not know what a message
//! means, how often one may come, or how long a silence may be.

mod allowance;

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::WebSocketStream;
pub use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message as Frame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Error};

use allowance::Allowance;

/// A stock socket reads into 128 KiB; an idle one needs a fraction.
const READ_BUFFER_BYTES: usize = 1024;
/// Bytes read for one message, by its largest size: in fragments of one byte it takes seven times its own.
const OVERHEAD_MAX: usize = 8;

/// A handshake that was accepted.
pub struct Handshake(OnUpgrade);

/// Accepts a request for a websocket; the answer is to be sent, then there is a socket. `None`: it is no such request.
pub fn accept(request: &mut Request) -> Option<(Response, Handshake)> {
    let headers = request.headers();
    let asks = request.method() == Method::GET
        && lists(headers, &CONNECTION, "upgrade")
        && lists(headers, &UPGRADE, "websocket")
        && headers.get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| asks)?;
    let proof = HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok()?;
    let upgrade = request.extensions_mut().remove::<OnUpgrade>()?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, proof);
    Some((response, Handshake(upgrade)))
}

/// Whether a header's list has that word.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let texts = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|one| one.trim().eq_ignore_ascii_case(word))
}

impl Handshake {
    /// The socket, for messages of at most so many bytes; `None` when the client has gone.
    pub async fn socket(self, message_bytes_max: usize) -> Option<WebSocket> {
        let io = Allowance::new(TokioIo::new(self.0.await.ok()?), message_bytes_max.saturating_mul(OVERHEAD_MAX));
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_frame_size(Some(message_bytes_max))
            .max_message_size(Some(message_bytes_max));
        Some(WebSocket { stream: WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await })
    }
}

/// What a peer says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// A text.
    Text(Utf8Bytes),
    /// Bytes.
    Binary(Bytes),
    /// A ping, which is answered already, or the answer to one.
    Sign,
}

/// Why nothing more can be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The peer has said that it ends here.
    Closed,
    /// The line is gone.
    Gone,
    /// A message is larger than it may be.
    TooLarge,
    /// A message comes in so small pieces that it takes many times its bytes.
    TooScattered,
    /// A text is not UTF-8.
    NotText,
    /// This is not the websocket protocol.
    NotTheProtocol,
}

/// A connection after the handshake.
pub struct WebSocket {
    stream: WebSocketStream<Allowance<TokioIo<Upgraded>>>,
}

impl WebSocket {
    /// The next message. May be dropped and asked again; nothing is lost.
    pub async fn recv(&mut self) -> Result<Message, Fault> {
        let message = match self.stream.next().await {
            Some(Err(error)) => return Err(fault(&error)),
            None | Some(Ok(Frame::Close(_))) => return Err(Fault::Closed),
            Some(Ok(Frame::Text(text))) => Message::Text(text),
            Some(Ok(Frame::Binary(bytes))) => Message::Binary(bytes),
            Some(Ok(Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_))) => Message::Sign,
        };
        self.stream.get_mut().renew();
        Ok(message)
    }

    /// Sends a text; done when the system has taken it.
    pub async fn send_text(&mut self, text: String) -> Result<(), Fault> {
        self.send(Frame::Text(text.into())).await
    }

    /// Sends bytes; done when the system has taken them.
    pub async fn send_bytes(&mut self, bytes: Vec<u8>) -> Result<(), Fault> {
        self.send(Frame::Binary(bytes.into())).await
    }

    /// Asks whether the peer is there.
    pub async fn ping(&mut self) -> Result<(), Fault> {
        self.send(Frame::Ping(Bytes::new())).await
    }

    async fn send(&mut self, frame: Frame) -> Result<(), Fault> {
        self.stream.send(frame).await.map_err(|error| fault(&error))
    }

    /// Says why and ends, whatever the peer does: it has `within` to take what was said and to hang up.
    pub async fn close(mut self, code: u16, reason: &'static str, within: Duration) {
        let told = async {
            // Answers that are due go first: the close is the last word. When the peer has closed, the answer due is
            // its own frame, and no other is taken. All of it fails on a socket that is gone.
            let _ = self.stream.flush().await;
            let frame = CloseFrame { code: code.into(), reason: reason.into() };
            let _ = self.stream.send(Frame::Close(Some(frame))).await;
            // Dropped with something unread, the socket would be reset, and the peer might not see what was said.
            let _ = self.stream.into_inner().shutdown().await;
        };
        let _ = tokio::time::timeout(within, told).await;
    }
}

fn fault(error: &Error) -> Fault {
    match error {
        Error::Io(error) if allowance::is_spent(error) => Fault::TooScattered,
        Error::ConnectionClosed | Error::AlreadyClosed => Fault::Closed,
        Error::Capacity(_) => Fault::TooLarge,
        Error::Utf8(_) => Fault::NotText,
        Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => Fault::Gone,
        Error::Protocol(_) => Fault::NotTheProtocol,
        _ => Fault::Gone,
    }
}
