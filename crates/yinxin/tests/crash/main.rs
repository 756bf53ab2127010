//! kill -9 under load: several clients write through the vendor's REST calls, the server, or its database, is killed at a
//! random moment and started again. Every acknowledged write must be there, none may be half done, and one that
//! was not answered may have happened or not.
//!
//! `YINXIN_CRASH_ROUNDS=1000` runs more rounds, `YINXIN_CRASH_SEED` repeats the choices of a run that failed; the
//! moments at which the kernel does what it is told are its own.

mod client;
mod database;
mod deletion;
mod guest;
mod random;
mod structure;
mod world;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::{env, hint, thread};

use yinxin_testkit::server::Server;

use client::{Client, Site, Victim};
use random::Random;

const CLIENTS: usize = 4;
const ROUNDS: usize = 50;
/// A round ends after fewer acknowledged writes than this.
const WRITES_MAX: usize = 160;
/// Rounds of a busy loop between the last write that is waited for and the kill, at most.
const SPINS_MAX: usize = 200_000;

/// Password hashing at the least cost, and as many logins as the test likes.
const ENVIRONMENT: [(&str, &str); 3] = [
    ("YINXIN_PASSWORDS__MEMORY_KIB", "8"),
    ("YINXIN_PASSWORDS__PASSES", "1"),
    ("YINXIN_LIMITS__PASSWORD_FAILURES", "1000000"),
];

fn number_from(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

#[test]
fn every_acknowledged_write_survives_a_kill() {
    let rounds = number_from("YINXIN_CRASH_ROUNDS").map_or(ROUNDS, |rounds| usize::try_from(rounds).unwrap());
    let seed = number_from("YINXIN_CRASH_SEED").unwrap_or_else(random::any_seed);
    println!("YINXIN_CRASH_SEED={seed}");
    let mut random = Random::new(seed);
    let mut server = Server::start_with(Path::new(env!("CARGO_BIN_EXE_yinxin")), &[], &ENVIRONMENT);
    let mut site = Site::new(&server, Victim::Server);
    let mut clients: Vec<_> = (0..CLIENTS).map(|number| Client::new(number, random.fork())).collect();
    let (mut writes, mut unanswered, mut kept) = (0, 0, 0);
    for round in 0..rounds {
        writes += load_and_kill(&site, &mut clients, &mut random, || server.kill());
        structure::check(server.data());
        server.restart();
        site.addr = server.addr();
        for (open, done) in reconcile(&site, &mut clients, round) {
            unanswered += usize::from(open);
            kept += usize::from(done);
        }
    }
    println!(
        "{rounds} rounds, {writes} acknowledged writes, {unanswered} unanswered ones of which {kept} had happened"
    );
    assert!(rounds < ROUNDS || unanswered > 0, "no kill met a write: the test is blind");
}

/// Lets the clients write and kills when a random number of writes has been acknowledged. Gives how many.
fn load_and_kill(site: &Site, clients: &mut [Client], random: &mut Random, kill: impl FnOnce()) -> usize {
    let killed = AtomicBool::new(false);
    let (acknowledge, acknowledged) = mpsc::channel();
    let (writes, spins) = (1 + random.below(WRITES_MAX), random.below(SPINS_MAX));
    thread::scope(|scope| {
        for client in clients {
            let (acknowledge, killed) = (acknowledge.clone(), &killed);
            scope.spawn(move || client.write_until_killed(site, killed, &acknowledge));
        }
        drop(acknowledge);
        for _ in 0..writes {
            acknowledged.recv().expect("a client goes on until the server is killed");
        }
        (0..spins).for_each(|_| hint::spin_loop());
        killed.store(true, Ordering::SeqCst);
        kill();
    });
    writes + acknowledged.iter().count()
}

/// Compares what each client finds with what it was told; gives for each whether a write was open, and had happened.
fn reconcile(site: &Site, clients: &mut [Client], round: usize) -> Vec<(bool, bool)> {
    thread::scope(|scope| {
        let looks: Vec<_> =
            clients.iter_mut().map(|client| scope.spawn(move || client.reconcile(site, round))).collect();
        looks.into_iter().map(|look| look.join().expect("the client finds what it was told")).collect()
    })
}
