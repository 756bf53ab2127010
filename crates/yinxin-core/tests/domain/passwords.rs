//! Password hashing: bounded, the same work for everybody, and up to date after a login.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use parking_lot::Mutex;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use yinxin_core::passwords::HashCost;
use yinxin_core::rng::{Rng, SystemRng};
use yinxin_core::users::{self, Import};
use yinxin_core::{Code, Ctx, Error, UserId};
use yinxin_store::tables::users as table;

use crate::kit::{CHEAP, Setup, Site, log_in_to, secret};

/// Holds whoever asks for a salt until its sender is gone.
struct Gate {
    entered: UnboundedSender<()>,
    go_on: Mutex<Receiver<()>>,
}

impl Rng for Gate {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() == 16 {
            self.entered.send(()).unwrap();
            let _gone = self.go_on.lock().recv();
        }
        SystemRng.fill(bytes);
    }
}

#[tokio::test]
async fn a_full_pool_answers_busy_and_recovers() {
    let (entered, mut has_entered) = unbounded_channel();
    let (go_on, wait) = channel();
    let mut setup = Setup::new();
    setup.limits.password_threads = 1;
    setup.limits.password_queue = 2;
    setup.rng = Arc::new(Gate { entered, go_on: Mutex::new(wait) });
    let ctx = setup.open().await;
    let hash = |_| {
        let ctx = Arc::clone(&ctx);
        tokio::spawn(async move { ctx.passwords.hash(secret("word"), None).await })
    };
    let running = hash(0);
    has_entered.recv().await.unwrap();
    let waiting: Vec<_> = (0..2).map(hash).collect();
    // The tasks run in order on this thread: both are queued once a third has been refused.
    let refused = hash(0).await.unwrap();
    assert_eq!(refused.map_err(|error| error.code), Err(Code::Busy));
    let refused = ctx.passwords.verify(secret("word"), None, None).await;
    assert_eq!(refused.map(drop).map_err(|error| error.code), Err(Code::Busy));
    drop(go_on);
    for hash in waiting.into_iter().chain([running]) {
        assert!(hash.await.unwrap().is_ok());
    }
    assert!(ctx.passwords.hash(secret("word"), None).await.is_ok());
}

#[tokio::test]
async fn a_flood_from_one_network_keeps_nobody_else_out() {
    let (entered, mut has_entered) = unbounded_channel();
    let (go_on, wait) = channel();
    let mut setup = Setup::new();
    setup.limits.password_threads = 1;
    setup.limits.password_queue = 8;
    setup.rng = Arc::new(Gate { entered, go_on: Mutex::new(wait) });
    let ctx = setup.open().await;
    let hash = |from: &str| {
        let (ctx, from) = (Arc::clone(&ctx), Some(from.parse().unwrap()));
        tokio::spawn(async move { ctx.passwords.hash(secret("word"), from).await.map_err(|error| error.code) })
    };
    let running = hash("10.0.0.1");
    has_entered.recv().await.unwrap();
    // One customer's IPv6 network is one network, whatever address in it is used.
    let flood: Vec<_> = (0..20).map(|number| hash(&format!("2001:db8::{number}"))).collect();
    let others: Vec<_> = (2..6).map(|number| hash(&format!("10.0.0.{number}"))).collect();
    // The tasks run in order on this thread: all of them have been queued or refused when the last one has.
    let last = hash("2001:db8::ffff").await.unwrap();
    assert_eq!(last.unwrap_err(), Code::Busy);
    drop(go_on);
    for other in others.into_iter().chain([running]) {
        assert!(other.await.unwrap().is_ok());
    }
    let mut done = 0;
    for hash in flood {
        done += usize::from(hash.await.unwrap().is_ok());
    }
    assert_eq!(done, 4, "what the others left of the queue");
}

#[tokio::test]
async fn a_login_costs_the_same_work_whoever_it_is_for() {
    let mut setup = Setup::new();
    setup.cost = HashCost { memory_kib: 16, passes: 2, lanes: 1 };
    let site = Site::of(setup).await;
    site.register("ann").await;
    site.register("banned").await;
    users::ban(&site.ctx, &site.app, "banned").await.unwrap();
    users::register_without_password(&site.ctx, &site.app, "token-only").await.unwrap();
    for (name, password, code) in [
        ("ann", "first", None),
        ("ann", "wrong", Some(Code::WrongPassword)),
        ("banned", "first", Some(Code::UserInactive)),
        ("banned", "wrong", Some(Code::WrongPassword)),
        ("token-only", "wrong", Some(Code::WrongPassword)),
        ("nobody", "wrong", Some(Code::WrongPassword)),
        ("not a name", "wrong", Some(Code::WrongPassword)),
    ] {
        let before = site.ctx.passwords.filled_kib();
        let answer = site.log_in(name, password).await;
        assert_eq!(answer.err().map(|error| error.code), code, "{name}, {password}");
        assert_eq!(site.ctx.passwords.filled_kib() - before, 32, "{name}, {password}");
    }
}

async fn stored_hash(ctx: &Ctx, app: yinxin_core::AppId, user: UserId) -> String {
    ctx.db
        .read((app, user), |sql, (app, user)| {
            Box::pin(async move { Ok::<_, Error>(table::password_hash(sql, *app, *user).await?.flatten()) })
        })
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn a_login_brings_a_hash_of_another_cost_up_to_date() {
    let site = Site::new().await;
    let ann = site.register("ann").await;
    let Site { mut setup, ctx, app } = site;
    let old = stored_hash(&ctx, app.id, ann.user).await;
    assert!(old.contains("m=8,t=1,p=1"), "{old}");
    ctx.db.close().await;
    for (memory_kib, passes) in [(16, 2), (8, 1)] {
        setup.cost = HashCost { memory_kib, passes, ..CHEAP };
        let ctx = setup.open().await;
        let before = stored_hash(&ctx, app.id, ann.user).await;
        log_in_to(&ctx, &app, "ann", "wrong").await.unwrap_err();
        assert_eq!(stored_hash(&ctx, app.id, ann.user).await, before, "only the right password is hashed again");
        let grant = log_in_to(&ctx, &app, "ann", "first").await.unwrap();
        let after = stored_hash(&ctx, app.id, ann.user).await;
        assert!(after.contains(&format!("m={memory_kib},t={passes},p=1")), "{after}");
        log_in_to(&ctx, &app, "ann", "first").await.unwrap();
        assert_eq!(stored_hash(&ctx, app.id, ann.user).await, after);
        let caller = yinxin_core::tokens::authenticate(&ctx, &app, &grant.token).await;
        assert!(caller.is_ok(), "a better hash of the same password ends no token");
    }
}

#[tokio::test]
async fn a_login_needs_no_database_that_can_be_written() {
    let site = Site::new().await;
    site.register("ann").await;
    let Site { mut setup, ctx, app } = site;
    drop(ctx);
    setup.cost = HashCost { memory_kib: 16, ..CHEAP };
    let ctx = setup.open().await;
    ctx.db.close().await;
    log_in_to(&ctx, &app, "ann", "first").await.unwrap();
}

#[tokio::test]
async fn an_imported_hash_lets_its_user_log_in() {
    let site = Site::new().await;
    let ann = site.register("ann").await;
    let hash = stored_hash(&site.ctx, site.app.id, ann.user).await;
    let ben = Import::parse("Ben", Some(hash), None).unwrap();
    users::import(&site.ctx, &site.app, vec![ben]).await.unwrap();
    site.log_in("ben", "first").await.unwrap();
    site.log_in("ben", "wrong").await.unwrap_err();
}
