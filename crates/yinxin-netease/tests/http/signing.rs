//! Who may call: the four headers, the window, the call's own id, and what stands around the calls.

use axum::http::header;
use yinxin_core::apps;
use yinxin_core::rates::Preset;

use crate::asking::{Answer as _, Ask, NONCE, Signed as _};
use crate::world::{SECOND, World};

const GET_TOKEN: &str = "/nimserver/user/getToken.action";

fn ask<'w>(w: &'w World, form: &[(&str, &str)]) -> Ask<'w> {
    Ask::new(w, "POST", GET_TOKEN).form(form)
}

#[tokio::test]
async fn a_call_is_signed_completely() {
    let w = World::new().await;
    for missing in ["appkey", "nonce", "curtime", "checksum"] {
        for reply in [
            w.post("user/getToken.action", &[("uid", "1")]).await.without(missing).await,
            w.post("user/getToken.action", &[("uid", "1")]).await.header(missing, "").await,
        ] {
            reply.refused(414, "bad http header");
        }
    }
    ask(&w, &[]).await.refused(414, "bad http header");
    let app = w.app().await;
    let (key, secret) = (&app.signing.key, app.signing.reveal_secret());
    let now = w.now_s().to_string();
    ask(&w, &[("uid", "1")]).signed_with(key, secret, &"n".repeat(128), &now).await.ok();
    ask(&w, &[("uid", "1")]).signed_with(key, secret, &"n".repeat(129), &now).await.refused(414, "bad http header");
    for no_time in ["", "now", "1e9", "99999999999999999999", "1700000000.5"] {
        ask(&w, &[("uid", "1")]).signed_with(key, secret, NONCE, no_time).await.refused(414, "bad http header");
    }
}

#[tokio::test]
async fn a_signature_is_that_of_the_app_it_names() {
    let w = World::new().await;
    let (app, other) = (w.app().await, w.other().await);
    let (now, secret) = (w.now_s().to_string(), app.signing.reveal_secret());
    let signed = |key: &str, secret: &str| ask(&w, &[("uid", "1")]).signed_with(key, secret, NONCE, &now);
    signed(&app.signing.key, secret).await.ok();
    signed("go9dnk********", secret).await.refused(414, "appkey");
    signed(&app.signing.key.to_uppercase(), secret).await.refused(414, "appkey");
    signed(&"k".repeat(5000), secret).await.refused(414, "appkey");
    signed(&app.signing.key, "wrong").await.refused(414, "checksum");
    signed(&app.signing.key, other.signing.reveal_secret()).await.refused(414, "checksum");
    signed(&other.signing.key, secret).await.refused(414, "checksum");
    signed(&app.signing.key, app.signing.reveal_permission_secret()).await.refused(414, "checksum");
    for wrong in ["06f0def1a9e83ef48c9564044c4068c8834b4ae8", "x", "06F0", "é"] {
        let sum = signed(&app.signing.key, secret).header("checksum", wrong).await;
        sum.refused(414, "checksum");
    }
    // The parts are what is signed, not the text they make.
    let moved = signed(&app.signing.key, secret).header("nonce", format!("{NONCE}1")).await;
    moved.refused(414, "checksum");
}

#[tokio::test]
async fn a_signature_holds_for_five_minutes_before_and_after() {
    let w = World::new().await;
    let app = w.app().await;
    let at = |offset_s: i64| {
        let cur_time = (w.now_s() + offset_s).to_string();
        ask(&w, &[("uid", "1")]).signed_with(&app.signing.key, app.signing.reveal_secret(), NONCE, &cur_time)
    };
    for good in [-300, -299, 0, 299, 300] {
        at(good).await.ok();
    }
    for bad in [-301, 301, -86_400, 86_400, -w.now_s(), i64::MAX - w.now_s(), -w.now_s() - 5] {
        at(bad).await.refused(414, "CurTime is expired");
    }
    // The document's own sample.
    ask(&w, &[("uid", "123456")])
        .signed_with(&app.signing.key, app.signing.reveal_secret(), NONCE, "1443592222")
        .await
        .refused(414, "CurTime is expired");
}

#[tokio::test]
async fn a_new_secret_ends_the_old_signatures() {
    let w = World::new().await;
    let old = w.app().await;
    apps::rotate_signing_secrets(&w.ctx, &old).await.unwrap();
    ask(&w, &[("uid", "1")]).signed_by(&old).await.refused(414, "checksum");
    let new = w.app().await;
    assert_eq!(new.signing.key, old.signing.key);
    ask(&w, &[("uid", "1")]).signed_by(&new).await.ok();
    apps::delete(&w.ctx, &new).await.unwrap();
    ask(&w, &[("uid", "1")]).signed_by(&new).await.refused(414, "appkey");
}

#[tokio::test]
async fn a_nonce_may_come_again_a_request_id_may_not() {
    let w = World::new().await;
    for _ in 0..3 {
        w.post("user/getToken.action", &[("uid", "1")]).await.await.ok();
    }
    let w = &w;
    let named = |id: &'static str| async move {
        w.post("user/getToken.action", &[("uid", "1")]).await.header("requestid", id).await
    };
    named("a").await.ok();
    named("a").await.refused(431, "duplicate request");
    named("b").await.ok();
    let traced = w.post("user/getToken.action", &[("uid", "1")]).await.header("x-custom-traceid", "a");
    traced.await.refused(431, "duplicate request");
    w.post_as_other("user/getToken.action", &[("uid", "1")]).await.header("requestid", "a").await.ok();
    // A stranger's call is not a call: it cannot use up an id.
    let stranger =
        w.post("user/getToken.action", &[("uid", "1")]).await.header("checksum", "0").header("requestid", "c");
    stranger.await.refused(414, "checksum");
    named("c").await.ok();
    w.clock.move_by(601 * SECOND);
    named("d").await.ok();
    w.clock.move_by(601 * SECOND);
    named("a").await.ok();
}

/// A signature that was made with a clock that is five minutes ahead holds for ten minutes.
#[tokio::test]
async fn a_call_is_made_once_for_as_long_as_its_signature_holds() {
    let w = World::new().await;
    let app = w.app().await;
    let signed_at = (w.now_s() + 300).to_string();
    let ask = || {
        let signed =
            ask(&w, &[("uid", "1")]).signed_with(&app.signing.key, app.signing.reveal_secret(), NONCE, &signed_at);
        signed.header("requestid", "a")
    };
    ask().await.ok();
    for _ in 0..2 {
        w.clock.move_by(300 * SECOND);
        // Others come meanwhile, which is when the old is forgotten.
        w.post("user/getToken.action", &[("uid", "1")]).await.header("requestid", w.now_s().to_string()).await.ok();
        ask().await.refused(431, "duplicate request");
    }
    w.clock.move_by(SECOND);
    ask().await.refused(414, "CurTime is expired");
}

#[tokio::test]
async fn a_call_that_did_not_arrive_whole_may_be_sent_again_under_its_id() {
    let w = World::new().await;
    let large = vec![b'a'; yinxin_http::Arrival::in_process().body_bytes_max + 1];
    for body in [large, b"uid=%FF".to_vec()] {
        let broken = w.post("user/getToken.action", &[]).await.header("requestid", "a").raw(body).await;
        assert_eq!(broken.fault().0, 414);
    }
    w.post("user/getToken.action", &[("uid", "1")]).await.header("requestid", "a").await.ok();
}

#[tokio::test]
async fn a_call_that_we_failed_may_be_made_again_under_its_id() {
    let w = World::new().await;
    let ask = || async { w.post("user/create.action", &[("accid", "ann")]).await.header("requestid", "a") };
    w.app().await;
    w.ctx.db.close().await;
    ask().await.await.refused(500, "server error");
    ask().await.await.refused(500, "server error");
}

#[tokio::test]
async fn header_names_come_in_any_case_and_forms_under_four_labels() {
    let w = World::new().await;
    // Header names are folded by whoever parses HTTP; here they come as they come over the wire.
    for label in [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded;charset=utf-8",
        "application/x-www-form-urlencoded;charset=UTF-8",
        "application/x-www-form-urlencoded;charset=utf-8;",
        "APPLICATION/X-WWW-FORM-URLENCODED ; charset=utf-8",
    ] {
        w.post("user/getToken.action", &[("uid", "1")]).await.header("content-type", label).await.ok();
    }
    w.post("user/getToken.action", &[("uid", "1")]).await.without("content-type").await.ok();
    let json = w.post("user/getToken.action", &[]).await.header("content-type", "application/json");
    json.raw(r#"{"uid":1}"#).await.refused(414, "uid is empty");
    let mislabelled = w.post("user/getToken.action", &[("uid", "1")]).await.header("content-type", "application/json");
    mislabelled.await.refused(414, "uid is empty");
    let space = w.post("user/getToken.action", &[]).await.raw("uid=1&channelName=my+room%20x").await;
    let same = w.token(&[("uid", "1"), ("channelName", "my room x")]).await;
    assert_eq!(space.ok()["token"], same);
}

#[tokio::test]
async fn pages_may_ask_before_they_call() {
    let w = World::new().await;
    let reply = Ask::new(&w, "OPTIONS", GET_TOKEN).header("origin", "https://page.test").await;
    assert_eq!(reply.status, 204);
    assert_eq!(reply.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let allowed = reply.headers[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap().to_lowercase();
    for name in ["appkey", "nonce", "curtime", "checksum", "content-type"] {
        assert!(allowed.contains(name), "{name}: {allowed}");
    }
}

#[tokio::test]
async fn hosts_are_found_alive() {
    let w = World::new().await;
    for probe in ["/nimserver/health/liveness.action", "/index.html"] {
        assert_eq!(Ask::new(&w, "GET", probe).await.status, 200, "{probe}");
    }
}

#[tokio::test]
async fn what_is_no_call_is_said_in_shape() {
    let w = World::new().await;
    for path in
        ["team/create.action", "user/getToken", "user/getToken.action/", "x", "user/%00", "USER/getToken.action"]
    {
        w.post(path, &[("uid", "1")]).await.await.refused(404, "no such call");
    }
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let app = w.app().await;
        Ask::new(&w, method, GET_TOKEN).signed_by(&app).await.refused(403, "the call is a POST");
    }
}

#[tokio::test]
async fn a_call_may_be_named_in_a_header() {
    let w = World::new().await;
    let app = w.app().await;
    let ask = |api: &str| Ask::new(&w, "POST", "/im_api/v9").form(&[("uid", "1")]).signed_by(&app).header("api", api);
    assert_eq!(ask("/user/getToken.action").await.ok()["token"], w.token(&[("uid", "1")]).await);
    ask("user/getToken.action").await.ok();
    ask("/team/create.action").await.refused(404, "no such call");
    ask("").await.refused(404, "no such call");
    Ask::new(&w, "POST", "/im_api/v9").form(&[("uid", "1")]).await.refused(404, "no such call");
}

#[tokio::test]
async fn calls_are_counted_where_the_operator_wants_the_clouds_limits() {
    let w = World::with(Preset::Vendor).await;
    for _ in 0..300 {
        w.post("user/getToken.action", &[("uid", "1")]).await.await.ok();
    }
    w.post("user/getToken.action", &[("uid", "1")]).await.await.refused(416, "too many calls");
    w.post_as_other("user/getToken.action", &[("uid", "1")]).await.await.ok();
    w.clock.move_by(SECOND);
    w.post("user/getToken.action", &[("uid", "1")]).await.await.ok();
}
