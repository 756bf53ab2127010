//! A client that says what it is told to, and believes nothing about what it hears.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use prost::Message as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};
use yinxin_floo::packet;
use yinxin_floo::wire::{
    Command, ErrorCode, Frame, MessageBody, Meta, Namespace, Provision, SyncDl, SyncUl, UnreadDl, UserNotice, Xid,
};

use crate::world::Somebody;

/// Longer than anything a test waits for.
pub const DEADLINE: Duration = Duration::from_secs(20);

pub struct Peer {
    pub number: u64,
    stream: WebSocketStream<TcpStream>,
}

impl Peer {
    /// One that has said nothing yet.
    pub async fn open(address: SocketAddr) -> Self {
        Self::open_on(TcpSocket::new_v4().unwrap(), address).await
    }

    pub async fn open_on(socket: TcpSocket, address: SocketAddr) -> Self {
        let stream = socket.connect(address).await.unwrap();
        let url = format!("ws://{address}/socket.io/?EIO=3&transport=websocket");
        let (stream, _) = client_async(url, stream).await.unwrap();
        let mut peer = Self { number: 0, stream };
        let opening = peer.text().await;
        assert!(opening.starts_with(r#"0{"pingInterval":25000,"pingTimeout":"#), "{opening}");
        assert_eq!(peer.text().await, "40");
        peer
    }

    pub async fn say(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    /// Says the same again and again until the server has hung up, and reads nothing meanwhile; gives back the line.
    pub async fn nag(self, frame: &[u8]) -> TcpStream {
        let (mut stream, said) = (self.stream.into_inner(), nagging(frame));
        while stream.write_all(&said).await.is_ok() {}
        stream
    }

    /// The same until the server has not taken anything for a while.
    pub async fn nag_until_stuck(self, frame: &[u8]) -> TcpStream {
        let (mut stream, said) = (self.stream.into_inner(), nagging(frame));
        while timeout(Duration::from_millis(200), stream.write_all(&said)).await.is_ok() {}
        stream
    }

    /// The bare line, on which a client is silent and needs no memory.
    pub fn hush(self) -> TcpStream {
        self.stream.into_inner()
    }

    /// Sends a frame as the SDK does.
    pub async fn frame(&mut self, frame: &[u8]) {
        self.say(Message::text(packet::ANNOUNCEMENT)).await;
        self.say(Message::binary(packet::attach(frame))).await;
    }

    pub async fn command(&mut self, command: Command, payload: Vec<u8>) {
        let frame = Frame { command: command.into(), payload, ..Frame::default() };
        self.frame(&frame.encode_to_vec()).await;
    }

    pub async fn provision(&mut self, provision: Provision) -> ErrorCode {
        self.command(Command::Provision, provision.encode_to_vec()).await;
        let (command, payload) = self.down().await;
        assert_eq!(command, Command::Provision);
        let answer = Provision::decode(&*payload).unwrap();
        assert!(answer.xid.is_some());
        ErrorCode::try_from(answer.status.unwrap().code).unwrap()
    }

    pub async fn log_in(&mut self, who: &Somebody) {
        self.log_in_with(who, 1).await;
    }

    /// With the user's device of that number.
    pub async fn log_in_with(&mut self, who: &Somebody, device: u32) {
        self.number = who.number;
        let login = Provision { device_guid: format!("{}_{device}", who.number), ..login(who) };
        assert_eq!(self.provision(login).await, ErrorCode::Ok);
    }

    /// Asks what waits; with whom.
    pub async fn unread(&mut self) -> Vec<u64> {
        self.command(Command::Unread, Vec::new()).await;
        let (command, payload) = self.down().await;
        assert_eq!(command, Command::Unread);
        UnreadDl::decode(&*payload).unwrap().unread.iter().map(|one| one.xid.unwrap().uid).collect()
    }

    /// Sends a meta; how that went.
    pub async fn send(&mut self, meta: Meta) -> (ErrorCode, SyncDl) {
        let mid = meta.id;
        self.command(Command::Sync, SyncUl { meta: Some(meta), ..SyncUl::default() }.encode_to_vec()).await;
        let answer = self.sync().await;
        assert_eq!(answer.client_mid, mid);
        (ErrorCode::try_from(answer.status.clone().unwrap().code).unwrap(), answer)
    }

    /// Asks for a conversation, perhaps confirming a page.
    pub async fn pull(&mut self, uid: u64, key: u64) -> SyncDl {
        self.command(Command::Sync, SyncUl { xid: Some(Xid::user(uid)), key, ..SyncUl::default() }.encode_to_vec())
            .await;
        self.sync().await
    }

    pub async fn sync(&mut self) -> SyncDl {
        let (command, payload) = self.down().await;
        assert_eq!(command, Command::Sync);
        let answer = SyncDl::decode(&*payload).unwrap();
        // The SDK looks at both without asking whether they are there.
        assert!(answer.status.is_some() && answer.xid.is_some());
        answer
    }

    /// What the user is told about itself.
    pub async fn notice(&mut self) -> i32 {
        let [meta] = &self.sync().await.metas[..] else { panic!("no notice") };
        assert_eq!(meta.ns, Namespace::UserNotice as i32);
        UserNotice::decode(&*meta.payload).unwrap().r#type
    }

    pub async fn down(&mut self) -> (Command, Vec<u8>) {
        assert_eq!(self.text().await, packet::ANNOUNCEMENT);
        let Message::Binary(bytes) = self.next().await else { panic!("no attachment") };
        let frame = Frame::decode(packet::attachment(&bytes).unwrap()).unwrap();
        (Command::try_from(frame.command).unwrap(), frame.payload)
    }

    pub async fn text(&mut self) -> String {
        match self.next().await {
            Message::Text(text) => text.to_string(),
            other => panic!("{other:?} is no text"),
        }
    }

    /// Why the server ends it, which it says in Socket.IO's way first.
    pub async fn closed(&mut self) -> (u16, String) {
        assert_eq!(self.text().await, packet::DISCONNECT);
        match self.next().await {
            Message::Close(Some(frame)) => (frame.code.into(), frame.reason.to_string()),
            other => panic!("{other:?} is no end"),
        }
    }

    async fn next(&mut self) -> Message {
        timeout(DEADLINE, self.stream.next()).await.expect("something is due").expect("not the end").unwrap()
    }
}

/// A frame many times, as bytes of the websocket. They are masked with zeros, which is a mask.
fn nagging(frame: &[u8]) -> Vec<u8> {
    let message = |opcode: u8, bytes: &[u8]| {
        let length = u8::try_from(bytes.len()).ok().filter(|length| *length < 126).unwrap();
        [&[0x80 | opcode, 0x80 | length, 0, 0, 0, 0], bytes].concat()
    };
    [message(1, packet::ANNOUNCEMENT.as_bytes()), message(2, &packet::attach(frame))].concat().repeat(1000)
}

/// A frame that asks for a conversation.
pub fn pull(uid: u64) -> Vec<u8> {
    let payload = SyncUl { xid: Some(Xid::user(uid)), ..SyncUl::default() }.encode_to_vec();
    Frame { command: Command::Sync.into(), payload, ..Frame::default() }.encode_to_vec()
}

/// The login of a user's only device.
pub fn login(who: &Somebody) -> Provision {
    Provision {
        xid: Some(Xid { uid: who.number, device_sn: 5 }),
        token: who.token.clone(),
        os_type: 6,
        device_guid: format!("{}_1", who.number),
        ..Provision::default()
    }
}

/// A meta with that body.
pub fn meta(to: u64, body: &MessageBody) -> Meta {
    Meta {
        id: 7,
        to: Some(Xid::user(to)),
        ns: Namespace::Message.into(),
        payload: body.encode_to_vec(),
        ..Meta::default()
    }
}

/// A text to a user.
pub fn text(to: u64, content: &str) -> Meta {
    meta(to, &MessageBody { r#type: 2, content: content.into(), ..MessageBody::default() })
}
