//! A chat client as lean as can be: logs in, sends, receives, confirms. Its frames are those of the vendor's web SDK,
//! written down once more from their field numbers, so that the load does not depend on the code it measures.

use std::net::SocketAddr;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use prost::Message as _;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::problem::{Explain as _, Problem, Result};
use crate::site::APP_KEY;

const SYNC: i32 = 0;
const UNREAD: i32 = 1;
const PROVISION: i32 = 3;
const CHAT: i32 = 1;
const DOMAIN: &str = "easemob.com";

/// A websocket of this machine, without the reserve that a stock one keeps for traffic.
pub type Socket = WebSocketStream<TcpStream>;

/// Opens a websocket.
pub async fn open(address: SocketAddr, path: &str) -> Result<Socket> {
    let stream = TcpStream::connect(address).await.explain("cannot connect to the server")?;
    stream.set_nodelay(true).explain("cannot set TCP_NODELAY")?;
    let config = WebSocketConfig::default().read_buffer_size(1024).write_buffer_size(0);
    let url = format!("ws://{address}{path}");
    let opened = tokio_tungstenite::client_async_with_config(url, stream, Some(config)).await;
    Ok(opened.explain("cannot open a websocket")?.0)
}

/// The half that speaks.
pub struct Speaker {
    socket: SplitSink<Socket, Message>,
    sent: u64,
}

/// The half that hears.
pub struct Hearer(SplitStream<Socket>);

/// What a client hears.
#[derive(Debug)]
pub enum Heard {
    /// The message sent with that number is on disk.
    Stored(u64),
    /// Messages of that sender, to be confirmed with the key.
    Page {
        /// Who wrote.
        peer: String,
        /// What to confirm.
        key: u64,
        /// The texts, in order.
        texts: Vec<String>,
    },
    /// Something else.
    Nothing,
}

/// Logs in and asks what is there, as the SDK does.
pub async fn login(address: SocketAddr, user: &str, token: &str) -> Result<(Speaker, Hearer)> {
    let (socket, frames) = open(address, "/ws").await?.split();
    let (mut speaker, mut hearer) = (Speaker { socket, sent: 0 }, Hearer(frames));
    let resource = format!("webim_bench_{user}");
    let auth = format!("$t${token}");
    let provision = Provision {
        os_type: Some(16),
        version: Some("4.21.1".into()),
        status: None,
        device_uuid: Some(resource.clone()),
        resource: Some(resource.clone()),
    };
    let guid = Jid { client_resource: Some(resource), ..Jid::user(user) };
    speaker.say(PROVISION, Some((guid, auth)), &provision.encode_to_vec()).await?;
    let answer = hearer.answer(PROVISION).await?;
    let answer = Provision::decode(answer.as_slice()).explain("a login's answer is malformed")?;
    let status = answer.status.unwrap_or_default();
    if status.code != Some(0) {
        let said = status.reason.unwrap_or_default();
        return Err(Problem::new(format!("{user} was refused with code {:?}: {said}", status.code)));
    }
    speaker.say(UNREAD, None, &[]).await?;
    hearer.answer(UNREAD).await?;
    Ok((speaker, hearer))
}

impl Speaker {
    /// Sends a text and gives its number.
    pub async fn send(&mut self, to: &str, text: String) -> Result<u64> {
        self.sent += 1;
        let body = Body {
            kind: Some(1),
            from: None,
            to: Some(Jid { name: Some(to.into()), ..Jid::default() }),
            contents: vec![Content { kind: Some(0), text: Some(text) }],
        };
        let meta = Meta { id: Some(self.sent), to: Some(Jid::user(to)), ns: Some(CHAT), payload: body.encode_to_vec() };
        let up = CommSyncUl { meta: Some(meta), ..CommSyncUl::default() };
        self.say(SYNC, None, &up.encode_to_vec()).await?;
        Ok(self.sent)
    }

    /// Confirms a page and asks for the next.
    pub async fn confirm(&mut self, peer: &str, key: u64) -> Result<()> {
        let up = CommSyncUl { meta: None, key: Some(key), queue: Some(Jid::user(peer)) };
        self.say(SYNC, None, &up.encode_to_vec()).await
    }

    async fn say(&mut self, command: i32, login: Option<(Jid, String)>, payload: &[u8]) -> Result<()> {
        let (guid, auth) = login.unzip();
        let frame = MSync { guid, auth, command: Some(command), payload: payload.to_vec() };
        let frame = Message::Binary(frame.encode_to_vec().into());
        self.socket.send(frame).await.explain("cannot send a frame")
    }
}

impl Hearer {
    /// The next frame, as far as a load cares.
    pub async fn hear(&mut self) -> Result<Heard> {
        let frame = self.frame().await?;
        if frame.command.unwrap_or(SYNC) != SYNC {
            return Ok(Heard::Nothing);
        }
        let down = CommSyncDl::decode(frame.payload.as_slice()).explain("a frame is malformed")?;
        if let Some(code) = down.status.as_ref().and_then(|status| status.code).filter(|code| *code != 0) {
            let said = down.status.and_then(|status| status.reason).unwrap_or_default();
            return Err(Problem::new(format!("a message was refused with code {code}: {said}")));
        }
        if let Some(id) = down.meta_id.filter(|_| down.server_id.is_some()) {
            return Ok(Heard::Stored(id));
        }
        let (Some(key), Some(peer)) = (down.next_key, down.queue.and_then(|queue| queue.name)) else {
            return Ok(Heard::Nothing);
        };
        let texts = down.metas.iter().map(text_of).collect::<Result<_>>()?;
        Ok(Heard::Page { peer, key, texts })
    }

    async fn frame(&mut self) -> Result<MSync> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Binary(bytes))) => return MSync::decode(bytes).explain("a frame is malformed"),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(Problem::new(format!("a connection broke: {error}"))),
                None => return Err(Problem::new("the server closed a connection")),
            }
        }
    }

    async fn answer(&mut self, command: i32) -> Result<Vec<u8>> {
        loop {
            let frame = self.frame().await?;
            if frame.command == Some(command) {
                return Ok(frame.payload);
            }
        }
    }
}

fn text_of(meta: &Meta) -> Result<String> {
    let body = Body::decode(meta.payload.as_slice()).explain("a message is malformed")?;
    let text = body.contents.into_iter().next().and_then(|content| content.text);
    text.ok_or_else(|| Problem::new("a message has no text"))
}

#[derive(Clone, PartialEq, prost::Message)]
struct MSync {
    #[prost(message, optional, tag = "2")]
    guid: Option<Jid>,
    #[prost(string, optional, tag = "3")]
    auth: Option<String>,
    #[prost(int32, optional, tag = "8")]
    command: Option<i32>,
    #[prost(bytes = "vec", tag = "9")]
    payload: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Jid {
    #[prost(string, optional, tag = "1")]
    app_key: Option<String>,
    #[prost(string, optional, tag = "2")]
    name: Option<String>,
    #[prost(string, optional, tag = "3")]
    domain: Option<String>,
    #[prost(string, optional, tag = "4")]
    client_resource: Option<String>,
}

impl Jid {
    fn user(name: &str) -> Self {
        Self {
            app_key: Some(APP_KEY.into()),
            name: Some(name.into()),
            domain: Some(DOMAIN.into()),
            client_resource: None,
        }
    }
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Status {
    #[prost(int32, optional, tag = "1")]
    code: Option<i32>,
    #[prost(string, optional, tag = "2")]
    reason: Option<String>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Provision {
    #[prost(int32, optional, tag = "1")]
    os_type: Option<i32>,
    #[prost(string, optional, tag = "2")]
    version: Option<String>,
    #[prost(message, optional, tag = "8")]
    status: Option<Status>,
    #[prost(string, optional, tag = "9")]
    device_uuid: Option<String>,
    #[prost(string, optional, tag = "13")]
    resource: Option<String>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Meta {
    #[prost(uint64, optional, tag = "1")]
    id: Option<u64>,
    #[prost(message, optional, tag = "3")]
    to: Option<Jid>,
    #[prost(int32, optional, tag = "5")]
    ns: Option<i32>,
    #[prost(bytes = "vec", tag = "6")]
    payload: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct CommSyncUl {
    #[prost(message, optional, tag = "1")]
    meta: Option<Meta>,
    #[prost(uint64, optional, tag = "2")]
    key: Option<u64>,
    #[prost(message, optional, tag = "3")]
    queue: Option<Jid>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct CommSyncDl {
    #[prost(message, optional, tag = "1")]
    status: Option<Status>,
    #[prost(uint64, optional, tag = "2")]
    meta_id: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    server_id: Option<u64>,
    #[prost(message, repeated, tag = "4")]
    metas: Vec<Meta>,
    #[prost(uint64, optional, tag = "5")]
    next_key: Option<u64>,
    #[prost(message, optional, tag = "6")]
    queue: Option<Jid>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Body {
    #[prost(int32, optional, tag = "1")]
    kind: Option<i32>,
    #[prost(message, optional, tag = "2")]
    from: Option<Jid>,
    #[prost(message, optional, tag = "3")]
    to: Option<Jid>,
    #[prost(message, repeated, tag = "4")]
    contents: Vec<Content>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Content {
    #[prost(int32, optional, tag = "1")]
    kind: Option<i32>,
    #[prost(string, optional, tag = "2")]
    text: Option<String>,
}
