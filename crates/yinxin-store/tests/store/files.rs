//! Database files: new ones, those of an earlier start, and those that are not ours to open.

use std::fs;

use yinxin_store::{Db, Error, SqliteOptions};

use crate::kit::{Place, keys, put_alone, run, texts};

fn refusal(options: &SqliteOptions) -> String {
    let error = Db::open_sqlite(options, |_| {}).err().expect("the file is refused");
    assert!(matches!(error, Error::Engine(_)), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn a_second_start_changes_nothing() {
    const SCHEMA: &str = "SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name";
    const HISTORY: &str = "SELECT version || name || applied_on || checksum FROM refinery_schema_history";
    let place = Place::embedded();
    let db = place.open().await;
    put_alone(&db, 1).await.unwrap();
    let before = (texts(&db, SCHEMA).await, texts(&db, HISTORY).await);
    drop(db);
    let db = place.open().await;
    assert_eq!((texts(&db, SCHEMA).await, texts(&db, HISTORY).await), before);
    assert_eq!(keys(&db).await, [1]);
    let copies = fs::read_dir(place.path().parent().unwrap()).unwrap();
    let copies = copies.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("before"));
    assert_eq!(copies.count(), 0);
}

#[test]
fn what_is_no_database_is_refused_and_left_as_it_is() {
    let place = Place::embedded();
    let letter = "Dear Sir or Madam, ".repeat(1000);
    fs::write(place.path(), &letter).unwrap();
    let text = refusal(&place.options);
    assert!(text.contains("not a database"), "{text}");
    assert_eq!(fs::read_to_string(place.path()).unwrap(), letter);
}

#[tokio::test]
async fn a_damaged_file_is_refused() {
    let place = Place::embedded();
    let db = place.open().await;
    db.close().await;
    let mut bytes = fs::read(place.path()).unwrap();
    for suffix in ["-wal", "-shm"] {
        let mut side = place.path().clone().into_os_string();
        side.push(suffix);
        drop(fs::remove_file(side));
    }
    // The first page's header stays; the list of tables behind it does not.
    bytes[100..4096].fill(0xAA);
    fs::write(place.path(), bytes).unwrap();
    let text = refusal(&place.options);
    assert!(text.contains("malformed"), "{text}");
}

#[test]
fn a_folder_that_is_not_there_is_said_so() {
    let place = Place::embedded();
    let options = SqliteOptions::at(place.path().with_file_name("missing").join("yinxin.db"));
    let text = refusal(&options);
    assert!(text.contains("unable to open"), "{text}");
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let place = Place::embedded();
    let db = place.open().await;
    run(
        &db,
        "INSERT INTO refinery_schema_history SELECT 99, 'later', applied_on, checksum FROM refinery_schema_history \
         WHERE version = 1",
    )
    .await;
    drop(db);
    let text = refusal(&place.options);
    assert!(text.contains("schema version 99"), "{text}");
}

#[tokio::test]
async fn a_file_whose_history_was_edited_is_refused() {
    let place = Place::embedded();
    let db = place.open().await;
    run(&db, "UPDATE refinery_schema_history SET checksum = '1'").await;
    drop(db);
    refusal(&place.options);
}
