//! A chat client of the Easemob gateway that says what it is told to, byte by byte, and believes nothing about what it
//! hears.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use yinxin_msync::body::{inspect, text_body};
use yinxin_msync::wire::{
    CommSyncDl, CommSyncUl, CommUnreadDl, Command, Jid, MSync, Meta, Namespace, Provision, Status,
};

/// Longer than anything a test waits for.
pub const DEADLINE: Duration = Duration::from_secs(20);
/// The app whose users chat.
pub const APP_KEY: &str = "acme#chat";

/// Opcodes of RFC 6455, with the bit that says that nothing follows.
pub const TEXT: u8 = 0x81;
/// A frame of bytes.
pub const BINARY: u8 = 0x82;
/// A question whether the peer is there.
pub const PING: u8 = 0x89;
/// Its answer.
pub const PONG: u8 = 0x8a;
/// The last frame.
pub const CLOSE: u8 = 0x88;
/// Without that bit.
pub const BEGIN: u8 = 0x02;
/// A part that is not the first.
pub const GO_ON: u8 = 0x00;
/// The bit itself.
pub const FINISH: u8 = 0x80;

/// What a client hears.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Got {
    /// A text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// A question.
    Ping,
    /// An answer.
    Pong,
    /// The last word: its code and reason.
    Close(u16, String),
    /// The end of the stream.
    End,
}

/// What the protocol says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// The answer to a login.
    LoggedIn(bool),
    /// The answer to the message of that number: whether it is stored.
    Stored(u64, bool),
    /// Queues in which something waits.
    Waiting(Vec<String>),
    /// Messages, with what confirms them.
    Page {
        /// Of which queue.
        queue: String,
        /// Their texts.
        texts: Vec<String>,
        /// Absent at the end of the queue.
        key: Option<u64>,
    },
    /// The connection is over.
    Gone,
}

/// See the module.
pub struct Client {
    /// Who has logged in.
    pub user: String,
    /// With which device.
    pub resource: String,
    /// The socket.
    pub stream: TcpStream,
    read: Vec<u8>,
    sent: u64,
}

impl Client {
    /// Connects, and is let through the handshake.
    pub async fn open(address: SocketAddr, path: &str) -> Self {
        Self::open_on(TcpSocket::new_v4().unwrap(), address, path).await
    }

    /// The same on a socket with options of its own.
    pub async fn open_on(socket: TcpSocket, address: SocketAddr, path: &str) -> Self {
        Self::try_open_on(socket, address, path).await.unwrap()
    }

    /// The same where the server may be gone.
    pub async fn try_open(address: SocketAddr, path: &str) -> io::Result<Self> {
        Self::try_open_on(TcpSocket::new_v4()?, address, path).await
    }

    async fn try_open_on(socket: TcpSocket, address: SocketAddr, path: &str) -> io::Result<Self> {
        let mut stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut client = Self { user: String::new(), resource: String::new(), stream, read: Vec::new(), sent: 0 };
        let end = loop {
            if let Some(at) = client.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if client.more().await == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        let head: Vec<u8> = client.read.drain(..end).collect();
        let head = String::from_utf8(head).unwrap();
        if head.starts_with("HTTP/1.1 503 ") {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "the proof of RFC 6455, 1.3: {head}");
        Ok(client)
    }

    /// Sends one frame of the websocket, whatever its first byte says. Whether somebody takes it is not asked: peers
    /// like these go on when they should not.
    pub async fn frame(&mut self, first: u8, payload: &[u8]) {
        let _ = self.stream.write_all(&framed(first, payload)).await;
    }

    /// Sends a frame of the protocol.
    pub async fn msync(&mut self, command: Command, payload: Vec<u8>) {
        self.frame(BINARY, &msync(command, payload)).await;
    }

    /// Logs in, and expects to be let in.
    pub async fn log_in(&mut self, user: &str, token: &str) {
        user.clone_into(&mut self.user);
        self.resource = format!("webim_{user}");
        self.frame(BINARY, &login(user, token)).await;
        let answer = self.provisioned().await;
        assert_eq!(answer.status.unwrap().error_code, Some(0));
    }

    /// The answer to a login.
    pub async fn provisioned(&mut self) -> Provision {
        let (command, payload) = self.down().await;
        assert_eq!(command, Command::Provision);
        Provision::decode(&*payload).unwrap()
    }

    /// Sends a text to a user.
    pub async fn text(&mut self, to: &str, text: &str) {
        self.sent += 1;
        let frame = chat(self.sent, to, text);
        self.frame(BINARY, &frame).await;
    }

    /// Waits until the message sent last is stored.
    pub async fn stored(&mut self) {
        let answer = self.sync_down().await;
        assert_eq!((answer.meta_id, answer.status.unwrap().error_code), (Some(self.sent), Some(0)));
    }

    /// Asks what waits; the queues.
    pub async fn unread(&mut self) -> Vec<String> {
        self.msync(Command::Unread, Vec::new()).await;
        let (command, payload) = self.down().await;
        assert_eq!(command, Command::Unread);
        let unread = CommUnreadDl::decode(&*payload).unwrap().unread;
        unread.into_iter().map(|queue| queue.queue.unwrap().name.unwrap()).collect()
    }

    /// Asks for a queue, confirming the page with that key.
    pub async fn pull(&mut self, queue: &str, key: Option<u64>) {
        self.frame(BINARY, &pull(queue, key)).await;
    }

    /// The next page: its texts, and the key that confirms it. Without a key it is the end of its queue.
    pub async fn page(&mut self) -> (Vec<String>, Option<u64>) {
        let page = self.sync_down().await;
        assert_eq!(page.next_key.is_none(), page.is_last == Some(true));
        (page.metas.iter().map(|meta| text_of(meta.payload.as_deref().unwrap())).collect(), page.next_key)
    }

    /// Takes what is sent of a queue and confirms it to its end; the texts.
    pub async fn received(&mut self, queue: &str) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let (texts, key) = self.page().await;
            if key.is_none() {
                return all;
            }
            all.extend(texts);
            self.pull(queue, key).await;
        }
    }

    async fn sync_down(&mut self) -> CommSyncDl {
        let (command, payload) = self.down().await;
        assert_eq!(command, Command::Sync);
        CommSyncDl::decode(&*payload).unwrap()
    }

    /// What comes next, for a client that goes on whatever happens. May be dropped and asked again.
    pub async fn heard(&mut self) -> Heard {
        loop {
            let frame = match self.got().await {
                Got::Binary(frame) => frame,
                Got::Close(..) | Got::End => return Heard::Gone,
                Got::Ping => {
                    self.frame(PONG, b"").await;
                    continue;
                }
                _ => continue,
            };
            let (command, payload) = opened(&frame);
            let is_ok = |status: Option<Status>| status.is_some_and(|status| status.error_code == Some(0));
            match command {
                Command::Provision => return Heard::LoggedIn(is_ok(Provision::decode(&*payload).unwrap().status)),
                Command::Unread => {
                    let unread = CommUnreadDl::decode(&*payload).unwrap().unread;
                    return Heard::Waiting(
                        unread.into_iter().map(|queue| queue.queue.unwrap().name.unwrap()).collect(),
                    );
                }
                Command::Sync => {
                    let CommSyncDl { status, meta_id, metas, next_key, queue, .. } =
                        CommSyncDl::decode(&*payload).unwrap();
                    if let Some(number) = meta_id {
                        return Heard::Stored(number, is_ok(status));
                    }
                    let texts = metas.iter().map(|meta| text_of(meta.payload.as_deref().unwrap())).collect();
                    let queue = queue.and_then(|queue| queue.name).unwrap_or_default();
                    return Heard::Page { queue, texts, key: next_key };
                }
                _ => {}
            }
        }
    }

    /// The number of the message sent last.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// The next frame of the protocol.
    async fn down(&mut self) -> (Command, Vec<u8>) {
        loop {
            match self.got().await {
                Got::Binary(frame) => return opened(&frame),
                Got::Ping => self.frame(PONG, b"").await,
                other => panic!("{other:?}"),
            }
        }
    }

    /// Whatever comes next.
    pub async fn got(&mut self) -> Got {
        loop {
            if let Some(got) = self.take_frame() {
                return got;
            }
            if self.more().await == 0 {
                return Got::End;
            }
        }
    }

    /// How the server ends the connection: by its own word, and then by hanging up.
    pub async fn closed(&mut self) -> (u16, String) {
        let (heard, code, reason) = self.until_closed().await;
        assert_eq!(heard, [], "nothing else was to be said");
        (code, reason)
    }

    /// The same, and what came before.
    pub async fn until_closed(&mut self) -> (Vec<Got>, u16, String) {
        let mut heard = Vec::new();
        loop {
            match self.got().await {
                Got::Close(code, reason) => {
                    assert_eq!(self.got().await, Got::End, "after the close nothing is said");
                    return (heard, code, reason);
                }
                Got::End => panic!("ended without a word, after {heard:?}"),
                other => heard.push(other),
            }
        }
    }

    fn take_frame(&mut self) -> Option<Got> {
        let (&[first, second], rest) = self.read.split_first_chunk()?;
        assert!(first & 0x80 != 0 && second & 0x80 == 0, "whole and not masked");
        let (length, head) = match second {
            126 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), 4),
            127 => (usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).unwrap(), 10),
            short => (usize::from(short), 2),
        };
        let payload = self.read.get(head..head + length)?.to_vec();
        self.read.drain(..head + length);
        Some(match first {
            TEXT => Got::Text(String::from_utf8(payload).unwrap()),
            BINARY => Got::Binary(payload),
            PING => Got::Ping,
            PONG => Got::Pong,
            CLOSE => {
                let (code, reason) = payload.split_first_chunk().unwrap();
                Got::Close(u16::from_be_bytes(*code), String::from_utf8(reason.to_vec()).unwrap())
            }
            other => panic!("opcode {other:#x}"),
        })
    }

    /// Reads once; 0 when closed or reset.
    async fn more(&mut self) -> usize {
        let read = tokio::time::timeout(DEADLINE, self.stream.read_buf(&mut self.read)).await;
        read.expect("the deadline has passed").unwrap_or(0)
    }
}

/// A frame of the websocket, masked as a client's must be, with a mask that changes nothing.
pub fn framed(first: u8, payload: &[u8]) -> Vec<u8> {
    [&head(first, payload.len())[..], payload].concat()
}

/// The head of a frame that claims so many bytes.
pub fn head(first: u8, length: usize) -> Vec<u8> {
    let mut head = vec![first];
    match u16::try_from(length) {
        Ok(short @ ..126) => head.push(0x80 | short.to_be_bytes()[1]),
        Ok(medium) => {
            head.push(0xfe);
            head.extend(medium.to_be_bytes());
        }
        Err(_) => {
            head.push(0xff);
            head.extend((length as u64).to_be_bytes());
        }
    }
    head.extend([0; 4]);
    head
}

/// A frame of the protocol.
pub fn msync(command: Command, payload: Vec<u8>) -> Vec<u8> {
    MSync { version: Some(0), command: Some(command.into()), payload: Some(payload), ..MSync::default() }
        .encode_to_vec()
}

/// The command and payload of a frame.
pub fn opened(frame: &[u8]) -> (Command, Vec<u8>) {
    let envelope = MSync::decode(frame).unwrap();
    (envelope.command.unwrap().try_into().unwrap(), envelope.payload.unwrap())
}

/// A login.
pub fn login(user: &str, token: &str) -> Vec<u8> {
    login_of(user, &format!("webim_{user}"), token)
}

/// A login of that device.
pub fn login_of(user: &str, resource: &str, token: &str) -> Vec<u8> {
    let resource = resource.to_owned();
    let provision = Provision { resource: Some(resource.clone()), ..Provision::default() };
    MSync {
        guid: Some(Jid::device(APP_KEY, user, &resource)),
        auth: Some(format!("$t${token}")),
        command: Some(Command::Provision.into()),
        payload: Some(provision.encode_to_vec()),
        ..MSync::default()
    }
    .encode_to_vec()
}

/// A message.
pub fn chat(id: u64, to: &str, text: &str) -> Vec<u8> {
    let meta = Meta {
        id: Some(id),
        to: Some(Jid::user(APP_KEY, to)),
        ns: Some(Namespace::Chat.into()),
        payload: Some(text_body("anybody", to, text)),
        ..Meta::default()
    };
    msync(Command::Sync, CommSyncUl { meta: Some(meta), ..CommSyncUl::default() }.encode_to_vec())
}

/// A question for a queue.
pub fn pull(queue: &str, key: Option<u64>) -> Vec<u8> {
    let up = CommSyncUl { queue: Some(Jid::user(APP_KEY, queue)), key, ..CommSyncUl::default() };
    msync(Command::Sync, up.encode_to_vec())
}

/// The text in a message's body.
pub fn text_of(payload: &[u8]) -> String {
    inspect(payload).unwrap().text.unwrap().into_owned()
}
