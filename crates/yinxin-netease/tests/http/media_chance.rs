//! Credentials and admissions by chance: against a model of what is right, and that nothing breaks.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use yinxin_testkit::ground;
use yinxin_token::netease::permission::{self, Grant};

use crate::admit::refusal;
use crate::asking::{Answer as _, Ask};
use crate::media::{ALL, TTL_S, ask, claims, world};
use crate::world::SECOND;

/// What a client has and wants, by chance.
#[derive(Clone, Debug)]
struct Chance {
    token_s: i64,
    waited_s: i64,
    /// Privileges and life of its permission key.
    key: Option<(u8, i64)>,
    room: &'static str,
    wanted: Vec<&'static str>,
}

fn chances() -> impl Strategy<Value = Chance> {
    let key = prop::option::of((0..64_u8, 1..1000_i64));
    let room = prop::sample::select(vec!["1234", "a room", "1,room=2", "a:b"]);
    let wanted = prop::sample::subsequence(ALL.to_vec(), 1..=ALL.len());
    (1..1000_i64, 0..1000_i64, key, room, wanted).prop_map(|(token_s, waited_s, key, room, wanted)| Chance {
        token_s,
        waited_s,
        key,
        room,
        wanted,
    })
}

/// The status that is right.
fn expected(chance: &Chance) -> u16 {
    let Chance { token_s, waited_s, key, room, wanted } = chance;
    let (privilege, key_s) = key.unwrap_or((63, i64::MAX));
    let to_janus = wanted.contains(&"janus");
    match () {
        () if *waited_s >= key_s || privilege & 32 == 0 => 403,
        () if to_janus && room.contains([',', ':']) => 400,
        () if to_janus && privilege & 15 != 15 => 400,
        () if waited_s >= token_s => 400,
        () => 200,
    }
}

#[test]
fn credentials_never_say_more_than_was_granted() {
    let runtime = ground::runtime();
    let w = runtime.block_on(world());
    let app = runtime.block_on(w.app());
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(256) });
    let attempt = async |chance: &Chance| {
        let Chance { token_s, waited_s, key, room, wanted } = chance;
        let token = w.token(&[("uid", "7"), ("channelName", room), ("expireAt", &token_s.to_string())]).await;
        let mut wish =
            json!({ "appkey": app.signing.key, "uid": 7, "channelName": room, "token": token, "for": wanted });
        if let Some((privilege, ttl_s)) = *key {
            let cur_time_s = w.now_s();
            let grant = Grant { app_key: &app.signing.key, uid: 7, room, cur_time_s, ttl_s, privilege };
            wish["permKey"] = permission::seal(&grant, app.signing.reveal_permission_secret()).into();
        }
        w.clock.move_by(waited_s * SECOND);
        let reply = ask(&w, &wish).await;
        // The next one begins with no token that lives.
        w.clock.move_by(1000 * SECOND);
        reply
    };
    runner
        .run(&chances(), |chance| {
            let started_s = w.now_s();
            let reply = runtime.block_on(attempt(&chance));
            prop_assert_eq!(reply.status, expected(&chance), "{}", reply.text());
            if reply.status != 200 {
                return Ok(());
            }
            let given = reply.ok();
            let (privilege, key_s) = chance.key.unwrap_or((63, i64::MAX));
            let end_s = started_s + chance.token_s.min(key_s).min(chance.waited_s + TTL_S);
            prop_assert_eq!(given["expires_at"].as_i64().unwrap(), end_s);
            let kinds: Vec<&str> = ALL.into_iter().filter(|kind| given.get(kind).is_some()).collect();
            prop_assert_eq!(&kinds, &chance.wanted);
            if kinds.contains(&"livekit") {
                let claims = claims(&given);
                let (video, may) = (&claims["video"], |bits| privilege & bits == bits);
                prop_assert_eq!(&claims["exp"], end_s);
                prop_assert_eq!(&video["room"], chance.room);
                prop_assert_eq!(video["canPublish"] == true, may(1) || may(2));
                prop_assert_eq!(video["canSubscribe"] == true, may(12));
                let sources = video["canPublishSources"].to_string();
                prop_assert!(
                    video["canPublish"] == false || sources == "null" || sources.contains("microphone") == may(1)
                );
                prop_assert!(sources != "null" || may(3) || video["canPublish"] == false);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn whatever_is_sent_is_answered_in_shape() {
    let runtime = ground::runtime();
    let w = runtime.block_on(world());
    let app = runtime.block_on(w.app());
    let key = app.signing.reveal_admission_key();
    let stored = runtime.block_on(w.dump());
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,80}".prop_map(Value::from),
        Just(Value::Null),
        prop::collection::vec(prop::sample::select(ALL.to_vec()), 0..4).prop_map(Value::from),
    ];
    let names = ["uid", "room", "token", "perm_key", "app_key", "appkey", "channelName", "permKey", "for", "x"];
    let body = prop::collection::btree_map(prop::sample::select(names.to_vec()), leaf, 0..7);
    let body = prop_oneof![
        3 => body.prop_map(|fields| json!(fields).to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..200),
        1 => "(call=publish|name=[a-c/]|uid=[0-9%-]{0,20}|token=.{0,40}|&){0,9}".prop_map(String::into_bytes),
    ];
    let path = prop_oneof![
        Just("/nrtc/credentials".to_owned()),
        Just("/nrtc/admit".to_owned()),
        Just(format!("/nrtc/hooks/nginx-rtmp?app_key={}&key={}", app.signing.key, key)),
        "/nrtc/hooks/nginx-rtmp\\?[a-z_=&%0-9]{0,60}",
    ];
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(512) });
    runner
        .run(&(path, body), |(path, body)| {
            let asked = Ask::new(&w, "POST", &path).header("appkey", &app.signing.key).raw(body);
            let reply = runtime.block_on(async { asked.header("authorization", format!("Bearer {key}")).await });
            refusal(&reply);
            Ok(())
        })
        .unwrap();
    assert_eq!(runtime.block_on(w.dump()), stored);
}
