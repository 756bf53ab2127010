//! The life of room tokens against a model: random calls, joins, waits and restarts, and after each the same answer.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use yinxin_core::Code;
use yinxin_core::clock::Clock;
use yinxin_testkit::ground;

use crate::world::World;

const UIDS: [u64; 2] = [7, 8];
/// The empty one is "any".
const ROOMS: [&str; 3] = ["", "abc", "abd"];

#[derive(Clone, Debug)]
enum Step {
    /// A backend asks for a token.
    Ask {
        uid: usize,
        room: usize,
        ttl_s: i64,
        repeat: Option<bool>,
    },
    /// Somebody joins with the n-th token that was ever given, counted from the last.
    Join {
        uid: usize,
        room: usize,
        token: usize,
    },
    Wait {
        ms: i64,
    },
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ttl = prop_oneof![Just(1_i64), Just(5), Just(600), Just(86_400)];
    let wait = prop_oneof![0_i64..1200, Just(5_000), Just(600_000), Just(86_400_000)];
    let step = prop_oneof![
        6 => (0..UIDS.len(), 0..ROOMS.len(), ttl, prop::option::of(any::<bool>()))
            .prop_map(|(uid, room, ttl_s, repeat)| Step::Ask { uid, room, ttl_s, repeat }),
        6 => (0..UIDS.len(), 1..ROOMS.len(), 0_usize..4).prop_map(|(uid, room, token)| Step::Join { uid, room, token }),
        4 => wait.prop_map(|ms| Step::Wait { ms }),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..50)
}

/// A token as the model knows it.
#[derive(Clone)]
struct Known {
    token: String,
    until_ms: i64,
    repeat: bool,
}

#[derive(Default)]
struct Model {
    /// By uid and room.
    held: HashMap<(u64, &'static str), Known>,
    /// Every token that was ever given.
    given: Vec<String>,
}

impl Model {
    /// What was answered to an ask, checked and noted.
    fn asked(&mut self, key: (u64, &'static str), now_ms: i64, ttl_s: i64, repeat: Option<bool>, token: String) {
        let until_ms = now_ms + ttl_s * 1000;
        let Some(known) = self.held.get_mut(&key).filter(|known| known.until_ms > now_ms) else {
            assert!(!self.given.contains(&token), "what is over does not come again");
            self.given.push(token.clone());
            self.held.insert(key, Known { token, until_ms, repeat: repeat.unwrap_or(true) });
            return;
        };
        assert_eq!(known.token, token, "while it lives it is the same");
        let repeat = repeat.unwrap_or(known.repeat);
        let short_ms = until_ms - known.until_ms;
        if repeat != known.repeat || !(0..10_000.min(ttl_s * 10)).contains(&short_ms) {
            *known = Known { token, until_ms, repeat };
        }
    }

    /// What a join must lead to.
    fn join(&mut self, uid: u64, room: &'static str, token: &str, now_ms: i64) -> Result<(), Code> {
        let holds = |key: &(u64, &'static str), known: &Known| {
            key.0 == uid && (key.1 == room || key.1.is_empty()) && known.token == token
        };
        let found = self.held.iter().find(|(key, known)| holds(key, known));
        let (key, known) = found.map(|(key, known)| (*key, known.clone())).ok_or(Code::RoomTokenWrong)?;
        if known.until_ms <= now_ms {
            return Err(Code::RoomTokenExpired);
        }
        if !known.repeat {
            self.held.remove(&key);
        }
        Ok(())
    }
}

async fn run(steps: Vec<Step>) {
    let mut w = World::new().await;
    let mut model = Model::default();
    for step in steps {
        let now_ms = w.clock.now_ms();
        match step {
            Step::Ask { uid, room, ttl_s, repeat } => {
                let (uid, room) = (UIDS[uid], ROOMS[room]);
                let [number, ttl] = [uid.to_string(), ttl_s.to_string()];
                let repeats = repeat.map_or(String::new(), |repeat| repeat.to_string());
                let form = [("uid", &*number), ("channelName", room), ("expireAt", &*ttl), ("repeatUse", &*repeats)];
                let token = w.token(&form).await;
                model.asked((uid, room), now_ms, ttl_s, repeat, token);
            }
            Step::Join { uid, room, token } => {
                let Some(token) = model.given.iter().rev().nth(token).cloned() else { continue };
                let (uid, room) = (UIDS[uid], ROOMS[room]);
                let answered = w.join(uid, room, Some(&token), None).await.map(|_| ());
                let expected = model.join(uid, room, &token, now_ms);
                // Over is over: a token that has ended may have been cleared away.
                let is_over =
                    |answer: &Result<(), Code>| matches!(answer, Err(Code::RoomTokenExpired | Code::RoomTokenWrong));
                assert!(
                    answered == expected || (is_over(&answered) && is_over(&expected)),
                    "{answered:?} {expected:?}"
                );
            }
            Step::Wait { ms } => w.clock.move_by(ms),
            Step::Restart => w = w.restarted().await,
        }
    }
}

#[test]
fn tokens_live_as_the_model_says() {
    let runtime = ground::runtime();
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(64) });
    runner
        .run(&steps(), |steps| {
            runtime.block_on(run(steps));
            Ok(())
        })
        .unwrap();
}
