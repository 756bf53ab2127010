//! The writer: group commit, faults of one closure, a full queue, callers that go away, closing.

use std::future::pending;

use yinxin_store::{Db, Error};

use crate::kit::{Fault, Place, hold, keys, put, put_alone, queue, until_queued};

#[tokio::test]
async fn writes_that_wait_share_a_commit() {
    let place = Place::embedded();
    let db = place.open().await;
    let before = db.writer_gauge().commits;
    let held = hold(&db, 0).await;
    let writes: Vec<_> = (1..=100).map(|key| queue(&db, key, |tx, key| Box::pin(put(tx, *key)))).collect();
    until_queued(&db, 100).await;
    held.go_on();
    for write in writes {
        write.await.unwrap().unwrap();
    }
    let gauge = db.writer_gauge();
    assert_eq!((gauge.commits - before, gauge.last_group, gauge.queued), (1, 101, 0));
    assert_eq!(keys(&db).await, (0..=100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_commit_takes_no_more_writes_than_its_bound() {
    let mut place = Place::embedded();
    place.options.group = 10;
    let db = place.open().await;
    let before = db.writer_gauge().commits;
    let held = hold(&db, 0).await;
    let writes: Vec<_> = (1..25).map(|key| queue(&db, key, |tx, key| Box::pin(put(tx, *key)))).collect();
    until_queued(&db, 24).await;
    held.go_on();
    for write in writes {
        write.await.unwrap().unwrap();
    }
    assert_eq!(db.writer_gauge().commits - before, 3);
    assert_eq!(keys(&db).await.len(), 25);
}

/// What one of many writes in a group does after it has added a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Deed {
    Succeed,
    AddAgain,
    Fail,
    Await,
    Panic,
    Nonsense,
}

pub const DEEDS: [Deed; 6] = [Deed::Succeed, Deed::AddAgain, Deed::Fail, Deed::Await, Deed::Panic, Deed::Nonsense];

pub async fn act(db: &Db, key: i64, deed: Deed) -> Result<i64, Fault> {
    db.write((key, deed), |tx, (key, deed)| {
        Box::pin(async move {
            put(tx, *key).await?;
            match deed {
                Deed::Succeed => {}
                Deed::AddAgain => put(tx, *key).await?,
                Deed::Fail => return Err(Fault::Own),
                Deed::Await => pending().await,
                Deed::Panic => panic!("a closure of a test panics"),
                Deed::Nonsense => drop(tx.exec("UPDATE no_such_table SET k = 1", &[]).await?),
            }
            Ok(*key)
        })
    })
    .await
}

#[tokio::test]
async fn each_write_of_a_group_is_answered_on_its_own() {
    let place = Place::embedded();
    let db = place.open().await;
    let before = db.writer_gauge().commits;
    let held = hold(&db, -1).await;
    let deeds: Vec<_> = (0..60).map(|key| (key, DEEDS[usize::try_from(key).unwrap() % DEEDS.len()])).collect();
    let writes: Vec<_> = deeds
        .iter()
        .map(|&(key, deed)| {
            let db = db.clone();
            tokio::spawn(async move { act(&db, key, deed).await })
        })
        .collect();
    until_queued(&db, deeds.len()).await;
    held.go_on();
    for (&(key, deed), write) in deeds.iter().zip(writes) {
        let answer = write.await.unwrap();
        let expected = match deed {
            Deed::Succeed => matches!(answer, Ok(number) if number == key),
            Deed::AddAgain | Deed::Nonsense => matches!(answer, Err(Fault::Store(Error::Engine(_)))),
            Deed::Fail => matches!(answer, Err(Fault::Own)),
            Deed::Await => matches!(answer, Err(Fault::Store(Error::Awaited))),
            Deed::Panic => matches!(answer, Err(Fault::Store(Error::Panicked))),
        };
        assert!(expected, "{deed:?}: {answer:?}");
    }
    assert_eq!(db.writer_gauge().commits - before, 1);
    let kept = deeds.iter().filter(|(_, deed)| *deed == Deed::Succeed).map(|(key, _)| *key);
    assert_eq!(keys(&db).await, [-1].into_iter().chain(kept).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_fault_alone_in_its_group_leaves_the_writer_working() {
    let place = Place::embedded();
    let db = place.open().await;
    for (key, deed) in (0..).zip(DEEDS) {
        assert_eq!(act(&db, key, deed).await.is_ok(), deed == Deed::Succeed, "{deed:?}");
        act(&db, 100 + key, Deed::Succeed).await.unwrap();
    }
    assert_eq!(keys(&db).await, [0, 100, 101, 102, 103, 104, 105]);
}

#[tokio::test]
async fn a_read_may_await_nothing_else_and_write_nothing() {
    let place = Place::embedded();
    let db = place.open().await;
    let awaited: Result<(), Error> = db.read((), |_, ()| Box::pin(pending())).await;
    assert!(matches!(awaited, Err(Error::Awaited)), "{awaited:?}");
    // More often than there are connections: none of them stays behind.
    for key in 0..10 {
        let written = db.read(key, |tx, key| Box::pin(put(tx, *key))).await;
        assert!(matches!(written, Err(Error::Engine(_))), "{written:?}");
    }
    assert_eq!(keys(&db).await, Vec::<i64>::new());
}

#[tokio::test]
async fn a_full_queue_answers_busy() {
    let mut place = Place::embedded();
    place.options.queue = 2;
    let db = place.open().await;
    let held = hold(&db, 0).await;
    let writes: Vec<_> = (1..=2).map(|key| queue(&db, key, |tx, key| Box::pin(put(tx, *key)))).collect();
    until_queued(&db, 2).await;
    let busy = put_alone(&db, 3).await;
    assert!(matches!(busy, Err(Error::Busy(_))), "{busy:?}");
    held.go_on();
    for write in writes {
        write.await.unwrap().unwrap();
    }
    put_alone(&db, 4).await.unwrap();
    assert_eq!(keys(&db).await, [0, 1, 2, 4]);
}

#[tokio::test]
async fn a_caller_that_goes_away_before_its_write_begins_takes_it_along() {
    let place = Place::embedded();
    let db = place.open().await;
    let held = hold(&db, 0).await;
    let gone = queue(&db, 1, |tx, key| Box::pin(put(tx, *key)));
    until_queued(&db, 1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    held.go_on();
    put_alone(&db, 2).await.unwrap();
    assert_eq!(keys(&db).await, [0, 2]);
}

#[tokio::test]
async fn a_write_that_has_begun_is_finished_without_its_caller() {
    let place = Place::embedded();
    let db = place.open().await;
    let held = hold(&db, 0).await;
    held.write.abort();
    held.go_on();
    assert!(held.write.await.unwrap_err().is_cancelled());
    put_alone(&db, 1).await.unwrap();
    assert_eq!(keys(&db).await, [0, 1]);
}

#[tokio::test]
async fn closing_finishes_what_is_queued_and_refuses_the_rest() {
    let place = Place::embedded();
    let db = place.open().await;
    let held = hold(&db, 0).await;
    let writes: Vec<_> = (1..=3).map(|key| queue(&db, key, |tx, key| Box::pin(put(tx, *key)))).collect();
    until_queued(&db, 3).await;
    let closing = tokio::spawn({
        let db = db.clone();
        async move { db.close().await }
    });
    until_queued(&db, 4).await;
    held.go_on();
    for write in writes {
        write.await.unwrap().unwrap();
    }
    closing.await.unwrap();
    let late = put_alone(&db, 4).await;
    assert!(matches!(late, Err(Error::Closed)), "{late:?}");
    assert_eq!(keys(&db).await, [0, 1, 2, 3], "reads still answer");
    drop(db);
    assert_eq!(keys(&place.open().await).await, [0, 1, 2, 3]);
}

#[tokio::test]
async fn closing_twice_is_closing_once() {
    let place = Place::embedded();
    let db = place.open().await;
    for _ in 0..2 {
        db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reads_see_every_acknowledged_write() {
    let place = Place::embedded();
    let db = place.open().await;
    let writers = (0..4).map(|writer| {
        let db = db.clone();
        tokio::spawn(async move {
            for round in 0..200 {
                let key = writer * 1000 + round;
                put_alone(&db, key).await.unwrap();
                let seen = db.read(key, |tx, key| {
                    Box::pin(async move { tx.rows("SELECT v FROM play WHERE k = $1", &[(*key).into()]).await })
                });
                assert_eq!(seen.await.unwrap().len(), 1, "row {key}");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(keys(&db).await.len(), 800);
}

#[tokio::test]
async fn arguments_are_numbered_and_columns_are_read_as_what_they_are() {
    let place = Place::embedded();
    let db = place.open().await;
    let mut row = db
        .read(7_i64, |tx, key| {
            Box::pin(async move {
                let found = tx.rows("SELECT $2, $1, $2, NULL", &["text".into(), (*key).into()]).await?;
                Ok::<_, Error>(found.into_iter().next())
            })
        })
        .await
        .unwrap()
        .unwrap();
    assert_eq!((row.take::<i64>(0).unwrap(), row.take::<String>(1).unwrap()), (7, "text".to_owned()));
    let wrong = row.take::<String>(2).unwrap_err().to_string();
    assert_eq!(wrong, "column 2 holds an integer, expected a text");
    assert_eq!(row.take::<Option<i64>>(3).unwrap(), None);
    assert!(row.take::<i64>(9).is_err(), "a column that is not there");
}
