//! Who sends more than anybody could want to. The world's clock stands still: what may come at once is all that may.

use yinxin_core::limits::SocketLimits;
use yinxin_msync::wire::Command;

use crate::world::{World, ended};
use tokio::io::AsyncWriteExt as _;
use yinxin_testkit::chat::{BINARY, Got, PING, framed, msync};

/// What a connection hears that sends such frames without end.
async fn flood(frame: &[u8]) -> Vec<Got> {
    let mut world = World::new().await;
    let mut neighbours = world.neighbours().await;
    let address = world.listen(SocketLimits { frames_at_once: 50, ..SocketLimits::default() }).await;
    let before = ended("too many frames");
    let mut carol = world.login_at(address, "carol").await;
    // Until the server does not take any more.
    let _ = carol.stream.write_all(&frame.repeat(10_000)).await;
    let (heard, code, reason) = carol.until_closed().await;
    assert_eq!((code, &*reason), (1008, "too many frames"));
    assert!(ended("too many frames") > before);
    assert!(!world.is_online("carol").await);
    neighbours.chat().await;
    heard
}

#[tokio::test]
async fn a_flood_of_pings_ends() {
    let heard = flood(&framed(PING, b"are you there?")).await;
    assert!(heard.len() <= 50 && heard.iter().all(|got| *got == Got::Pong), "{} pongs", heard.len());
}

#[tokio::test]
async fn a_flood_of_frames_ends() {
    let heard = flood(&framed(BINARY, &msync(Command::Unread, Vec::new()))).await;
    // The login was the first frame.
    assert_eq!(heard.len(), 49);
}

#[tokio::test]
async fn frames_that_come_as_fast_as_an_sdk_may_send_them_are_all_answered() {
    let world = World::new().await;
    let mut carol = world.login("carol").await;
    let frames = framed(BINARY, &msync(Command::Unread, Vec::new())).repeat(2_000);
    let (mut read, mut write) = carol.stream.into_split();
    let writing = tokio::spawn(async move { write.write_all(&frames).await });
    let mut answers = 0;
    let mut buffer = vec![0; 64 * 1024];
    let one = yinxin_msync::encode::unread([], 1_700_000_000_000).len() + 2;
    while answers < 2_000 * one {
        answers += tokio::io::AsyncReadExt::read(&mut read, &mut buffer).await.unwrap();
    }
    writing.await.unwrap().unwrap();
    assert_eq!(answers, 2_000 * one);
    carol = world.login("carol").await;
    assert_eq!(carol.unread().await, [""; 0]);
}
