//! Links over a real NATS server: what is sent arrives, and who may have missed something hears so.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use yinxin_bus::{Access, Link, Options, Unusable};
use yinxin_core::bus::{Bus as _, Hint, Incoming, To};
use yinxin_core::rng::SystemRng;
use yinxin_core::{AppId, NodeId, Touched, UserId};
use yinxin_testkit::nats::Nats;
use zeroize::Zeroizing;

/// A test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

fn options(url: &str, cluster: &str, number: u8) -> Options {
    Options {
        cluster: cluster.to_owned(),
        node: NodeId([number; 16]),
        node_name: format!("node {number}"),
        servers: vec![url.to_owned()],
        access: Access::Anybody,
        ca_file: None,
    }
}

async fn link(options: Options) -> Arc<Link> {
    Link::start(options, Arc::new(SystemRng)).await.unwrap()
}

async fn next(link: &Link) -> Incoming {
    tokio::time::timeout(PATIENCE, link.next()).await.expect("something comes")
}

/// A link that has said that it may have missed something, as each does when it is connected.
async fn connected(options: Options) -> Arc<Link> {
    let link = link(options).await;
    assert_eq!(next(&link).await, Incoming::Missed);
    link
}

/// What a link hears, but for its reconnects.
async fn hears(link: &Link) -> Hint {
    loop {
        if let Incoming::Hint { hint, .. } = next(link).await {
            return hint;
        }
    }
}

fn touches(number: u64) -> Hint {
    Hint::Touches { number, touched: vec![Touched::User(AppId([1; 16]), UserId([2; 16]))] }
}

#[tokio::test(flavor = "multi_thread")]
async fn hints_arrive_in_order_at_those_they_are_for() {
    let nats = Nats::start();
    let a = connected(options(&nats.url(), "one", 1)).await;
    let b = connected(options(&nats.url(), "one", 2)).await;
    let c = connected(options(&nats.url(), "one", 3)).await;
    let stranger = connected(options(&nats.url(), "other", 4)).await;
    for number in 1..=1000 {
        a.send(To::All, touches(number));
    }
    a.send(To::Node(NodeId([3; 16])), Hint::Heard { number: 7 });
    for number in 1..=1000 {
        let expected = Incoming::Hint { from: NodeId([1; 16]), hint: touches(number) };
        assert_eq!(next(&b).await, expected);
    }
    let mut to_c = Vec::new();
    for _ in 0..1001 {
        to_c.push(hears(&c).await);
    }
    assert!(to_c.contains(&Hint::Heard { number: 7 }));
    b.send(To::All, Hint::Endings);
    assert_eq!(hears(&a).await, Hint::Endings, "and none of its own");
    stranger.send(To::All, Hint::Endings);
    b.send(To::All, Hint::Resync { number: 1 });
    assert_eq!(hears(&a).await, Hint::Resync { number: 1 }, "and none of another cluster");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_away_is_found_again_and_both_sides_know() {
    let mut nats = Nats::start();
    let a = connected(options(&nats.url(), "one", 1)).await;
    let b = connected(options(&nats.url(), "one", 2)).await;
    nats.kill();
    while a.is_connected() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // It does not wait, and is not kept.
    for number in 0..100_000 {
        a.send(To::All, touches(number));
    }
    nats.restart();
    for link in [&a, &b] {
        assert_eq!(next(link).await, Incoming::Missed);
    }
    b.send(To::All, Hint::Endings);
    assert_eq!(hears(&a).await, Hint::Endings);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_starts_without_nats_and_finds_it_later() {
    let mut nats = Nats::start();
    let url = nats.url();
    nats.kill();
    let a = link(options(&url, "one", 1)).await;
    let b = link(options(&url, "one", 2)).await;
    assert!(!a.is_connected());
    a.send(To::All, Hint::Endings);
    nats.restart();
    for link in [&a, &b] {
        assert_eq!(next(link).await, Incoming::Missed);
    }
    a.send(To::All, Hint::Endings);
    assert_eq!(hears(&b).await, Hint::Endings);
}

/// A user of a NATS server with decentralised rights needs a whole chain of keys; that a password is heeded shows as well
/// that access is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_let_in_hears_nothing() {
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("nats.conf");
    fs::write(&config, "authorization { user: node, password: secret }").unwrap();
    let nats = Nats::start_with(&config);
    let inside = |number| {
        let access = Access::Password { user: "node".to_owned(), password: Zeroizing::new("secret".to_owned()) };
        Options { access, ..options(&nats.url(), "one", number) }
    };
    let (a, b) = (connected(inside(1)).await, connected(inside(2)).await);
    let outside = link(options(&nats.url(), "one", 3)).await;
    a.send(To::All, Hint::Endings);
    assert_eq!(hears(&b).await, Hint::Endings);
    assert!(!outside.is_connected());
}

#[tokio::test]
async fn what_cannot_work_is_said() {
    let nonsense = Access::Credentials(Zeroizing::new("nonsense".to_owned()));
    let wrong = Options { access: nonsense, ..options("nats://127.0.0.1:1", "one", 1) };
    assert!(matches!(Link::start(wrong, Arc::new(SystemRng)).await.err(), Some(Unusable::Credentials)));
    let wrong = options("nats://[", "one", 1);
    assert!(matches!(Link::start(wrong, Arc::new(SystemRng)).await.err(), Some(Unusable::Address(_))));
}
