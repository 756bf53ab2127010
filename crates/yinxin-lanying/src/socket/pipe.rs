//! A connection's socket as frames in and frames out, in Socket.IO's packets; its limits and its timers.
//!
//! Must not know what a frame says or who is at the other end.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout, timeout_at};
use yinxin_core::rates::Meter;
use yinxin_core::rng;
use yinxin_floo::{Packet, packet};
use yinxin_http::websocket::{Fault, Message, WebSocket};
use yinxin_realtime::End;

use super::Gateway;

/// The frames of one connection.
pub(super) struct Pipe {
    gateway: Arc<Gateway>,
    socket: WebSocket,
    meter: Meter,
    /// Binary messages that were announced and have not come yet, and whether they are a frame.
    announced: (u8, bool),
    heard_at: Instant,
    /// Whether the client was asked if it is there, and has said nothing since.
    asked: bool,
    /// The answer to a sign of life that is due.
    pong: Option<String>,
    /// Whether a frame was announced and then given up: whatever came next would be taken for it.
    is_midway: bool,
}

impl Pipe {
    /// Takes over a socket that is fresh.
    pub fn new(gateway: Arc<Gateway>, socket: WebSocket) -> Self {
        let meter = Meter::new(gateway.limits.frames_per_s, gateway.limits.frames_at_once);
        // The login has a time of its own.
        let heard_at = Instant::now() + gateway.limits.hello;
        Self { gateway, socket, meter, announced: (0, false), heard_at, asked: false, pong: None, is_midway: false }
    }

    /// Says what Socket.IO wants to be said first.
    pub async fn open(&mut self) -> Result<(), End> {
        let limits = self.gateway.limits;
        let sid = format!("{:032x}", u128::from_be_bytes(rng::bytes(self.gateway.ctx.rng.as_ref())));
        self.text(packet::open(&sid, limits.heartbeat.as_millis(), limits.answer.as_millis())).await?;
        self.text(packet::CONNECTED.to_owned()).await
    }

    async fn text(&mut self, text: String) -> Result<(), End> {
        in_time(self.gateway.limits.write, self.socket.send_text(text)).await
    }

    /// What a message of the websocket brings, if it is a frame.
    fn take(&mut self, message: Message) -> Result<Option<Bytes>, End> {
        (self.heard_at, self.asked) = (Instant::now(), false);
        if !self.meter.admit(self.gateway.ctx.clock.now_ms()) {
            return Err(End::TooFast);
        }
        match (message, self.announced) {
            (Message::Sign, _) => Ok(None),
            (Message::Text(text), (0, _)) => {
                self.hear(&text)?;
                Ok(None)
            }
            (Message::Binary(bytes), (left @ 1.., is_frame)) => {
                self.announced.0 = left - 1;
                packet::attachment(&bytes).map_err(|_| End::Malformed)?;
                Ok(is_frame.then(|| bytes.slice(1..)))
            }
            (Message::Text(_) | Message::Binary(_), _) => Err(End::WrongKind),
        }
    }

    fn hear(&mut self, text: &str) -> Result<(), End> {
        match packet::parse(text).map_err(|_| End::Malformed)? {
            Packet::Ping(said) => {
                self.pong = Some(packet::pong(said));
                Ok(())
            }
            Packet::Announced { attachments, is_frame } => {
                self.announced = (attachments, is_frame);
                Ok(())
            }
            Packet::Close => Err(End::LoggedOut),
            Packet::Nothing => Ok(()),
        }
    }
}

impl yinxin_realtime::Pipe for Pipe {
    async fn frame(&mut self) -> Result<Bytes, End> {
        loop {
            let limits = self.gateway.limits;
            if let Some(pong) = self.pong.clone() {
                self.text(pong).await?;
                // Dropped before this, it is said again, which does no harm.
                self.pong = None;
            }
            let patience = if self.asked { limits.silence + limits.answer } else { limits.silence };
            let Ok(message) = timeout_at(self.heard_at + patience, self.socket.recv()).await else {
                if self.asked {
                    return Err(End::Silent);
                }
                in_time(limits.write, self.socket.ping()).await?;
                self.asked = true;
                continue;
            };
            if let Some(frame) = self.take(message.map_err(end_of)?)? {
                return Ok(frame);
            }
        }
    }

    async fn send(&mut self, frame: Vec<u8>) -> Result<(), End> {
        if self.is_midway {
            return Err(End::NotReading);
        }
        self.is_midway = true;
        self.text(packet::ANNOUNCEMENT.to_owned()).await?;
        in_time(self.gateway.limits.write, self.socket.send_bytes(packet::attach(&frame))).await?;
        self.is_midway = false;
        Ok(())
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
        if !self.is_midway {
            // Without it the client's library comes back by itself, beside the SDK that does so, too.
            let _ = timeout(within, self.socket.send_text(packet::DISCONNECT.to_owned())).await;
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
