//! A connection's socket as texts in and texts out; its limits and its timers.
//!
//! Must not know what a text says or who is at the other end.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use yinxin_core::rates::Meter;
use yinxin_http::websocket::{Fault, Message, Utf8Bytes, WebSocket};

use super::Gate;
use super::end::End;

/// The texts of one connection.
pub(super) struct Pipe {
    gate: Arc<Gate>,
    socket: WebSocket,
    meter: Meter,
    heard_at: Instant,
    /// Whether the client was asked if it is there.
    asked: bool,
}

impl Pipe {
    /// Takes over a socket that is fresh.
    pub fn new(gate: Arc<Gate>, socket: WebSocket) -> Self {
        let meter = Meter::new(gate.limits.frames_per_s, gate.limits.frames_at_once);
        Self { gate, socket, meter, heard_at: Instant::now(), asked: false }
    }

    /// The next text. May be dropped and asked again; nothing is lost.
    pub async fn text(&mut self) -> Result<Utf8Bytes, End> {
        loop {
            let patience =
                if self.asked { self.gate.limits.silence + self.gate.limits.answer } else { self.gate.limits.silence };
            let Ok(message) = timeout_at(self.heard_at + patience, self.socket.recv()).await else {
                if self.asked {
                    return Err(End::Silent);
                }
                self.asked = true;
                in_time(self.gate.limits.write, self.socket.ping()).await?;
                continue;
            };
            let message = message?;
            (self.heard_at, self.asked) = (Instant::now(), false);
            if !self.meter.admit(self.gate.ctx.clock.now_ms()) {
                return Err(End::TooFast);
            }
            match message {
                Message::Text(text) => return Ok(text),
                Message::Binary(_) => return Err(End::WrongKind),
                Message::Sign => {}
            }
        }
    }

    /// Sends a text; done when the system has taken it.
    pub async fn send(&mut self, text: String) -> Result<(), End> {
        in_time(self.gate.limits.write, self.socket.send_text(text)).await
    }

    /// Says why and ends. A client that was just told something is given the time to go by itself first: closed at once, it
    /// may take the end for a fault and come back.
    pub async fn close(mut self, end: End) {
        let (code, reason) = end.code_and_reason();
        metrics::counter!("yinxin_room_connections_ended_total", "reason" => reason).increment(1);
        let within = self.gate.limits.farewell;
        if end.was_told() {
            // What it still says is not listened to.
            let gone = async { while self.socket.recv().await.is_ok() {} };
            let _waited = timeout(within, gone).await;
        }
        self.socket.close(code, reason, within).await;
    }
}

async fn in_time(write: Duration, sending: impl Future<Output = Result<(), Fault>>) -> Result<(), End> {
    Ok(timeout(write, sending).await.map_err(|_| End::NotReading)??)
}

impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Closed => Self::HungUp,
            Fault::Gone => Self::Gone,
            Fault::TooLarge => Self::TooLarge,
            Fault::TooScattered => Self::TooScattered,
            Fault::NotText => Self::NotText,
            Fault::NotTheProtocol => Self::NotTheProtocol,
        }
    }
}
