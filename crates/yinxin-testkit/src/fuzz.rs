//! Fuzzing on stable Rust: inputs that are valid ones with a few wounds, and what reading them costs. Not guided by
//! coverage, as the `fuzz` folders' targets are, but it needs nothing installed and shrinks what it finds.

use std::fmt::Debug;

use peak_alloc::PeakAlloc;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};

/// Checks cost microseconds: so many for each one that the suite is asked for.
const TIMES: u32 = 40;

/// Runs a check, which panics when it fails, on `YINXIN_FUZZ_CASES` (256) times 40 inputs.
pub fn fuzz<T: Debug>(inputs: &impl Strategy<Value = T>, check: impl Fn(&T)) {
    let cases = std::env::var("YINXIN_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256_u32);
    let cases = cases.saturating_mul(TIMES);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let done = runner.run(inputs, |input| {
        check(&input);
        Ok(())
    });
    if let Err(found) = done {
        panic!("{found}");
    }
}

/// What a call gives, and how many bytes it held at a time. Right only while nothing else runs in the process.
pub fn cost<T>(memory: &PeakAlloc, call: impl FnOnce() -> T) -> (T, usize) {
    memory.reset_peak_usage();
    let before = memory.current_usage();
    let given = call();
    (given, memory.peak_usage().saturating_sub(before))
}

/// One of the seeds, wounded in up to eight places, of at most `bytes_max` bytes. None of them may be empty.
pub fn wounded(seeds: Vec<Vec<u8>>, bytes_max: usize) -> impl Strategy<Value = Vec<u8>> {
    let wound = wound(seeds.clone());
    (select(seeds), vec(wound, 0..8)).prop_map(move |(mut bytes, wounds)| {
        for wound in wounds {
            wound.apply(&mut bytes);
            bytes.truncate(bytes_max);
        }
        bytes
    })
}

/// The same of texts; what is no UTF-8 any more is made some.
pub fn wounded_text(seeds: &[&str], bytes_max: usize) -> impl Strategy<Value = String> {
    let seeds = seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect();
    wounded(seeds, bytes_max).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// What is done to an input, and where.
#[derive(Clone, Debug)]
struct Wound(Index, What);

#[derive(Clone, Debug)]
enum What {
    Flip(u8),
    Set(u8),
    Insert(Vec<u8>),
    Remove(usize),
    Repeat(usize, usize),
    Cut,
    /// Go on with another input from some place on.
    Splice(Vec<u8>, Index),
}

fn wound(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Wound> {
    // Numbers as protocols write them: none, small, the largest, and beyond.
    let numbers = select(vec![
        vec![0],
        vec![1],
        vec![0x7f],
        vec![0x80],
        vec![0xff],
        vec![0xff, 0xff, 0xff, 0xff, 0x0f],
        vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        vec![0x80; 11],
    ]);
    let what = prop_oneof![
        3 => (0_u8..8).prop_map(What::Flip),
        3 => any::<u8>().prop_map(What::Set),
        2 => prop_oneof![numbers, vec(any::<u8>(), 1..8)].prop_map(What::Insert),
        2 => (1_usize..32).prop_map(What::Remove),
        2 => (1_usize..32, prop_oneof![9 => 1_usize..4, 1 => 4_usize..20_000])
            .prop_map(|(count, times)| What::Repeat(count, times)),
        1 => Just(What::Cut),
        1 => (select(seeds), any::<Index>()).prop_map(|(other, from)| What::Splice(other, from)),
    ];
    (any::<Index>(), what).prop_map(|(at, what)| Wound(at, what))
}

impl Wound {
    fn apply(self, bytes: &mut Vec<u8>) {
        let Self(at, what) = self;
        let at = at.index(bytes.len() + 1);
        match what {
            What::Flip(bit) => bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << bit),
            What::Set(value) => bytes.get_mut(at).into_iter().for_each(|byte| *byte = value),
            What::Insert(new) => drop(bytes.splice(at..at, new)),
            What::Remove(count) => drop(bytes.drain(at..bytes.len().min(at + count))),
            What::Repeat(count, times) => {
                let again = bytes[at..bytes.len().min(at + count)].repeat(times);
                bytes.splice(at..at, again);
            }
            What::Cut => bytes.truncate(at),
            What::Splice(other, from) => {
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from.index(other.len())..]);
            }
        }
    }
}
