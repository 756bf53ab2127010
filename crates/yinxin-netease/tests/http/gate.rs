//! What a client asks before it comes in, and its connection on a real socket: what is said, and what ends it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use yinxin_core::limits::SocketLimits;
use yinxin_http::{Arrival, ServeOptions};
use yinxin_netease::Options;

use crate::asking::{Answer as _, Ask, Signed as _};
use crate::world::{SECOND, START_MS, World};

/// A bound for failures; nothing takes so long.
const LONG: Duration = Duration::from_secs(20);

/// The gate of a world on a socket.
struct Gate {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Gate {
    async fn open(w: &World, options: Options) -> Self {
        let listener = TcpListener::bind((IpAddr::from([127, 0, 0, 1]), 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let router = yinxin_netease::router(Arc::clone(&w.ctx), options);
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let options = ServeOptions { drain_timeout: Duration::ZERO, ..ServeOptions::default() };
            let _drained = yinxin_http::serve(listener, router, options, async { drop(stopped.await) }).await;
        });
        Self { addr, stop, serving }
    }

    async fn connect(&self) -> Client {
        let mut request =
            format!("ws://{}/nrtc/room?ip=127.0.0.1&cid=1&uid=1", self.addr).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("protoo"));
        let stream = TcpStream::connect(self.addr).await.unwrap();
        let (socket, response) = client_async(request, stream).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], "protoo");
        Client { socket, asked: 0 }
    }

    async fn close(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap();
    }
}

/// Somebody's connection.
struct Client {
    socket: WebSocketStream<TcpStream>,
    asked: u64,
}

impl Client {
    async fn say(&mut self, message: impl Into<Message>) {
        self.socket.send(message.into()).await.unwrap();
    }

    /// The next frame, or why the server has closed.
    async fn hear(&mut self) -> Result<Value, (u16, String)> {
        loop {
            match tokio::time::timeout(LONG, self.socket.next()).await.expect("something to hear") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => return Err((frame.code.into(), frame.reason.to_string())),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Asks, and gives the answer; what is told meanwhile is passed over.
    async fn ask(&mut self, method: &str, data: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.say(json!({ "request": true, "id": id, "method": method, "data": data }).to_string()).await;
        loop {
            let frame = self.hear().await.unwrap_or_else(|closed| panic!("{method}: {closed:?}"));
            if frame["response"] == json!(true) && frame["id"] == json!(id) {
                return frame;
            }
        }
    }

    async fn join(&mut self, pass: &str) -> Value {
        let data = json!({ "requestId": "r", "externData": { "token": pass, "platformType": 16 } });
        let answer = self.ask("Join", data).await;
        assert_eq!(answer["ok"], json!(true));
        answer["data"].clone()
    }

    /// Expects to be told that of the room.
    async fn told(&mut self, method: &str) -> Value {
        let frame = self.hear().await.unwrap();
        assert_eq!(frame["method"], json!(method), "{frame}");
        frame["data"]["externData"].clone()
    }

    async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Err(closed) = self.hear().await {
                return closed;
            }
        }
    }
}

impl World {
    fn infos<'w>(&'w self, form: &[(&str, &str)]) -> Ask<'w> {
        Ask::new(self, "POST", "/nrtc/getChannelInfos.action").form(form)
    }

    async fn pass(&self, uid: &str) -> String {
        let token = self.token(&[("uid", uid)]).await;
        let app_key = self.app().await.signing.key.clone();
        let form =
            [("uid", uid), ("appkey", &app_key), ("channelName", "room"), ("secureType", "1"), ("checksum", &token)];
        self.infos(&form).await.ok()["token"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn an_invitation_says_where_the_socket_is() {
    let w = World::new().await;
    let token = w.token(&[("uid", "10000")]).await;
    let app_key = w.app().await.signing.key.clone();
    // As nertc-web-sdk 5.8.34 sends it.
    let form = [
        ("uid", "10000"),
        ("appkey", &app_key),
        ("platformType", "16"),
        ("permKeySecret", ""),
        ("channelName", "room1"),
        ("environmentType", "2"),
        ("secureType", "1"),
        ("osType", "4"),
        ("mode", "2"),
        ("netType", "0"),
        ("version", "5.8.34.0"),
        ("curtime", "1795299558332"),
        ("checksum", &token),
        ("webrtc", "1"),
        ("nrtcg2", "1"),
        ("t1", "1795299558331"),
    ];
    let mut said = w.infos(&form).await.ok();
    let cid = said["cid"].as_i64().unwrap();
    assert!((1..1 << 53).contains(&cid));
    assert!(said["token"].take().as_str().unwrap().len() > 100);
    let ips = json!({ "uid": 10000, "token": "", "webrtcarray": ["ws://im.test/nrtc/room?ip=im.test"], "turnaddrs": [],
        "relayaddrs": null });
    let time = json!({ "t1": 1_795_299_558_331_i64, "t2": START_MS, "t3": START_MS });
    let config = json!({ "quality_level_limit": 16 });
    assert_eq!(said, json!({ "code": 200, "cid": cid, "token": null, "ips": ips, "time": time, "config": config }));

    let socket = |said: Value| said["ips"]["webrtcarray"][0].as_str().unwrap().to_owned();
    let https = Arrival { https: true, ..Arrival::in_process() };
    assert_eq!(socket(w.infos(&form).arriving(https).await.ok()), "wss://im.test/nrtc/room?ip=im.test");
    for (host, url) in [("[::1]:8090", "ws://[::1]:8090/nrtc/room?ip=[::1]"), ("im:1", "ws://im:1/nrtc/room?ip=im")] {
        assert_eq!(socket(w.infos(&form).header("host", host).await.ok()), url);
    }
    for host in ["a b", "a/b", "a\"b", "", "a:b:c", "u@a", "a?b"] {
        let (code, _) = w.infos(&form).header("host", host).await.fault();
        assert_eq!(code, 414, "{host}");
    }
}

#[tokio::test]
async fn an_invitation_behind_another_address() {
    let mut w = World::new().await;
    let options = Options { public_url: Some("https://rtc.example.com:8443/".to_owned()), ..Options::default() };
    w.router = yinxin_netease::router(Arc::clone(&w.ctx), options);
    let token = w.token(&[("uid", "1")]).await;
    let app_key = w.app().await.signing.key.clone();
    let form = [("uid", "1"), ("appkey", &app_key), ("channelName", "a"), ("secureType", "1"), ("checksum", &token)];
    let said = w.infos(&form).await.ok();
    assert_eq!(said["ips"]["webrtcarray"], json!(["wss://rtc.example.com:8443/nrtc/room?ip=rtc.example.com"]));
}

#[tokio::test]
async fn a_refused_invitation_is_http_200_and_changes_nothing() {
    let w = World::new().await;
    let token = w.token(&[("uid", "1")]).await;
    let app_key = w.app().await.signing.key.clone();
    let good = [("uid", "1"), ("appkey", &app_key), ("channelName", "a"), ("secureType", "1"), ("checksum", &token)];
    let with = |name: &str, value: &'static str| {
        let mut form = good;
        form.iter_mut().filter(|(known, _)| *known == name).for_each(|pair| pair.1 = value);
        form
    };
    let before = w.dump().await;
    for (form, code, desc) in [
        (with("uid", ""), 414, "uid is empty"),
        (with("uid", "-1"), 414, "check checksum error"),
        (with("uid", "9223372036854775808"), 414, "check checksum error"),
        (with("uid", "2"), 414, "check checksum error"),
        (with("channelName", ""), 414, "check checksum error"),
        (with("channelName", "房间"), 414, "check checksum error"),
        (with("appkey", ""), 417, "invalid appkey"),
        (with("appkey", "ffffffffffffffffffffffffffffffff"), 417, "invalid appkey"),
        (with("checksum", "wrong"), 414, "check checksum error"),
        (with("checksum", ""), 403, "netcall.g2 unsafe mode is closed, please contact business!"),
        (with("secureType", "2"), 403, "netcall.g2 unsafe mode is closed, please contact business!"),
        (with("secureType", ""), 403, "netcall.g2 unsafe mode is closed, please contact business!"),
    ] {
        w.infos(&form).await.refused(code, desc);
    }
    w.infos(&good).header("content-type", "application/json").raw("{}").await.refused(417, "invalid appkey");
    w.infos(&good).raw("%ff").await.fault();
    assert_eq!(Ask::new(&w, "GET", "/nrtc/getChannelInfos.action").await.fault().0, 403);
    assert_eq!(Ask::new(&w, "GET", "/nrtc/room").await.fault().0, 404, "no websocket is asked for");
    assert_eq!(w.dump().await, before);
    let preflight = Ask::new(&w, "OPTIONS", "/nrtc/getChannelInfos.action").await;
    assert_eq!(preflight.status, 204);
    let allowed = preflight.headers["access-control-allow-headers"].to_str().unwrap().to_ascii_lowercase();
    assert!(allowed.contains("session-id"));
}

#[tokio::test]
async fn two_clients_see_each_other() {
    let w = World::new().await;
    let gate = Gate::open(&w, Options::default()).await;
    let (mut ann, mut ben) = (gate.connect().await, gate.connect().await);
    let welcome = ann.join(&w.pass("1").await).await;
    assert_eq!((&welcome["code"], &welcome["cname"], &welcome["uid"]), (&json!(200), &json!("room"), &json!(1)));
    let welcome = ben.join(&w.pass("2").await).await;
    assert_eq!(welcome["externData"]["userList"][0]["uid"], json!(1));
    assert_eq!(ann.told("OnPeerJoin").await["uid"], json!(2));
    assert_eq!(ann.ask("Heartbeat", json!({})).await["data"], json!({ "code": 200 }));
    ben.say(r#"{"notification":true,"method":"Leave","data":{"externData":{"reason":0}}}"#).await;
    assert_eq!(ann.told("OnPeerLeave").await["userList"], json!([{ "uid": 2, "reason": 0 }]));
    assert_eq!(ben.closed().await, (1000, "left".to_owned()));
    gate.close().await;
}

#[tokio::test]
async fn a_pass_that_is_not_good_is_refused_in_an_answer() {
    let w = World::new().await;
    let gate = Gate::open(&w, Options::default()).await;
    let good = w.pass("1").await;
    let (forged, cut) = (format!("B{}", &good[1..]), good[..good.len() - 1].to_owned());
    let used_up = w.pass("1").await;
    let mut ann = gate.connect().await;
    ann.join(&used_up).await;
    ann.say(r#"{"notification":true,"method":"Leave"}"#).await;
    ann.closed().await;
    for pass in ["", "sig-1", &forged, &cut, &used_up] {
        let mut client = gate.connect().await;
        let said = client.join(pass).await;
        assert_eq!(said["code"], json!(414), "{pass}");
        assert_eq!(said["externData"]["errMsg"], json!("check checksum error"));
        assert_eq!(client.closed().await, (1008, "join refused".to_owned()));
    }
    gate.close().await;
}

#[tokio::test]
async fn what_no_client_says_ends_a_connection_with_a_reason() {
    let w = World::new().await;
    let gate = Gate::open(&w, Options::default()).await;
    let text = |text: &str| Message::text(text.to_owned());
    let big = "x".repeat(64 * 1024 + 1);
    for (first, code, reason) in [
        (text("no frame"), 1007, "malformed frame"),
        (text("{}"), 1007, "malformed frame"),
        (Message::binary(Bytes::from_static(b"\0")), 1003, "wrong kind of message"),
        (text(&big), 1009, "frame too large"),
        (text(r#"{"request":true,"id":1,"method":"Heartbeat","data":{}}"#), 1008, "join due"),
        (text(r#"{"notification":true,"method":"Leave"}"#), 1000, "left"),
    ] {
        let mut client = gate.connect().await;
        client.say(first).await;
        assert_eq!(client.closed().await, (code, reason.to_owned()));
    }
    let mut client = gate.connect().await;
    client.join(&w.pass("1").await).await;
    client.say(r#"{"request":true,"id":9,"method":"Join","data":{}}"#).await;
    assert_eq!(client.closed().await, (1008, "joined already".to_owned()));
    gate.close().await;
}

#[tokio::test]
async fn silence_and_haste_end_a_connection() {
    let w = World::new().await;
    let socket = SocketLimits {
        hello: Duration::from_millis(50),
        frames_per_s: 1,
        frames_at_once: 5,
        ..SocketLimits::default()
    };
    let gate = Gate::open(&w, Options { socket, ..Options::default() }).await;
    assert_eq!(gate.connect().await.closed().await, (1008, "no join".to_owned()));
    let mut client = gate.connect().await;
    for _ in 0..10 {
        // The server's clock stands still; it may have closed before the last.
        let _sent = client.socket.send(Message::text(r#"{"response":true,"id":1,"ok":true}"#)).await;
    }
    assert_eq!(client.closed().await, (1008, "too many frames".to_owned()));
    gate.close().await;
}

#[tokio::test]
async fn who_is_lost_is_missed_after_a_while_and_may_come_back_until_then() {
    let w = World::new().await;
    let gate = Gate::open(&w, Options { seat_kept: LONG, ..Options::default() }).await;
    let mut ann = gate.connect().await;
    ann.join(&w.pass("1").await).await;
    let pass = w.pass("2").await;
    let mut ben = gate.connect().await;
    ben.join(&pass).await;
    assert_eq!(ann.told("OnPeerJoin").await["uid"], json!(2));
    drop(ben);
    let mut ben = gate.connect().await;
    assert_eq!(ben.join(&pass).await["externData"]["userList"][0]["uid"], json!(1));
    ben.say(r#"{"notification":true,"method":"Leave"}"#).await;
    // Nothing was told in between.
    assert_eq!(ann.told("OnPeerLeave").await["userList"], json!([{ "uid": 2, "reason": 0 }]));

    let impatient = Gate::open(&w, Options { seat_kept: Duration::ZERO, ..Options::default() }).await;
    let mut carl = impatient.connect().await;
    carl.join(&w.pass("3").await).await;
    assert_eq!(ann.told("OnPeerJoin").await["uid"], json!(3));
    drop(carl);
    assert_eq!(ann.told("OnPeerLeave").await["userList"], json!([{ "uid": 3, "reason": 3 }]));
    gate.close().await;
    impatient.close().await;
}

#[tokio::test]
async fn who_has_the_same_number_takes_the_place() {
    let w = World::new().await;
    let gate = Gate::open(&w, Options::default()).await;
    let (mut first, mut second) = (gate.connect().await, gate.connect().await);
    first.join(&w.pass("1").await).await;
    second.join(&w.pass("1").await).await;
    assert_eq!(first.told("OnPeerClose").await, Value::Null);
    assert_eq!(first.closed().await, (1008, "displaced".to_owned()));
    assert_eq!(second.ask("Heartbeat", json!({})).await["ok"], json!(true));
    gate.close().await;
}

#[tokio::test]
async fn a_server_that_stops_says_so() {
    let w = World::new().await;
    let gate = Gate::open(&w, Options::default()).await;
    let mut client = gate.connect().await;
    client.join(&w.pass("1").await).await;
    w.ctx.rooms.stop();
    assert_eq!(client.closed().await, (1001, "server stops".to_owned()));
    gate.close().await;
}

#[tokio::test]
async fn a_room_that_nobody_comes_to_is_over_after_a_minute() {
    let w = World::new().await;
    let gate = Gate::open(&w, Options::default()).await;
    let pass = w.pass("1").await;
    w.clock.move_by(60 * SECOND);
    let mut client = gate.connect().await;
    assert_eq!(client.join(&pass).await["code"], json!(404));
    gate.close().await;
}
