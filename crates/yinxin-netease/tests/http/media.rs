//! Credentials for media servers: whose, for what, until when; and that none is given, and no token lost, for nothing.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use yinxin_core::apps::AppChanges;
use yinxin_core::names::AppName;
use yinxin_core::rates::{Bucket, Preset};
use yinxin_core::rooms::media::{Janus, LiveKit, MediaServers, Secret, Turn};
use yinxin_netease::Options;
use yinxin_token::netease::permission::{self, Grant};

use crate::admit::{refusal, success};
use crate::asking::{Answer as _, Ask, Reply};
use crate::world::{SECOND, START_MS, World};

const START_S: i64 = START_MS / SECOND;
/// The longest life of a credential in these tests.
pub const TTL_S: i64 = 300;
pub const ALL: [&str; 3] = ["livekit", "janus", "turn"];

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned()).unwrap()
}

/// One of each, for the app that tests are about.
pub fn servers() -> MediaServers {
    MediaServers {
        apps: vec![AppName::parse("acme/chat").unwrap()],
        ttl_s: TTL_S,
        livekit: Some(LiveKit {
            url: "ws://livekit.test".to_owned(),
            api_key: "APIkey".to_owned(),
            api_secret: secret("livekit-secret"),
        }),
        janus: Some(Janus {
            url: "ws://janus.test".to_owned(),
            secret: secret("janus-secret"),
            plugins: vec!["janus.plugin.videoroom".to_owned(), "janus.plugin.echotest".to_owned()],
        }),
        turn: Some(Turn { urls: vec!["turn:turn.test:3478".to_owned()], secret: secret("turn-secret") }),
    }
}

async fn world_with(media: MediaServers) -> World {
    let mut w = World::new().await;
    w.router = yinxin_netease::router(w.ctx.clone(), Options { media, ..Options::default() });
    w
}

pub async fn world() -> World {
    world_with(servers()).await
}

/// What a client asks for with that token: everything, for uid 7 in room abc.
async fn wish(w: &World, token: &str) -> Value {
    let app = w.app().await;
    json!({ "appkey": app.signing.key, "uid": 7, "channelName": "abc", "token": token, "for": ALL })
}

fn with(mut wish: Value, field: &str, value: impl Into<Value>) -> Value {
    wish[field] = value.into();
    wish
}

pub async fn ask(w: &World, wish: &Value) -> Reply {
    Ask::new(w, "POST", "/nrtc/credentials").raw(wish.to_string()).await
}

async fn permission_key(w: &World, privilege: u8, ttl_s: i64) -> String {
    let app = w.app().await;
    let grant = Grant { app_key: &app.signing.key, uid: 7, room: "abc", cur_time_s: w.now_s(), ttl_s, privilege };
    permission::seal(&grant, app.signing.reveal_permission_secret())
}

async fn token(w: &World, more: &[(&str, &str)]) -> String {
    w.token(&[&[("uid", "7"), ("channelName", "abc")], more].concat()).await
}

pub fn claims(given: &Value) -> Value {
    let part = given["livekit"]["token"].as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The ends that the credentials say, each in its own way.
fn ends(given: &Value) -> BTreeSet<i64> {
    let until = |text: &Value| text.as_str().unwrap().split([',', ':']).next().unwrap().parse().unwrap();
    let janus = &given["janus"];
    [until(&janus["token"]), until(&janus["room_token"]), until(&given["turn"]["username"])]
        .into_iter()
        .chain([claims(given)["exp"].as_i64().unwrap(), given["expires_at"].as_i64().unwrap()])
        .collect()
}

#[tokio::test]
async fn one_call_gives_all_that_is_asked_for() {
    let w = world().await;
    let token = token(&w, &[]).await;
    let given = success(&ask(&w, &wish(&w, &token).await).await);
    assert_eq!((&given["uid"], &given["channelName"]), (&json!(7), &json!("abc")));
    assert_eq!(given["privileges"]["send_video"], true);
    assert_eq!(given["livekit"]["url"], "ws://livekit.test");
    assert_eq!(
        claims(&given),
        json!({ "iss": "APIkey", "sub": "7", "nbf": START_S, "exp": START_S + TTL_S, "video": {
            "room": "abc", "roomJoin": true, "canPublish": true, "canPublishData": true, "canSubscribe": true,
        } })
    );
    let janus = &given["janus"];
    let end = START_S + TTL_S;
    assert_eq!(janus["url"], "ws://janus.test");
    let server_token = janus["token"].as_str().unwrap();
    assert!(server_token.starts_with(&format!("{end},janus,janus.plugin.videoroom,janus.plugin.echotest:")));
    let room_token = janus["room_token"].as_str().unwrap();
    assert!(room_token.starts_with(&format!("{end},janus.plugin.videoroom,room=abc:")));
    assert_eq!(given["turn"]["urls"], json!(["turn:turn.test:3478"]));
    assert_eq!(given["turn"]["username"], format!("{end}:7"));
    for one in ALL {
        let given = success(&ask(&w, &with(wish(&w, &token).await, "for", vec![one])).await);
        let others: Vec<_> = ALL.into_iter().filter(|kind| given.get(kind).is_some()).collect();
        assert_eq!(others, [one]);
    }
}

#[tokio::test]
async fn they_end_with_whatever_ends_first() {
    let w = world().await;
    for (token_s, key_s, end_s) in
        [("600", None, TTL_S), ("600", Some(500), TTL_S), ("250", Some(400), 250), ("600", Some(20), 20)]
    {
        let token = token(&w, &[("expireAt", token_s)]).await;
        let mut wish = wish(&w, &token).await;
        if let Some(key_s) = key_s {
            wish["permKey"] = permission_key(&w, 63, key_s).await.into();
        }
        let given = success(&ask(&w, &wish).await);
        assert_eq!(ends(&given), BTreeSet::from([START_S + end_s]), "{token_s} {key_s:?}");
    }
    let token = token(&w, &[("expireAt", "250")]).await;
    w.clock.move_by(100 * SECOND);
    let given = success(&ask(&w, &wish(&w, &token).await).await);
    assert_eq!(ends(&given), BTreeSet::from([START_S + 250]), "the token's end, not its life from now");
}

#[tokio::test]
async fn a_token_computed_by_the_backend_opens_them_until_its_own_end() {
    let w = world().await;
    let app = w.app().await;
    let scope = yinxin_token::netease::local::Scope { app_key: &app.signing.key, uid: 7, room: "" };
    let token = yinxin_token::netease::local::seal(&scope, START_MS, 30, app.signing.reveal_secret());
    assert_eq!(ends(&success(&ask(&w, &wish(&w, &token).await).await)), BTreeSet::from([START_S + 30]));
    w.clock.move_by(30 * SECOND);
    assert_eq!(refusal(&ask(&w, &wish(&w, &token).await).await), (400, 414));
}

#[tokio::test]
async fn livekit_is_told_what_the_permission_key_allows() {
    let w = world().await;
    let token = token(&w, &[]).await;
    let granted = async |privilege| {
        let wish = with(wish(&w, &token).await, "permKey", permission_key(&w, privilege, 60).await);
        let given = success(&ask(&w, &with(wish, "for", vec!["livekit", "turn"])).await);
        (claims(&given)["video"].take(), given["privileges"].clone())
    };
    let (video, privileges) = granted(0b10_1100).await;
    assert_eq!((&video["canPublish"], &video["canSubscribe"]), (&json!(false), &json!(true)));
    assert_eq!(video["canPublishData"], false);
    assert_eq!((&privileges["send_audio"], &privileges["receive_video"]), (&json!(false), &json!(true)));
    let (video, _) = granted(0b10_1101).await;
    assert_eq!(video["canPublishSources"], json!(["microphone", "screen_share_audio"]));
    let (video, _) = granted(0b10_0111).await;
    assert_eq!(
        (&video["canPublish"], &video["canSubscribe"]),
        (&json!(true), &json!(false)),
        "only one of two to receive"
    );
}

#[tokio::test]
async fn a_token_that_admits_once_gives_credentials_once() {
    let w = world().await;
    let once = token(&w, &[("repeatUse", "false")]).await;
    let wish = wish(&w, &once).await;
    let stored = w.dump().await;
    // None of these is granted, and none uses the token up.
    let little = permission_key(&w, 0b10_1100, 60).await;
    let no_join = permission_key(&w, 15, 60).await;
    for (refused, answer) in [
        (with(wish.clone(), "for", json!([])), (400, 414)),
        (with(wish.clone(), "for", json!(["livekit", "sip"])), (400, 414)),
        (with(wish.clone(), "uid", 8), (400, 414)),
        (with(wish.clone(), "channelName", "abd"), (400, 414)),
        (with(wish.clone(), "permKey", "nonsense"), (403, 901)),
        (with(wish.clone(), "permKey", no_join), (403, 901)),
        (with(wish.clone(), "permKey", little), (400, 414)),
    ] {
        assert_eq!(refusal(&ask(&w, &refused).await), answer, "{refused}");
    }
    assert_eq!(w.dump().await, stored);
    let replies = tokio::join!(ask(&w, &wish), ask(&w, &wish));
    let statuses = BTreeSet::from([replies.0.status, replies.1.status]);
    assert_eq!(statuses, BTreeSet::from([200, 400]), "one of two at once");
    assert_eq!(refusal(&ask(&w, &wish).await), (400, 414));
}

#[tokio::test]
async fn who_may_not_come_in_gets_nothing() {
    let w = world().await;
    let good = token(&w, &[("expireAt", "60")]).await;
    let wish = wish(&w, &good).await;
    assert_eq!(refusal(&ask(&w, &with(wish.clone(), "token", Value::Null)).await), (403, 403));
    assert_eq!(refusal(&ask(&w, &with(wish.clone(), "token", "")).await), (403, 403));
    assert_eq!(refusal(&ask(&w, &with(wish.clone(), "token", "0".repeat(40))).await), (400, 414));
    assert_eq!(refusal(&ask(&w, &with(wish.clone(), "appkey", w.other().await.signing.key.clone())).await), (404, 404));
    assert_eq!(refusal(&ask(&w, &with(wish.clone(), "appkey", "nobody")).await), (401, 417));
    w.create("7").await;
    w.post("user/block.action", &[("accid", "7")]).await.await.ok();
    assert_eq!(refusal(&ask(&w, &wish).await), (403, 422));
    w.post("user/unblock.action", &[("accid", "7")]).await.await.ok();
    success(&ask(&w, &wish).await);
    w.clock.move_by(60 * SECOND);
    assert_eq!(refusal(&ask(&w, &wish).await), (400, 414));
}

#[tokio::test]
async fn an_app_that_lets_anybody_in_gets_no_credentials() {
    let w = world().await;
    w.change_app(AppChanges { safe_mode: Some(false), ..AppChanges::default() }).await;
    let wish = wish(&w, "").await;
    let reply = ask(&w, &wish).await;
    assert_eq!(refusal(&reply), (403, 403));
    assert!(reply.text().contains("room tokens"), "{}", reply.text());
}

#[tokio::test]
async fn what_is_not_configured_is_said_to_be_so() {
    let w = world_with(MediaServers { janus: None, ..servers() }).await;
    let token = token(&w, &[("repeatUse", "false")]).await;
    let wish = wish(&w, &token).await;
    let reply = ask(&w, &wish).await;
    assert_eq!(refusal(&reply), (404, 404));
    assert!(reply.text().contains("'janus'"), "{}", reply.text());
    success(&ask(&w, &with(wish, "for", vec!["livekit", "turn"])).await);

    let w = world_with(MediaServers::default()).await;
    let wish = self::wish(&w, "").await;
    assert_eq!(refusal(&ask(&w, &wish).await), (404, 404));
}

/// A comma in a room's name would make a token for two rooms.
#[tokio::test]
async fn a_room_that_janus_cannot_name_is_refused() {
    let w = world().await;
    for room in ["1,room=2", "1:2", ","] {
        let token = w.token(&[("uid", "7"), ("channelName", room)]).await;
        let wish = with(wish(&w, &token).await, "channelName", room);
        assert_eq!(refusal(&ask(&w, &with(wish.clone(), "for", vec!["janus"])).await), (400, 414), "{room}");
        let given = success(&ask(&w, &with(wish, "for", vec!["livekit", "turn"])).await);
        assert_eq!(claims(&given)["video"]["room"], room);
    }
}

#[tokio::test]
async fn large_numbers_are_taken_as_digits() {
    let w = world().await;
    let uid = i64::MAX.to_string();
    let token = w.token(&[("uid", &uid)]).await;
    for spelled in [json!(i64::MAX), json!(uid)] {
        let given = success(&ask(&w, &with(wish(&w, &token).await, "uid", spelled)).await);
        assert_eq!(claims(&given)["sub"], uid);
        assert_eq!(given["uid"], i64::MAX);
    }
}

/// Two that come as nobody must not be taken for one by a media server.
#[tokio::test]
async fn nobody_is_given_a_number() {
    let w = world().await;
    let token = w.token(&[("uid", "0")]).await;
    let mut given = Vec::new();
    for _ in 0..2 {
        let credentials = success(&ask(&w, &with(wish(&w, &token).await, "uid", 0)).await);
        let uid = credentials["uid"].as_u64().unwrap();
        assert_eq!(claims(&credentials)["sub"], uid.to_string());
        assert!(uid < 1 << 53, "{uid}");
        given.push(uid);
    }
    assert!(given[0] != given[1] && !given.contains(&0), "{given:?}");
}

#[tokio::test]
async fn bodies_that_are_not_as_documented_change_nothing() {
    let w = world().await;
    let once = token(&w, &[("repeatUse", "false")]).await;
    let wish = wish(&w, &once).await;
    let stored = w.dump().await;
    let twice = wish.to_string().replacen('{', r#"{"uid":7,"#, 1);
    let deep = format!(r#"{{"uid":{}}}"#, "[".repeat(10_000));
    let mut bodies: Vec<Vec<u8>> =
        [&b""[..], b"{", b"[]", b"null", b"7", b"\xff", twice.as_bytes(), deep.as_bytes()].map(<[u8]>::to_vec).into();
    for (field, value) in [
        ("uid", json!(-7)),
        ("uid", json!(7.5)),
        ("uid", json!(1e30)),
        ("uid", json!([7])),
        ("uid", json!("")),
        ("uid", Value::Null),
        ("channelName", json!("")),
        ("channelName", json!("a\u{0}")),
        ("channelName", json!(1)),
        ("token", json!("a\u{0}")),
        ("token", json!({})),
        ("permkey", json!("a misspelled name")),
        ("for", json!("livekit")),
        ("for", json!(["LiveKit"])),
        ("for", json!(["turn", "turn", "turn", "turn"])),
        ("for", json!([1])),
    ] {
        bodies.push(with(wish.clone(), field, value).to_string().into_bytes());
    }
    for body in bodies {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let reply = Ask::new(&w, "POST", "/nrtc/credentials").raw(body).await;
        assert_eq!(refusal(&reply).0, 400, "{shown:.200}");
    }
    assert_eq!(w.dump().await, stored);
}

/// Pages of any origin may ask: the right is in the body.
#[tokio::test]
async fn pages_may_call() {
    let w = world().await;
    let asked = Ask::new(&w, "OPTIONS", "/nrtc/credentials").await;
    assert_eq!((asked.status, asked.headers["access-control-allow-origin"].as_bytes()), (204, &b"*"[..]));
    let reply = ask(&w, &wish(&w, &token(&w, &[]).await).await).await;
    assert_eq!(reply.headers["access-control-allow-origin"], "*");
    assert_eq!(reply.headers["cache-control"], "no-store");
    assert_eq!(refusal(&Ask::new(&w, "GET", "/nrtc/credentials").await).0, 405);
}

#[tokio::test]
async fn calls_are_counted() {
    let mut w = World::with(Preset::Vendor).await;
    w.router = yinxin_netease::router(w.ctx.clone(), Options { media: servers(), ..Options::default() });
    let wish = wish(&w, "wrong").await;
    let mut statuses = BTreeSet::new();
    for _ in 0..=Bucket::Tokens.vendor_per_s() {
        statuses.insert(ask(&w, &wish).await.status);
    }
    assert_eq!(statuses, BTreeSet::from([400, 429]));
}
