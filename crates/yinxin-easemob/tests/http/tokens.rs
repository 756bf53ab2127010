//! Tokens: asking for one, how long it lives, what ends it, whom it speaks for.

use std::sync::Arc;

use serde_json::{Value, json};
use yinxin_core::apps::{self, App, AppChanges};
use yinxin_token::access::{self, Kind, MANAGEMENT_APP};
use yinxin_token::seal_dynamic;

use crate::asking::{Answer as _, Ask, Bearer as _};
use crate::world::{DAY, SECOND, World};

const UNKNOWN: (u16, &str, &str) = (401, "auth_bad_access_token", "Unable to authenticate");
const CORRUPT: (u16, &str, &str) = (401, "auth_bad_access_token", "Unable to authenticate due to corrupt access token");
const EXPIRED: (u16, &str, &str) = (401, "unauthorized", "Unable to authenticate due to expired access token");

/// Asks for an app token; `extra` is merged into the body.
fn ask_for_app_token<'w>(world: &'w World, app: &App, extra: &Value) -> Ask<'w> {
    let mut body = json!({
        "grant_type": "client_credentials",
        "client_id": app.client_id,
        "client_secret": app.reveal_client_secret(),
    });
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    world.post("/token", body).anonymous()
}

async fn works(world: &World, user: &str, token: &str) {
    world.get(&format!("/users/{user}")).by(token).await.ok();
}

async fn is_dead(world: &World, user: &str, token: &str, (status, error, description): (u16, &str, &str)) {
    world.get(&format!("/users/{user}")).by(token).await.refused(status, error, description);
}

#[tokio::test]
async fn an_app_token_says_who_for_which_app_when_and_for_how_long() {
    let w = World::new().await;
    let app = w.app().await;
    let granted = ask_for_app_token(&w, &app, &json!({ "ttl": 1_024_000 })).await.ok();
    assert_eq!(granted["expires_in"], 1_024_000);
    assert_eq!(granted["application"], app.uuid().to_string());
    assert_eq!(granted.as_object().unwrap().len(), 3);
    let claims = access::open(granted["access_token"].as_str().unwrap()).unwrap().claims;
    assert_eq!((claims.app, claims.principal, claims.kind), (MANAGEMENT_APP, app.uuid(), Kind::App));
    assert_eq!((claims.issued_ms, claims.ttl_s), (w.now_ms(), 1_024_000));
}

#[tokio::test]
async fn a_user_token_says_who_for_which_app_when_and_for_how_long() {
    let w = World::new().await;
    w.register(&["c"]).await;
    let body = json!({ "grant_type": "password", "username": "C", "password": "pw-c", "ttl": "1024000" });
    let granted = w.post("/token", body).anonymous().await.ok();
    assert_eq!(granted["expires_in"], 1_024_000);
    assert_eq!(granted["user"]["username"], "c");
    assert_eq!(granted["user"], w.get("/users/c").await.ok()["entities"][0]);
    let claims = access::open(granted["access_token"].as_str().unwrap()).unwrap().claims;
    assert_eq!((claims.app, claims.kind), (w.app().await.uuid(), Kind::User));
    assert_eq!(claims.principal.to_string(), granted["user"]["uuid"].as_str().unwrap());
    assert_eq!((claims.issued_ms, claims.ttl_s), (w.now_ms(), 1_024_000));
}

#[tokio::test]
async fn the_life_of_a_token_is_asked_for_in_all_the_forms_clients_send() {
    let w = World::new().await;
    w.change_app(AppChanges { app_token_ttl_s: Some(77), user_token_ttl_s: Some(55), ..AppChanges::default() }).await;
    w.register(&["anna"]).await;
    let app = w.app().await;
    for (ttl, for_app, for_user) in [
        (json!({}), 77, 55),
        (json!({ "ttl": null }), 77, 55),
        (json!({ "ttl": "" }), 77, 55),
        (json!({ "ttl": 0 }), 0, 0),
        (json!({ "ttl": "0" }), 0, 0),
        (json!({ "ttl": 1 }), 1, 1),
        (json!({ "ttl": "1024000" }), 1_024_000, 1_024_000),
        (json!({ "ttl": 4_294_967_295_u32 }), 4_294_967_295_u32, 4_294_967_295_u32),
    ] {
        assert_eq!(ask_for_app_token(&w, &app, &ttl).await.ok()["expires_in"], for_app, "{ttl}");
        for grant in ["password", "inherit"] {
            let mut body = json!({ "grant_type": grant, "username": "anna", "password": "pw-anna" });
            body.as_object_mut().unwrap().extend(ttl.as_object().unwrap().clone());
            assert_eq!(w.post("/token", body).await.ok()["expires_in"], for_user, "{grant} {ttl}");
        }
    }
}

#[tokio::test]
async fn a_life_that_is_no_number_of_seconds_is_refused() {
    let w = World::new().await;
    let app = w.app().await;
    for ttl in
        [json!(-1), json!("-1"), json!(4_294_967_296_i64), json!(i64::MAX), json!(u64::MAX), json!(1.5), json!(1e30)]
    {
        let fault = ask_for_app_token(&w, &app, &json!({ "ttl": ttl })).await.fault();
        assert_eq!((fault.status, &*fault.error), (400, "illegal_argument"), "{ttl}");
    }
    for ttl in [json!("1h"), json!(" 5"), json!(true), json!([]), json!({}), json!("18446744073709551616")] {
        let fault = ask_for_app_token(&w, &app, &json!({ "ttl": ttl })).await.fault();
        assert_eq!((fault.status, &*fault.error), (400, "illegal_argument"), "{ttl}");
    }
}

#[tokio::test]
async fn the_default_life_is_sixty_days() {
    let w = World::new().await;
    let granted = ask_for_app_token(&w, &*w.app().await, &json!({})).await.ok();
    assert_eq!(granted["expires_in"], 5_184_000);
    assert_eq!(access::open(granted["access_token"].as_str().unwrap()).unwrap().claims.ttl_s, 5_184_000);
}

#[tokio::test]
async fn a_token_dies_in_the_second_that_was_promised() {
    let w = World::new().await;
    let granted = ask_for_app_token(&w, &*w.app().await, &json!({ "ttl": 60 })).await.ok();
    let token = granted["access_token"].as_str().unwrap();
    w.clock.move_by(60 * SECOND - 1);
    w.get("/users").by(token).await.ok();
    w.clock.move_by(1);
    w.get("/users").by(token).await.refused(EXPIRED.0, EXPIRED.1, EXPIRED.2);
    w.clock.move_by(40 * 365 * DAY);
    w.get("/users").by(token).await.refused(EXPIRED.0, EXPIRED.1, EXPIRED.2);
}

#[tokio::test]
async fn a_token_for_ever_outlives_everything() {
    let w = World::new().await;
    w.clock.move_by(200 * 365 * DAY);
    w.get("/users").await.ok();
}

#[tokio::test]
async fn a_clock_that_is_set_back_revives_no_token_that_was_ended() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let token = w.login("anna").await;
    w.put("/users/anna/password", json!({ "newpassword": "new" })).await.ok();
    w.clock.move_by(-30 * DAY);
    is_dead(&w, "anna", &token, UNKNOWN).await;
    // A login at the earlier time works at once: what was ended is counted, not timed.
    let granted = w.log_in("anna", "new").await.ok();
    works(&w, "anna", granted["access_token"].as_str().unwrap()).await;
}

#[tokio::test]
async fn app_grants_are_refused_in_the_documents_words() {
    let w = World::new().await;
    let app = w.app().await;
    let (id, secret) = (app.client_id.as_str(), app.reveal_client_secret());
    for (id, secret, error, description) in [
        (json!(null), json!(secret), "illegal_argument", "client_id must be provided."),
        (json!(""), json!(secret), "illegal_argument", "client_id must be provided."),
        (json!(id), json!(null), "illegal_argument", "client_secret must be provided"),
        (json!(id), json!(""), "illegal_argument", "client_secret must be provided"),
        (json!("YXA6i-Ak8Ol4Eei2l11ZjV-EAg"), json!(secret), "invalid_grant", "client_id does not match"),
        (json!(id), json!("YXA6VunqiNxoB7IwXHInk1cGiXOOJfc"), "invalid_grant", "client_secret does not match"),
        (json!(id), json!(secret.to_lowercase()), "invalid_grant", "client_secret does not match"),
    ] {
        let body = json!({ "grant_type": "client_credentials", "client_id": id, "client_secret": secret });
        w.post("/token", body).anonymous().await.refused(400, error, description);
    }
    let unknown = Ask::new(&w, "POST", "/acme/nothing/token").json(&json!({ "grant_type": "client_credentials" }));
    let description = "Could not find application for acme/nothing from URI: acme/nothing/token";
    unknown.await.refused(404, "organization_application_not_found", description);
}

#[tokio::test]
async fn a_grant_type_that_is_missing_or_unknown_is_refused() {
    let w = World::new().await;
    for body in
        [json!({}), json!({ "grant_type": "" }), json!({ "grant_type": "agora" }), json!({ "grant_type": null })]
    {
        assert_eq!(w.post("/token", body).await.fault().status, 400);
    }
}

#[tokio::test]
async fn a_new_client_secret_ends_the_old_one_and_app_tokens_but_no_logins() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let user_token = w.login("anna").await;
    let before = w.app().await;
    let after = apps::rotate_secret(&w.ctx, &before).await.unwrap();
    w.get("/users").await.refused(UNKNOWN.0, UNKNOWN.1, UNKNOWN.2);
    ask_for_app_token(&w, &before, &json!({})).await.refused(400, "invalid_grant", "client_secret does not match");
    works(&w, "anna", &user_token).await;
    let granted = ask_for_app_token(&w, &after, &json!({})).await.ok();
    w.get("/users").by(granted["access_token"].as_str().unwrap()).await.ok();
}

#[tokio::test]
async fn a_login_is_refused_in_the_documents_words() {
    let w = World::new().await;
    w.register(&["anna", "banned"]).await;
    w.inherit("passwordless").await;
    w.post("/users/banned/deactivate", json!({})).await.ok();
    w.log_in("anna", "wrong").await.refused(400, "invalid_grant", "invalid password");
    w.log_in("nobody", "wrong").await.refused(400, "invalid_grant", "invalid password");
    w.log_in("passwordless", "wrong").await.refused(400, "invalid_grant", "invalid password");
    w.log_in("banned", "wrong").await.refused(400, "invalid_grant", "invalid password");
    w.log_in("banned", "pw-banned").await.refused(400, "invalid_grant", "user not activated");
    assert_eq!(w.log_in("", "x").await.fault().status, 400);
    assert_eq!(w.log_in("anna", "").await.fault().status, 400);
}

#[tokio::test]
async fn what_ends_a_users_tokens_ends_them_at_once() {
    let w = World::new().await;
    w.register(&["anna", "bert", "carl"]).await;
    let [anna, bert, carl] = [w.login("anna").await, w.login("bert").await, w.login("carl").await];
    works(&w, "anna", &anna).await;

    w.put("/users/anna/password", json!({ "newpassword": "new" })).await.ok();
    is_dead(&w, "anna", &anna, UNKNOWN).await;
    w.log_in("anna", "pw-anna").await.refused(400, "invalid_grant", "invalid password");
    w.log_in("anna", "new").await.ok();

    w.post("/users/bert/deactivate", json!({})).await.ok();
    is_dead(&w, "bert", &bert, UNKNOWN).await;
    w.post("/users/bert/activate", json!({})).await.ok();
    is_dead(&w, "bert", &bert, UNKNOWN).await;
    let again = w.login("bert").await;
    works(&w, "bert", &again).await;

    w.delete("/users/carl").await.ok();
    is_dead(&w, "carl", &carl, UNKNOWN).await;
}

#[tokio::test]
async fn a_name_that_is_registered_again_is_a_new_user() {
    let w = World::new().await;
    w.register(&["anna", "bert"]).await;
    let token = w.login("anna").await;
    let uuid = w.uuid("anna").await;
    w.post("/users/anna/contacts/users/bert", json!({})).await.ok();
    w.delete("/users/anna").await.ok();
    w.register(&["anna"]).await;
    assert_ne!(w.uuid("anna").await, uuid);
    is_dead(&w, "anna", &token, UNKNOWN).await;
    assert_eq!(w.get("/users/anna/contacts/users").await.ok()["data"], json!([]));
    w.get(&format!("/users/{uuid}")).await.refused(404, "service_resource_not_found", "Service resource not found");
}

#[tokio::test]
async fn what_ended_stays_ended_after_a_restart() {
    let w = World::new().await;
    w.register(&["anna", "bert"]).await;
    let [anna, bert] = [w.login("anna").await, w.login("bert").await];
    w.put("/users/anna/password", json!({ "newpassword": "new" })).await.ok();
    let w = w.restarted().await;
    is_dead(&w, "anna", &anna, UNKNOWN).await;
    works(&w, "bert", &bert).await;
}

#[tokio::test]
async fn tokens_of_one_app_say_nothing_to_another() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let there = Ask::new(&w, "POST", "/rival/chat/token").by(&w.other.token);
    let body = json!({ "grant_type": "inherit", "username": "anna", "autoCreateUser": true });
    let theirs = there.json(&body).await.ok()["access_token"].as_str().unwrap().to_owned();
    is_dead(&w, "anna", &theirs, UNKNOWN).await;
    is_dead(&w, "anna", &w.other.token.clone(), UNKNOWN).await;
    // The grant that takes an app token says "corrupt" of a foreign one.
    w.post("/token", body).by(&w.other.token).await.refused(CORRUPT.0, CORRUPT.1, CORRUPT.2);
}

#[tokio::test]
async fn the_inherit_grant_is_the_backends() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let body = json!({ "grant_type": "inherit", "username": "anna", "autoCreateUser": false });
    let token = w.login("anna").await;
    w.post("/token", body.clone()).by(&token).await.refused(CORRUPT.0, CORRUPT.1, CORRUPT.2);
    let refused = w.post("/token", body).anonymous().await;
    refused.refused(401, "unauthorized", "Unable to authenticate (OAuth)");
}

#[tokio::test]
async fn the_inherit_grant_creates_users_when_asked() {
    let w = World::new().await;
    let body =
        |name: &str, create: bool| json!({ "grant_type": "inherit", "username": name, "autoCreateUser": create });
    w.post("/token", body("Nora", false)).await.refused(404, "invalid_grant", "user not found");
    assert_eq!(w.names().await, [""; 0]);
    let granted = w.post("/token", body("Nora", true)).await.ok();
    assert_eq!(granted["user"]["username"], "nora");
    assert_eq!(w.post("/token", body("NORA", true)).await.ok()["user"], granted["user"]);
    assert_eq!(w.names().await, ["nora"]);
    w.post("/token", body("no name", true)).await.refused(400, "illegal_argument", "username [no name] is not legal");
    w.post("/token", body(&"x".repeat(65), true)).await.refused(400, "illegal_argument", "USERNAME_TOO_LONG");
    w.post("/users/nora/deactivate", json!({})).await.ok();
    w.post("/token", body("nora", true)).await.refused(400, "invalid_grant", "user not activated");
}

#[tokio::test]
async fn texts_that_are_no_tokens_are_corrupt() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let v1 = "YWMte3bGuOukEeiTkNP4grL7iwAAAAAAAAAAAAAAAAAAAAGL4CTw6XgR6LaXXVmNX4QCAgMAAAFnKdc-ZgBPGgBFTrLhhyK8woMEI005emtrLJFJV6aoxsZSioSIZkr5kw";
    let damaged = format!("{}12", &v1[1..]);
    for text in [
        "x",
        "YWMtSozP9jHNEeSQegV9EKeAQAAAUlmBR2bTGr-GP2xNh8GhUCdKViBFDSEF2E",
        &damaged,
        &v1[..129],
        "Basic abc",
        "null",
    ] {
        is_dead(&w, "anna", text, CORRUPT).await;
    }
    // Well-formed, not made here: today's form and the old one.
    is_dead(&w, "anna", v1, UNKNOWN).await;
    is_dead(&w, "anna", "YWMtP_8IisA-EeK-a5cNq4Jt3QAAAT7fI10IbPuKdRxUTjA9CNiZMnQIgk0LEUE", UNKNOWN).await;
}

#[tokio::test]
async fn no_changed_bit_of_a_token_goes_unnoticed() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let token = w.login("anna").await;
    for at in 0..token.len() {
        let mut forged = token.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        let fault = w.get("/users/anna").by(&forged).await.fault();
        assert_eq!(fault.status, 401, "{at}");
    }
}

/// A locally computed token of the app's own making.
struct Local {
    app: Arc<App>,
    app_key: String,
    secret: String,
    user: String,
    made_s: i64,
    ttl_s: i64,
}

impl Local {
    async fn new(w: &World, user: &str) -> Self {
        let app = w.app().await;
        let (app_key, secret) = (app.name.app_key(), app.reveal_client_secret().to_owned());
        Self { app, app_key, secret, user: user.to_owned(), made_s: w.now_s(), ttl_s: 600 }
    }

    fn seal(&self) -> String {
        seal_dynamic(&self.app.client_id, &self.secret, &self.app_key, &self.user, self.made_s, self.ttl_s)
    }
}

#[tokio::test]
async fn a_locally_computed_token_is_as_good_as_the_users() {
    let w = World::new().await;
    w.register(&["anna", "bert"]).await;
    let token = Local::new(&w, "anna").await.seal();
    works(&w, "anna", &token).await;
    w.get("/users/anna/contacts/users").by(&token).await.ok();
    assert_eq!(w.get("/users/bert").by(&token).await.fault().status, 401);
    assert_eq!(w.get("/users").by(&token).await.fault().status, 401);
    w.clock.move_by(600 * SECOND - 1);
    works(&w, "anna", &token).await;
    w.clock.move_by(1);
    is_dead(&w, "anna", &token, EXPIRED).await;
}

#[tokio::test]
async fn a_locally_computed_token_is_checked_in_every_part() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let local = || Local::new(&w, "anna");
    let good = local().await;
    let ahead = 5;
    works(&w, "anna", &Local { made_s: good.made_s + ahead, ..local().await }.seal()).await;
    works(&w, "anna", &Local { ttl_s: 0, ..local().await }.seal()).await;
    for wrong in [
        Local { app_key: "rival#chat".into(), ..local().await },
        Local { app_key: "acme#CHAT".into(), ..local().await },
        Local { secret: "YXA6VunqiNxoB7IwXHInk1cGiXOOJfc".into(), ..local().await },
        Local { user: "nobody".into(), ..local().await },
        Local { made_s: good.made_s + ahead + 1, ..local().await },
        Local { ttl_s: 4_294_967_296, ..local().await },
    ] {
        is_dead(&w, "anna", &wrong.seal(), UNKNOWN).await;
    }
    w.clock.move_by(600 * SECOND);
    is_dead(&w, "anna", &good.seal(), EXPIRED).await;
    is_dead(&w, "anna", &Local { ttl_s: -1, ..local().await }.seal(), CORRUPT).await;
    is_dead(&w, "anna", "ZHQtx", CORRUPT).await;
}

#[tokio::test]
async fn a_locally_computed_token_from_before_a_ban_or_a_new_password_is_dead() {
    let w = World::new().await;
    w.register(&["anna", "bert"]).await;
    let [anna, bert] = [Local::new(&w, "anna").await.seal(), Local::new(&w, "bert").await.seal()];
    w.clock.move_by(10 * SECOND);
    w.put("/users/anna/password", json!({ "newpassword": "new" })).await.ok();
    w.post("/users/bert/deactivate", json!({})).await.ok();
    is_dead(&w, "anna", &anna, UNKNOWN).await;
    is_dead(&w, "bert", &bert, UNKNOWN).await;
    w.clock.move_by(6 * SECOND);
    works(&w, "anna", &Local::new(&w, "anna").await.seal()).await;
    let while_banned = Local::new(&w, "bert").await.seal();
    is_dead(&w, "bert", &while_banned, UNKNOWN).await;
    w.post("/users/bert/activate", json!({})).await.ok();
    is_dead(&w, "bert", &bert, UNKNOWN).await;
}

#[tokio::test]
async fn a_locally_computed_token_stamped_ahead_does_not_outlive_an_ending() {
    let w = World::new().await;
    w.register(&["anna", "bert"]).await;
    let ahead = async |user: &str| {
        let now = Local::new(&w, user).await;
        Local { made_s: now.made_s + 5, ..now }.seal()
    };
    let [anna, bert] = [ahead("anna").await, ahead("bert").await];
    works(&w, "anna", &anna).await;
    works(&w, "bert", &bert).await;
    w.put("/users/anna/password", json!({ "newpassword": "new" })).await.ok();
    w.post("/users/bert/deactivate", json!({})).await.ok();
    w.post("/users/bert/activate", json!({})).await.ok();
    for after in 0..=6 {
        is_dead(&w, "anna", &anna, UNKNOWN).await;
        is_dead(&w, "bert", &bert, UNKNOWN).await;
        let [anna, bert] = [Local::new(&w, "anna").await.seal(), Local::new(&w, "bert").await.seal()];
        if after <= 5 {
            is_dead(&w, "anna", &anna, UNKNOWN).await;
            is_dead(&w, "bert", &bert, UNKNOWN).await;
        } else {
            works(&w, "anna", &anna).await;
            works(&w, "bert", &bert).await;
        }
        w.clock.move_by(SECOND);
    }
}

#[tokio::test]
async fn a_locally_computed_token_is_not_its_namesakes() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let token = Local { ttl_s: 0, ..Local::new(&w, "anna").await }.seal();
    works(&w, "anna", &token).await;
    w.delete("/users/anna").await.ok();
    w.clock.move_by(2 * SECOND);
    for again in 0..2 {
        w.register(&["anna"]).await;
        is_dead(&w, "anna", &token, UNKNOWN).await;
        // One that is computed in the second of the registration is its own.
        works(&w, "anna", &Local::new(&w, "anna").await.seal()).await;
        w.delete("/users/anna").await.ok();
        if again == 0 {
            w.inherit("anna").await;
            is_dead(&w, "anna", &token, UNKNOWN).await;
            w.delete("/users/anna").await.ok();
        }
    }
}
