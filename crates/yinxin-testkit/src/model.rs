//! A small model of accounts, which the model tests of the dialects' REST calls compare a server with: random steps, and
//! both must always agree. What a step is called on the wire, and what it answers, each dialect's test says.

use std::collections::BTreeMap;
use std::fmt::Debug;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

/// The users that there may be.
pub const NAMES: [&str; 4] = ["anna", "bert", "carl", "dora"];

/// One of [`NAMES`].
pub type Who = usize;

/// Somebody.
#[derive(Debug)]
pub struct User {
    /// The password, if there is one.
    pub password: Option<u8>,
    /// May not log in.
    pub banned: bool,
    /// Newest first.
    pub contacts: Vec<Who>,
    /// Newest first.
    pub blocks: Vec<Who>,
}

/// What the server should be like.
#[derive(Debug, Default)]
pub struct People {
    /// Those who are there.
    pub users: BTreeMap<Who, User>,
    /// Who was registered when.
    pub by_age: Vec<Who>,
    /// Every token, whose it is, and whether it is good.
    pub tokens: Vec<(String, Who, bool)>,
}

impl People {
    /// Somebody comes who was not there.
    pub fn add(&mut self, who: Who, password: Option<u8>) {
        self.users.insert(who, User { password, banned: false, contacts: Vec::new(), blocks: Vec::new() });
        self.by_age.push(who);
    }

    /// Somebody goes, with its tokens, out of all lists; whether it was there.
    pub fn remove(&mut self, who: Who) -> bool {
        self.end_tokens(who);
        self.by_age.retain(|other| *other != who);
        for user in self.users.values_mut() {
            user.contacts.retain(|other| *other != who);
            user.blocks.retain(|other| *other != who);
        }
        self.users.remove(&who).is_some()
    }

    /// Bans somebody, or lifts the ban; whether it is there.
    pub fn set_banned(&mut self, who: Who, banned: bool) -> bool {
        if banned {
            self.end_tokens(who);
        }
        self.users.get_mut(&who).map(|user| user.banned = banned).is_some()
    }

    /// Gives somebody another password; whether it is there.
    pub fn set_password(&mut self, who: Who, password: u8) -> bool {
        self.end_tokens(who);
        self.users.get_mut(&who).map(|user| user.password = Some(password)).is_some()
    }

    /// Whether both are there.
    pub fn have(&self, one: Who, other: Who) -> bool {
        self.users.contains_key(&one) && self.users.contains_key(&other)
    }

    /// Makes two, who are there, contacts of each other.
    pub fn befriend(&mut self, one: Who, other: Who) {
        for (owner, friend) in [(one, other), (other, one)] {
            self.change(owner, |user| add(&mut user.contacts, friend));
        }
    }

    /// Ends that.
    pub fn part(&mut self, one: Who, other: Who) {
        for (owner, friend) in [(one, other), (other, one)] {
            self.change(owner, |user| user.contacts.retain(|contact| *contact != friend));
        }
    }

    /// Puts somebody on the block list of another, who is there.
    pub fn block(&mut self, one: Who, other: Who) {
        self.change(one, |user| add(&mut user.blocks, other));
    }

    /// Takes somebody from it.
    pub fn unblock(&mut self, one: Who, other: Who) {
        self.change(one, |user| user.blocks.retain(|blocked| *blocked != other));
    }

    fn change(&mut self, who: Who, change: impl FnOnce(&mut User)) {
        if let Some(user) = self.users.get_mut(&who) {
            change(user);
        }
    }

    fn end_tokens(&mut self, who: Who) {
        self.tokens.iter_mut().filter(|(_, whose, _)| *whose == who).for_each(|(.., good)| *good = false);
    }
}

/// Puts somebody at the front of a list, once.
fn add(list: &mut Vec<Who>, who: Who) {
    if !list.contains(&who) {
        list.insert(0, who);
    }
}

/// Runs 256 times 50 random steps, or as many times as `YINXIN_MODEL_CASES` says; each run is told its number.
#[expect(clippy::needless_pass_by_value, reason = "a closure is written where it is given")]
pub fn check<S: Debug + Clone>(
    runtime: &Runtime,
    steps: &impl Strategy<Value = S>,
    agree: impl AsyncFn(usize, &[S]) -> Result<(), TestCaseError>,
) {
    let cases = std::env::var("YINXIN_MODEL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let runs = std::cell::Cell::new(0);
    let outcome = runner.run(&prop::collection::vec(steps, 50), |steps| {
        runs.set(runs.get() + 1);
        runtime.block_on(agree(runs.get(), &steps))
    });
    outcome.unwrap();
}
