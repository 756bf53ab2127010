//! Who vanishes without a word. A client that never reads what comes and never answers is, to the server, one whose
//! machine was switched off: its system takes bytes for a while, and nobody is there.

use std::time::Duration;

use yinxin_core::limits::SocketLimits;

use crate::world::World;
use base64::Engine as _;
use tokio::io::AsyncWriteExt as _;
use yinxin_testkit::chat::{Client, Got, PONG, TEXT, framed, login};

fn impatient() -> SocketLimits {
    let brief = Duration::from_millis(50);
    SocketLimits { silence: brief, answer: brief, ..SocketLimits::default() }
}

#[tokio::test]
async fn who_vanishes_is_asked_and_then_given_up() {
    let mut world = World::new().await;
    let mut neighbours = world.neighbours().await;
    let address = world.listen(impatient()).await;
    let mut gone = world.login_at(address, "carol").await;
    neighbours.chat().await;
    let (heard, code, reason) = gone.until_closed().await;
    assert_eq!((heard, code, &*reason), (vec![Got::Ping], 1008, "silent"));
    assert!(!world.is_online("carol").await);
    neighbours.chat().await;
}

#[tokio::test]
async fn who_answers_may_stay_as_long_as_it_likes() {
    let mut world = World::new().await;
    let limits = SocketLimits { answer: Duration::from_mins(1), ..impatient() };
    let address = world.listen(limits).await;
    let mut carol = world.login_at(address, "carol").await;
    for _ in 0..5 {
        assert_eq!(carol.got().await, Got::Ping);
        carol.frame(PONG, b"").await;
    }
    assert_eq!(carol.unread().await, [""; 0]);
}

#[tokio::test]
async fn a_line_of_sockjs_hears_signs_of_life_and_ends_the_same_way() {
    let mut world = World::new().await;
    let limits = SocketLimits { heartbeat: Duration::from_millis(10), ..impatient() };
    let address = world.listen(limits).await;
    let token = world.token("carol", 60).await;
    let mut carol = Client::open(address, "/ws/000/abcdefgh/websocket").await;
    assert_eq!(carol.got().await, Got::Text("o".into()));
    let login = base64::engine::general_purpose::STANDARD.encode(login("carol", &token));
    carol.stream.write_all(&framed(TEXT, format!("[\"{login}\"]").as_bytes())).await.unwrap();
    let (heard, code, reason) = carol.until_closed().await;
    assert_eq!((code, &*reason), (1008, "silent"));
    let (last, others) = heard.split_last().unwrap();
    assert_eq!(*last, Got::Text("c[3000,\"Go away!\"]".into()));
    assert!(matches!(&others[0], Got::Text(welcome) if welcome.starts_with("a[\"")));
    assert_eq!(others.iter().filter(|got| **got == Got::Ping).count(), 1);
    assert!(others[1..].iter().all(|got| matches!(got, Got::Ping) || *got == Got::Text("h".into())));
    assert!(others.contains(&Got::Text("h".into())));
}
