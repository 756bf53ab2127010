//! A full disk: what cannot be kept is refused whole, what was acknowledged stays, and room helps.

use yinxin_store::{Db, Error, Sql};

use crate::kit::{Place, hold, keys, numbers, put, put_alone, queue, run, text, until_queued};

/// The whole schema takes fewer pages than this; the rest is for the rows.
const PAGES: u32 = 200;
const ROW_BYTES: i64 = 10_000;

async fn put_large(tx: &mut dyn Sql, key: i64) -> Result<(), Error> {
    let large = "x".repeat(usize::try_from(ROW_BYTES).unwrap());
    tx.exec("INSERT INTO play (k, v) VALUES ($1, $2)", &[key.into(), (&large).into()]).await?;
    Ok(())
}

/// Adds large rows until one does not fit; gives those that were acknowledged.
async fn fill(db: &Db) -> Vec<i64> {
    let mut kept = Vec::new();
    for key in 1_000.. {
        match db.write(key, |tx, key| Box::pin(put_large(tx, *key))).await {
            Ok(()) => kept.push(key),
            Err(Error::Engine(source)) => {
                assert!(source.to_string().contains("full"), "{source}");
                return kept;
            }
            Err(other) => panic!("{other}"),
        }
    }
    unreachable!("the keys do not end")
}

async fn open_small(place: &mut Place) -> Db {
    place.options.pages_max = Some(PAGES);
    let db = place.open().await;
    run(&db, "CREATE TABLE twin (k BIGINT PRIMARY KEY)").await;
    db
}

#[tokio::test]
async fn a_full_disk_refuses_the_group_whole_and_keeps_what_was_acknowledged() {
    let mut place = Place::embedded();
    let db = open_small(&mut place).await;
    let kept = fill(&db).await;
    let held = hold(&db, 1).await;
    let group: Vec<_> = (2..6)
        .map(|key| {
            queue(&db, key, |tx, key| {
                Box::pin(async move {
                    tx.exec("INSERT INTO twin (k) VALUES ($1)", &[(*key).into()]).await?;
                    put_large(tx, *key).await
                })
            })
        })
        .collect();
    until_queued(&db, 4).await;
    held.go_on();
    for write in group {
        let refused = write.await.unwrap();
        assert!(matches!(refused, Err(Error::Engine(_))), "{refused:?}");
    }
    let first = held.write.await.unwrap();
    assert!(matches!(first, Err(Error::Engine(_))), "its commit is the group's: {first:?}");
    assert_eq!(numbers(&db, "SELECT k FROM twin").await, Vec::<i64>::new(), "no half of a write is kept");
    assert_eq!(keys(&db).await, kept);
    let whole = text(format!("SELECT COUNT(*) FROM play WHERE length(v) = {ROW_BYTES}"));
    assert_eq!(numbers(&db, whole).await, [i64::try_from(kept.len()).unwrap()]);
    assert_eq!(numbers(&db, "SELECT COUNT(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'").await, [0]);
}

#[tokio::test]
async fn deleting_something_makes_room() {
    let mut place = Place::embedded();
    let db = open_small(&mut place).await;
    let kept = fill(&db).await;
    // A few, for what one of them frees need not be what another one takes.
    for gone in &kept[..5] {
        let deleted = db.write(*gone, |tx, key| {
            Box::pin(async move { tx.exec("DELETE FROM play WHERE k = $1", &[(*key).into()]).await })
        });
        deleted.await.unwrap();
    }
    db.write(1, |tx, key| Box::pin(put_large(tx, *key))).await.unwrap();
    assert_eq!(keys(&db).await, [&[1], &kept[5..]].concat());
}

#[tokio::test]
async fn a_larger_disk_makes_room() {
    let mut place = Place::embedded();
    let db = open_small(&mut place).await;
    let kept = fill(&db).await;
    drop(db);
    place.options.pages_max = None;
    let db = place.open().await;
    assert_eq!(keys(&db).await, kept);
    db.write(1, |tx, key| Box::pin(put_large(tx, *key))).await.unwrap();
    assert_eq!(keys(&db).await, [&[1], &kept[..]].concat());
}

#[tokio::test]
async fn a_closure_that_overlooks_the_failure_keeps_nothing() {
    let mut place = Place::embedded();
    let db = open_small(&mut place).await;
    let kept = fill(&db).await;
    let overlooked: Result<(), Error> = db
        .write(2, |tx, key| {
            Box::pin(async move {
                drop(put_large(tx, *key).await);
                drop(put(tx, 3).await);
                tx.exec("INSERT INTO twin (k) VALUES (1)", &[]).await.ok();
                Ok(())
            })
        })
        .await;
    assert!(matches!(overlooked, Err(Error::Engine(_))), "{overlooked:?}");
    assert_eq!(numbers(&db, "SELECT k FROM twin").await, Vec::<i64>::new());
    assert_eq!(keys(&db).await, kept);
    run(&db, "DELETE FROM play").await;
    put_alone(&db, 4).await.unwrap();
    assert_eq!(keys(&db).await, [4]);
}
