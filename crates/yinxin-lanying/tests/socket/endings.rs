//! How connections end.

use std::time::Duration;

use tokio_tungstenite::tungstenite::Message;
use yinxin_core::limits::{MESSAGE_BYTES_MAX, SocketLimits};
use yinxin_core::users;
use yinxin_floo::packet;
use yinxin_floo::wire::{Command, UserNoticeType};

use crate::peer::{Peer, login};
use crate::world::{TOKEN_MS, World};

const BINARY_EVENT: &str = r#"451-["other",{"_placeholder":true,"num":0}]"#;

#[tokio::test]
async fn what_breaks_the_rules_ends_and_hears_why() {
    let world = World::new().await;
    let announced = || Message::text(packet::ANNOUNCEMENT);
    let too_large = vec![4; 2 * MESSAGE_BYTES_MAX + 2];
    for (messages, code, reason) in [
        (vec![Message::text("x")], 1007, "malformed frame"),
        (vec![Message::text("")], 1007, "malformed frame"),
        (vec![Message::text(format!("2{}", "x".repeat(2000)))], 1007, "malformed frame"),
        (vec![Message::text("459-[]")], 1007, "malformed frame"),
        (vec![Message::binary(vec![4])], 1003, "wrong kind of message"),
        (vec![announced(), Message::text("2")], 1003, "wrong kind of message"),
        (vec![announced(), Message::binary(vec![2, 8])], 1007, "malformed frame"),
        (vec![announced(), Message::binary(vec![4, 0xff])], 1007, "malformed frame"),
        (vec![announced(), Message::binary(vec![4, 0x10, 1])], 1007, "malformed frame"),
        (vec![announced(), Message::binary(too_large)], 1009, "frame too large"),
        (vec![Message::text("41")], 1000, "logged out"),
        (vec![Message::text("1")], 1000, "logged out"),
    ] {
        let mut peer = world.login("alice").await;
        for message in messages {
            peer.say(message).await;
        }
        assert_eq!(peer.closed().await, (code, reason.to_owned()));
    }
}

#[tokio::test]
async fn what_means_nothing_here_is_passed_over_and_a_ping_is_answered() {
    let world = World::new().await;
    let mut peer = world.login("alice").await;
    peer.say(Message::text(BINARY_EVENT)).await;
    peer.say(Message::binary(packet::attach(b"\xff"))).await;
    peer.say(Message::text(r#"42["frame"]"#)).await;
    peer.say(Message::text("40")).await;
    peer.say(Message::text("2still here?")).await;
    assert_eq!(peer.text().await, "3still here?");
    assert!(peer.unread().await.is_empty());
}

#[tokio::test]
async fn a_login_is_due_first_soon_and_once() {
    let world = World::with(SocketLimits { hello: Duration::from_millis(50), ..SocketLimits::default() }).await;
    let mut silent = Peer::open(world.address).await;
    assert_eq!(silent.closed().await, (1008, "no login".into()));
    let mut hasty = Peer::open(world.address).await;
    hasty.command(Command::Unread, Vec::new()).await;
    assert_eq!(hasty.closed().await, (1008, "login due".into()));
    let world = World::new().await;
    let alice = world.somebody("alice").await;
    let mut twice = Peer::open(world.address).await;
    twice.log_in(&alice).await;
    let again = prost::Message::encode_to_vec(&login(&alice));
    twice.command(Command::Provision, again).await;
    assert_eq!(twice.closed().await, (1008, "logged in already".into()));
}

#[tokio::test]
async fn a_connection_ends_with_its_token() {
    let mut world = World::new().await;
    // Looks at the clock often; the clock itself stands still unless a test moves it.
    let token_look = Duration::from_millis(10);
    let limits = SocketLimits { token_grace: Duration::ZERO, token_look, ..SocketLimits::default() };
    let address = world.listen(limits).await;
    let alice = world.somebody("alice").await;
    let mut peer = Peer::open(address).await;
    peer.log_in(&alice).await;
    world.clock.move_by(TOKEN_MS - 1);
    assert!(peer.unread().await.is_empty());
    world.clock.move_by(1);
    assert_eq!(peer.closed().await, (1008, "token ended".into()));
    assert!(!world.is_online("alice").await);
}

#[tokio::test]
async fn who_must_go_is_told_why_in_the_sdks_words() {
    let world = World::new().await;
    let mut alice = world.login("alice").await;
    users::kick(&world.ctx, &world.app, "alice", None).await.unwrap();
    assert_eq!(alice.notice().await, UserNoticeType::KickedByOtherDevice as i32);
    assert_eq!(alice.closed().await, (1008, "dismissed".into()));
    let mut alice = world.login("alice").await;
    let _again = world.login("alice").await;
    assert_eq!(alice.notice().await, UserNoticeType::KickBySameDevice as i32);
    assert_eq!(alice.closed().await, (1008, "displaced".into()));
    let mut bob = world.login("bob").await;
    users::ban(&world.ctx, &world.app, "bob").await.unwrap();
    assert_eq!(bob.notice().await, UserNoticeType::Frozen as i32);
    assert_eq!(bob.closed().await, (1008, "dismissed".into()));
    let mut carol = world.login("carol").await;
    users::delete(&world.ctx, &world.app, "carol").await.unwrap();
    assert_eq!(carol.notice().await, UserNoticeType::Removed as i32);
    let mut dave = world.login("dave").await;
    world.registry.stop();
    assert_eq!(dave.closed().await, (1001, "server stops".into()));
}
