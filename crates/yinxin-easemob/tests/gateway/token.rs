//! A connection lives as long as its token, or as one that its client has shown since.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use yinxin_core::limits::SocketLimits;
use yinxin_core::tokens;

use crate::world::World;
use yinxin_testkit::chat::Client;

const MINUTE: i64 = 60_000;

/// Looks at the clock often; the clock itself stands still unless a test moves it.
fn watchful(token_grace: Duration) -> SocketLimits {
    SocketLimits { token_grace, token_look: Duration::from_millis(10), ..SocketLimits::default() }
}

async fn carol(world: &World, address: SocketAddr, ttl_s: i64) -> Client {
    let token = world.token("carol", ttl_s).await;
    let mut carol = Client::open(address, "/ws").await;
    carol.log_in("carol", &token).await;
    carol
}

/// Shows a token from that address as an SDK does that has a new one.
async fn show(from: [u8; 4], address: SocketAddr, token: &str) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let request = format!(
        "GET /acme/chat/sdk/users/carol/token/expires HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         authorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
}

#[tokio::test]
async fn a_connection_ends_with_its_token() {
    let mut world = World::new().await;
    let mut neighbours = world.neighbours().await;
    let address = world.listen(watchful(Duration::ZERO)).await;
    let mut carol = carol(&world, address, 60).await;
    world.clock.move_by(MINUTE - 1);
    assert_eq!(carol.unread().await, [""; 0]);
    world.clock.move_by(1);
    assert_eq!(carol.closed().await, (1008, "token ended".into()));
    assert!(!world.is_online("carol").await);
    neighbours.chat().await;
}

#[tokio::test]
async fn an_sdk_is_let_to_end_it_by_itself() {
    let mut world = World::new().await;
    let address = world.listen(watchful(Duration::from_secs(10))).await;
    let mut carol = carol(&world, address, 60).await;
    world.clock.move_by(MINUTE + 9_999);
    assert_eq!(carol.unread().await, [""; 0]);
    world.clock.move_by(1);
    assert_eq!(carol.closed().await, (1008, "token ended".into()));
}

#[tokio::test]
async fn a_token_without_an_end_ends_no_connection() {
    let mut world = World::new().await;
    let address = world.listen(watchful(Duration::ZERO)).await;
    let mut carol = carol(&world, address, 0).await;
    world.clock.move_by(1_000_000 * MINUTE);
    assert_eq!(carol.unread().await, [""; 0]);
}

#[tokio::test]
async fn a_new_token_shown_from_where_the_connection_is_takes_the_place_of_its_own() {
    let mut world = World::new().await;
    let address = world.listen(watchful(Duration::ZERO)).await;
    let mut carol = carol(&world, address, 60).await;
    let (long, short) = (world.token("carol", 180).await, world.token("carol", 30).await);
    show([127, 0, 0, 1], address, &long).await;
    show([127, 0, 0, 1], address, &short).await;
    world.clock.move_by(3 * MINUTE - 1);
    assert_eq!(carol.unread().await, [""; 0]);
    world.clock.move_by(1);
    assert_eq!(carol.closed().await, (1008, "token ended".into()));
}

#[tokio::test]
async fn a_token_shown_elsewhere_or_by_the_backend_renews_nothing() {
    let mut world = World::new().await;
    let address = world.listen(watchful(Duration::ZERO)).await;
    let mut carol = carol(&world, address, 60).await;
    show([127, 0, 0, 2], address, &world.token("carol", 0).await).await;
    let (id, secret) = (Some(&*world.app.client_id), Some(world.app.reveal_client_secret()));
    let backend = tokens::issue_to_app(&world.ctx, &world.app, id, secret, Some(0)).unwrap();
    show([127, 0, 0, 1], address, &backend.token).await;
    world.clock.move_by(MINUTE);
    assert_eq!(carol.closed().await, (1008, "token ended".into()));
}
