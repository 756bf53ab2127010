//! The schema's rules, read from a migrated file: it can be distributed by user, ids have their length, nothing of one
//! engine only.

use yinxin_store::Db;
use yinxin_testkit::storage;

use crate::kit::{Place, numbers, text, texts};
use crate::schemas;

/// Tables of the server itself and of the migrations: they belong to no app.
const SERVERS_OWN: [&str; 6] =
    ["refinery_schema_history", "server_keys", "file_garbage", "nodes", "leases", "session_endings"];
/// Found by name, not by user: the one table that is distributed by what it makes unique.
const BY_NAME: &str = "handles";

async fn tables(db: &Db) -> Vec<String> {
    let mut names = texts(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'play'").await;
    names.retain(|name| !SERVERS_OWN.contains(&name.as_str()));
    assert!(names.len() > 10, "{names:?}");
    names
}

async fn columns(db: &Db, table: &str) -> Vec<String> {
    texts(db, text(format!("SELECT name FROM pragma_table_info('{table}')"))).await
}

async fn primary_key(db: &Db, table: &str) -> Vec<String> {
    texts(db, text(format!("SELECT name FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk"))).await
}

#[tokio::test]
async fn every_table_is_keyed_by_its_owner() {
    let db = Place::embedded().open().await;
    for table in tables(&db).await {
        let key = primary_key(&db, &table).await;
        assert_eq!(key.first().map(String::as_str), Some("app_id"), "{table}");
        if columns(&db, &table).await.contains(&"user_id".to_owned()) && table != BY_NAME {
            assert_eq!(key.get(1).map(String::as_str), Some("user_id"), "{table}");
        }
    }
}

#[tokio::test]
async fn every_id_has_its_length_checked() {
    let db = Place::embedded().open().await;
    let mut checked = 0;
    for table in tables(&db).await {
        let sql = texts(&db, text(format!("SELECT sql FROM sqlite_schema WHERE name = '{table}'"))).await.remove(0);
        let ids = format!("SELECT name FROM pragma_table_info('{table}') WHERE type = 'BYTEA'");
        for id in texts(&db, text(ids)).await.iter().filter(|name| name.ends_with("_id")) {
            assert!(sql.contains(&format!("{id} BYTEA NOT NULL CHECK (length({id}) = 16)")), "{table}.{id}");
            checked += 1;
        }
    }
    assert!(checked > 20, "{checked}");
    let short = db
        .write((), |tx, ()| {
            Box::pin(async move {
                let sql = "INSERT INTO handles (app_id, kind, handle, user_id) VALUES ($1, 'k', 'h', $2)";
                tx.exec(sql, &[[1_u8; 16].as_slice().into(), [1_u8; 15].as_slice().into()]).await
            })
        })
        .await;
    assert!(short.unwrap_err().to_string().contains("CHECK"));
}

#[tokio::test]
async fn only_portable_types_are_used_and_only_what_may_be_absent_is_nullable() {
    let db = Place::embedded().open().await;
    for table in tables(&db).await {
        for kind in texts(&db, text(format!("SELECT type FROM pragma_table_info('{table}')"))).await {
            assert!(["BYTEA", "TEXT", "BIGINT", "BOOLEAN"].contains(&kind.as_str()), "{table}: {kind}");
        }
        let nullable_keys =
            format!("SELECT COUNT(*) FROM pragma_table_info('{table}') WHERE pk > 0 AND \"notnull\" = 0");
        assert_eq!(numbers(&db, text(nullable_keys)).await, [0], "{table}");
    }
}

#[tokio::test]
async fn nothing_refers_across_users() {
    let db = Place::embedded().open().await;
    for table in tables(&db).await {
        let references = format!("SELECT COUNT(*) FROM pragma_foreign_key_list('{table}')");
        assert_eq!(numbers(&db, text(references)).await, [0], "{table} has a foreign key");
        let owned = columns(&db, &table).await.contains(&"user_id".to_owned());
        let indexes = format!("SELECT name FROM pragma_index_list('{table}') WHERE \"unique\" AND origin <> 'pk'");
        for index in texts(&db, text(indexes)).await {
            assert!(!owned, "{index} is a unique constraint over the rows of several users");
        }
    }
}

#[tokio::test]
async fn every_index_begins_with_the_app() {
    // The directory of apps is read by name before there is an app.
    const DIRECTORY: [&str; 3] = ["apps_by_name", "apps_by_signing_key", "apps_by_short_id"];
    // Nodes are the server's own, and what one has is looked for by the node, once it is dead: of whichever app.
    const BY_NODE: [&str; 4] = ["nodes_by_number", "sessions_by_node", "hook_sessions_by_node", "rooms_by_node"];
    let db = Place::embedded().open().await;
    let indexes = texts(&db, "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").await;
    assert!(indexes.len() > 5);
    let is_excused = |name: &str| DIRECTORY.contains(&name) || BY_NODE.contains(&name);
    for index in indexes.iter().filter(|name| !is_excused(name)) {
        let first = texts(&db, text(format!("SELECT name FROM pragma_index_info('{index}') ORDER BY seqno"))).await;
        assert_eq!(first[0], "app_id", "{index}");
    }
}

/// Needs the tests' PostgreSQL, which `./test` brings.
#[tokio::test]
async fn both_engines_have_the_same_schema() {
    if storage::server().is_none() {
        return;
    }
    let embedded = schemas::whole(&Place::embedded().open().await, false).await;
    let served = schemas::whole(&Place::postgres().open().await, true).await;
    assert!(embedded.len() > 30, "{}", embedded.len());
    for (ours, theirs) in embedded.iter().zip(&served) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(embedded.len(), served.len());
}
