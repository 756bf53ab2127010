//! Room tokens: what getToken gives, and what it opens.

use yinxin_core::Code;
use yinxin_core::apps::{self, AppChanges};
use yinxin_core::rooms::tokens::Privileges;
use yinxin_core::users;
use yinxin_testkit::storage;
use yinxin_token::netease::local::{self, Scope};
use yinxin_token::netease::permission::{self, Grant};

use crate::asking::Answer as _;
use crate::world::{SECOND, World};

#[tokio::test]
async fn a_token_opens_its_room_for_its_bearer_while_it_lives() {
    let w = World::new().await;
    let token = w.token(&[("uid", "7"), ("channelName", "abc")]).await;
    let admitted = w.join(7, "abc", Some(&token), None).await.unwrap();
    assert_eq!((admitted.uid.get(), admitted.room.as_str()), (7, "abc"));
    assert_eq!((admitted.privileges, admitted.until_ms), (Privileges::ALL, None));
    w.join(7, "abc", Some(&token), None).await.unwrap();
    for (uid, room) in [(8, "abc"), (7, "abd"), (7, "ABC"), (0, "abc")] {
        assert_eq!(w.join(uid, room, Some(&token), None).await, Err(Code::RoomTokenWrong), "{uid} {room}");
    }
    w.clock.move_by(600 * SECOND - 1);
    w.join(7, "abc", Some(&token), None).await.unwrap();
    w.clock.move_by(1);
    assert_eq!(w.join(7, "abc", Some(&token), None).await, Err(Code::RoomTokenExpired));
}

#[tokio::test]
async fn a_token_without_a_room_opens_any() {
    let w = World::new().await;
    let token = w.token(&[("uid", "7")]).await;
    assert_eq!(w.token(&[("uid", "7"), ("channelName", "")]).await, token, "an empty name is none");
    for room in ["abc", "Another room", "1"] {
        w.join(7, room, Some(&token), None).await.unwrap();
    }
    assert_eq!(w.join(8, "abc", Some(&token), None).await, Err(Code::RoomTokenWrong));
    // Beside it there may be one for a room.
    let bound = w.token(&[("uid", "7"), ("channelName", "abc")]).await;
    assert_ne!(bound, token);
    w.join(7, "abc", Some(&bound), None).await.unwrap();
    w.join(7, "abc", Some(&token), None).await.unwrap();
    assert_eq!(w.join(7, "x", Some(&bound), None).await, Err(Code::RoomTokenWrong));
}

#[tokio::test]
async fn asked_again_it_is_the_same_token_with_another_end() {
    let w = World::new().await;
    let ask = async |expire| w.token(&[("uid", "7"), ("channelName", "abc"), ("expireAt", expire)]).await;
    let token = ask("60").await;
    w.clock.move_by(30 * SECOND);
    assert_eq!(ask("60").await, token);
    w.clock.move_by(59 * SECOND);
    w.join(7, "abc", Some(&token), None).await.unwrap();
    assert_eq!(ask("86400").await, token);
    w.clock.move_by(86_399 * SECOND);
    w.join(7, "abc", Some(&token), None).await.unwrap();
    assert_eq!(ask("1").await, token, "it can be made to end sooner");
    w.clock.move_by(SECOND);
    assert_eq!(w.join(7, "abc", Some(&token), None).await, Err(Code::RoomTokenExpired));
    let next = ask("60").await;
    assert_ne!(next, token, "after its end it is another");
    assert_eq!(w.join(7, "abc", Some(&token), None).await, Err(Code::RoomTokenWrong));
    w.join(7, "abc", Some(&next), None).await.unwrap();
}

#[tokio::test]
async fn a_life_is_from_one_second_to_a_day() {
    let w = World::new().await;
    for bad in ["0", "-1", "86401", "1.5", "abc", "9999999999999999999999", " 5", "0x10"] {
        let reply = w.post("user/getToken.action", &[("uid", "7"), ("expireAt", bad)]).await.await;
        reply.refused(414, "expireAt must be a number from 1 to 86400");
    }
    for good in ["1", "640", "86400", ""] {
        w.token(&[("uid", "7"), ("expireAt", good)]).await;
    }
}

#[tokio::test]
async fn a_uid_is_a_whole_number() {
    let w = World::new().await;
    for missing in [&[][..], &[("uid", "")], &[("UID", "1")]] {
        w.post("user/getToken.action", missing).await.await.refused(414, "uid is empty");
    }
    for bad in ["-1", "abc", "1.0", "9223372036854775808", "18446744073709551616", "+1"] {
        let reply = w.post("user/getToken.action", &[("uid", bad)]).await.await;
        reply.refused(414, "uid must be a number from 0 to 9223372036854775807");
    }
    for good in ["0", "9007199254740993", "9223372036854775807"] {
        let token = w.token(&[("uid", good)]).await;
        w.join(good.parse().unwrap(), "abc", Some(&token), None).await.unwrap();
    }
    assert_eq!(w.token(&[("uid", "007")]).await, w.token(&[("uid", "7")]).await);
}

#[tokio::test]
async fn of_a_parameter_that_comes_twice_the_first_counts() {
    let w = World::new().await;
    let ask = async |body: &'static str| w.post("user/getToken.action", &[]).await.raw(body).await;
    let token = w.token(&[("uid", "7"), ("channelName", "abc")]).await;
    for body in ["uid=7&uid=8&channelName=abc&channelName=abd", "channelName=abc&uid=7&channelName=&uid=&uid=x&%75id=8"]
    {
        assert_eq!(ask(body).await.ok()["token"], token, "{body}");
    }
    ask("uid=7;uid=8&channelName=abc").await.refused(414, "uid must be a number from 0 to 9223372036854775807");
    ask("uid=&uid=7").await.refused(414, "uid is empty");
    ask("uid=7&expireAt=0&expireAt=600").await.refused(414, "expireAt must be a number from 1 to 86400");
}

#[tokio::test]
async fn names_of_parameters_are_decoded_and_of_one_case() {
    let w = World::new().await;
    let token = w.token(&[("uid", "7"), ("channelName", "a+b&c=d")]).await;
    let ask = async |body: &'static str| w.post("user/getToken.action", &[]).await.raw(body).await;
    assert_eq!(ask("%75id=%37&channel%4eame=a%2Bb%26c%3Dd").await.ok()["token"], token);
    assert_eq!(ask("&&uid=7&=&x&channelName=a%2bb%26c=d&").await.ok()["token"], token);
    ask("Uid=7").await.refused(414, "uid is empty");
    for odd in [
        "uid=7&channelName=a%0a",
        "uid=7&channelName=%e2%80%8b",
        "uid=7&channelName=a%2fb",
        "uid=7&channelName=%25zz%27",
    ] {
        ask(odd).await.refused(414, "channelName must have 1 to 64 bytes of the allowed characters");
    }
}

#[tokio::test]
async fn a_rooms_name_is_of_the_documented_form() {
    let w = World::new().await;
    for bad in ["房间", "a/b", "a\\b", &"x".repeat(65)] {
        let reply = w.post("user/getToken.action", &[("uid", "7"), ("channelName", bad)]).await.await;
        reply.refused(414, "channelName must have 1 to 64 bytes of the allowed characters");
    }
    w.token(&[("uid", "7"), ("channelName", &"x".repeat(64))]).await;
}

#[tokio::test]
async fn a_token_for_one_use_admits_once() {
    let w = World::new().await;
    let ask = async |repeat| w.token(&[("uid", "7"), ("channelName", "abc"), ("repeatUse", repeat)]).await;
    let token = ask("false").await;
    assert_eq!(w.join(8, "abc", Some(&token), None).await, Err(Code::RoomTokenWrong), "a refusal is no use");
    assert_eq!(w.join(7, "abd", Some(&token), None).await, Err(Code::RoomTokenWrong));
    w.join(7, "abc", Some(&token), None).await.unwrap();
    assert_eq!(w.join(7, "abc", Some(&token), None).await, Err(Code::RoomTokenWrong));
    // What is used up is over: the next is another.
    let next = ask("").await;
    assert_ne!(next, token);
    w.join(7, "abc", Some(&next), None).await.unwrap();
    w.join(7, "abc", Some(&next), None).await.unwrap();
    assert_eq!(w.join(7, "abc", Some(&token), None).await, Err(Code::RoomTokenWrong));
}

#[tokio::test]
async fn how_often_it_admits_changes_when_it_is_said() {
    let w = World::new().await;
    let ask = async |said: &[(&str, &str)]| w.token(&[&[("uid", "7"), ("channelName", "abc")], said].concat()).await;
    let token = ask(&[]).await;
    w.join(7, "abc", Some(&token), None).await.unwrap();
    assert_eq!(ask(&[("repeatUse", "false")]).await, token);
    assert_eq!(ask(&[("expireAt", "60")]).await, token, "what is not said stays");
    w.join(7, "abc", Some(&token), None).await.unwrap();
    assert_eq!(w.join(7, "abc", Some(&token), None).await, Err(Code::RoomTokenWrong));
    let token = ask(&[("repeatUse", "0")]).await;
    assert_eq!(ask(&[("repeatUse", "640")]).await, token, "the document's sample is yes");
    w.join(7, "abc", Some(&token), None).await.unwrap();
    w.join(7, "abc", Some(&token), None).await.unwrap();
    for yes in ["true", "TRUE", "1", "-1", "640"] {
        w.token(&[("uid", "9"), ("repeatUse", yes)]).await;
    }
    for bad in ["yes", "t", "1.0", "null"] {
        let reply = w.post("user/getToken.action", &[("uid", "7"), ("repeatUse", bad)]).await.await;
        reply.refused(414, &format!("a field is not of the expected form: 'repeatUse={bad}'"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_come_at_once_with_a_token_for_one_use_one_is_admitted() {
    let w = std::sync::Arc::new(World::new().await);
    for round in 0..20 {
        let room = format!("room{round}");
        let token = w.token(&[("uid", "7"), ("channelName", &room), ("repeatUse", "false")]).await;
        let comers: Vec<_> = (0..8)
            .map(|_| {
                let (w, room, token) = (w.clone(), room.clone(), token.clone());
                tokio::spawn(async move { w.join(7, &room, Some(&token), None).await.is_ok() })
            })
            .collect();
        let mut admitted = 0;
        for comer in comers {
            admitted += usize::from(comer.await.unwrap());
        }
        assert_eq!(admitted, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_ask_at_once_all_get_one_token() {
    let w = std::sync::Arc::new(World::new().await);
    let asking: Vec<_> = (0..16)
        .map(|_| {
            let w = w.clone();
            tokio::spawn(async move { w.token(&[("uid", "7"), ("channelName", "abc")]).await })
        })
        .collect();
    let mut tokens = std::collections::HashSet::new();
    for asked in asking {
        tokens.insert(asked.await.unwrap());
    }
    assert_eq!(tokens.len(), 1);
}

#[tokio::test]
async fn asking_again_at_once_writes_nothing() {
    let w = World::new().await;
    let token = w.token(&[("uid", "7"), ("channelName", "abc")]).await;
    let commits = || w.ctx.db.writer_gauge().commits;
    let before = commits();
    for step_ms in [0, 1, 3000, 2998] {
        w.clock.move_by(step_ms);
        assert_eq!(w.token(&[("uid", "7"), ("channelName", "abc")]).await, token);
        assert_eq!(w.token(&[("uid", "7"), ("channelName", "abc"), ("repeatUse", "true")]).await, token);
    }
    assert_eq!(commits(), before);
    w.clock.move_by(1);
    w.token(&[("uid", "7"), ("channelName", "abc")]).await;
    assert_eq!(commits(), before + 1);
    // A short life is counted more finely.
    w.token(&[("uid", "8"), ("expireAt", "2")]).await;
    w.clock.move_by(20);
    let before = commits();
    w.token(&[("uid", "8"), ("expireAt", "2")]).await;
    assert_eq!(commits(), before + 1);
}

#[tokio::test]
async fn what_was_given_is_there_after_a_restart() {
    let w = World::new().await;
    let many = w.token(&[("uid", "7"), ("channelName", "abc"), ("expireAt", "60")]).await;
    let once = w.token(&[("uid", "8"), ("channelName", "abc"), ("repeatUse", "false")]).await;
    let used = w.token(&[("uid", "9"), ("channelName", "abc"), ("repeatUse", "false")]).await;
    w.join(9, "abc", Some(&used), None).await.unwrap();
    w.clock.move_by(30 * SECOND);
    w.token(&[("uid", "7"), ("channelName", "abc"), ("expireAt", "90")]).await;
    let w = w.restarted().await;
    w.clock.move_by(89 * SECOND);
    w.join(7, "abc", Some(&many), None).await.unwrap();
    w.join(8, "abc", Some(&once), None).await.unwrap();
    assert_eq!(w.join(8, "abc", Some(&once), None).await, Err(Code::RoomTokenWrong));
    assert_eq!(w.join(9, "abc", Some(&used), None).await, Err(Code::RoomTokenWrong));
    assert_eq!(w.token(&[("uid", "7"), ("channelName", "abc")]).await, many);
}

#[tokio::test]
async fn what_has_ended_is_cleared_away() {
    let w = World::new().await;
    for uid in 0..20 {
        w.token(&[("uid", &uid.to_string()), ("expireAt", "1")]).await;
    }
    w.clock.move_by(2 * SECOND);
    let ended = async || w.strings("SELECT uid FROM room_tokens WHERE length(uid) < 3").await;
    for uid in (100..).take(storage::writes_until_swept(15)) {
        w.token(&[("uid", &uid.to_string())]).await;
        if ended().await.is_empty() {
            break;
        }
    }
    assert!(ended().await.is_empty(), "{:?}", ended().await);
    assert!(!w.dump().await.contains(&w.token(&[("uid", "100")]).await), "a token is nowhere to be read");
}

#[tokio::test]
async fn another_apps_tokens_open_nothing() {
    let w = World::new().await;
    let theirs = w.post_as_other("user/getToken.action", &[("uid", "7")]).await.await.ok();
    let theirs = theirs["token"].as_str().unwrap().to_owned();
    assert_eq!(w.join(7, "abc", Some(&theirs), None).await, Err(Code::RoomTokenWrong));
    let ours = w.token(&[("uid", "7")]).await;
    assert_ne!(ours, theirs);
    assert_eq!(w.join(7, "abc", Some(&theirs), None).await, Err(Code::RoomTokenWrong));
}

#[tokio::test]
async fn what_was_never_given_opens_nothing() {
    let w = World::new().await;
    let token = w.token(&[("uid", "7"), ("channelName", "abc")]).await;
    for at in 0..token.len() {
        let mut forged = token.clone().into_bytes();
        forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
        let forged = String::from_utf8(forged).unwrap();
        assert_eq!(w.join(7, "abc", Some(&forged), None).await, Err(Code::RoomTokenWrong));
    }
    let login = w.create("7").await;
    for wrong in ["x", &token[1..], &format!("{token}0"), &login, "\0", &"a".repeat(100_000)] {
        assert_eq!(w.join(7, "abc", Some(wrong), None).await, Err(Code::RoomTokenWrong), "{wrong:.50}");
    }
}

#[tokio::test]
async fn who_is_banned_joins_no_room_and_who_is_deleted_leaves_no_token() {
    let w = World::new().await;
    w.create("7").await;
    let token = w.token(&[("uid", "7"), ("repeatUse", "false")]).await;
    w.post("user/block.action", &[("accid", "7")]).await.await.ok();
    assert_eq!(w.join(7, "abc", Some(&token), None).await, Err(Code::UserInactive));
    assert_eq!(w.join(7, "abc", Some("x"), None).await, Err(Code::RoomTokenWrong), "a stranger learns nothing");
    let again = w.token(&[("uid", "7")]).await;
    assert_eq!(again, token);
    assert_eq!(w.join(7, "abc", Some(&again), None).await, Err(Code::UserInactive));
    w.post("user/unblock.action", &[("accid", "7")]).await.await.ok();
    w.join(7, "abc", Some(&token), None).await.unwrap();
    let token = w.token(&[("uid", "7")]).await;
    users::delete(&w.ctx, &*w.app().await, "7").await.unwrap();
    assert_eq!(w.join(7, "abc", Some(&token), None).await, Err(Code::RoomTokenWrong));
    assert_ne!(w.token(&[("uid", "7")]).await, token, "memory has forgotten it, too");
}

#[tokio::test]
async fn in_safe_mode_a_token_is_needed_otherwise_unwanted() {
    let w = World::new().await;
    let token = w.token(&[("uid", "7")]).await;
    for none in [None, Some("")] {
        assert_eq!(w.join(7, "abc", none, None).await, Err(Code::RoomTokenMissing));
    }
    w.change_app(AppChanges { safe_mode: Some(false), ..AppChanges::default() }).await;
    w.join(7, "abc", None, None).await.unwrap();
    assert_eq!(w.join(7, "abc", Some(&token), None).await, Err(Code::RoomTokenUnexpected));
}

fn scope<'a>(app_key: &'a str, room: &'a str) -> Scope<'a> {
    Scope { app_key, uid: 7, room }
}

#[tokio::test]
async fn a_token_that_the_backend_computes_is_as_good_as_ours() {
    let w = World::new().await;
    let app = w.app().await;
    let (key, secret) = (app.signing.key.as_str(), app.signing.reveal_secret());
    let now_ms = w.now_s() * SECOND;
    let token = local::seal(&scope(key, "abc"), now_ms, 60, secret);
    w.join(7, "abc", Some(&token), None).await.unwrap();
    w.join(7, "abc", Some(&token), None).await.unwrap();
    assert_eq!(w.join(8, "abc", Some(&token), None).await, Err(Code::RoomTokenWrong));
    assert_eq!(w.join(7, "abd", Some(&token), None).await, Err(Code::RoomTokenWrong));
    w.join(7, "any", Some(&local::seal(&scope(key, ""), now_ms, 60, secret)), None).await.unwrap();
    for wrong in [
        local::seal(&scope(key, "abc"), now_ms, 0, secret),
        local::seal(&scope(key, "abc"), now_ms, 86_401, secret),
        local::seal(&scope(key, "abc"), now_ms / 1000, 60, secret),
        local::seal(&scope(key, "abc"), now_ms + 301 * SECOND, 60, secret),
        local::seal(&scope(key, "abc"), now_ms, 60, "wrong"),
        local::seal(&scope("other", "abc"), now_ms, 60, secret),
        local::seal(&scope(key, "abc"), now_ms, 60, w.other().await.signing.reveal_secret()),
        local::seal(&scope(key, "abc"), now_ms, i64::MAX, secret),
    ] {
        assert_eq!(w.join(7, "abc", Some(&wrong), None).await, Err(Code::RoomTokenWrong));
    }
    w.clock.move_by(60 * SECOND);
    assert_eq!(w.join(7, "abc", Some(&token), None).await, Err(Code::RoomTokenExpired));
    let token = local::seal(&scope(key, "abc"), w.now_s() * SECOND, 60, secret);
    w.change_app(AppChanges { local_room_tokens: Some(false), ..AppChanges::default() }).await;
    assert_eq!(w.join(7, "abc", Some(&token), None).await, Err(Code::RoomTokenWrong));
    w.join(7, "abc", Some(&w.token(&[("uid", "7")]).await), None).await.unwrap();
}

#[tokio::test]
async fn a_new_secret_ends_what_was_computed_not_what_was_issued() {
    let w = World::new().await;
    let app = w.app().await;
    let issued = w.token(&[("uid", "7")]).await;
    let computed = local::seal(&scope(&app.signing.key, "abc"), w.now_s() * SECOND, 60, app.signing.reveal_secret());
    apps::rotate_signing_secrets(&w.ctx, &app).await.unwrap();
    assert_eq!(w.join(7, "abc", Some(&computed), None).await, Err(Code::RoomTokenWrong));
    w.join(7, "abc", Some(&issued), None).await.unwrap();
}

#[tokio::test]
async fn a_permission_key_says_what_its_bearer_may_do_and_how_long() {
    let w = World::new().await;
    let (app, now_s) = (w.app().await, w.now_s());
    let secret = app.signing.reveal_permission_secret();
    let grant =
        Grant { app_key: &app.signing.key, uid: 7, room: "abc", cur_time_s: now_s, ttl_s: 60, privilege: 0b10_1100 };
    let key = permission::seal(&grant, secret);
    let token = w.token(&[("uid", "7"), ("repeatUse", "false")]).await;
    for wrong in [
        "x".to_owned(),
        token.clone(),
        permission::seal(&grant, app.signing.reveal_secret()),
        permission::seal(&Grant { uid: 8, ..grant }, secret),
        permission::seal(&Grant { room: "abd", ..grant }, secret),
        permission::seal(&Grant { app_key: "other", ..grant }, secret),
        permission::seal(&Grant { ttl_s: 0, ..grant }, secret),
        permission::seal(&Grant { ttl_s: 86_401, ..grant }, secret),
        permission::seal(&Grant { cur_time_s: now_s + 301, ..grant }, secret),
        permission::seal(&Grant { cur_time_s: i64::MAX, ttl_s: 86_400, ..grant }, secret),
    ] {
        assert_eq!(w.join(7, "abc", Some(&token), Some(&wrong)).await, Err(Code::PermissionKeyWrong));
    }
    let old = permission::seal(&Grant { cur_time_s: now_s - 60, ..grant }, secret);
    assert_eq!(w.join(7, "abc", Some(&token), Some(&old)).await, Err(Code::PermissionKeyExpired));
    // The refusals have not used the token up.
    let admitted = w.join(7, "abc", Some(&token), Some(&key)).await.unwrap();
    assert_eq!(admitted.until_ms, Some((now_s + 60) * SECOND));
    assert!(admitted.privileges.include(Privileges::RECEIVE_AUDIO) && admitted.privileges.include(Privileges::JOIN));
    assert!(!admitted.privileges.include(Privileges::SEND_AUDIO));
    assert_eq!(w.join(7, "abc", Some(&token), Some(&key)).await, Err(Code::RoomTokenWrong));
}
