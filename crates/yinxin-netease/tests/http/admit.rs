//! Whom a media server lets in: `/nrtc/admit`, and the hook of nginx's RTMP module.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yinxin_core::App;
use yinxin_core::apps::{self, AppChanges};
use yinxin_core::rooms::{RoomName, RoomUid, kicks, records};
use yinxin_token::netease::permission::{self, Grant};

use crate::asking::{Answer as _, Ask, Reply, Signed as _};
use crate::world::{SECOND, World};

/// The body of a success.
#[track_caller]
pub fn success(reply: &Reply) -> Value {
    reply.ok()
}

/// HTTP status and code of a refusal, after a look at its shape.
#[track_caller]
pub fn refusal(reply: &Reply) -> (u16, u64) {
    let text = reply.text();
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert!(text.starts_with(r#"{"desc":""#) && body.as_object().unwrap().len() == 2, "{text}");
    assert!((400..500).contains(&reply.status), "{} {text}", reply.status);
    assert_eq!(reply.headers["cache-control"], "no-store");
    (reply.status, body["code"].as_u64().unwrap())
}

fn ask<'w>(w: &'w World, app: &App, body: &Value) -> Ask<'w> {
    let key = app.signing.reveal_admission_key();
    Ask::new(w, "POST", "/nrtc/admit")
        .header("appkey", &app.signing.key)
        .header("authorization", format!("Bearer {key}"))
        .raw(body.to_string())
}

fn seal(w: &World, app: &App, privilege: u8) -> String {
    let grant = Grant { app_key: &app.signing.key, uid: 7, room: "abc", cur_time_s: w.now_s(), ttl_s: 60, privilege };
    permission::seal(&grant, app.signing.reveal_permission_secret())
}

async fn token(w: &World, more: &[(&str, &str)]) -> String {
    w.token(&[&[("uid", "7"), ("channelName", "abc")], more].concat()).await
}

#[tokio::test]
async fn a_good_token_admits() {
    let w = World::new().await;
    let app = w.app().await;
    let body = json!({ "uid": 7, "room": "abc", "token": token(&w, &[]).await });
    let all = json!({ "send_audio": true, "send_video": true, "receive_audio": true, "receive_video": true,
                      "create": true, "join": true });
    let admitted = json!({ "code": 200, "uid": 7, "room": "abc", "privileges": all, "expires_at": null });
    assert_eq!(success(&ask(&w, &app, &body).await), admitted);
    // The same by a signature, and with the app named once more.
    assert_eq!(success(&ask(&w, &app, &body).without("authorization").signed_by(&app).await), admitted);
    let lower = ask(&w, &app, &body).header("authorization", format!("bearer  {}", app.signing.reveal_admission_key()));
    assert_eq!(success(&lower.await), admitted);
    let named = json!({ "app_key": app.signing.key, "uid": "7", "room": "abc", "token": body["token"] });
    assert_eq!(success(&ask(&w, &app, &named).await), admitted);
}

#[tokio::test]
async fn it_is_said_what_is_permitted_and_until_when() {
    let w = World::new().await;
    let app = w.app().await;
    let body = json!({ "uid": 7, "room": "abc", "token": token(&w, &[]).await, "perm_key": seal(&w, &app, 0b10_1000) });
    let admitted = success(&ask(&w, &app, &body).await);
    assert_eq!(admitted["expires_at"], w.now_s() + 60);
    let granted: Vec<_> = admitted["privileges"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, may)| **may == true)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(granted, ["join", "receive_video"]);
    w.clock.move_by(60 * SECOND);
    assert_eq!(refusal(&ask(&w, &app, &body).await), (403, 902));
}

#[tokio::test]
async fn nobody_asks_without_the_apps_key_or_signature() {
    let w = World::new().await;
    let (app, other) = (w.app().await, w.other().await);
    let body = json!({ "uid": 7, "room": "abc", "token": token(&w, &[("repeatUse", "false")]).await });
    let stored = w.dump().await;
    let good = || ask(&w, &app, &body);
    assert_eq!(refusal(&good().without("authorization").await), (400, 414), "nothing");
    assert_eq!(refusal(&good().without("appkey").await), (401, 414), "no app");
    assert_eq!(refusal(&good().header("appkey", "nobody").await), (401, 414), "no such app");
    assert_eq!(refusal(&good().header("appkey", &other.signing.key).await), (401, 302), "another app's key");
    for key in ["", "Bearer ", "Bearer x", "bearer", &format!("Bearer {}", "0".repeat(64))] {
        let (status, _) = refusal(&good().header("authorization", key).await);
        assert!([400, 401].contains(&status), "{key}");
    }
    for secret in [app.signing.reveal_secret(), app.signing.reveal_permission_secret(), &app.client_id] {
        let reply = good().header("authorization", format!("Bearer {secret}")).await;
        assert_eq!(refusal(&reply), (401, 302), "another secret of the app");
    }
    let unsigned = good().without("authorization").signed_by(&app).header("checksum", "00");
    assert_eq!(refusal(&unsigned.await), (401, 414), "a wrong signature");
    let mut named = body.clone();
    named["app_key"] = json!(other.signing.key);
    assert_eq!(refusal(&ask(&w, &app, &named).await), (400, 414), "two apps");
    assert_eq!(refusal(&ask(&w, &other, &body).await), (400, 414), "a token of another app");
    assert_eq!(w.dump().await, stored);
    success(&good().await);
}

/// The admission key lets its bearer ask, and do nothing else.
#[tokio::test]
async fn an_admission_key_signs_no_calls() {
    let w = World::new().await;
    let app = w.app().await;
    let key = app.signing.reveal_admission_key();
    let now_s = w.now_s().to_string();
    let call = w.post("user/getToken.action", &[("uid", "7")]).await.signed_with(&app.signing.key, key, "1", &now_s);
    call.await.refused(414, "checksum");
    let renewed = apps::rotate_signing_secrets(&w.ctx, &app).await.unwrap();
    let body = json!({ "uid": 7, "room": "abc" });
    assert_eq!(refusal(&ask(&w, &app, &body).await), (401, 302), "it ends with the secret");
    assert_eq!(refusal(&ask(&w, &renewed, &body).await), (403, 403));
}

#[tokio::test]
async fn a_token_that_admits_once_admits_once() {
    let w = World::new().await;
    let app = w.app().await;
    let once = token(&w, &[("repeatUse", "false")]).await;
    let body = json!({ "uid": 7, "room": "abc", "token": once });
    let mut bad = body.clone();
    bad["perm_key"] = json!(seal(&w, &app, 15));
    assert_eq!(refusal(&ask(&w, &app, &bad).await), (403, 901), "a key without the right to join uses nothing up");
    let replies = tokio::join!(ask(&w, &app, &body), ask(&w, &app, &body), ask(&w, &app, &body));
    let mut statuses = [replies.0.status, replies.1.status, replies.2.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400, 400]);
}

#[tokio::test]
async fn bans_and_kicks_count() {
    let w = World::new().await;
    let app = w.app().await;
    let body = json!({ "uid": 7, "room": "abc", "token": token(&w, &[]).await });
    let (uid, room) = (RoomUid::parse("7").unwrap(), RoomName::parse("abc").unwrap());
    let open = records::create(&w.ctx, &app, &room, uid).await.unwrap();
    kicks::kick(&w.ctx, &app, &open, uid, Some(5)).await.unwrap();
    assert_eq!(refusal(&ask(&w, &app, &body).await), (403, 403));
    w.clock.move_by(5 * SECOND);
    success(&ask(&w, &app, &body).await);
    w.create("7").await;
    w.post("user/block.action", &[("accid", "7")]).await.await.ok();
    assert_eq!(refusal(&ask(&w, &app, &body).await), (403, 422));
}

#[tokio::test]
async fn where_anybody_may_come_in_no_token_is_needed() {
    let w = World::new().await;
    let app = w.app().await;
    let body = json!({ "uid": 7, "room": "abc" });
    assert_eq!(refusal(&ask(&w, &app, &body).await), (403, 403));
    w.change_app(AppChanges { safe_mode: Some(false), ..AppChanges::default() }).await;
    success(&ask(&w, &app, &body).await);
}

#[tokio::test]
async fn bodies_that_are_not_as_documented_are_refused() {
    let w = World::new().await;
    let app = w.app().await;
    let token = token(&w, &[("repeatUse", "false")]).await;
    let stored = w.dump().await;
    for body in [
        json!({}),
        json!([]),
        json!({ "uid": 7, "token": token }),
        json!({ "room": "abc", "token": token }),
        json!({ "uid": "x", "room": "abc", "token": token }),
        json!({ "uid": 7, "room": "房间", "token": token }),
        json!({ "uid": 7, "room": "abc", "token": token, "permKey": "" }),
    ] {
        assert_eq!(refusal(&ask(&w, &app, &body).await), (400, 414), "{body}");
    }
    let form = ask(&w, &app, &json!({})).form(&[("uid", "7"), ("room", "abc"), ("token", &token)]);
    assert_eq!(refusal(&form.await), (400, 414));
    assert_eq!(w.dump().await, stored);
}

/// What the module posts, as it was seen to; `more` is what the client wrote behind the stream's name.
fn hook<'w>(w: &'w World, app: &App, call: &str, name: &str, more: &str) -> Ask<'w> {
    let query = format!("app_key={}&key={}", app.signing.key, app.signing.reveal_admission_key());
    let form = format!(
        "app=live&flashver=FMLE%2F3%2E0&swfurl=&tcurl=rtmp%3A%2F%2Fx%2Flive&pageurl=&addr=127.0.0.1&clientid=1\
         &call={call}&name={name}&type=live&{more}"
    );
    Ask::new(w, "POST", &format!("/nrtc/hooks/nginx-rtmp?{query}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .raw(form)
}

#[tokio::test]
async fn the_hook_of_nginx_lets_publish_and_play() {
    let w = World::new().await;
    let app = w.app().await;
    let token = token(&w, &[]).await;
    let good = format!("uid=7&token={token}");
    for (call, more, status) in [
        ("publish", good.clone(), 200),
        ("play", good.clone(), 200),
        ("publish", format!("uid=8&token={token}"), 400),
        ("publish", "uid=7".to_owned(), 403),
        ("publish", String::new(), 400),
        ("record", good.clone(), 400),
        ("publish", format!("{good}&perm_key={}", seal(&w, &app, 63)), 400),
    ] {
        let reply = hook(&w, &app, call, "abc", &more).await;
        assert_eq!(reply.status, status, "{call} {more}: {}", reply.text());
    }
    let elsewhere = hook(&w, &app, "publish", "abd", &format!("uid=7&token={token}&name=abc&call=play")).await;
    assert_eq!(refusal(&elsewhere), (400, 414), "what the client repeats does not count");
    let other = hook(&w, &w.other().await.clone(), "publish", "abc", &format!("uid=7&token={token}")).await;
    assert_eq!(refusal(&other), (400, 414));
    let stranger = Ask::new(&w, "POST", &format!("/nrtc/hooks/nginx-rtmp?app_key={}&key=x", app.signing.key));
    assert_eq!(refusal(&stranger.await), (401, 302));
}

#[tokio::test]
async fn the_hook_of_nginx_uses_a_token_up_once() {
    let w = World::new().await;
    let app = w.app().await;
    let once = token(&w, &[("repeatUse", "false")]).await;
    let more = format!("uid=7&token={once}");
    let statuses: BTreeSet<u16> = BTreeSet::from([
        hook(&w, &app, "publish", "abc", &more).await.status,
        hook(&w, &app, "publish", "abc", &more).await.status,
    ]);
    assert_eq!(statuses, BTreeSet::from([200, 400]));
}
