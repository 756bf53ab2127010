//! A connection's socket as frames in and frames out, whichever way they are wrapped; its limits and its timers.
//!
//! Must not know what a frame says or who is at the other end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout, timeout_at};
use yinxin_core::rates::Meter;
use yinxin_http::websocket::{Fault, Message, WebSocket};
use yinxin_msync::sockjs;
use yinxin_realtime::End;

use super::Gateway;

/// How frames are wrapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Framing {
    /// A binary message is a frame.
    Plain,
    /// A text message holds frames in base64, and a sign of life comes when nothing else does.
    SockJs,
}

impl Framing {
    /// The largest message that frames of that size need.
    pub fn message_bytes(self, frame_bytes: usize) -> usize {
        match self {
            Self::Plain => frame_bytes,
            Self::SockJs => sockjs::Limits::for_frames_of(frame_bytes).text_bytes,
        }
    }
}

/// The frames of one connection.
pub(super) struct Pipe {
    gateway: Arc<Gateway>,
    socket: WebSocket,
    framing: Framing,
    meter: Meter,
    /// Frames that came in one message and were not taken yet.
    arrived: VecDeque<Bytes>,
    heard_at: Instant,
    spoke_at: Instant,
    /// When the client was asked whether it is there, if it has said nothing since.
    asked_at: Option<Instant>,
}

impl Pipe {
    /// Takes over a socket that is fresh.
    pub fn new(gateway: Arc<Gateway>, socket: WebSocket, framing: Framing) -> Self {
        let meter = Meter::new(gateway.limits.frames_per_s, gateway.limits.frames_at_once);
        let now = Instant::now();
        // The login has a time of its own.
        let heard_at = now + gateway.limits.hello;
        Self { gateway, socket, framing, meter, arrived: VecDeque::new(), heard_at, spoke_at: now, asked_at: None }
    }

    /// Says what the framing wants to be said first.
    pub async fn open(&mut self) -> Result<(), End> {
        match self.framing {
            Framing::Plain => Ok(()),
            Framing::SockJs => self.text(sockjs::open().to_owned()).await,
        }
    }

    async fn text(&mut self, text: String) -> Result<(), End> {
        self.spoke_at = Instant::now();
        in_time(self.gateway.limits.write, self.socket.send_text(text)).await
    }

    /// When there is something to do unless a message comes.
    fn due(&self) -> Instant {
        let limits = &self.gateway.limits;
        let patience = self.asked_at.map_or(self.heard_at + limits.silence, |asked_at| asked_at + limits.answer);
        match self.framing {
            Framing::Plain => patience,
            Framing::SockJs => patience.min(self.spoke_at + limits.heartbeat),
        }
    }

    async fn break_silence(&mut self) -> Result<(), End> {
        let limits = self.gateway.limits;
        if self.asked_at.is_some_and(|asked_at| asked_at.elapsed() >= limits.answer) {
            return Err(End::Silent);
        }
        if self.framing == Framing::SockJs && self.spoke_at.elapsed() >= limits.heartbeat {
            self.text(sockjs::heartbeat().to_owned()).await?;
        }
        if self.asked_at.is_none() && self.heard_at.elapsed() >= limits.silence {
            in_time(limits.write, self.socket.ping()).await?;
            self.asked_at = Some(Instant::now());
        }
        Ok(())
    }

    fn take(&mut self, message: Message) -> Result<(), End> {
        self.heard_at = Instant::now();
        self.asked_at = None;
        self.count()?;
        match (self.framing, message) {
            (_, Message::Sign) => {}
            (Framing::Plain, Message::Binary(frame)) => self.arrived.push_back(frame),
            (Framing::SockJs, Message::Text(text)) => {
                let limits = sockjs::Limits::for_frames_of(self.gateway.limits.frame_bytes);
                for frame in sockjs::parse_client(&text, limits).map_err(|_| End::Malformed)? {
                    self.count()?;
                    self.arrived.push_back(frame.into());
                }
            }
            (Framing::Plain, Message::Text(_)) | (Framing::SockJs, Message::Binary(_)) => return Err(End::WrongKind),
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), End> {
        self.meter.admit(self.gateway.ctx.clock.now_ms()).then_some(()).ok_or(End::TooFast)
    }
}

impl yinxin_realtime::Pipe for Pipe {
    async fn frame(&mut self) -> Result<Bytes, End> {
        loop {
            if let Some(frame) = self.arrived.pop_front() {
                return Ok(frame);
            }
            match timeout_at(self.due(), self.socket.recv()).await {
                Ok(message) => self.take(message.map_err(end_of)?)?,
                Err(_) => self.break_silence().await?,
            }
        }
    }

    async fn send(&mut self, frame: Vec<u8>) -> Result<(), End> {
        match self.framing {
            Framing::Plain => {
                self.spoke_at = Instant::now();
                in_time(self.gateway.limits.write, self.socket.send_bytes(frame)).await
            }
            Framing::SockJs => self.text(sockjs::message(&frame)).await,
        }
    }

    async fn linger(&mut self) {
        let gone = async { while self.socket.recv().await.is_ok() {} };
        // Either way the socket ends now.
        let _waited = timeout(self.gateway.limits.farewell, gone).await;
    }

    async fn close(mut self, end: End) {
        let (code, reason) = end.code_and_reason();
        metrics::counter!("yinxin_session_ends_total", "reason" => reason).increment(1);
        let within = self.gateway.limits.farewell;
        if self.framing == Framing::SockJs && !matches!(end, End::HungUp | End::Gone | End::NotReading) {
            // What the client does not take now it is told by the socket's own close.
            let _ = timeout(within, self.socket.send_text(sockjs::close(3000, "Go away!"))).await;
        }
        self.socket.close(code, reason, within).await;
    }
}

async fn in_time(write: Duration, sending: impl Future<Output = Result<(), Fault>>) -> Result<(), End> {
    timeout(write, sending).await.map_err(|_| End::NotReading)?.map_err(end_of)
}

fn end_of(fault: Fault) -> End {
    match fault {
        Fault::Closed => End::HungUp,
        Fault::Gone => End::Gone,
        Fault::TooLarge => End::TooLarge,
        Fault::TooScattered => End::TooScattered,
        Fault::NotText => End::NotText,
        Fault::NotTheProtocol => End::NotTheProtocol,
    }
}
