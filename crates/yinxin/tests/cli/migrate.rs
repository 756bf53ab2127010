//! `yinxin migrate-store`, there and back. What needs the tests' PostgreSQL sees nothing without it; `./test` brings it.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;
use yinxin_testkit::storage;

use crate::process::{Running, run, run_on};

#[test]
fn a_server_goes_to_postgresql_and_comes_back() {
    // Once is enough: it is about both engines.
    if storage::server().is_none() || storage::on_postgres() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let (old, new) = (root.path().join("old"), root.path().join("new"));
    let server = Running::start(&old, &["--no-demo"], &[]);
    run_on(&old, &["app", "create", "acme/chat", "--json"]).json();
    run_on(&old, &["user", "create", "acme/chat", "ann", "--password", "pw", "--json"]).json();
    let app = run_on(&old, &["app", "show", "acme/chat", "--secrets", "--json"]).json();
    let old_place = format!("sqlite:{}", old.display());
    let url = root.path().join("url");
    fs::write(&url, storage::database_for(&root.path().join("store"))).unwrap();
    let there = format!("postgres:@{}", url.display());
    let busy = run(&["migrate-store", "--from", &old_place, "--to", &there]);
    assert!(busy.failed(4).contains("another server"));
    server.end(Signal::TERM);

    let carried = run(&["migrate-store", "--from", &old_place, "--to", &there, "--json"]).json();
    let rows = |carried: &Value, table: &str| {
        let tables = carried["tables"].as_array().unwrap();
        tables.iter().find(|row| row["table"] == table).unwrap()["rows"].as_u64()
    };
    assert_eq!((rows(&carried, "apps"), rows(&carried, "users")), (Some(1), Some(1)));
    let new_place = format!("sqlite:{}", new.display());
    let back = run(&["migrate-store", "--from", &there, "--to", &new_place, "--json"]).json();
    assert_eq!(carried, back);

    fs::copy(old.join("master.key"), new.join("master.key")).unwrap();
    let server = Running::start(&new, &["--no-demo"], &[]);
    assert_eq!(run_on(&new, &["app", "show", "acme/chat", "--secrets", "--json"]).json(), app);
    server.end(Signal::TERM);
}

#[test]
fn places_are_checked_before_anything_is_made() {
    let root = tempfile::tempdir().unwrap();
    let folder = format!("sqlite:{}", root.path().join("none").display());
    let other = format!("sqlite:{}", root.path().join("other").display());
    assert!(run(&["migrate-store", "--from", &folder, "--to", &other]).failed(2).contains("must be a PostgreSQL"));
    let url = "postgres://u:s3cret@127.0.0.1:1/d";
    assert!(run(&["migrate-store", "--from", &folder, "--to", url]).failed(3).contains("there is no"));
    assert!(!root.path().join("none").exists());
    let refused = run(&["migrate-store", "--from", "mysql:x", "--to", url]);
    assert!(refused.failed(2).contains("sqlite:FOLDER"));
    let unreachable = run(&["migrate-store", "--from", url, "--to", &folder]);
    assert!(!unreachable.failed(1).contains("s3cret"));
}
