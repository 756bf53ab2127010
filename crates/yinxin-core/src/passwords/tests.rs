//! One worker, without its thread: what it accepts and what it keeps.

use super::*;
use crate::rng::SystemRng;

fn worker(memory_kib: u32) -> Worker {
    let params = Params::new(memory_kib, 1, 1, Some(HASH_BYTES)).unwrap();
    Worker::new(params, Arc::new(SystemRng), Arc::default())
}

#[test]
fn a_hash_is_checked_by_what_it_says_of_itself() {
    let mut ours = worker(8);
    for memory_kib in [8, 64] {
        let hash = worker(memory_kib).hash(b"word").unwrap();
        let right = ours.verify(b"word", Some(&hash)).unwrap();
        assert_eq!((right.matches, right.upgrade.is_some()), (true, memory_kib != 8));
        let wrong = ours.verify(b"sword", Some(&hash)).unwrap();
        assert_eq!((wrong.matches, wrong.upgrade), (false, None));
    }
}

#[test]
fn the_memory_of_a_dearer_hash_is_given_back() {
    let mut ours = worker(8);
    let dear = worker(4096).hash(b"word").unwrap();
    for _ in 0..2 {
        ours.verify(b"word", Some(&dear)).unwrap();
        assert!(ours.memory.capacity() <= ours.params.block_count(), "{}", ours.memory.capacity());
    }
    ours.hash(b"word").unwrap();
    assert!(ours.memory.capacity() <= ours.params.block_count());
}

#[test]
fn the_work_is_counted() {
    let mut ours = worker(8);
    let hash = ours.hash(b"word").unwrap();
    ours.verify(b"word", Some(&hash)).unwrap();
    ours.verify(b"word", None).unwrap();
    assert_eq!(ours.filled_kib.load(Ordering::Relaxed), 3 * 8);
}

#[test]
fn a_stored_hash_that_cannot_be_checked_is_our_fault_and_costs_no_memory() {
    let mut ours = worker(8);
    let good = ours.hash(b"word").unwrap();
    for stored in [
        String::new(),
        "word".to_owned(),
        good.replace("argon2id", "argon2i"),
        good.replace("m=8", "m=1000000"),
        good[..good.rfind('$').unwrap()].to_owned(),
    ] {
        let refused = ours.verify(b"word", Some(&stored)).unwrap_err();
        assert_eq!(refused.code, Code::Internal, "{stored}");
    }
    assert!(ours.memory.capacity() <= ours.params.block_count());
}
