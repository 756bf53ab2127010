//! A database server that is killed, freezes or is replaced: what was acknowledged is there, nobody waits for ever, and
//! the pools find the server, or its successor, again. Longer rounds: `YINXIN_CRASH_ROUNDS`.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use yinxin_store::{Db, Error, Options, PostgresOptions};
use yinxin_testkit::postgres::Postgres;
use yinxin_testkit::storage;

use crate::kit::{keys, numbers, put_alone, run};

const ROUNDS: usize = 3;
const WRITERS: i64 = 8;
/// Acknowledged writes of a round before the server is killed.
const WRITES: i64 = 200;
/// Stands for the times that nobody wants to wait for in a test.
const SOON: Duration = Duration::from_secs(2);

/// Once is enough: what is looked at is PostgreSQL whatever the suite runs on.
fn there_is_a_server() -> bool {
    storage::server().is_some() && !storage::on_postgres()
}

async fn open(options: PostgresOptions) -> Db {
    let db = Db::open(&Options::Postgres(options), |_| {}).await.unwrap();
    run(&db, "CREATE TABLE play (k BIGINT NOT NULL PRIMARY KEY, v TEXT)").await;
    db
}

/// What a server that is away is answered with.
fn is_away(error: &Error) -> bool {
    matches!(error, Error::Away(_) | Error::Unsure(_) | Error::Busy(_))
}

/// Those who write until the server is gone.
struct Load {
    acknowledged: Arc<AtomicI64>,
    cut: Arc<AtomicBool>,
    writers: Vec<JoinHandle<Vec<i64>>>,
}

impl Load {
    fn begin(db: &Db, next: &Arc<AtomicI64>) -> Self {
        let (acknowledged, cut) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
        let writer = |_| {
            let (db, next) = (db.clone(), Arc::clone(next));
            tokio::spawn(write_until_cut(db, next, Arc::clone(&acknowledged), Arc::clone(&cut)))
        };
        let writers = (0..WRITERS).map(writer).collect();
        Self { acknowledged, cut, writers }
    }

    /// Returns when so many writes are acknowledged; from then on they may fail.
    async fn until_acknowledged(&self, writes: i64) {
        while self.acknowledged.load(Ordering::SeqCst) < writes {
            tokio::task::yield_now().await;
        }
        self.cut.store(true, Ordering::SeqCst);
    }

    /// The keys that were acknowledged.
    async fn end(self) -> Vec<i64> {
        let mut keys = Vec::new();
        for writer in self.writers {
            keys.extend(writer.await.unwrap());
        }
        keys
    }
}

/// Writes until the server is gone; gives the keys that were acknowledged.
async fn write_until_cut(db: Db, next: Arc<AtomicI64>, acknowledged: Arc<AtomicI64>, cut: Arc<AtomicBool>) -> Vec<i64> {
    let mut kept = Vec::new();
    loop {
        let key = next.fetch_add(1, Ordering::SeqCst);
        match put_alone(&db, key).await {
            Ok(()) => {
                kept.push(key);
                acknowledged.fetch_add(1, Ordering::SeqCst);
            }
            Err(error) if is_away(&error) && cut.load(Ordering::SeqCst) => return kept,
            Err(error) => panic!("the server was not killed yet, or that is no reason: {error}"),
        }
    }
}

/// Fails if something acknowledged is not there, or more is there than was under way. Gives what is there.
async fn check(db: &Db, acknowledged: &[i64]) -> Vec<i64> {
    let kept = keys(db).await;
    let lost: Vec<_> = acknowledged.iter().filter(|key| kept.binary_search(key).is_err()).collect();
    assert!(lost.is_empty(), "{lost:?} were acknowledged and are gone");
    let unknown = i64::try_from(kept.len() - acknowledged.len()).unwrap();
    assert!(unknown <= WRITERS, "{unknown} writes are there that nobody was told of");
    kept
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_the_server() {
    if !there_is_a_server() {
        return;
    }
    let rounds = env::var("YINXIN_CRASH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let server = Postgres::start();
    let db = open(PostgresOptions::at(server.url())).await;
    let (next, mut acknowledged) = (Arc::new(AtomicI64::new(0)), Vec::new());
    for _ in 0..rounds {
        let load = Load::begin(&db, &next);
        load.until_acknowledged(WRITES).await;
        server.crash();
        acknowledged.extend(load.end().await);
        server.start_again();
        acknowledged = check(&db, &acknowledged).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_takes_the_place_of_a_killed_primary() {
    if !there_is_a_server() {
        return;
    }
    let primary = Postgres::start();
    let standby = primary.standby();
    let db = open(PostgresOptions::at(primary.url_before(&standby))).await;
    let next = Arc::new(AtomicI64::new(0));
    let load = Load::begin(&db, &next);
    load.until_acknowledged(WRITES).await;
    primary.crash();
    let acknowledged = load.end().await;
    let refused = put_alone(&db, -1).await.unwrap_err();
    assert!(is_away(&refused), "a standby takes no writes: {refused}");
    standby.promote();
    check(&db, &acknowledged).await;
    put_alone(&db, -2).await.unwrap();
}

/// An old primary that still answers is not read from once it was found to be none.
#[tokio::test]
async fn a_primary_that_steps_down_is_left() {
    if !there_is_a_server() {
        return;
    }
    let primary = Postgres::start();
    let standby = primary.standby();
    let db = open(PostgresOptions { readers: 2, statement: SOON, ..PostgresOptions::at(primary.url_before(&standby)) })
        .await;
    put_alone(&db, 1).await.unwrap();
    assert_eq!(keys(&db).await, [1]);
    primary.set("default_transaction_read_only=on");
    standby.promote();
    // Its sessions hear of it one after the other.
    while put_alone(&db, 2).await.is_err_and(|error| is_away(&error)) {}
    assert_eq!(keys(&db).await, [1, 2]);
    assert_eq!(numbers(&db, "SELECT CAST(current_setting('port') AS BIGINT)").await, [i64::from(standby.port())]);
}

/// The server itself would call the commit a success when the time of the statement is over.
#[tokio::test]
async fn a_commit_that_waits_for_its_standby_is_not_acknowledged() {
    if !there_is_a_server() {
        return;
    }
    let server = Postgres::start();
    let db = open(PostgresOptions { statement: SOON, ..PostgresOptions::at(server.url()) }).await;
    server.set("synchronous_standby_names=nobody");
    let waited = put_alone(&db, 1).await;
    assert!(matches!(waited, Err(Error::Unsure(_))), "{waited:?}");
    server.set("synchronous_standby_names=");
    put_alone(&db, 2).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_frozen_is_not_waited_for() {
    if !there_is_a_server() {
        return;
    }
    let server = Postgres::start();
    let options = PostgresOptions { statement: SOON, connect: SOON, ..PostgresOptions::at(server.url()) };
    let db = open(options).await;
    put_alone(&db, 1).await.unwrap();
    server.freeze();
    let written = put_alone(&db, 2).await;
    assert!(matches!(written, Err(Error::Away(_))), "{written:?}");
    let read: Result<(), Error> =
        db.read((), |sql, ()| Box::pin(async move { sql.rows("SELECT k FROM play", &[]).await.map(drop) })).await;
    assert!(matches!(read, Err(Error::Away(_))), "{read:?}");
    server.thaw();
    put_alone(&db, 3).await.unwrap();
    assert_eq!(keys(&db).await, [1, 3]);
}
