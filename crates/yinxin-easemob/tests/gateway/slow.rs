//! Who never reads. It asks for the same page again and again and leaves the answers lying.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpSocket;
use tokio::time::timeout;
use yinxin_core::limits::SocketLimits;
use yinxin_core::sessions::CloseReason;

use crate::MEMORY;
use crate::world::{World, ended};
use yinxin_testkit::chat::{BINARY, Client, DEADLINE, Got, framed, pull};

/// A server that answered without end would hold hundreds of megabytes; some are the other tests'.
const HELD_MAX: usize = 64 << 20;

/// Carol, for whom two large messages wait, on a line that holds little.
async fn carol(world: &World, dave: &mut Client, address: SocketAddr) -> Client {
    let token = world.token("carol", 60).await;
    for _ in 0..2 {
        dave.text("carol", &"x".repeat(50_000)).await;
        dave.stored().await;
    }
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut carol = Client::open_on(socket, address, "/ws").await;
    carol.log_in("carol", &token).await;
    assert_eq!(carol.unread().await, ["dave"]);
    carol
}

#[tokio::test]
async fn who_does_not_read_is_closed_holds_little_and_stops_nobody() {
    let mut world = World::new().await;
    let mut neighbours = world.neighbours().await;
    let mut dave = world.login("dave").await;
    let limits = SocketLimits { write: Duration::from_millis(500), ..SocketLimits::default() };
    let address = world.listen(limits).await;
    let mut carol = carol(&world, &mut dave, address).await;
    let before = (MEMORY.current_usage(), ended("not reading"));
    MEMORY.reset_peak_usage();

    let pulls = framed(BINARY, &pull("dave", None)).repeat(1000);
    let stuck = tokio::spawn(async move {
        // Until the server hangs up, which it does without having read all of it.
        while carol.stream.write_all(&pulls).await.is_ok() {}
        carol
    });
    // Everybody else goes on: those who have nothing to do with it, and the one who writes to it.
    for _ in 0..20 {
        neighbours.chat().await;
        dave.text("carol", "are you there?").await;
        dave.stored().await;
    }
    let mut carol = stuck.await.unwrap();
    while carol.got().await != Got::End {}
    assert!(!world.is_online("carol").await);
    assert_eq!(ended("not reading"), before.1 + 1);
    let held = MEMORY.peak_usage().saturating_sub(before.0);
    assert!(held < HELD_MAX, "{held} bytes");
    neighbours.chat().await;
    // Nothing was lost.
    let mut carol = world.login("carol").await;
    carol.pull("dave", None).await;
    assert_eq!(carol.received("dave").await.len(), 22);
}

#[tokio::test]
async fn who_does_not_read_is_offline_the_moment_it_is_kicked() {
    let mut world = World::new().await;
    let mut dave = world.login("dave").await;
    let limits = SocketLimits { write: Duration::from_hours(1), ..SocketLimits::default() };
    let address = world.listen(limits).await;
    let mut carol = carol(&world, &mut dave, address).await;
    // Until the server has not taken anything for a while: it waits for somebody who does not read.
    let pulls = framed(BINARY, &pull("dave", None)).repeat(1000);
    while timeout(Duration::from_millis(200), carol.stream.write_all(&pulls)).await.is_ok() {}
    world.close("carol", CloseReason::Kicked).await;
    let offline = async {
        while world.is_online("carol").await {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, offline).await.unwrap();
}

#[tokio::test]
async fn large_messages_come_on_small_pages() {
    let world = World::new().await;
    let mut dave = world.login("dave").await;
    world.token("carol", 60).await;
    for _ in 0..5 {
        dave.text("carol", &"x".repeat(60_000)).await;
        dave.stored().await;
    }
    let mut carol = world.login("carol").await;
    carol.pull("dave", None).await;
    let mut sizes = Vec::new();
    loop {
        let (texts, key) = carol.page().await;
        sizes.push(texts.len());
        if key.is_none() {
            break;
        }
        carol.pull("dave", key).await;
    }
    assert_eq!(sizes, [2, 2, 1, 0]);
}
