//! Who never reads, who says too much, and who says nothing any more.

use std::net::SocketAddr;
use std::time::Duration;

use prost::Message as _;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpSocket;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use yinxin_core::limits::SocketLimits;
use yinxin_core::users;
use yinxin_floo::wire::{Command, ErrorCode, Frame, MessageBody};

use crate::MEMORY;
use crate::peer::{DEADLINE, Peer, pull, text};
use crate::world::{World, ended};

/// A server that answered without end would hold hundreds of megabytes; some are the other tests'.
const HELD_MAX: usize = 64 << 20;

/// Says a text, which the server has then stored.
async fn say(from: &mut Peer, to: u64, content: &str) {
    assert_eq!(from.send(text(to, content)).await.0, ErrorCode::Ok);
}

/// Carol, for whom two large messages of Dave's wait, on a line that holds little.
async fn carol(world: &World, dave: &mut Peer, address: SocketAddr) -> Peer {
    let who = world.somebody("carol").await;
    for _ in 0..2 {
        say(dave, who.number, &"x".repeat(50_000)).await;
    }
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut carol = Peer::open_on(socket, address).await;
    carol.log_in(&who).await;
    assert_eq!(carol.unread().await, [dave.number]);
    carol
}

#[tokio::test]
async fn who_does_not_read_is_closed_holds_little_and_stops_nobody() {
    let mut world = World::new().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let mut dave = world.login("dave").await;
    let limits = SocketLimits { write: Duration::from_millis(500), ..SocketLimits::default() };
    let address = world.listen(limits).await;
    let carol = carol(&world, &mut dave, address).await;
    let (number, before) = (carol.number, (MEMORY.current_usage(), ended("not reading")));
    MEMORY.reset_peak_usage();
    let asked = pull(dave.number);
    let stuck = tokio::spawn(async move { carol.nag(&asked).await });
    // Everybody else goes on: those who have nothing to do with it, and the one who writes to it.
    for _ in 0..20 {
        say(&mut alice, bob.number, "how are you?").await;
        let page = bob.sync().await;
        bob.pull(alice.number, page.next_key).await;
        say(&mut dave, number, "are you there?").await;
    }
    let mut line = stuck.await.unwrap();
    // What the server had sent before it gave up.
    let _reset = timeout(DEADLINE, line.read_to_end(&mut Vec::new())).await.unwrap();
    assert!(!world.is_online("carol").await);
    assert_eq!(ended("not reading"), before.1 + 1);
    let held = MEMORY.peak_usage().saturating_sub(before.0);
    assert!(held < HELD_MAX, "{held} bytes");
    // Nothing was lost.
    let mut carol = world.login("carol").await;
    let (mut said, mut key) = (Vec::new(), 0);
    loop {
        let page = carol.pull(dave.number, key).await;
        said.extend(page.metas.iter().map(|meta| MessageBody::decode(&*meta.payload).unwrap().content.len()));
        key = page.next_key;
        if key == 0 {
            break;
        }
    }
    assert_eq!(said, [vec![50_000; 2], vec!["are you there?".len(); 20]].concat());
}

#[tokio::test]
async fn who_does_not_read_is_offline_the_moment_it_is_kicked() {
    let mut world = World::new().await;
    let mut dave = world.login("dave").await;
    let limits = SocketLimits { write: Duration::from_hours(1), ..SocketLimits::default() };
    let address = world.listen(limits).await;
    let carol = carol(&world, &mut dave, address).await;
    let _line = carol.nag_until_stuck(&pull(dave.number)).await;
    users::kick(&world.ctx, &world.app, "carol", None).await.unwrap();
    let offline = async {
        while world.is_online("carol").await {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, offline).await.unwrap();
}

#[tokio::test]
async fn a_flood_of_frames_or_of_pings_ends() {
    let mut world = World::new().await;
    let address = world.listen(SocketLimits { frames_at_once: 50, ..SocketLimits::default() }).await;
    let who = world.somebody("carol").await;
    let unread = Frame { command: Command::Unread.into(), ..Frame::default() }.encode_to_vec();
    for is_frame in [true, false] {
        let before = ended("too many frames");
        let mut carol = Peer::open(address).await;
        carol.log_in(&who).await;
        // The login was an announcement and a frame.
        for said in 0..48 {
            if !is_frame {
                carol.say(Message::text("2")).await;
                assert_eq!(carol.text().await, "3");
            } else if said % 2 == 0 {
                carol.frame(&unread).await;
                assert_eq!(carol.down().await.0, Command::Unread);
            }
        }
        carol.say(Message::text("2")).await;
        assert_eq!(carol.closed().await, (1008, "too many frames".into()));
        assert_eq!(ended("too many frames"), before + 1);
        assert!(!world.is_online("carol").await);
    }
}

#[tokio::test]
async fn large_messages_come_on_small_pages() {
    let world = World::new().await;
    let mut dave = world.login("dave").await;
    let who = world.somebody("carol").await;
    for _ in 0..5 {
        say(&mut dave, who.number, &"x".repeat(60_000)).await;
    }
    let mut carol = world.login("carol").await;
    let (mut sizes, mut key) = (Vec::new(), 0);
    loop {
        let page = carol.pull(dave.number, key).await;
        sizes.push(page.metas.len());
        key = page.next_key;
        if key == 0 {
            break;
        }
    }
    assert_eq!(sizes, [2, 2, 1, 0]);
}

#[tokio::test]
async fn a_client_that_vanishes_is_asked_and_then_given_up() {
    let mut world = World::new().await;
    let brief = Duration::from_millis(50);
    let address = world.listen(SocketLimits { silence: brief, answer: brief, ..SocketLimits::default() }).await;
    let who = world.somebody("carol").await;
    let before = ended("silent");
    let mut carol = Peer::open(address).await;
    carol.log_in(&who).await;
    let mut line = carol.hush();
    timeout(DEADLINE, line.read_to_end(&mut Vec::new())).await.unwrap().unwrap();
    assert_eq!(ended("silent"), before + 1);
    assert!(!world.is_online("carol").await);
}
