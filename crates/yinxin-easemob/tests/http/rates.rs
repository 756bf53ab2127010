//! Call rates: the vendor's numbers for those who ask for them, limits against abuse for everybody.

use futures_util::future::join_all;
use serde_json::json;
use yinxin_core::limits::Limits;
use yinxin_core::passwords::HashCost;
use yinxin_core::rates::Preset;
use yinxin_testkit::ground::{CHEAP, Setup};

use crate::asking::{Answer as _, Ask, Bearer as _, Reply};
use crate::operations::{OPERATIONS, Operation};
use crate::world::{SECOND, World};

fn too_many(reply: &Reply) {
    reply.refused(429, "reach_limit", "This request has reached api limit");
}

async fn vendor() -> World {
    World::on(Setup { preset: Preset::Vendor, ..Setup::default() }).await
}

/// A cheap call of that operation: nobody's, so that it is counted and refused.
async fn knock(w: &World, app: &str, operation: &Operation) -> Reply {
    Ask::new(w, operation.method, &format!("{app}{}", operation.path("anna", "bert"))).await
}

#[tokio::test]
async fn each_operation_has_the_documented_number_of_calls_per_second_and_app() {
    let w = vendor().await;
    for operation in OPERATIONS {
        for number in 1..=operation.per_s {
            let reply = knock(&w, "/acme/chat", operation).await;
            assert_ne!(reply.status, 429, "call {number} of {}", operation.title());
        }
        too_many(&knock(&w, "/acme/chat", operation).await);
        assert_ne!(knock(&w, "/rival/chat", operation).await.status, 429, "another app has its own");
        w.clock.move_by(SECOND / i64::from(operation.per_s) + 1);
        assert_ne!(knock(&w, "/acme/chat", operation).await.status, 429, "one more as time goes by");
        too_many(&knock(&w, "/acme/chat", operation).await);
        w.clock.move_by(SECOND);
    }
}

#[tokio::test]
async fn calls_about_users_share_a_limit_and_tokens_have_their_own() {
    let w = vendor().await;
    w.register(&["anna"]).await;
    for number in 0..99 {
        let path = ["/users/anna", "/users", "/users/anna/status", "/users/anna/contacts/users"][number % 4];
        w.get(path).await.ok();
    }
    too_many(&w.post("/users", json!({ "username": "bert", "password": "1" })).await);
    too_many(&w.get("/users/anna").await);
    w.log_in("anna", "pw-anna").await.ok();
    w.get("/users/anna/blocks/users").await.ok();
    w.clock.move_by(SECOND);
    assert_eq!(w.names().await, ["anna"]);
}

#[tokio::test]
async fn your_own_server_does_not_count_your_calls() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    for _ in 0..1000 {
        w.get("/users/anna").await.ok();
    }
}

#[tokio::test]
async fn wrong_passwords_are_counted_per_user_and_address() {
    let w = World::new().await;
    w.register(&["anna", "bert"]).await;
    for _ in 0..20 {
        w.log_in("Anna", "wrong").from("10.0.0.1").await.refused(400, "invalid_grant", "invalid password");
    }
    too_many(&w.log_in("anna", "wrong").from("10.0.0.1").await);
    too_many(&w.log_in("anna", "pw-anna").from("10.0.0.1").await);
    w.log_in("anna", "pw-anna").from("10.0.0.2").await.ok();
    w.log_in("bert", "pw-bert").from("10.0.0.1").await.ok();
    w.clock.move_by(15 * SECOND);
    w.log_in("anna", "pw-anna").from("10.0.0.1").await.ok();
    w.log_in("anna", "wrong").from("10.0.0.1").await.refused(400, "invalid_grant", "invalid password");
    too_many(&w.log_in("anna", "pw-anna").from("10.0.0.1").await);
}

#[tokio::test]
async fn names_that_nobody_has_are_counted_alike() {
    let w = World::new().await;
    for _ in 0..20 {
        w.log_in("nobody", "wrong").await.refused(400, "invalid_grant", "invalid password");
    }
    too_many(&w.log_in("nobody", "wrong").await);
}

#[tokio::test]
async fn a_flood_of_token_calls_is_stopped_by_address() {
    let limits = Limits { token_calls_per_s: 5, ..Limits::default() };
    let w = World::on(Setup { limits, ..Setup::default() }).await;
    for _ in 0..5 {
        assert_eq!(w.log_in("nobody", "x").from("10.0.0.1").await.status, 400);
    }
    too_many(&w.log_in("nobody", "x").from("10.0.0.1").await);
    assert_eq!(w.log_in("nobody", "x").from("10.0.0.2").await.status, 400);
    w.clock.move_by(SECOND);
    assert_eq!(w.log_in("nobody", "x").from("10.0.0.1").await.status, 400);
}

#[tokio::test]
async fn a_full_pool_of_password_checks_says_busy_and_nothing_else_does() {
    let limits = Limits { password_threads: 1, password_queue: 1, ..Limits::default() };
    let hash_cost = HashCost { memory_kib: 8192, ..CHEAP };
    let w = World::on(Setup { limits, hash_cost, ..Setup::default() }).await;
    w.register(&["anna"]).await;
    let token = w.login("anna").await;
    let (logins, reads) = tokio::join!(
        join_all((0..64).map(|_| w.log_in("anna", "pw-anna").into_future())),
        join_all((0..64).map(|_| w.get("/users/anna").by(&token).into_future())),
    );
    let (done, busy): (Vec<_>, Vec<_>) = logins.into_iter().partition(|reply| reply.status == 200);
    assert!(!done.is_empty() && !busy.is_empty());
    busy.iter().for_each(too_many);
    assert!(reads.iter().all(|reply| reply.status == 200));
    w.login("anna").await;
}

#[tokio::test]
async fn guesses_made_at_once_or_under_other_spellings_are_counted_together() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let id = w.uuid("anna").await;
    let spellings = ["anna".to_owned(), "ANNA".to_owned(), id.clone(), id.to_uppercase()];
    let guesses = (0..40).map(|number| w.log_in(&spellings[number % 4], "wrong").from("10.0.0.1").into_future());
    let replies = join_all(guesses).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 400).count(), 20);
    replies.iter().filter(|reply| reply.status != 400).for_each(too_many);
    too_many(&w.log_in("anna", "pw-anna").from("10.0.0.1").await);
    w.log_in("anna", "pw-anna").from("10.0.0.2").await.ok();
}
