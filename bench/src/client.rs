//! A minimal HTTP/1.1 client over one keep-alive connection: bytes out, status and body in.
//!
//! It shares its cores with the server it measures, so it does the least that is correct: the request is ready-made
//! bytes, of the reply only the status line and `content-length` are read. Chunked replies are refused, not guessed.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::problem::{Explain as _, Problem, Result};

/// First size of the reply buffer; it grows to the largest reply seen.
const BUFFER_BYTES: usize = 8 * 1024;
/// A reply larger than this is a fault, not a figure.
const REPLY_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// How long a preparation waits for a busy server, and how long between its attempts.
const PATIENCE: Duration = Duration::from_mins(1);
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// One keep-alive connection; one call at a time.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What came back; the body borrows the connection's buffer.
pub struct Reply<'a> {
    /// The HTTP status code.
    pub status: u16,
    /// The whole body.
    pub body: &'a [u8],
}

/// What the head of a reply says.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Bytes up to the body.
    length: usize,
    body_length: usize,
}

impl Reply<'_> {
    /// This reply as a problem: its status and the start of its body.
    pub fn unexpected(&self) -> Problem {
        let shown = String::from_utf8_lossy(&self.body[..self.body.len().min(600)]);
        Problem::new(format!("HTTP {} {shown}", self.status))
    }
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.explain("cannot connect to the server")?;
        stream.set_nodelay(true).explain("cannot set TCP_NODELAY")?;
        Ok(Self { stream, buffer: vec![0; BUFFER_BYTES] })
    }

    /// Sends ready-made request bytes and reads the whole reply.
    pub async fn call(&mut self, request: &[u8]) -> Result<Reply<'_>> {
        self.stream.write_all(request).await.explain("cannot send the request")?;
        let mut filled = 0;
        let head = loop {
            filled = self.read_after(filled).await?;
            if let Some(head) = parse_head(&self.buffer[..filled])? {
                break head;
            }
        };
        let total = head.length + head.body_length;
        if total > REPLY_LIMIT_BYTES {
            return Err(Problem::new(format!("the server announced a reply of {total} bytes")));
        }
        while filled < total {
            filled = self.read_after(filled).await?;
        }
        if filled > total {
            return Err(Problem::new("the server sent more than its content-length"));
        }
        Ok(Reply { status: head.status, body: &self.buffer[head.length..total] })
    }

    /// Calls until the answer is 200, patiently while the server says it is busy; the reply's body.
    pub async fn ask(&mut self, request: &[u8]) -> Result<Vec<u8>> {
        let asked = Instant::now();
        loop {
            let reply = self.call(request).await?;
            match reply.status {
                200 => return Ok(reply.body.to_vec()),
                429 | 503 if asked.elapsed() < PATIENCE => tokio::time::sleep(BUSY_PAUSE).await,
                _ => return Err(reply.unexpected()),
            }
        }
    }

    /// Reads once behind the first `filled` bytes; the new fill.
    async fn read_after(&mut self, filled: usize) -> Result<usize> {
        if filled == self.buffer.len() {
            if filled > REPLY_LIMIT_BYTES {
                return Err(Problem::new("the server's reply does not end"));
            }
            self.buffer.resize(filled * 2, 0);
        }
        let read = self.stream.read(&mut self.buffer[filled..]).await.explain("cannot read the reply")?;
        if read == 0 {
            return Err(Problem::new("the server closed the connection before its reply was complete"));
        }
        Ok(filled + read)
    }
}

/// Reads status and length once the head is complete; `None` while it is not.
fn parse_head(bytes: &[u8]) -> Result<Option<Head>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let status = status(bytes).ok_or_else(|| Problem::new("the server's reply is not HTTP/1.1"))?;
    let body_length = content_length(&bytes[..end]).ok_or_else(|| {
        Problem::new("the server's reply has no content-length; this client reads no chunked replies")
    })?;
    Ok(Some(Head { status, length: end + 4, body_length }))
}

fn status(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let line = head
        .split(|byte| *byte == b'\n')
        .find(|line| line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME))?;
    std::str::from_utf8(&line[NAME.len()..]).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Head, parse_head};

    #[test]
    fn a_complete_head_gives_status_and_length() {
        let head = parse_head(b"HTTP/1.1 404 Not Found\r\nX: y\r\nContent-Length: 12\r\n\r\n{").unwrap();
        assert_eq!(head, Some(Head { status: 404, length: 52, body_length: 12 }));
    }

    #[test]
    fn a_partial_head_waits() {
        assert_eq!(parse_head(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r").unwrap(), None);
    }

    #[test]
    fn what_it_cannot_read_is_an_error() {
        assert!(parse_head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(parse_head(b"SSH-2.0-x\r\ncontent-length: 1\r\n\r\n").is_err());
        assert!(parse_head(b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n").is_err());
    }
}
