//! `yinxin migrate-store`, there and back. What needs the tests' PostgreSQL sees nothing without it; `./test` brings it.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;
use yinxin_core::{Database, Db, Error};
use yinxin_testkit::{ground, storage};

use crate::process::{Running, call, command, run, run_on};

/// As many as keep it busy until somebody has looked.
const USERS: usize = 20_000;
/// Of one import.
const TOGETHER: usize = 5000;

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
    assert_eq!((rows(&carried, "apps"), rows(&carried, "users")), (Some(1), Some(1)));
    let new_place = format!("sqlite:{}", new.display());
    let back = run(&["migrate-store", "--from", &there, "--to", &new_place, "--json"]).json();
    assert_eq!(carried, back);

    fs::copy(old.join("master.key"), new.join("master.key")).unwrap();
    let server = Running::start(&new, &["--no-demo"], &[]);
    assert_eq!(run_on(&new, &["app", "show", "acme/chat", "--secrets", "--json"]).json(), app);
    server.end(Signal::TERM);
}

fn rows(carried: &Value, table: &str) -> Option<u64> {
    let tables = carried["tables"].as_array().unwrap();
    tables.iter().find(|row| row["table"] == table).unwrap()["rows"].as_u64()
}

/// A server's folder with many users.
fn fill(data: &Path) {
    let server = Running::start(data, &["--no-demo"], &[]);
    run_on(data, &["app", "create", "acme/chat", "--json"]).json();
    let bearer = format!("Bearer {}", fs::read_to_string(data.join("admin.key")).unwrap().trim());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let import = format!("{}/admin/v1/apps/acme/chat/users/import", server.url);
    for first in (0..USERS).step_by(TOGETHER) {
        let line = |number| format!("{{\"username\":\"user{number}\"}}\n");
        let (status, said) = call("POST", &import, &headers, &(first..first + TOGETHER).map(line).collect::<String>());
        assert_eq!(status, 200, "{said}");
    }
    server.end(Signal::TERM);
}

/// What somebody sees who looks into the database that is filled.
struct Onlooker {
    runtime: tokio::runtime::Runtime,
    db: Db,
}

impl Onlooker {
    fn at(url: &str) -> Self {
        let runtime = ground::runtime();
        let options = Database::Postgres(storage::few_connections(url.to_owned()));
        let db = runtime.block_on(Db::open(&options, |_| {})).expect("the database opens");
        Self { runtime, db }
    }

    fn count(&self, sql: &'static str) -> i64 {
        let counted = self.db.read(sql, |tx, sql| {
            Box::pin(async move { Ok::<i64, Error>(tx.rows(sql, &[]).await?.remove(0).take(0)?) })
        });
        self.runtime.block_on(counted).unwrap()
    }

    fn names(&self) -> i64 {
        self.count("SELECT COUNT(*) FROM handles")
    }

    fn users(&self) -> i64 {
        self.count("SELECT COUNT(*) FROM users")
    }
}

#[test]
fn one_that_was_killed_is_gone_on_with() {
    if storage::server().is_none() || storage::on_postgres() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let old = root.path().join("old");
    fill(&old);
    let (place, url) = (format!("sqlite:{}", old.display()), storage::database_for(&root.path().join("store")));
    let migrate = ["migrate-store", "--from", &place, "--to", &url, "--json"];
    let onlooker = Onlooker::at(&url);
    let mut child = command(&migrate).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while onlooker.names() == 0 {
        assert_eq!(child.try_wait().unwrap(), None, "it ends before anybody has seen it at work");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let all = i64::try_from(USERS).unwrap();
    assert!(onlooker.users() < all, "it was done when it was killed: the test is blind");
    let carried = run(&migrate).json();
    assert_eq!((&carried["equal"], rows(&carried, "users")), (&Value::Bool(true), Some(USERS as u64)));
    assert_eq!((onlooker.users(), onlooker.names()), (all, all));
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
