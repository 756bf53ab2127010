//! Accounts by accid: one user base, whichever dialect a user came by.

use serde_json::json;
use yinxin_core::tokens::{self, Login};
use yinxin_core::users::{self, LoginName, Registration};
use yinxin_core::{Code, Error};
use zeroize::Zeroizing;

use crate::asking::Answer as _;
use crate::world::World;

/// A login as another dialect makes it.
async fn log_in(w: &World, name: &str, password: &str) -> Result<String, Code> {
    let login = Login {
        name: Some(LoginName::Name(name)),
        password: Some(Zeroizing::new(password.to_owned())),
        ttl_s: None,
        tells_unknown: false,
        from: "127.0.0.1".parse().unwrap(),
    };
    let granted = tokens::log_in(&w.ctx, &*w.app().await, login).await;
    granted.map(|(grant, _)| grant.token).map_err(|error: Error| error.code)
}

#[tokio::test]
async fn an_account_is_made_once_and_its_token_logs_in() {
    let w = World::new().await;
    let made = w.post("user/create.action", &[("accid", "Hello_World"), ("name", "小明")]).await.await.ok();
    let token = made["info"]["token"].as_str().unwrap();
    assert_eq!(made, json!({ "code": 200, "info": { "token": token, "accid": "hello_world", "name": "小明" } }));
    assert!(token.len() == 32 && token.bytes().all(|b| b.is_ascii_hexdigit()), "{token}");
    log_in(&w, "hello_world", token).await.unwrap();
    for again in ["hello_world", "HELLO_WORLD"] {
        w.post("user/create.action", &[("accid", again)]).await.await.refused(414, "already register");
    }
    let chosen = "c".repeat(128);
    let made = w.post("user/create.action", &[("accid", "a@b.c"), ("token", &chosen)]).await.await.ok();
    assert_eq!(made["info"], json!({ "token": chosen, "accid": "a@b.c", "name": "" }));
    log_in(&w, "a@b.c", &chosen).await.unwrap();
    assert!(!w.dump().await.contains(token), "the token is nowhere to be read");
}

#[tokio::test]
async fn an_accid_is_of_the_documented_form() {
    let w = World::new().await;
    for missing in [&[][..], &[("accid", "")]] {
        w.post("user/create.action", missing).await.await.refused(414, "accid is empty");
    }
    for bad in ["a b", "小明", "a/b", ".", ".."] {
        let reply = w.post("user/create.action", &[("accid", bad)]).await.await;
        reply.refused(414, "accid has characters that are not allowed");
    }
    let reply = w.post("user/create.action", &[("accid", &"a".repeat(33))]).await.await;
    reply.refused(414, "accid is longer than 32");
    let reply = w.post("user/create.action", &[("accid", "a"), ("token", &"t".repeat(129))]).await.await;
    reply.refused(414, "token is longer than 128");
    w.post("user/create.action", &[("accid", &"a".repeat(32))]).await.await.ok();
    let apart = w.post_as_other("user/create.action", &[("accid", &"a".repeat(32))]).await;
    apart.await.ok();
}

#[tokio::test]
async fn a_user_of_another_dialect_is_its_accid() {
    let w = World::new().await;
    let app = w.app().await;
    for name in ["ann", "a-name-that-is-too-long-for-an-accid"] {
        let new = Registration {
            username: Some(name.to_owned()),
            password: Some(Zeroizing::new("secret".to_owned())),
            ..Registration::default()
        };
        users::register(&w.ctx, &app, new).await.unwrap();
    }
    w.post("user/create.action", &[("accid", "ANN")]).await.await.refused(414, "already register");
    let found = w.post("user/getUinfos.action", &[("accids", r#"["Ann"]"#)]).await.await.ok();
    assert_eq!(found["uinfos"], json!([{ "accid": "ann", "gender": 0, "valid": true }]));
    let long = w.post("user/block.action", &[("accid", "a-name-that-is-too-long-for-an-accid")]).await;
    long.await.refused(414, "a-name-that-is-too-long-for-an-accid not register");
    let before = log_in(&w, "ann", "secret").await.unwrap();
    w.post("user/block.action", &[("accid", "ann"), ("needkick", "true")]).await.await.ok();
    assert_eq!(log_in(&w, "ann", "secret").await, Err(Code::UserInactive));
    assert_eq!(tokens::authenticate(&w.ctx, &app, &before).await.unwrap_err().code, Code::TokenUnknown);
    let found = w.post("user/getUinfos.action", &[("accids", r#"["ann"]"#)]).await.await.ok();
    assert_eq!(found["uinfos"][0]["valid"], false);
    w.post("user/unblock.action", &[("accid", "ann")]).await.await.ok();
    log_in(&w, "ann", "secret").await.unwrap();
}

#[tokio::test]
async fn login_tokens_are_replaced_by_a_given_one_or_one_made_here() {
    let w = World::new().await;
    let first = w.create("ann").await;
    w.post("user/update.action", &[("accid", "ann"), ("token", "chosen")]).await.await.ok();
    assert_eq!(log_in(&w, "ann", &first).await, Err(Code::WrongPassword));
    log_in(&w, "ann", "chosen").await.unwrap();
    w.post("user/update.action", &[("accid", "ann"), ("props", "{}")]).await.await.ok();
    log_in(&w, "ann", "chosen").await.unwrap();
    let renewed = w.post("user/refreshToken.action", &[("accid", "Ann")]).await.await.ok();
    let token = renewed["info"]["token"].as_str().unwrap();
    assert_eq!(renewed, json!({ "code": 200, "info": { "token": token, "accid": "ann" } }));
    assert_eq!(log_in(&w, "ann", "chosen").await, Err(Code::WrongPassword));
    log_in(&w, "ann", token).await.unwrap();
    let reply = w.post("user/update.action", &[("accid", "ann"), ("token", &"t".repeat(129))]).await.await;
    reply.refused(414, "token is longer than 128");
}

#[tokio::test]
async fn who_is_not_registered_is_named() {
    let w = World::new().await;
    w.post_as_other("user/create.action", &[("accid", "ann")]).await.await.ok();
    for action in [
        "user/update.action",
        "user/refreshToken.action",
        "user/block.action",
        "user/unblock.action",
        "user/updateUinfo.action",
        "user/muteModule.action",
    ] {
        w.post(action, &[]).await.await.refused(414, "accid is empty");
        w.post(action, &[("accid", "ann")]).await.await.refused(414, "ann not register");
        w.post(action, &[("accid", "a b")]).await.await.refused(414, "a b not register");
    }
    w.post("user/mute.action", &[("accid", "ann"), ("mute", "true")]).await.await.refused(414, "ann not register");
}

#[tokio::test]
async fn switches_are_yes_or_no_in_either_spelling() {
    let w = World::new().await;
    w.create("ann").await;
    for form in [
        &[("accid", "ann")][..],
        &[("accid", "ann"), ("needkick", "false")],
        &[("accid", "ann"), ("needKick", "TRUE"), ("kickNotifyExt", "bye"), ("needUnbindPushToken", "1")],
    ] {
        w.post("user/block.action", form).await.await.ok();
    }
    let reply = w.post("user/block.action", &[("accid", "ann"), ("needKick", "maybe")]).await.await;
    reply.refused(414, "a field is not of the expected form: 'needKick=maybe'");
}

#[tokio::test]
async fn mutes_are_those_of_every_dialect() {
    use yinxin_core::mutes::{self, Scope};
    let w = World::new().await;
    w.create("ann").await;
    let info = || async {
        let form = [("accids", r#"["ann"]"#), ("muteStatus", "true")];
        let found = w.post("user/getUinfos.action", &form).await.await.ok();
        ["mute", "muteP2P", "muteTeam", "muteRoom"].map(|name| found["uinfos"][0][name].as_bool().unwrap())
    };
    assert_eq!(info().await, [false; 4]);
    w.post("user/mute.action", &[("accid", "ann"), ("mute", "true")]).await.await.ok();
    assert_eq!(info().await, [true; 4]);
    let form = [("accid", "ann"), ("muteTeam", "false"), ("muteRoom", "false")];
    let held = w.post("user/muteModule.action", &form).await.await.ok();
    assert_eq!(held["data"], json!({ "muteP2P": true, "muteTeam": false, "muteRoom": false }));
    let (_, held) = mutes::of_user(&w.ctx, &*w.app().await, "ann").await.unwrap();
    assert_eq!(held.iter().map(|mute| mute.scope.as_str()).collect::<Vec<_>>(), [Scope::Chat.name()]);
    w.post("user/mute.action", &[("accid", "ann"), ("mute", "false")]).await.await.ok();
    assert_eq!(info().await, [false; 4]);
    w.post("user/mute.action", &[("accid", "ann")]).await.await.fault();
    let circle = w.post("user/muteModule.action", &[("accid", "ann"), ("muteQChat", "true")]).await;
    circle.await.refused(403, "this server does not offer the call");
}
