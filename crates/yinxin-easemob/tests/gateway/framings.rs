//! SockJS: the same conversation, wrapped.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yinxin_core::limits::{MESSAGE_BYTES_MAX, SocketLimits};
use yinxin_msync::wire::{CommSyncDl, Command};

use crate::world::World;
use prost::Message as _;
use yinxin_testkit::chat::{Client, Got, TEXT, chat, login, msync, opened};

/// Frames as one text of a client.
fn wrapped(frames: &[Vec<u8>]) -> String {
    let frames: Vec<String> = frames.iter().map(|frame| format!("\"{}\"", STANDARD.encode(frame))).collect();
    format!("[{}]", frames.join(","))
}

/// The frame in the next text of the server.
async fn unwrapped(client: &mut Client) -> (Command, Vec<u8>) {
    let Got::Text(text) = client.got().await else { panic!("no text") };
    let frame = text.strip_prefix("a[\"").and_then(|text| text.strip_suffix("\"]")).expect("a frame");
    opened(&STANDARD.decode(frame).unwrap())
}

/// A client that has logged in through SockJS.
async fn carol(world: &mut World) -> Client {
    let address = world.listen(SocketLimits::default()).await;
    let token = world.token("carol", 60).await;
    let mut carol = Client::open(address, "/ws/123/abcdefgh/websocket").await;
    assert_eq!(carol.got().await, Got::Text("o".into()));
    carol.frame(TEXT, wrapped(&[login("carol", &token)]).as_bytes()).await;
    assert_eq!(unwrapped(&mut carol).await.0, Command::Provision);
    carol
}

#[tokio::test]
async fn several_frames_in_one_text_are_answered_in_order() {
    let mut world = World::new().await;
    world.token("dave", 60).await;
    let mut carol = carol(&mut world).await;
    let frames = [msync(Command::Unread, Vec::new()), chat(1, "dave", "one"), chat(2, "dave", "two")];
    carol.frame(TEXT, b"").await;
    carol.frame(TEXT, wrapped(&frames).as_bytes()).await;
    assert_eq!(unwrapped(&mut carol).await.0, Command::Unread);
    for id in [1, 2] {
        let (command, payload) = unwrapped(&mut carol).await;
        assert_eq!((command, CommSyncDl::decode(&*payload).unwrap().meta_id), (Command::Sync, Some(id)));
    }
    assert_eq!(world.exchanged("carol", "dave").await, 2);
}

#[tokio::test]
async fn the_largest_frame_fits_and_a_larger_one_is_the_end() {
    let mut world = World::new().await;
    world.token("dave", 60).await;
    let mut neighbours = world.neighbours().await;
    let mut carol = carol(&mut world).await;
    let mut frame = chat(1, "dave", "too large a message");
    // An unknown field fills the frame up.
    let room = 2 * MESSAGE_BYTES_MAX - frame.len();
    frame.extend([0xfa, 0x01]);
    prost::encoding::encode_varint(room as u64 - 5, &mut frame);
    frame.resize(2 * MESSAGE_BYTES_MAX, 0);
    carol.frame(TEXT, wrapped(&[frame.clone()]).as_bytes()).await;
    assert_eq!(unwrapped(&mut carol).await.0, Command::Sync);
    frame.push(0);
    carol.frame(TEXT, wrapped(&[frame.repeat(2)]).as_bytes()).await;
    let (heard, code, reason) = carol.until_closed().await;
    assert_eq!((heard, code, &*reason), (vec![Got::Text("c[3000,\"Go away!\"]".into())], 1009, "frame too large"));
    neighbours.chat().await;
}
