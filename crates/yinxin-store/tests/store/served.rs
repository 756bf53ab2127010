//! The networked engine: transactions that meet, faults of one closure, lost connections, what may wait and for how long.
//! Needs the tests' PostgreSQL, which `./test` brings; without it these tests see nothing.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use yinxin_store::tables::handles::{self, USERNAME};
use yinxin_store::{AppId, Db, Error, Hold, Options, PostgresOptions, Refused, Sql, Tenancy, Touched, UserId};
use yinxin_testkit::storage;

use crate::kit::{Fault, Place, keys, numbers, put, put_alone, query, queue, run, text, texts};
use crate::writer::{DEEDS, Deed, act};

const APP: AppId = AppId([1; 16]);

/// A place of its own; `None` without a server. Once is enough: it is PostgreSQL whatever the suite runs on.
fn place() -> Option<Place> {
    (storage::server().is_some() && !storage::on_postgres()).then(Place::postgres)
}

fn with(place: &mut Place, change: impl FnOnce(&mut PostgresOptions)) {
    change(place.postgres.as_mut().expect("it is on PostgreSQL"));
}

fn database(place: &Place) -> String {
    place.postgres.as_ref().expect("it is on PostgreSQL").url.rsplit_once('/').unwrap().1.to_owned()
}

async fn open(url: String) -> Result<Db, Error> {
    Db::open(&Options::Postgres(storage::few_connections(url)), |_| {}).await
}

/// Waits in the database until nobody holds the lock of tests.
async fn wait_there(tx: &mut dyn Sql) -> Result<(), Error> {
    tx.rows("SELECT CAST(pg_advisory_xact_lock_shared(7) AS TEXT)", &[]).await.map(drop)
}

/// Holds that lock in a write of another handle, until told.
async fn hold_there(db: &Db) -> (JoinHandle<Result<(), Error>>, impl FnOnce() + use<>) {
    run(db, "CREATE TABLE IF NOT EXISTS gate (k BIGINT NOT NULL PRIMARY KEY)").await;
    let (entered, mut has_entered) = tokio::sync::mpsc::unbounded_channel();
    let (other, open) = (db.clone(), Arc::new(AtomicUsize::new(0)));
    let told = Arc::clone(&open);
    let holding = queue(&other, (entered, open), |tx, (entered, open)| {
        Box::pin(async move {
            tx.rows("SELECT CAST(pg_advisory_xact_lock(7) AS TEXT)", &[]).await?;
            entered.send(()).unwrap();
            while open.load(Ordering::SeqCst) == 0 {
                tx.rows("SELECT 1", &[]).await?;
            }
            Ok::<_, Error>(())
        })
    });
    has_entered.recv().await.unwrap();
    (holding, move || told.store(1, Ordering::SeqCst))
}

async fn until_waiting(db: &Db, count: i64) {
    let waiting = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    while numbers(db, waiting).await != [count] {}
}

#[tokio::test]
async fn each_fault_undoes_its_own_write_and_no_other() {
    let Some(place) = place() else { return };
    let db = place.open().await;
    for (key, deed) in (0..).zip(DEEDS) {
        let answer = act(&db, key, deed).await;
        let expected = match deed {
            Deed::Succeed => matches!(answer, Ok(number) if number == key),
            Deed::AddAgain | Deed::Nonsense => matches!(answer, Err(Fault::Store(Error::Engine(_)))),
            Deed::Fail => matches!(answer, Err(Fault::Own)),
            Deed::Await => matches!(answer, Err(Fault::Store(Error::Awaited))),
            Deed::Panic => matches!(answer, Err(Fault::Store(Error::Panicked))),
        };
        assert!(expected, "{deed:?}: {answer:?}");
        act(&db, 100 + key, Deed::Succeed).await.unwrap();
    }
    assert_eq!(keys(&db).await, [0, 100, 101, 102, 103, 104, 105]);
}

#[tokio::test]
async fn a_closure_that_overlooks_a_failure_keeps_nothing() {
    let Some(place) = place() else { return };
    let (db, told) = place.open_noting().await;
    let overlooked: Result<(), Error> = db
        .write((), |tx, ()| {
            Box::pin(async move {
                put(tx, 1).await?;
                tx.touch(Touched::App(APP));
                drop(put(tx, 1).await);
                drop(put(tx, 2).await);
                Ok(())
            })
        })
        .await;
    assert!(matches!(overlooked, Err(Error::Engine(_))), "{overlooked:?}");
    let left: Result<(), Error> = db
        .write((), |tx, ()| {
            Box::pin(async move {
                put(tx, 1).await?;
                let mut begun = Box::pin(put(tx, 2));
                poll_fn(|cx| {
                    assert!(begun.as_mut().poll(cx).is_pending());
                    Poll::Ready(())
                })
                .await;
                drop(begun);
                Ok(())
            })
        })
        .await;
    assert!(matches!(left, Err(Error::Engine(_))), "{left:?}");
    assert_eq!(keys(&db).await, Vec::<i64>::new());
    assert!(told.lock().unwrap().is_empty());
    put_alone(&db, 3).await.unwrap();
    assert_eq!(keys(&db).await, [3]);
}

#[tokio::test]
async fn a_read_may_await_nothing_else() {
    let Some(place) = place() else { return };
    let db = place.open().await;
    let awaited: Result<(), Error> = db.read((), |_, ()| Box::pin(pending())).await;
    assert!(matches!(awaited, Err(Error::Awaited)), "{awaited:?}");
    assert_eq!(keys(&db).await, Vec::<i64>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_read_and_wrote_at_the_same_time_did_so_one_after_the_other() {
    let Some(place) = place() else { return };
    let (db, told) = place.open_noting().await;
    let another = place.open().await;
    run(&db, "INSERT INTO play (k, v) VALUES (0, '0')").await;
    let count = |db: &Db| {
        queue(db, (), |tx, ()| {
            Box::pin(async move {
                let mut row = tx.rows("SELECT v FROM play WHERE k = 0", &[]).await?.pop().unwrap();
                let next = row.take::<String>(0)?.parse::<i64>().unwrap() + 1;
                tx.touch(Touched::RoomTokens(APP, next));
                tx.exec("UPDATE play SET v = $1 WHERE k = 0", &[(&next.to_string()).into()]).await?;
                Ok::<_, Error>(next)
            })
        })
    };
    let counting: Vec<_> = (0..60).map(|turn| count(if turn % 2 == 0 { &db } else { &another })).collect();
    let mut seen = Vec::new();
    for count in counting {
        seen.push(count.await.unwrap().unwrap());
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=60).collect::<Vec<_>>(), "each saw what another had left");
    assert_eq!(told.lock().unwrap().len(), 30, "tries that were given up told nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_who_want_a_name_one_gets_it() {
    let Some(place) = place() else { return };
    let nodes = [place.open().await, place.open().await, place.open().await];
    for race in 0..10 {
        let claims: Vec<_> = (0..64_u8)
            .map(|client| {
                queue(&nodes[usize::from(client) % 3], (race, client), |tx, (race, client)| {
                    let name = format!("name{race}");
                    Box::pin(async move { handles::claim(tx, APP, USERNAME, &name, UserId([*client; 16])).await })
                })
            })
            .collect();
        let mut winners = 0;
        for claim in claims {
            winners += usize::from(claim.await.unwrap().unwrap());
        }
        assert_eq!(winners, 1, "race {race}");
    }
}

#[tokio::test]
async fn a_hint_is_told_before_the_answer() {
    let Some(place) = place() else { return };
    let (db, told) = place.open_noting().await;
    for number in 1..=3 {
        let touched = db.write(number, |tx, number| {
            Box::pin(async move {
                tx.touch(Touched::RoomTokens(APP, *number));
                put(tx, *number).await
            })
        });
        touched.await.unwrap();
        assert_eq!(told.lock().unwrap().last(), Some(&Touched::RoomTokens(APP, number)));
    }
}

#[tokio::test]
async fn what_waits_too_long_or_in_too_long_a_line_hears_that_it_is_busy() {
    let Some(mut place) = place() else { return };
    let holder = place.open().await;
    let (holding, go_on) = hold_there(&holder).await;
    with(&mut place, |options| options.statement = Duration::from_millis(300));
    let hasty = place.open().await;
    let slow: Result<(), Error> = hasty.write((), |tx, ()| Box::pin(wait_there(tx))).await;
    assert!(matches!(slow, Err(Error::Busy(_))), "{slow:?}");
    with(&mut place, |options| {
        options.statement = Duration::from_mins(1);
        (options.writers, options.queue, options.wait) = (1, 1, Duration::from_millis(300));
    });
    let db = place.open().await;
    let first = queue(&db, (), |tx, ()| Box::pin(wait_there(tx)));
    until_waiting(&db, 1).await;
    let second = queue(&db, 1, |tx, key| Box::pin(put(tx, *key)));
    crate::kit::until_queued(&db, 1).await;
    let third = put_alone(&db, 2).await;
    assert!(matches!(third, Err(Error::Busy(_))), "the line is full: {third:?}");
    let late: Result<(), Error> = second.await.unwrap();
    assert!(matches!(late, Err(Error::Busy(_))), "it has waited too long: {late:?}");
    assert_eq!(keys(&db).await, Vec::<i64>::new(), "reads have connections of their own");
    go_on();
    holding.await.unwrap().unwrap();
    first.await.unwrap().unwrap();
    put_alone(&db, 3).await.unwrap();
    assert_eq!(keys(&db).await, [3]);
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_what_has_not_begun_along() {
    let Some(mut place) = place() else { return };
    let holder = place.open().await;
    let (holding, go_on) = hold_there(&holder).await;
    with(&mut place, |options| options.writers = 1);
    let db = place.open().await;
    let begun = queue(&db, (), |tx, ()| {
        Box::pin(async move {
            put(tx, 1).await?;
            wait_there(tx).await
        })
    });
    until_waiting(&db, 1).await;
    let waiting = queue(&db, 2, |tx, key| Box::pin(put(tx, *key)));
    crate::kit::until_queued(&db, 1).await;
    for gone in [begun, waiting] {
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
    }
    go_on();
    holding.await.unwrap().unwrap();
    put_alone(&db, 3).await.unwrap();
    assert_eq!(keys(&db).await, [1, 3]);
}

#[tokio::test]
async fn closing_finishes_what_waits_and_refuses_the_rest() {
    let Some(mut place) = place() else { return };
    let holder = place.open().await;
    let (holding, go_on) = hold_there(&holder).await;
    with(&mut place, |options| options.writers = 1);
    let db = place.open().await;
    let begun = queue(&db, (), |tx, ()| Box::pin(wait_there(tx)));
    until_waiting(&db, 1).await;
    let waiting = queue(&db, 2, |tx, key| Box::pin(put(tx, *key)));
    crate::kit::until_queued(&db, 1).await;
    let closing = tokio::spawn({
        let db = db.clone();
        async move { db.close().await }
    });
    tokio::task::yield_now().await;
    go_on();
    holding.await.unwrap().unwrap();
    begun.await.unwrap().unwrap();
    waiting.await.unwrap().unwrap();
    closing.await.unwrap();
    let late = put_alone(&db, 4).await;
    assert!(matches!(late, Err(Error::Closed)), "{late:?}");
    assert_eq!(keys(&db).await, [2], "reads still answer");
    db.close().await;
}

#[tokio::test]
async fn lost_connections_are_made_anew() {
    let Some(place) = place() else { return };
    let (db, another) = (place.open().await, place.open().await);
    put_alone(&db, 1).await.unwrap();
    assert_eq!(keys(&db).await, [1]);
    let cut = format!(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{}' AND pid <> pg_backend_pid()",
        database(&place)
    );
    query(&another, text(cut), Vec::new(), 1).await;
    put_alone(&db, 2).await.unwrap();
    assert_eq!(keys(&db).await, [1, 2]);
}

/// A way to the server that can be frozen: it takes everything and passes nothing on.
async fn way_to(server: String) -> (std::net::SocketAddr, tokio::sync::watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (freeze, is_frozen) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            let (server, mut is_frozen) = (server.clone(), is_frozen.clone());
            tokio::spawn(async move {
                let mut to = TcpStream::connect(server).await.unwrap();
                let frozen = async { is_frozen.wait_for(|is_frozen| *is_frozen).await.is_ok() };
                let is_frozen = tokio::select! {
                    biased;
                    is_frozen = frozen => is_frozen,
                    _ = tokio::io::copy_bidirectional(&mut from, &mut to) => false,
                };
                if is_frozen {
                    pending::<()>().await;
                }
            });
        }
    });
    (address, freeze)
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let Some(mut place) = place() else { return };
    // Its database is made, and goes with it.
    place.open().await.close().await;
    let url = place.postgres.as_ref().unwrap().url.clone();
    let server = url.split(['@', '/']).nth(3).unwrap().to_owned();
    let (way, freeze) = way_to(server.clone()).await;
    with(&mut place, |options| {
        options.url = url.replace(&server, &way.to_string());
        (options.statement, options.connect) = (Duration::from_secs(1), Duration::from_secs(1));
    });
    let db = place.open().await;
    put_alone(&db, 1).await.unwrap();
    let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let midway = queue(&db, (begun, freeze), |tx, (begun, freeze)| {
        Box::pin(async move {
            put(tx, 2).await?;
            freeze.send(true).unwrap();
            begun.send(()).unwrap();
            put(tx, 3).await
        })
    });
    has_begun.recv().await.unwrap();
    let cut: Result<(), Error> = midway.await.unwrap();
    assert!(matches!(&cut, Err(Error::Away(why)) if why.to_string().contains("nothing was heard of it")), "{cut:?}");
    for refused in [put_alone(&db, 4).await.map(drop), db.read((), |tx, ()| Box::pin(tx_reads(tx))).await] {
        assert!(matches!(refused, Err(Error::Away(_))), "{refused:?}");
    }
    db.close().await;
    with(&mut place, |options| options.url = url);
    assert_eq!(keys(&place.open().await).await, [1]);
}

async fn tx_reads(tx: &mut dyn Sql) -> Result<(), Error> {
    tx.rows("SELECT 1", &[]).await.map(drop)
}

#[tokio::test]
async fn what_is_vital_goes_past_those_that_wait() {
    let Some(mut place) = place() else { return };
    let holder = place.open().await;
    let (holding, go_on) = hold_there(&holder).await;
    with(&mut place, |options| (options.writers, options.readers) = (1, 1));
    let db = place.open().await;
    let writes = queue(&db, (), |tx, ()| Box::pin(wait_there(tx)));
    until_waiting(&holder, 1).await;
    let reads = tokio::spawn({
        let db = db.clone();
        async move { db.read((), |tx, ()| Box::pin(wait_there(tx))).await }
    });
    until_waiting(&holder, 2).await;
    let waiting = queue(&db, 2, |tx, key| Box::pin(put(tx, *key)));
    crate::kit::until_queued(&db, 1).await;
    put_alone(&db.vital(), 1).await.unwrap();
    assert_eq!(keys(&db.vital()).await, [1]);
    go_on();
    holding.await.unwrap().unwrap();
    writes.await.unwrap().unwrap();
    reads.await.unwrap().unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(keys(&db).await, [1, 2]);
}

#[tokio::test]
async fn a_commit_that_loses_its_connection_is_no_success_and_whoever_remembers_is_told() {
    let Some(place) = place() else { return };
    let (db, told) = place.open_noting().await;
    run(
        &db,
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS \
              'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'",
    )
    .await;
    run(
        &db,
        "CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON play DEFERRABLE INITIALLY DEFERRED FOR EACH ROW \
              WHEN (NEW.k = 13) EXECUTE FUNCTION cut()",
    )
    .await;
    let unknown: Result<(), Error> = db
        .write((), |tx, ()| {
            Box::pin(async move {
                tx.touch(Touched::App(APP));
                put(tx, 13).await
            })
        })
        .await;
    let text = unknown.unwrap_err().to_string();
    assert!(text.contains("not known"), "{text}");
    assert_eq!(*told.lock().unwrap(), [Touched::App(APP)]);
    put_alone(&db, 14).await.unwrap();
    assert_eq!(keys(&db).await, [14]);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let Some(place) = place() else { return };
    let db = place.open().await;
    run(
        &db,
        "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) \
              SELECT 999, 'tomorrow', applied_on, checksum FROM refinery_schema_history WHERE version = 1",
    )
    .await;
    let refused = open(place.postgres.as_ref().unwrap().url.clone()).await.err().unwrap().to_string();
    assert!(refused.contains("schema version 999") && refused.contains("use a newer one"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_the_same_time_migrate_once() {
    let Some(place) = place() else { return };
    let db = place.open().await;
    let name = format!("{}_empty", database(&place));
    let create = text(format!("CREATE DATABASE {name} TEMPLATE template0"));
    db.read(create, |tx, create| Box::pin(async move { tx.exec(create, &[]).await })).await.unwrap();
    let url = format!("{}/{name}", storage::server().unwrap());
    let nodes: Vec<_> = (0..4).map(|_| tokio::spawn(open(url.clone()))).collect();
    for node in nodes {
        let node = node.await.unwrap().unwrap();
        let versions = texts(&node, "SELECT CAST(version AS TEXT) FROM refinery_schema_history ORDER BY version").await;
        assert_eq!(versions.first().map(String::as_str), Some("1"));
        assert_eq!(versions.len(), versions.iter().collect::<std::collections::HashSet<_>>().len());
    }
    let drop_it = text(format!("DROP DATABASE {name} WITH (FORCE)"));
    db.read(drop_it, |tx, drop_it| Box::pin(async move { tx.exec(drop_it, &[]).await })).await.unwrap();
}

#[tokio::test]
async fn a_connection_is_as_secret_as_its_url_says() {
    let Some(place) = place() else { return };
    let url = place.postgres.as_ref().unwrap().url.replace("127.0.0.1", "localhost");
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/../yinxin-hooks/tests/hooks/tls/authority.pem");
    for (parameters, encrypted) in [
        ("sslmode=disable".to_owned(), false),
        ("sslmode=prefer".to_owned(), true),
        ("sslmode=require".to_owned(), true),
        (format!("sslmode=verify-full&sslrootcert={authority}"), true),
    ] {
        let options = storage::few_connections(format!("{url}?{parameters}"));
        assert_eq!(yinxin_store::survey(&options).await.unwrap().encrypted, encrypted, "{parameters}");
    }
    let by_address = place.postgres.as_ref().unwrap().url.clone();
    for refused in
        [format!("{url}?sslmode=verify-full"), format!("{by_address}?sslmode=verify-full&sslrootcert={authority}")]
    {
        let why = open(refused).await.err().unwrap().to_string();
        assert!(why.contains("certificate"), "{why}");
    }
}

#[tokio::test]
async fn a_password_is_asked_for_and_not_repeated() {
    let Some(place) = place() else { return };
    let url = place.postgres.as_ref().unwrap().url.clone();
    let right = yinxin_store::survey(&storage::few_connections(url.replace("yinxin@", "guarded:s3cret%21@"))).await;
    assert!(right.unwrap().place.contains("guarded@"));
    let wrong = open(url.replace("yinxin@", "guarded:wr0ng@")).await.err().unwrap().to_string();
    assert!(wrong.contains("authentication failed") && !wrong.contains("wr0ng"), "{wrong}");
}

#[tokio::test]
async fn the_first_host_that_takes_writes_is_taken() {
    let Some(place) = place() else { return };
    let url = place.postgres.as_ref().unwrap().url.clone();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let db = open(url.replace("yinxin@", &format!("yinxin@{closed},"))).await.unwrap();
    db.close().await;
    run(
        &place.open().await,
        text(format!("ALTER DATABASE {} SET default_transaction_read_only = on", database(&place))),
    )
    .await;
    let refused = open(url).await.err().unwrap().to_string();
    assert!(refused.contains("cannot connect"), "{refused}");
}

#[tokio::test]
async fn values_come_back_as_they_went() {
    let Some(place) = place() else { return };
    let db = place.open().await;
    let mut row = db
        .read((), |tx, ()| {
            Box::pin(async move {
                const SQL: &str = "SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS BYTEA), CAST($4 AS BOOLEAN), \
                                   CAST($5 AS TEXT)";
                let args =
                    [i64::MIN.into(), "字 '; --".into(), [0_u8, 255].as_slice().into(), true.into(), None::<i64>.into()];
                Ok::<_, Error>(tx.rows(SQL, &args).await?.pop())
            })
        })
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.take::<i64>(0).unwrap(), i64::MIN);
    assert_eq!(row.take::<String>(1).unwrap(), "字 '; --");
    assert_eq!(row.take::<Box<[u8]>>(2).unwrap(), [0, 255].into());
    assert!(row.take::<bool>(3).unwrap());
    assert_eq!(row.take::<Option<String>>(4).unwrap(), None);
    let misfit: Result<u64, Error> = db
        .write((), |tx, ()| Box::pin(async move { tx.exec("DELETE FROM play WHERE k = $1", &["s3cret".into()]).await }))
        .await;
    let text = misfit.unwrap_err().to_string();
    assert!(!text.contains("s3cret"), "{text}");
}

async fn hold(place: &Place, tenancy: Tenancy, who: &str, patience: Duration) -> Result<Hold, Refused> {
    Hold::take(place.postgres.as_ref().unwrap(), tenancy, who.to_owned(), patience).await
}

async fn taken(place: &Place, tenancy: Tenancy) -> String {
    hold(place, tenancy, "late", Duration::ZERO).await.err().expect("it is taken").to_string()
}

/// Longer than anybody waits here.
const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_database_is_held_alone_or_by_those_who_share_it() {
    let Some(place) = place() else { return };
    let ann = hold(&place, Tenancy::Alone, "ann", Duration::ZERO).await.unwrap();
    let (other, by_ann) = (Place::postgres(), "the database is in use by ann (127.0.0.1)");
    assert_eq!(
        (taken(&place, Tenancy::Alone).await, taken(&place, Tenancy::Shared).await),
        (by_ann.into(), by_ann.into())
    );
    drop(hold(&other, Tenancy::Alone, "another's", Duration::ZERO).await.unwrap());
    drop(ann);
    let ben = hold(&place, Tenancy::Shared, "ben", LONG).await.unwrap();
    let carl = hold(&place, Tenancy::Shared, "carl", Duration::ZERO).await.unwrap();
    let by_both = "the database is in use by ben (127.0.0.1), carl (127.0.0.1)";
    assert_eq!(taken(&place, Tenancy::Alone).await, by_both);
    drop((ben, carl));
    hold(&place, Tenancy::Alone, "ann", LONG).await.unwrap();
}

#[tokio::test]
async fn a_place_that_is_lost_is_taken_again_unless_somebody_was_quicker() {
    let Some(place) = place() else { return };
    let db = place.open().await;
    let mut ann = hold(&place, Tenancy::Alone, "ann", Duration::ZERO).await.unwrap();
    let ann_s =
        text(format!("FROM pg_stat_activity WHERE datname = '{}' AND application_name = 'ann'", database(&place)));
    let cut = text(format!("SELECT pg_terminate_backend(pid, 10000) {ann_s}"));
    let locks = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND granted \
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    query(&db, cut, Vec::new(), 1).await;
    assert_eq!(numbers(&db, locks).await, [0]);
    tokio::select! {
        lost = ann.lost() => panic!("nobody else has it: {lost}"),
        () = async { while numbers(&db, locks).await != [1] {} } => {}
    }
    query(&db, cut, Vec::new(), 1).await;
    let _ben = hold(&place, Tenancy::Alone, "ben", LONG).await.unwrap();
    assert_eq!(ann.lost().await.to_string(), "the database is in use by ben (127.0.0.1)");
}
