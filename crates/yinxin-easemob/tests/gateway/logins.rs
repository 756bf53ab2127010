//! Who does not log in, or not first.

use std::time::Duration;

use yinxin_core::limits::SocketLimits;
use yinxin_msync::wire::Command;

use crate::world::World;
use yinxin_testkit::chat::{BINARY, Client, Got, PING, login};

fn impatient() -> SocketLimits {
    SocketLimits { hello: Duration::from_millis(50), ..SocketLimits::default() }
}

#[tokio::test]
async fn who_says_nothing_is_closed() {
    let mut world = World::new().await;
    let mut neighbours = world.neighbours().await;
    let address = world.listen(impatient()).await;
    let mut mute = Client::open(address, "/ws").await;
    neighbours.chat().await;
    assert_eq!(mute.closed().await, (1008, "no login".into()));
    neighbours.chat().await;
}

#[tokio::test]
async fn who_only_pings_or_says_half_a_login_is_closed_as_well() {
    let mut world = World::new().await;
    let address = world.listen(impatient()).await;
    let mut pinging = Client::open(address, "/ws").await;
    let mut slow = Client::open(address, "/websocket").await;
    pinging.frame(PING, b"").await;
    let token = world.token("carol", 60).await;
    let whole = yinxin_testkit::chat::framed(BINARY, &login("carol", &token));
    tokio::io::AsyncWriteExt::write_all(&mut slow.stream, &whole[..whole.len() - 1]).await.unwrap();
    let (heard, code, reason) = pinging.until_closed().await;
    assert_eq!((heard, code, &*reason), (vec![Got::Pong], 1008, "no login"));
    assert_eq!(slow.closed().await, (1008, "no login".into()));
    assert!(!world.is_online("carol").await);
}

#[tokio::test]
async fn frames_before_the_login_are_the_end() {
    let mut world = World::new().await;
    let address = world.listen(SocketLimits::default()).await;
    let mut neighbours = world.neighbours().await;
    for command in [Command::Unread, Command::Sync, Command::Logout, Command::Notice] {
        let mut early = Client::open(address, "/ws").await;
        early.msync(command, Vec::new()).await;
        assert_eq!(early.closed().await, (1008, "login due".into()), "{command:?}");
    }
    for garbage in [&b"\xff\xff\xff"[..], b"GET / HTTP/1.1", &[0; 1000]] {
        let mut garbled = Client::open(address, "/ws").await;
        garbled.frame(BINARY, garbage).await;
        assert_eq!(garbled.closed().await, (1007, "malformed frame".into()));
    }
    neighbours.chat().await;
}

#[tokio::test]
async fn a_refused_login_is_answered_and_closed() {
    let mut world = World::new().await;
    let address = world.listen(SocketLimits::default()).await;
    world.token("carol", 60).await;
    let mut stranger = Client::open(address, "/ws").await;
    stranger.frame(BINARY, &login("carol", "YWMtinvented")).await;
    assert_eq!(stranger.provisioned().await.status.unwrap().error_code, Some(1));
    assert_eq!(stranger.closed().await, (1008, "login refused".into()));
    assert!(!world.is_online("carol").await);
}

#[tokio::test]
async fn a_second_login_on_a_connection_ends_it() {
    let mut world = World::new().await;
    let address = world.listen(SocketLimits::default()).await;
    let mut carol = world.login_at(address, "carol").await;
    let other = world.token("dave", 60).await;
    carol.frame(BINARY, &login("dave", &other)).await;
    assert_eq!(carol.closed().await, (1008, "logged in already".into()));
    assert!(!world.is_online("dave").await);
    assert!(!world.is_online("carol").await);
}
