//! Tokens end when what they rest on ends, whatever happens at the same moment.

use std::sync::Arc;

use tokio::task::JoinHandle;
use yinxin_core::tokens::{Grant, authenticate};
use yinxin_core::{Code, Result, users};

use crate::kit::{Site, log_in_to};

const ROUNDS: usize = 200;
const LOGINS: usize = 4;

fn log_in_meanwhile(site: &Site, password: &str) -> Vec<JoinHandle<Result<Grant>>> {
    let log_in = |_| {
        let (ctx, app, password) = (Arc::clone(&site.ctx), Arc::clone(&site.app), password.to_owned());
        tokio::spawn(async move { log_in_to(&ctx, &app, "ann", &password).await })
    };
    (0..LOGINS).map(log_in).collect()
}

/// What the logins have got, once they have all ended.
async fn granted(logins: Vec<JoinHandle<Result<Grant>>>) -> Vec<Grant> {
    let mut grants = Vec::new();
    for login in logins {
        grants.extend(login.await.unwrap());
    }
    grants
}

/// Fails if one of the tokens still works. Gives how many there are.
async fn assert_dead(site: &Site, grants: Vec<Grant>) -> usize {
    for grant in &grants {
        let answer = authenticate(&site.ctx, &site.app, &grant.token).await;
        assert_eq!(answer.map(drop).map_err(|error| error.code), Err(Code::TokenUnknown));
    }
    grants.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_token_of_an_old_password_outlives_its_change() {
    let site = Site::new().await;
    site.register("ann").await;
    site.set_password("ann", "password 0").await.unwrap();
    let mut tokens = 0;
    for round in 0..ROUNDS {
        let [old, new] = [round, round + 1].map(|number| format!("password {number}"));
        let earlier = log_in_meanwhile(&site, &old);
        if round % 2 == 0 {
            tokio::task::yield_now().await;
        }
        site.set_password("ann", &new).await.unwrap();
        let later = log_in_meanwhile(&site, &old);
        tokens += assert_dead(&site, granted(earlier).await).await;
        assert_eq!(assert_dead(&site, granted(later).await).await, 0, "the old password is no password any more");
        let grant = site.log_in("ann", &new).await.unwrap();
        authenticate(&site.ctx, &site.app, &grant.token).await.unwrap();
    }
    assert!(tokens > 0, "no login came before its change: the race was not run");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_token_outlives_a_ban() {
    let site = Site::new().await;
    site.register("ann").await;
    for _ in 0..ROUNDS / 4 {
        let earlier = log_in_meanwhile(&site, "first");
        users::ban(&site.ctx, &site.app, "ann").await.unwrap();
        let later = log_in_meanwhile(&site, "first");
        assert_eq!(assert_dead(&site, granted(later).await).await, 0, "a banned user logs in");
        // A login that reads after the ban was lifted is a good one.
        let earlier = granted(earlier).await;
        users::lift_ban(&site.ctx, &site.app, "ann").await.unwrap();
        assert_dead(&site, earlier).await;
        let grant = site.log_in("ann", "first").await.unwrap();
        authenticate(&site.ctx, &site.app, &grant.token).await.unwrap();
    }
}

#[tokio::test]
async fn a_deleted_users_token_is_not_its_namesakes() {
    let site = Site::new().await;
    site.register("ann").await;
    let grant = site.log_in("ann", "first").await.unwrap();
    users::delete(&site.ctx, &site.app, "ann").await.unwrap();
    site.register("ann").await;
    let answer = authenticate(&site.ctx, &site.app, &grant.token).await;
    assert_eq!(answer.map(drop).map_err(|error| error.code), Err(Code::TokenUnknown));
}
