//! kill -9 of the database server under load: what was acknowledged is there, and the pools find the server again. It is
//! a server of this test's own, one that waits for its disk.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use tempfile::TempDir;
use yinxin_store::{Db, Error, Options, PostgresOptions};
use yinxin_testkit::storage;

use crate::kit::{keys, put_alone, run};

const ROUNDS: usize = 3;
const WRITERS: i64 = 8;
/// Acknowledged writes of a round before the server is killed.
const WRITES: i64 = 200;

struct Server {
    folder: TempDir,
}

impl Server {
    fn tool(&self, verb: &str, settings: &[&str]) -> String {
        let tool = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tools/postgres");
        let done = Command::new(tool).arg(verb).arg(self.folder.path()).args(settings).output().unwrap();
        assert!(done.status.success(), "{verb}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tool("stop", &[]);
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
            Err(Error::Engine(_) | Error::Busy(_)) if cut.load(Ordering::SeqCst) => return kept,
            Err(other) => panic!("the server was not killed yet: {other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_the_server() {
    if storage::server().is_none() {
        return;
    }
    let server = Server { folder: TempDir::new().unwrap() };
    let url = server.tool("start", &["fsync=on", "full_page_writes=on"]);
    let db = Db::open(&Options::Postgres(PostgresOptions::at(format!("{url}/postgres"))), |_| {}).await.unwrap();
    run(&db, "CREATE TABLE play (k BIGINT NOT NULL PRIMARY KEY, v TEXT)").await;
    let (next, mut acknowledged) = (Arc::new(AtomicI64::new(0)), Vec::new());
    for round in 0..ROUNDS {
        let (count, cut) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| tokio::spawn(write_until_cut(db.clone(), next.clone(), count.clone(), cut.clone())))
            .collect();
        while count.load(Ordering::SeqCst) < WRITES {
            tokio::task::yield_now().await;
        }
        cut.store(true, Ordering::SeqCst);
        server.tool("crash", &[]);
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        server.tool("start", &[]);
        let kept = keys(&db).await;
        let lost: Vec<_> = acknowledged.iter().filter(|key| kept.binary_search(key).is_err()).collect();
        assert!(lost.is_empty(), "round {round}: {lost:?} were acknowledged and are gone");
        let unknown = i64::try_from(kept.len() - acknowledged.len()).unwrap();
        assert!(unknown <= WRITERS, "round {round}: {unknown} writes are there that nobody was told of");
        acknowledged = kept;
    }
}
