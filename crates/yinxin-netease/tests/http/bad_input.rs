//! Bad input on every call: refused in the vendor's shape under HTTP 200, and nothing is changed by it.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use yinxin_http::Arrival;
use yinxin_testkit::ground;

use crate::asking::{Answer as _, Ask, Signed as _};
use crate::world::World;

const ACTIONS: [&str; 11] = [
    "user/getToken.action",
    "user/create.action",
    "user/update.action",
    "user/refreshToken.action",
    "user/block.action",
    "user/unblock.action",
    "user/mute.action",
    "user/muteModule.action",
    "user/getUinfos.action",
    "user/updateUinfo.action",
    "user/userOnlineStatus.action",
];

async fn world() -> World {
    let w = World::new().await;
    w.create("ann").await;
    w
}

#[tokio::test]
async fn bodies_that_are_no_forms_are_refused() {
    let w = world().await;
    let stored = w.dump().await;
    let bomb = "a=1&".repeat(100_000);
    let bodies: [&[u8]; 8] = [
        b"uid=%FF&accid=%FF",
        b"\xff\xfe=\xff",
        b"uid=%00&accid=%00",
        b"uid=1\x00&accid=ann\x00",
        b"x=%00",
        b"x=%ed%a0%80",
        bomb.as_bytes(),
        &b"a&".repeat(65),
    ];
    for action in ACTIONS {
        for body in bodies {
            let (code, _) = w.post(action, &[]).await.raw(body.to_vec()).await.fault();
            assert_eq!(code, 414, "{action} {:.40}", String::from_utf8_lossy(body));
        }
    }
    assert_eq!(w.dump().await, stored);
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let w = world().await;
    let stored = w.dump().await;
    let large = vec![b'a'; Arrival::in_process().body_bytes_max + 1];
    for action in ACTIONS {
        let (code, desc) = w.post(action, &[]).await.raw(large.clone()).await.fault();
        assert_eq!((code, desc.as_str()), (414, "the body is too large (limit 524288)"));
        let arrival = Arrival { head_too_large: true, ..Arrival::in_process() };
        let (code, desc) = w.post(action, &[("accid", "ann")]).await.arriving(arrival).await.fault();
        assert_eq!((code, desc.as_str()), (414, "the headers are too large"));
    }
    assert_eq!(w.dump().await, stored);
}

#[tokio::test]
async fn nobody_but_the_apps_backend_changes_anything() {
    let w = world().await;
    let stored = w.dump().await;
    let form =
        [("uid", "1"), ("accid", "ann"), ("token", "x"), ("mute", "true"), ("name", "n"), ("accids", r#"["ann"]"#)];
    for action in ACTIONS {
        let path = format!("/nimserver/{action}");
        Ask::new(&w, "POST", &path).form(&form).await.refused(414, "bad http header");
        w.post(action, &form).await.header("checksum", "0").await.refused(414, "checksum");
        w.post(action, &form).await.header("appkey", "nobody").await.refused(414, "appkey");
        let theirs = w.other().await.signing.key.clone();
        let borrowed = Ask::new(&w, "POST", &path).form(&form).signed_by(&*w.app().await).header("appkey", &theirs);
        borrowed.await.refused(414, "checksum");
    }
    assert_eq!(w.dump().await, stored);
    // Another app's backend changes its own, and sees nobody here.
    for action in ACTIONS.into_iter().filter(|action| !action.ends_with("create.action")) {
        let reply = w.post_as_other(action, &form).await.await;
        match action {
            "user/getToken.action" | "user/userOnlineStatus.action" => drop(reply.ok()),
            _ => reply.refused(414, "ann not register"),
        }
    }
}

/// Texts a form may have: what is special to forms, JSON and numbers stands closer together than in most.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9]{0,25}",
        "[-+.eE0-9]{0,8}",
        "[\\[\\]{}\",:a-z0-9]{0,20}",
        Just("true".to_owned()),
        Just("ann".to_owned()),
    ]
}

#[test]
fn whatever_is_sent_is_answered_in_shape() {
    let runtime = ground::runtime();
    let w = runtime.block_on(world());
    let names = prop_oneof![
        Just("uid"),
        Just("accid"),
        Just("accids"),
        Just("channelName"),
        Just("expireAt"),
        Just("repeatUse"),
        Just("gender"),
        Just("mute"),
        Just("needkick"),
        Just("name")
    ];
    let forms = prop::collection::vec((names, texts()), 0..6);
    let calls = (prop::sample::select(ACTIONS.to_vec()), forms);
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(256) });
    runner
        .run(&calls, |(action, form)| {
            let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let reply = runtime.block_on(async { w.post(action, &form).await.await });
            let body = reply.json();
            let code = body["code"].as_u64().unwrap();
            prop_assert!([200, 403, 414].contains(&code), "{} {form:?}: {body}", action);
            Ok(())
        })
        .unwrap();
}

#[test]
fn whatever_bytes_are_sent_are_answered_in_shape() {
    let runtime = ground::runtime();
    let w = runtime.block_on(world());
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(256) });
    runner
        .run(&prop::collection::vec(any::<u8>(), 0..200), |body| {
            let reply = runtime.block_on(async { w.post("user/getToken.action", &[]).await.raw(body).await });
            let code = reply.json()["code"].as_u64().unwrap();
            prop_assert!([200, 414].contains(&code));
            Ok(())
        })
        .unwrap();
}

#[test]
fn whatever_signature_is_sent_is_answered_in_shape() {
    let runtime = ground::runtime();
    let w = runtime.block_on(world());
    let app = runtime.block_on(w.app());
    let header = "[ -~]{0,140}";
    let keys = prop_oneof![3 => Just(app.signing.key.clone()), 1 => header];
    let times = prop_oneof![3 => Just(w.now_s().to_string()), 1 => header, 1 => "-?[0-9]{1,22}"];
    let sums = prop_oneof![1 => "[0-9a-fA-F]{40}", 1 => header];
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(256) });
    runner
        .run(&(keys, header, times, sums), |(key, nonce, time, sum)| {
            let reply = runtime.block_on(async {
                Ask::new(&w, "POST", "/nimserver/user/getToken.action")
                    .form(&[("uid", "1")])
                    .header("appkey", &key)
                    .header("nonce", &nonce)
                    .header("curtime", &time)
                    .header("checksum", &sum)
                    .await
            });
            let (code, desc) = reply.fault();
            prop_assert_eq!(code, 414);
            prop_assert!(["bad http header", "appkey", "checksum"].contains(&desc.as_str()), "{}", desc);
            Ok(())
        })
        .unwrap();
}
