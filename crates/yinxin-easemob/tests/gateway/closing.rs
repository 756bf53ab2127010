//! The end of a connection is its end: once it is told to end, nothing that its client says counts, and after the last
//! word nothing is sent.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use prost::Message as _;
use yinxin_core::limits::SocketLimits;
use yinxin_core::sessions::CloseReason;
use yinxin_msync::wire::{CommSyncDl, Command, Namespace, StatisticsBody};

use crate::world::World;
use yinxin_testkit::chat::{BINARY, Got, chat, msync, opened, pull};

/// The operation of a farewell; `None` for any other frame.
fn farewell(got: &Got) -> Option<i32> {
    let Got::Binary(frame) = got else { return None };
    let (Command::Sync, payload) = opened(frame) else { return None };
    let meta = CommSyncDl::decode(&*payload).unwrap().metas.pop()?;
    (meta.ns == Some(Namespace::Statistic.into()))
        .then(|| StatisticsBody::decode(meta.payload.as_deref().unwrap()).unwrap().operation.unwrap())
}

#[tokio::test]
async fn every_reason_has_its_last_frame_and_its_word() {
    for (why, operation) in [
        (CloseReason::Kicked, 4),
        (CloseReason::Banned, 4),
        (CloseReason::PasswordChanged, 3),
        (CloseReason::Deleted, 1),
    ] {
        let world = World::new().await;
        let mut neighbours = world.neighbours().await;
        let mut carol = world.login("carol").await;
        world.close("carol", why).await;
        let (heard, code, reason) = carol.until_closed().await;
        assert_eq!(heard.iter().map(farewell).collect::<Vec<_>>(), [Some(operation)], "{why:?}");
        assert_eq!((code, &*reason), (1008, "dismissed"));
        neighbours.chat().await;
    }
}

#[tokio::test]
async fn the_same_device_pushes_itself_out_and_a_server_that_stops_says_so() {
    let world = World::new().await;
    let mut older = world.login("carol").await;
    let mut newer = world.login("carol").await;
    let (heard, code, reason) = older.until_closed().await;
    assert_eq!(heard.iter().map(farewell).collect::<Vec<_>>(), [Some(2)]);
    assert_eq!((code, &*reason), (1008, "displaced"));
    world.registry.stop();
    assert_eq!(newer.closed().await, (1001, "server stops".into()));
}

#[tokio::test]
async fn a_log_out_is_the_end() {
    let world = World::new().await;
    let mut carol = world.login("carol").await;
    carol.msync(Command::Logout, Vec::new()).await;
    assert_eq!(carol.closed().await, (1000, "logged out".into()));
    assert!(!world.is_online("carol").await);
}

/// What happens around a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    AsksWhatWaits,
    Pulls,
    Sends,
    IsSentTo,
    IsKicked,
    ChangesPassword,
    LogsInAgain,
    LogsOut,
    SendsGarbage,
}

const STEPS: [Step; 9] = [
    Step::AsksWhatWaits,
    Step::Pulls,
    Step::Sends,
    Step::IsSentTo,
    Step::IsKicked,
    Step::ChangesPassword,
    Step::LogsInAgain,
    Step::LogsOut,
    Step::SendsGarbage,
];

/// A while of ordinary life, and then anything.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let life = proptest::collection::vec(proptest::sample::select(&STEPS[..4]), 0..12);
    let anything = proptest::collection::vec(proptest::sample::select(&STEPS[..]), 1..8);
    (life, anything).prop_map(|(life, anything)| [life, anything].concat())
}

/// Plays the steps on one connection of Carol's without reading, then reads to the end.
async fn play(steps: Vec<Step>) {
    let mut world = World::new().await;
    let limits = SocketLimits { farewell: Duration::from_millis(20), ..SocketLimits::default() };
    let address = world.listen(limits).await;
    // Who has not asked is sent nothing but answers.
    let mut dave = world.login_at(address, "dave").await;
    let mut carol = world.login_at(address, "carol").await;
    let mut others = Vec::new();
    let (mut told_to_end, mut ends_itself) = (false, false);
    // Messages that may be stored: Dave's, and Carol's from before the end.
    let mut messages = 0;
    for step in steps {
        let frame = match step {
            Step::AsksWhatWaits => msync(Command::Unread, Vec::new()),
            Step::Pulls => pull("dave", None),
            Step::Sends => {
                messages += usize::from(!told_to_end && !ends_itself);
                chat(1, "dave", "from carol")
            }
            Step::LogsOut => msync(Command::Logout, Vec::new()),
            Step::SendsGarbage => b"\xff".to_vec(),
            Step::IsSentTo => {
                dave.text("carol", "from dave").await;
                dave.stored().await;
                messages += 1;
                continue;
            }
            Step::IsKicked | Step::ChangesPassword | Step::LogsInAgain => {
                match step {
                    Step::LogsInAgain => others.push(world.login_at(address, "carol").await),
                    Step::IsKicked => world.close("carol", CloseReason::Kicked).await,
                    _ => world.close("carol", CloseReason::PasswordChanged).await,
                }
                told_to_end = true;
                continue;
            }
        };
        ends_itself |= matches!(step, Step::LogsOut | Step::SendsGarbage);
        carol.frame(BINARY, &frame).await;
    }
    if !told_to_end && !ends_itself {
        world.close("carol", CloseReason::Deleted).await;
    }
    let (heard, code, _) = carol.until_closed().await;
    match heard.iter().position(|got| farewell(got).is_some()) {
        None => assert!(ends_itself && [1000, 1007].contains(&code), "{code}: {heard:?}"),
        Some(at) => assert_eq!((at + 1, code), (heard.len(), 1008), "the farewell is the last word"),
    }
    let stored = world.exchanged("dave", "carol").await;
    assert!(stored <= messages, "{stored} messages are stored, {messages} were sent in time");
}

#[test]
fn nothing_counts_and_nothing_is_said_after_the_end() {
    let config = Config::default();
    let mut runner = TestRunner::new(Config { cases: config.cases.div_ceil(8), failure_persistence: None, ..config });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let played = runner.run(&steps(), |steps| {
        runtime.block_on(play(steps));
        Ok(())
    });
    played.unwrap();
}
