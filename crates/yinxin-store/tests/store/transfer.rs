//! Everything from the embedded engine to PostgreSQL and back. Needs the tests' PostgreSQL, which `./test` brings; without
//! it these tests see nothing.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use yinxin_store::tables::garbage;
use yinxin_store::transfer::{Broken, Carried, Step, transfer};
use yinxin_store::{AppId, Db, ObjectId, Options};
use yinxin_testkit::storage;

use crate::deletion::add_app;
use crate::kit::{Place, numbers, run, text};
use crate::schemas::tables_on;

/// More than a page, in a table whose key has several columns, some of them bytes.
const INBOX: i64 = 1234;
/// What is true only of running servers stays behind, and who has migrated what.
const NOT_CARRIED: [&str; 8] = [
    "leases",
    "made_calls",
    "nodes",
    "password_failures",
    "refinery_schema_history",
    "room_endings",
    "session_endings",
    "sessions",
];

async fn open(place: &Place) -> Db {
    let options = place.postgres.clone().map_or_else(|| Options::Sqlite(place.options.clone()), Options::Postgres);
    Db::open(&options, |_| {}).await.unwrap()
}

/// A server's keys, an app's user with all kinds of values, and many messages.
async fn fill(db: &Db, whose: u8) {
    let app = format!("x'{}'", "0a".repeat(16));
    run(
        db,
        text(format!(
            "INSERT INTO server_keys (kind, key_id, sealed, created_ms) VALUES ('token', 1, x'{whose:02x}', 5)"
        )),
    )
    .await;
    let message = |message: i64| {
        let user = if message % 3 == 0 { "ff" } else { "7f" }.repeat(16);
        let (queue, is_counted) = (message % 7, message % 2 == 0);
        format!("({app}, x'{user}', '用户_{queue}', {message}, 'é', '', 1, {is_counted}, x'00ff', -1)")
    };
    let messages = (0..INBOX).map(message).collect::<Vec<_>>().join(", ");
    let columns = "app_id, user_id, queue, message_id, sender, origin, kind, counted, payload, sent_ms";
    run(db, text(format!("INSERT INTO inbox ({columns}) VALUES {messages}"))).await;
}

/// A row, at least, in every table that is carried, and in some that are not.
async fn fill_everything(db: &Db) {
    fill(db, 1).await;
    run(db, "INSERT INTO going_apps (app_id, since_ms) VALUES (x'0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b', 1)").await;
    db.write((), |tx, ()| {
        Box::pin(async move {
            garbage::add(tx, ObjectId([7; 16])).await?;
            add_app(tx, AppId([0xA1; 16]), "first").await
        })
    })
    .await
    .unwrap();
}

async fn carry(from: &Db, to: &Db) -> Result<Vec<Carried>, Broken> {
    transfer(from, to, &mut |_| {}).await
}

fn rows(carried: &[Carried], table: &str) -> u64 {
    carried.iter().find(|carried| carried.table == table).unwrap().rows
}

#[tokio::test]
async fn everything_comes_over_and_back_again() {
    if storage::server().is_none() {
        return;
    }
    let (first, middle, last) = (Place::embedded(), Place::postgres(), Place::embedded());
    let (first, middle, last) = (open(&first).await, open(&middle).await, open(&last).await);
    fill_everything(&first).await;
    let told = AtomicU64::new(0);
    let there = transfer(&first, &middle, &mut |step| {
        if let Step::Carried(_, rows) = step {
            told.fetch_add(rows, Ordering::Relaxed);
        }
    })
    .await
    .unwrap();
    let (carried, left): (BTreeSet<_>, BTreeSet<_>) =
        tables_on(&first, false).await.into_iter().partition(|table| !NOT_CARRIED.contains(&&**table));
    assert_eq!(left.len(), NOT_CARRIED.len());
    assert_eq!(there.iter().map(|one| one.table.clone()).collect::<BTreeSet<_>>(), carried);
    let empty: Vec<_> = there.iter().filter(|one| one.rows == 0).collect();
    assert!(empty.is_empty(), "this test adds no row to {empty:?}");
    assert!(rows(&there, "inbox") > INBOX.unsigned_abs());
    assert_eq!(told.load(Ordering::Relaxed), there.iter().map(|one| one.rows).sum::<u64>());
    assert_eq!(numbers(&first, "SELECT COUNT(*) FROM sessions").await, [3]);
    assert_eq!(numbers(&middle, "SELECT COUNT(*) FROM sessions").await, [0]);
    let back = carry(&middle, &last).await.unwrap();
    assert_eq!(there, back, "the same sums on the way back");
}

#[tokio::test]
async fn an_interrupted_one_is_gone_on_with_and_what_is_foreign_is_refused() {
    if storage::server().is_none() {
        return;
    }
    let (from, to) = (Place::embedded(), Place::postgres());
    let (from, to) = (open(&from).await, open(&to).await);
    fill(&from, 1).await;
    carry(&from, &to).await.unwrap();
    // As if it had ended after some pages of a table.
    run(&to, "DELETE FROM inbox WHERE user_id = '\\xffffffffffffffffffffffffffffffff'").await;
    carry(&from, &to).await.unwrap();
    assert_eq!(numbers(&to, "SELECT COUNT(*) FROM inbox").await, [INBOX]);
    // What differs although it is as long is noticed.
    run(&to, "UPDATE inbox SET sent_ms = -2 WHERE message_id = 77").await;
    let differs = carry(&from, &to).await.unwrap_err();
    assert!(
        matches!(&differs, Broken::Differs { table, sent, found } if table == "inbox" && sent == found),
        "{differs}"
    );

    let other = Place::embedded();
    let other = open(&other).await;
    fill(&other, 2).await;
    assert!(matches!(carry(&other, &to).await, Err(Broken::Foreign)));
    let keyless = Place::postgres();
    let keyless = open(&keyless).await;
    run(&keyless, "INSERT INTO going_apps (app_id, since_ms) VALUES ('\\x0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a', 1)").await;
    assert!(matches!(carry(&from, &keyless).await, Err(Broken::Foreign)));
    assert!(matches!(carry(&to, &keyless).await, Err(Broken::NoEmbedded)));
}
