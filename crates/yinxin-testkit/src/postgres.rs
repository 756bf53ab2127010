//! A PostgreSQL of a test's own, which it may kill, freeze, or let another take the place of: the others' server stays.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// One server; ended and removed when it is dropped.
pub struct Postgres {
    folder: TempDir,
    url: String,
}

impl Postgres {
    /// A new one, set so that a crash loses nothing.
    pub fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let url = run("start", folder.path(), &["fsync=on".as_ref(), "full_page_writes=on".as_ref()]);
        Self { folder, url }
    }

    /// A standby: from now on this server acknowledges nothing that the standby has not got.
    #[must_use]
    pub fn standby(&self) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let url = run("standby", folder.path(), &[self.folder.path()]);
        Self { folder, url }
    }

    /// Its URL, with the database that every server has.
    pub fn url(&self) -> String {
        format!("{}/postgres", self.url)
    }

    /// Where it listens on the loopback interface.
    pub fn port(&self) -> u16 {
        self.url.rsplit_once(':').expect("a port").1.parse().expect("a number")
    }

    /// A URL that names this server and, after it, another.
    pub fn url_before(&self, other: &Self) -> String {
        let host = other.url.rsplit_once('@').expect("a user").1;
        format!("{},{host}/postgres", self.url)
    }

    /// Kills all its processes, as `kill -9` does.
    pub fn crash(&self) {
        self.tell("crash");
    }

    /// Starts it again.
    pub fn start_again(&self) {
        self.tell("start");
    }

    /// Makes a primary of a standby.
    pub fn promote(&self) {
        self.tell("promote");
    }

    /// Stops its processes where they are: it says nothing, and its connections stay.
    pub fn freeze(&self) {
        self.tell("freeze");
    }

    /// Lets them go on.
    pub fn thaw(&self) {
        self.tell("thaw");
    }

    /// Changes a setting, `NAME=VALUE`, while it runs.
    pub fn set(&self, setting: &str) {
        run("set", self.folder.path(), &[setting.as_ref()]);
    }

    fn tell(&self, verb: &str) {
        run(verb, self.folder.path(), &[]);
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let stopped = Command::new(tool()).arg("stop").arg(self.folder.path()).output().expect("the tool starts");
        // One that was killed cannot be stopped.
        drop(stopped);
    }
}

fn tool() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/postgres")
}

fn run(verb: &str, folder: &Path, more: &[&Path]) -> String {
    let done = Command::new(tool()).arg(verb).arg(folder).args(more).output().expect("the tool starts");
    assert!(done.status.success(), "{verb}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("text").trim().to_owned()
}
