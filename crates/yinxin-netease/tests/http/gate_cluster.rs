//! The gates of two nodes on one database: where clients are sent, and what happens at the wrong door.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use yinxin_core::apps::{self, App, AppChanges};
use yinxin_core::bus::{BoxFuture, Bus, Hint, Incoming, To};
use yinxin_core::clock::SystemClock;
use yinxin_core::cluster::{self, Pace};
use yinxin_core::ctx::Parts;
use yinxin_core::files::{self, Place};
use yinxin_core::hooks::Nobody;
use yinxin_core::keys::MasterKey;
use yinxin_core::limits::Limits;
use yinxin_core::names::AppName;
use yinxin_core::rates::Preset;
use yinxin_core::rng::SystemRng;
use yinxin_core::rooms::RoomUid;
use yinxin_core::rooms::tokens;
use yinxin_core::{Ctx, NodeId};
use yinxin_http::ServeOptions;
use yinxin_netease::Options;
use yinxin_realtime::{Bounds, Registry};
use yinxin_testkit::ground;

/// Faster than life.
const PACE: Pace = Pace {
    beat: Duration::from_millis(50),
    dead_after: Duration::from_secs(5),
    look: Duration::from_millis(100),
    trust: Duration::from_millis(300),
    patience: Duration::from_millis(100),
};
/// A bound for failures.
const LONG: Duration = Duration::from_secs(30);

/// Carries nothing: whatever holds, holds without it.
struct Silence;

impl Bus for Silence {
    fn send(&self, _: To, _: Hint) {}

    fn next(&self) -> BoxFuture<'_, Incoming> {
        Box::pin(std::future::pending())
    }

    fn is_there(&self) -> bool {
        false
    }
}

struct Node {
    ctx: Arc<Ctx>,
    addr: SocketAddr,
    running: [JoinHandle<()>; 2],
}

impl Drop for Node {
    fn drop(&mut self) {
        self.running.iter().for_each(JoinHandle::abort);
    }
}

impl Node {
    async fn start(folder: &TempDir, number: u8) -> Self {
        let listener = TcpListener::bind((IpAddr::from([127, 0, 0, 1]), 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let url = format!("http://{addr}/");
        let node = NodeId([number; 16]);
        let bus = Arc::new(Silence);
        let parts = Parts {
            clock: Arc::new(SystemClock),
            rng: Arc::new(SystemRng),
            sessions: Registry::new(Bounds::default().of_node()),
            courier: Arc::new(Nobody),
            limits: Limits { password_threads: 1, ..Limits::default() },
            preset: Preset::SelfHosted,
            hash_cost: ground::CHEAP,
            files: files::Setup { place: Place::Folder(folder.path().join("files")), secret_is_enough: false },
            master: MasterKey::from_hex(&"5a".repeat(32)).unwrap(),
            cluster: Some(cluster::Setup { node, name: number.to_string(), url, bus, pace: PACE }),
        };
        let ctx = ground::open(folder.path(), parts).await;
        let beating = Arc::clone(&ctx);
        let router = yinxin_netease::router(Arc::clone(&ctx), Options::default());
        let running = [
            tokio::spawn(async move { cluster::run(&beating).await }),
            tokio::spawn(async move {
                let forever = std::future::pending::<()>();
                let _drained = yinxin_http::serve(listener, router, ServeOptions::default(), forever).await;
            }),
        ];
        Self { ctx, addr, running }
    }

    /// What a client is told that asks here.
    async fn infos(&self, app: &App, uid: u64) -> Value {
        let number = RoomUid::new(uid).unwrap();
        let request = tokens::Request { uid: number, room: None, ttl_s: None, repeat_use: None };
        let token = tokens::issue(&self.ctx, app, &request).await.unwrap();
        let body = format!("uid={uid}&appkey={}&channelName=room&secureType=1&checksum={token}&t1=1", app.signing.key);
        let head = format!(
            "POST /nrtc/getChannelInfos.action HTTP/1.1\r\nHost: balancer\r\nConnection: close\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        serde_json::from_str(&reply[reply.find('{').unwrap()..=reply.rfind('}').unwrap()]).unwrap()
    }
}

/// Opens the socket as the SDK does.
async fn open(address: &Value, infos: &Value) -> Result<WebSocketStream<TcpStream>, Error> {
    let url = format!("{}&cid={}&uid={}&deviceid=x", address.as_str().unwrap(), infos["cid"], infos["ips"]["uid"]);
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("protoo"));
    let stream = TcpStream::connect(request.uri().authority().unwrap().as_str()).await?;
    Ok(client_async(request, stream).await?.0)
}

async fn hear(socket: &mut WebSocketStream<TcpStream>) -> Value {
    loop {
        match tokio::time::timeout(LONG, socket.next()).await.expect("something to hear") {
            Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn join(socket: &mut WebSocketStream<TcpStream>, pass: &Value) -> Value {
    let data = json!({ "requestId": "r", "externData": { "token": pass, "platformType": 16 } });
    let asked = json!({ "request": true, "id": 1, "method": "Join", "data": data });
    socket.send(Message::text(asked.to_string())).await.unwrap();
    hear(socket).await["data"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_sent_to_the_room_s_node_and_kept_out_elsewhere() {
    let folder = TempDir::new().unwrap();
    let nodes = [Node::start(&folder, 1).await, Node::start(&folder, 2).await];
    let name = AppName::parse("org/app").unwrap();
    let app = apps::create(&nodes[0].ctx, name, AppChanges::default()).await.unwrap();
    let knows = |node: &Node| node.ctx.cluster.as_ref().unwrap().others() == 1;
    let meeting = async {
        while !nodes.iter().all(knows) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, meeting).await.expect("the nodes know each other");

    let address = |node: &Node| json!(format!("ws://{}/nrtc/room?app={}&ip=127.0.0.1", node.addr, app.signing.key));
    let infos = nodes[0].infos(&app, 1).await;
    assert_eq!(infos["ips"]["webrtcarray"], json!([address(&nodes[0]), address(&nodes[1])]));
    let mut ann = open(&infos["ips"]["webrtcarray"][0], &infos).await.unwrap();
    assert_eq!(join(&mut ann, &infos["token"]).await["code"], 200);

    let infos = nodes[1].infos(&app, 2).await;
    assert_eq!(infos["ips"]["webrtcarray"], json!([address(&nodes[0]), address(&nodes[1])]), "where Ann is");
    match open(&infos["ips"]["webrtcarray"][1], &infos).await {
        Err(Error::Http(refused)) => assert_eq!(refused.status(), 503),
        other => panic!("{other:?}"),
    }
    // An address that does not say whose room it is lets in, and then the join is refused.
    let bare = json!(format!("ws://{}/nrtc/room?ip=127.0.0.1", nodes[1].addr));
    let mut lost = open(&bare, &infos).await.unwrap();
    assert_eq!(join(&mut lost, &infos["token"]).await["code"], 503);
    let mut ben = open(&infos["ips"]["webrtcarray"][0], &infos).await.unwrap();
    let welcome = join(&mut ben, &infos["token"]).await;
    assert_eq!((&welcome["code"], &welcome["externData"]["userList"][0]["uid"]), (&json!(200), &json!(1)));
    assert_eq!(hear(&mut ann).await["method"], "OnPeerJoin");

    // A room that is nowhere, and nonsense, is for the join to refuse.
    let stranger = json!({ "cid": 7, "ips": { "uid": 1 } });
    for query in [format!("app={}", app.signing.key), "app=x".to_owned(), "app=%ff".to_owned()] {
        let address = json!(format!("ws://{}/nrtc/room?{query}&ip=1", nodes[1].addr));
        open(&address, &stranger).await.unwrap();
    }
}
