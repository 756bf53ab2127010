//! Hints of what a write touched: told after the commit, before the answer, and never for what was undone.

use std::sync::{Arc, Mutex};

use yinxin_store::{AppId, Db, Sql, Touched, UserId};

use crate::kit::{Fault, Place, hold, keys, put, queue, until_queued};

fn user(number: u8) -> Touched {
    Touched::User(AppId([1; 16]), UserId([number; 16]))
}

async fn touch(tx: &mut dyn Sql, key: u8) -> Result<(), Fault> {
    tx.touch(user(key));
    Ok(put(tx, i64::from(key)).await?)
}

#[tokio::test]
async fn a_hint_is_told_after_the_commit_and_before_the_answer() {
    let place = Place::embedded();
    // A second handle on the same file sees only what is committed.
    let other = place.open().await;
    let seen: Arc<Mutex<Vec<usize>>> = Arc::default();
    let list = Arc::clone(&seen);
    let runtime = tokio::runtime::Handle::current();
    let db = place
        .open_telling(move |touched| {
            if !touched.is_empty() {
                list.lock().unwrap().push(runtime.block_on(keys(&other)).len());
            }
        })
        .await;
    for key in 1..=3 {
        db.write(key, |tx, key| Box::pin(touch(tx, *key))).await.unwrap();
        assert_eq!(*seen.lock().unwrap(), (1..=usize::from(key)).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn hints_of_a_write_that_is_undone_are_forgotten() {
    let place = Place::embedded();
    let (db, told) = place.open_noting().await;
    let held = hold(&db, 0).await;
    let before = queue(&db, 1, |tx, key| Box::pin(touch(tx, *key)));
    let undone = [
        queue(&db, 2, |tx, key| {
            Box::pin(async move {
                touch(tx, *key).await?;
                Err::<(), _>(Fault::Own)
            })
        }),
        queue(&db, 3, |tx, key| {
            Box::pin(async move {
                touch(tx, *key).await?;
                panic!("a closure of a test panics")
            })
        }),
    ];
    let after = queue(&db, 4, |tx, key| Box::pin(touch(tx, *key)));
    until_queued(&db, 4).await;
    held.go_on();
    for write in [before, after] {
        write.await.unwrap().unwrap();
    }
    for write in undone {
        write.await.unwrap().unwrap_err();
    }
    assert_eq!(*told.lock().unwrap(), [user(1), user(4)]);
}

async fn forgotten(db: &Db, held: crate::kit::Held, abandoned: tokio::task::JoinHandle<Result<(), Fault>>) {
    until_queued(db, 1).await;
    abandoned.abort();
    assert!(abandoned.await.unwrap_err().is_cancelled());
    held.go_on();
    held.write.await.unwrap().unwrap();
}

#[tokio::test]
async fn hints_are_told_when_the_caller_goes_away_after_the_write_began() {
    let place = Place::embedded();
    let (db, told) = place.open_noting().await;
    // Not begun: no hint, for nothing has changed.
    let held = hold(&db, 0).await;
    let abandoned = queue(&db, 1, |tx, key| Box::pin(touch(tx, *key)));
    forgotten(&db, held, abandoned).await;
    assert_eq!(*told.lock().unwrap(), []);
    // Begun, and its caller gone before the commit: the hint is told all the same.
    let (entered, mut has_entered) = tokio::sync::mpsc::unbounded_channel();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let begun = queue(&db, (entered, Mutex::new(wait)), |tx, (entered, wait)| {
        Box::pin(async move {
            touch(tx, 2).await?;
            entered.send(()).unwrap();
            let _ended = wait.lock().unwrap().recv();
            Ok::<_, Fault>(())
        })
    });
    has_entered.recv().await.unwrap();
    begun.abort();
    assert!(begun.await.unwrap_err().is_cancelled());
    drop(go_on);
    db.write(3, |tx, key| Box::pin(touch(tx, *key))).await.unwrap();
    assert_eq!(*told.lock().unwrap(), [user(2), user(3)]);
}
