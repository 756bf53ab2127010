//! Room management by number and by name, with the statuses of its own.

use serde_json::{Value, json};
use yinxin_core::rooms::live::{About, Ending, Line, Notice, Role};
use yinxin_core::rooms::{RoomName, RoomUid, doors};

use std::sync::Arc;

use crate::asking::{Answer as _, Ask, Reply, Signed as _};
use crate::world::{SECOND, START_MS, World};

struct Silent;

impl Line for Silent {
    fn tell(&self, _: &Arc<Notice>) {}
    fn end(&self, _: Ending) {}
}

impl World {
    async fn rooms(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let ask = Ask::new(self, method, path).signed_by(&*self.app().await);
        match body {
            Some(body) => ask.header("content-type", "application/json;charset=UTF-8").raw(body.to_string()).await,
            None => ask.await,
        }
    }

    /// A call that must succeed; what it says without what every answer has.
    async fn done(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let mut said = self.rooms(method, path, body).await.ok();
        let said = said.as_object_mut().unwrap();
        assert_eq!(said.remove("code"), Some(json!(200)), "{method} {path}");
        assert!(said.remove("requestId").is_some_and(|id| id.is_string()), "{method} {path}");
        Value::Object(said.clone())
    }

    /// A call that must fail with that status and code, in both spellings of the text.
    async fn failed(&self, method: &str, path: &str, body: Option<Value>, status: u16, code: u64) {
        let reply = self.rooms(method, path, body).await;
        let said: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!((reply.status, &said["code"]), (status, &json!(code)), "{method} {path}: {said}");
        assert!(said["errmsg"].as_str().is_some_and(|text| !text.is_empty()));
        assert_eq!((&said["msg"], said["requestId"].is_string()), (&said["errmsg"], true));
    }

    /// Somebody in a room.
    async fn seat(&self, room: &str, uid: u64, role: Role) -> doors::Guest {
        let (uid, room) = (RoomUid::new(uid).unwrap(), RoomName::parse(room).unwrap());
        let token = self.token(&[("uid", &uid.to_string())]).await;
        let request = doors::Request { uid, room: &room, token: Some(&token), permission_key: None };
        let app = self.app().await;
        let Ok(invitation) = doors::invite(&self.ctx, &app, &request).await else { panic!("{uid} was not invited") };
        let knock = doors::Knock { pass: &invitation.pass, permission_key: "", role, about: About::default() };
        let Ok((_, guest)) = doors::enter(&self.ctx, knock, Arc::new(Silent)).await else { panic!("{uid} is not in") };
        guest
    }
}

#[tokio::test]
async fn a_room_is_made_shown_and_ended() {
    let w = World::new().await;
    let made = w.done("POST", "/v2/api/room", Some(json!({ "channelName": "a b#", "mode": 2, "uid": 9 }))).await;
    let cid = made["cid"].as_i64().unwrap();
    assert!(cid < 1 << 53);
    let mut shown = json!({ "cid": cid, "cname": "a b#", "uid": 9, "total": 0, "stats": 1,
        "createtime": START_MS / 1000, "destroytime": 0 });
    let by_number = format!("/v2/api/rooms/{cid}");
    assert_eq!(w.done("GET", &by_number, None).await, shown);
    assert_eq!(w.done("GET", "/v3/api/rooms?cname=a+b%23", None).await, shown);
    w.failed("POST", "/v2/api/room", Some(json!({ "channelName": "a b#", "mode": 2, "uid": 9 })), 400, 10405).await;

    let _ann = w.seat("a b#", 1, Role::Host).await;
    (shown["total"], shown["stats"]) = (json!(1), json!(2));
    assert_eq!(w.done("GET", &by_number, None).await, shown);
    w.clock.move_by(5 * SECOND);
    assert_eq!(w.done("DELETE", "/v3/api/rooms?cname=a%20b%23", None).await, json!({}));
    (shown["total"], shown["stats"], shown["destroytime"]) = (json!(0), json!(3), json!(START_MS / 1000 + 5));
    assert_eq!(w.done("GET", &by_number, None).await, shown);
    w.failed("DELETE", &by_number, None, 404, 10404).await;
    w.failed("GET", "/v3/api/rooms?cname=nobody", None, 404, 10404).await;
    // Numbers as some backends send them.
    w.done("POST", "/v2/api/room", Some(json!({ "channelName": "b", "mode": "2", "uid": "9223372036854775807" })))
        .await;
}

#[tokio::test]
async fn members_are_listed_by_number_and_role() {
    let w = World::new().await;
    let _ann = w.seat("room", 1, Role::Host).await;
    w.clock.move_by(3 * SECOND);
    let _ben = w.seat("room", u64::MAX >> 1, Role::Audience).await;
    let shown = w.done("GET", "/v3/api/rooms?cname=room", None).await;
    let cid = shown["cid"].as_i64().unwrap();
    let start_s = START_MS / 1000;
    let ann = json!({ "uid": 1, "starttime": start_s, "userRole": 0 });
    let ben = json!({ "uid": u64::MAX >> 1, "starttime": start_s + 3, "userRole": 1 });
    for (query, members) in [
        ("", json!([ann, ben])),
        ("userRole=0", json!([ann])),
        ("userRole=1", json!([ben])),
        ("uid=1", json!([ann])),
        ("uid=1&userRole=1", json!([])),
        ("uid=5", json!([])),
    ] {
        let said = w.done("GET", &format!("/v3/api/rooms/members?cname=room&{query}"), None).await;
        let total = members.as_array().unwrap().len();
        assert_eq!(said, json!({ "cid": cid, "cname": "room", "total": total, "members": members }), "{query}");
    }
    let by_number = |rest: &str| format!("/v2/api/rooms/{cid}/members{rest}");
    for (rest, total) in [("", 2), ("/1", 1), ("1", 1), ("/5", 0), ("?userRole=1", 1)] {
        assert_eq!(w.done("GET", &by_number(rest), None).await["total"], total, "{rest}");
    }
}

#[tokio::test]
async fn kicks_are_listed_and_undone_by_number_and_by_name() {
    let w = World::new().await;
    let _guests = [w.seat("room", 1, Role::Host).await, w.seat("room", 2, Role::Host).await];
    let cid = w.done("GET", "/v3/api/rooms?cname=room", None).await["cid"].as_i64().unwrap();
    assert_eq!(w.done("POST", &format!("/v2/api/kicklist/{cid}/members/1/60"), None).await, json!({}));
    assert_eq!(w.done("POST", "/v3/api/kicklist/members?cname=room&uid=2&duration=120", None).await, json!({}));
    // Somebody who is not there is kept out, too.
    w.done("POST", &format!("/v2/api/kicklist/{cid}/members/3"), None).await;
    assert_eq!(w.done("GET", &format!("/v2/api/rooms/{cid}"), None).await["total"], 0);
    let list = format!("/v2/api/kicklist/{cid}");
    assert_eq!(w.done("GET", &list, None).await, json!({ "uids": [1, 2, 3] }));
    for duration in ["-1", "x", "99999999999999999999", "315360001"] {
        w.failed("POST", &format!("/v2/api/kicklist/{cid}/members/1/{duration}"), None, 400, 414).await;
    }
    w.clock.move_by(60 * SECOND);
    assert_eq!(w.done("GET", "/v3/api/kicklist?cname=room", None).await, json!({ "uids": [2, 3] }));
    w.done("DELETE", &format!("{list}/members/2"), None).await;
    w.done("DELETE", "/v3/api/kicklist/members?cname=room&uid=3", None).await;
    w.done("DELETE", "/v3/api/kicklist/members?cname=room&uid=3", None).await;
    assert_eq!(w.done("GET", &list, None).await, json!({ "uids": [] }));
}

#[tokio::test]
async fn the_history_has_pages() {
    let w = World::new().await;
    let guests = [w.seat("room", 1, Role::Host).await, w.seat("room", 2, Role::Host).await];
    w.clock.move_by(SECOND);
    for guest in guests {
        guest.leave(&w.ctx, yinxin_core::rooms::live::Departure::Left).await.unwrap();
    }
    let cid = w.done("GET", "/v3/api/rooms?cname=room", None).await["cid"].clone();
    let page = |number: Value, size: Value| {
        let body = json!({ "cid": cid, "pageNum": number, "pageSize": size });
        w.done("POST", "/v2/api/room/history", Some(body))
    };
    let all = w.done("POST", "/v3/api/room/history?cname=room", None).await;
    assert_eq!((&all["currentPage"], &all["creator"], &all["cname"]), (&json!(1), &json!(1), &json!("room")));
    let mut members = all["members"].as_array().unwrap().clone();
    assert!(members.iter().all(|stay| stay["login_time"] == START_MS && stay["logout_time"] == START_MS + SECOND));
    assert_eq!(page(json!(1), json!(1)).await["members"], json!([members[0]]));
    assert_eq!(page(json!("2"), json!("1")).await["members"], json!([members.pop()]));
    assert_eq!(page(json!(3), json!(1)).await["members"], json!([]));
    for (number, size) in [(0, 1), (-1, 1), (1, 0), (1, 501)] {
        let body = json!({ "cid": cid, "pageNum": number, "pageSize": size });
        w.failed("POST", "/v2/api/room/history", Some(body), 400, 414).await;
    }
    w.failed("POST", "/v2/api/room/history", None, 400, 414).await;
}

#[tokio::test]
async fn bad_calls_are_refused_in_shape_and_change_nothing() {
    let w = World::new().await;
    let before = w.dump().await;
    for (method, path, body, status, code) in [
        ("POST", "/v2/api/room", None, 400, 414),
        ("POST", "/v2/api/room", Some(json!([])), 400, 414),
        ("POST", "/v2/api/room", Some(json!({ "uid": 1 })), 400, 414),
        ("POST", "/v2/api/room", Some(json!({ "channelName": "房间", "uid": 1 })), 400, 414),
        ("POST", "/v2/api/room", Some(json!({ "channelName": "a" })), 400, 414),
        ("POST", "/v2/api/room", Some(json!({ "channelName": "a", "uid": -1 })), 400, 414),
        ("POST", "/v2/api/room", Some(json!({ "channelName": "a", "uid": 1.5 })), 400, 414),
        ("PUT", "/v2/api/room", None, 405, 403),
        ("GET", "/v2/api/rooms/1", None, 404, 10404),
        ("GET", "/v2/api/rooms/x", None, 400, 414),
        ("GET", "/v2/api/rooms/1/streams", None, 501, 403),
        ("GET", "/v2/api/nothing", None, 404, 404),
        ("GET", "/v3/api/rooms/members", None, 400, 414),
        ("POST", "/v2/api/kicklist/1/members/1", None, 404, 10404),
        ("DELETE", "/v3/api/kicklist/members?cname=a&uid=1", None, 404, 10404),
    ] {
        w.failed(method, path, body, status, code).await;
    }
    let said = w.rooms("POST", "/v2/api/room", Some(json!({ "channelName": "a", "uid": 1.5 }))).await.text();
    assert!(said.contains("JSON: ") && said.contains("line 1 column"), "{said}");
    assert_eq!(w.dump().await, before);
}

#[tokio::test]
async fn who_has_not_signed_is_told_nothing() {
    let w = World::new().await;
    let _ann = w.seat("room", 1, Role::Host).await;
    let cid = w.done("GET", "/v3/api/rooms?cname=room", None).await["cid"].clone();
    let app = w.app().await;
    for path in [format!("/v2/api/rooms/{cid}"), "/v3/api/rooms?cname=room".to_owned(), "/v2/api/nothing".to_owned()] {
        let unsigned = Ask::new(&w, "GET", &path).await;
        assert_eq!(unsigned.status, 400, "{path}: {}", unsigned.text());
        let now_s = w.now_s().to_string();
        let forged = Ask::new(&w, "GET", &path).signed_with(&app.signing.key, "not the secret", "1", &now_s).await;
        assert_eq!(forged.status, 401, "{path}: {}", forged.text());
        let late = (w.now_s() - 301).to_string();
        let late =
            Ask::new(&w, "GET", &path).signed_with(&app.signing.key, app.signing.reveal_secret(), "1", &late).await;
        assert_eq!(late.status, 401, "{path}: {}", late.text());
        let foreign = Ask::new(&w, "GET", &path).signed_by(&*w.other().await).await;
        assert_eq!(foreign.status, 404, "{path}: {}", foreign.text());
    }
    let preflight = Ask::new(&w, "OPTIONS", "/v3/api/rooms").await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.headers["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn a_call_that_names_itself_is_made_once() {
    let w = World::new().await;
    let app = w.app().await;
    let make = |name: &str| {
        Ask::new(&w, "POST", "/v2/api/room")
            .signed_by(&app)
            .header("x-custom-traceid", "trace-1")
            .raw(json!({ "channelName": name, "uid": 1 }).to_string())
    };
    make("a").await.ok();
    let again = make("b").await;
    assert_eq!(again.status, 409);
    assert_eq!(serde_json::from_slice::<Value>(&again.body).unwrap()["code"], 431);
    for _ in 0..2 {
        Ask::new(&w, "GET", "/v3/api/rooms?cname=a").signed_by(&app).header("x-custom-traceid", "trace-2").await.ok();
    }
}
