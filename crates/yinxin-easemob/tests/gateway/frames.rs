//! Frames that are too large, in pieces, or no frames at all.

use prost::Message as _;
use tokio::io::AsyncWriteExt as _;
use yinxin_core::limits::{MESSAGE_BYTES_MAX, SocketLimits};
use yinxin_msync::wire::{CommSyncDl, Command};

use crate::world::World;
use yinxin_testkit::chat::{
    BEGIN, BINARY, CLOSE, Client, FINISH, GO_ON, Got, PING, TEXT, chat, framed, head, msync, opened,
};

const FRAME_BYTES: usize = 2 * MESSAGE_BYTES_MAX;

/// What a logged-in client hears that sends these bytes.
async fn answer_to(world: &World, address: std::net::SocketAddr, bytes: &[u8]) -> (u16, String) {
    let mut carol = world.login_at(address, "carol").await;
    // The server need not take all of it.
    let _ = carol.stream.write_all(bytes).await;
    carol.closed().await
}

/// The error of the answer to a message.
async fn refusal(client: &mut Client) -> (i32, String) {
    let Got::Binary(frame) = client.got().await else { panic!("no answer") };
    let (command, payload) = opened(&frame);
    assert_eq!(command, Command::Sync);
    let status = CommSyncDl::decode(&*payload).unwrap().status.unwrap();
    (status.error_code.unwrap(), status.reason.unwrap_or_default())
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_refused_and_the_line_stays() {
    let mut world = World::new().await;
    let address = world.listen(SocketLimits::default()).await;
    world.token("bob", 60).await;
    let mut carol = world.login_at(address, "carol").await;
    // The largest frame there may be, to the byte.
    let room = FRAME_BYTES - chat(1, "bob", &"x".repeat(100_000)).len() + 100_000;
    let largest = chat(1, "bob", &"x".repeat(room));
    assert_eq!(largest.len(), FRAME_BYTES);
    carol.frame(BINARY, &largest).await;
    assert_eq!(refusal(&mut carol).await, (7, "Sorry, data is too large".into()));
    assert_eq!(world.exchanged("carol", "bob").await, 0);
    assert_eq!(carol.unread().await, [""; 0], "the line is good");
}

#[tokio::test]
async fn a_frame_beyond_the_limit_is_the_end_whether_it_comes_or_is_only_announced() {
    let mut world = World::new().await;
    let mut neighbours = world.neighbours().await;
    let address = world.listen(SocketLimits::default()).await;
    let too_large = (1009, "frame too large".to_owned());
    let whole = framed(BINARY, &vec![0; FRAME_BYTES + 1]);
    assert_eq!(answer_to(&world, address, &whole).await, too_large);
    for claimed in [FRAME_BYTES + 1, 1 << 24, 1 << 40, usize::MAX >> 1] {
        assert_eq!(answer_to(&world, address, &head(BINARY, claimed)).await, too_large, "{claimed}");
        neighbours.chat().await;
    }
    // Somebody who goes on for a while, deaf to everything, still finds out why.
    assert_eq!(answer_to(&world, address, &framed(BINARY, &vec![0; 4 << 20])).await, too_large);
    neighbours.chat().await;
}

#[tokio::test]
async fn fragments_are_put_together() {
    let mut world = World::new().await;
    let address = world.listen(SocketLimits::default()).await;
    world.token("bob", 60).await;
    let mut carol = world.login_at(address, "carol").await;
    let frame = chat(1, "bob", "in pieces");
    let (last, first) = frame.split_last().unwrap();
    carol.frame(BEGIN, b"").await;
    for byte in first {
        carol.frame(GO_ON, &[*byte]).await;
        // What may come between two fragments: control frames.
        carol.frame(PING, b"").await;
    }
    carol.frame(FINISH, &[*last]).await;
    for _ in first {
        assert_eq!(carol.got().await, Got::Pong);
    }
    assert_eq!(refusal(&mut carol).await, (0, String::new()));
    assert_eq!(world.exchanged("carol", "bob").await, 1);
}

#[tokio::test]
async fn fragments_beyond_the_limit_are_the_end() {
    let mut world = World::new().await;
    let mut neighbours = world.neighbours().await;
    let address = world.listen(SocketLimits::default()).await;
    let piece = vec![0; FRAME_BYTES / 4];
    let five = [framed(BEGIN, &piece), framed(GO_ON, &piece).repeat(4)].concat();
    assert_eq!(answer_to(&world, address, &five).await, (1009, "frame too large".into()));
    // A million pieces of nothing.
    let nothing = [framed(BEGIN, b""), framed(GO_ON, b"").repeat(1_000_000)].concat();
    assert_eq!(answer_to(&world, address, &nothing).await, (1008, "too many fragments".into()));
    neighbours.chat().await;
}

#[tokio::test]
async fn garbage_is_the_end() {
    let mut world = World::new().await;
    let mut neighbours = world.neighbours().await;
    let address = world.listen(SocketLimits::default()).await;
    let malformed = (1007, "malformed frame");
    let no_protocol = (1002, "protocol error");
    for (bytes, (code, reason)) in [
        (framed(BINARY, b"\xff\xff\xff"), malformed),
        (framed(BINARY, &msync(Command::Sync, b"\xff".to_vec())), malformed),
        (framed(TEXT, b"hello"), (1003, "wrong kind of message")),
        (framed(TEXT, b"\xff\xfe"), (1007, "text not UTF-8")),
        (vec![BINARY, 0x02, 0, 0], no_protocol),
        (framed(0x83, b""), no_protocol),
        (framed(0xc2, b""), no_protocol),
        (framed(0x09, b""), no_protocol),
        (framed(FINISH, b""), no_protocol),
        (framed(PING, &[0; 126]), no_protocol),
        ([framed(BEGIN, b""), framed(BINARY, b"")].concat(), no_protocol),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), no_protocol),
    ] {
        assert_eq!(answer_to(&world, address, &bytes).await, (code, reason.into()), "{bytes:x?}");
        neighbours.chat().await;
    }
}

#[tokio::test]
async fn a_command_that_clients_do_not_send_is_passed_over() {
    let mut world = World::new().await;
    let address = world.listen(SocketLimits::default()).await;
    let mut carol = world.login_at(address, "carol").await;
    carol.msync(Command::Notice, Vec::new()).await;
    carol.frame(BINARY, &[0x40, 99]).await;
    assert_eq!(carol.unread().await, [""; 0]);
}

#[tokio::test]
async fn who_hangs_up_is_answered_with_its_own_word() {
    let mut world = World::new().await;
    let address = world.listen(SocketLimits::default()).await;
    let mut carol = world.login_at(address, "carol").await;
    carol.frame(CLOSE, &[&4001_u16.to_be_bytes()[..], b"bye"].concat()).await;
    assert_eq!(carol.closed().await, (4001, "bye".into()));
    assert!(!world.is_online("carol").await);
}
