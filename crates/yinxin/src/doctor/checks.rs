//! The checks. Each looks at one thing and says what it found.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use yinxin_admin::AdminKey;
use yinxin_core::clock::{Clock, SystemClock};
use yinxin_core::files::{Bucket, Place};
use yinxin_core::keys::MasterKey;

use super::Finding;
use crate::config::Config;
use crate::data::{DataDir, is_private};

/// Below this the disk will soon be full.
const FREE_BYTES_MIN: u64 = 1 << 30;
/// Below this writes fail any moment.
const FREE_BYTES_LEAST: u64 = 64 << 20;
/// Files a server opens beside its connections.
const OTHER_FILES: u64 = 100;
/// 2025-01-01: the program is younger than that.
const CLOCK_MIN_S: i64 = 1_735_689_600;
/// 2100-01-01.
const CLOCK_MAX_S: i64 = 4_102_444_800;
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// Long enough to hear why after some tries.
const BUCKET_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn configuration<F: ToString>(configured: &Result<Config, Vec<F>>) -> Finding {
    match configured {
        Ok(_) => Finding::ok("configuration", "valid"),
        Err(faults) => {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            Finding::fail("configuration", faults.join("; "), "`yinxin config explain KEY` says what a key takes")
        }
    }
}

/// Everything about the data folder and what is in it, the database as well unless it is elsewhere.
pub(super) fn folder(dir: &DataDir, with_database: bool) -> Vec<Finding> {
    let root = dir.root();
    if !root.is_dir() {
        let advice = format!("`yinxin serve --data {}` makes it", root.display());
        return vec![Finding::warn("data folder", format!("{} does not exist", root.display()), advice)];
    }
    let key = |text: &str| MasterKey::from_hex(text).is_some();
    let admin = |text: &str| AdminKey::parse(text).is_some();
    let mut findings = vec![
        permissions("data folder", root, 0o700),
        secret_file("master key", &dir.master_key_file(), key, "restore it from a backup"),
        secret_file("admin key", &dir.admin_key_file(), admin, "delete it and restart the server to get a new one"),
        disk(root),
    ];
    findings.extend(with_database.then(|| database(&dir.database())));
    findings
}

fn permissions(check: &'static str, path: &Path, wanted: u32) -> Finding {
    let shown = path.display();
    match DataDir::mode(path) {
        Ok(mode) if is_private(mode) => Finding::ok(check, format!("{shown} is private ({mode:o})")),
        Ok(mode) => Finding::warn(
            check,
            format!("{shown} is open to others on this machine ({mode:o})"),
            format!("chmod {wanted:o} {shown}"),
        ),
        Err(fault) => Finding::fail(check, format!("{shown}: {fault}"), "run as the user the server runs as"),
    }
}

fn secret_file(check: &'static str, path: &Path, is_legal: impl Fn(&str) -> bool, restore: &str) -> Finding {
    match fs::read_to_string(path) {
        Err(fault) => Finding::fail(check, format!("{}: {fault}", path.display()), restore),
        Ok(text) if !is_legal(&text) => Finding::fail(check, format!("{} is damaged", path.display()), restore),
        Ok(_) => permissions(check, path, 0o600),
    }
}

/// Looks at the database file from outside: its header, and that it is as long as its header says. What is in it only
/// the storage could check.
fn database(path: &Path) -> Finding {
    const CHECK: &str = "database";
    const ADVICE: &str = "stop the server and restore the folder from a backup";
    let shown = path.display();
    match yinxin_core::quick_check(path) {
        Ok(None) => Finding::ok(CHECK, format!("{shown}: its structure is sound")),
        Ok(Some(fault)) => Finding::fail(CHECK, format!("{shown}: {fault}"), ADVICE),
        Err(fault) => Finding::fail(CHECK, format!("{shown}: {fault}"), ADVICE),
    }
}

/// The place of uploaded files: whether a server could write there.
pub(super) fn files(config: &Config, dir: &DataDir) -> Finding {
    const CHECK: &str = "files";
    match config.file_setup(dir).map(|setup| setup.place) {
        Err(failure) => {
            Finding::fail(CHECK, failure.message, "`yinxin config explain files.bucket` says what it takes")
        }
        Ok(Place::Folder(folder)) => match access(&folder, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
            Ok(()) => Finding::ok(CHECK, format!("{} is writable", folder.display())),
            Err(Errno::NOENT) => Finding::ok(CHECK, format!("{} is made by the next start", folder.display())),
            Err(fault) => {
                let advice = "run as the user the server runs as, or choose another files.folder";
                Finding::fail(CHECK, format!("{}: {fault}", folder.display()), advice)
            }
        },
        Ok(Place::Bucket(bucket)) => match reach(&bucket) {
            Ok(()) => Finding::ok(CHECK, format!("the bucket {} answers", bucket.name)),
            Err(why) => Finding::fail(
                CHECK,
                format!("the bucket {}: {why}", bucket.name),
                "check files.endpoint, files.region and the access key, and what the key is allowed to",
            ),
        },
    }
}

fn reach(bucket: &Bucket) -> Result<(), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|fault| fault.to_string())?;
    let asked = async { tokio::time::timeout(BUCKET_TIMEOUT, yinxin_core::files::check(bucket)).await };
    match runtime.block_on(asked) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string)),
        Err(_) => Err(format!("no answer in {} s", BUCKET_TIMEOUT.as_secs())),
    }
}

fn disk(root: &Path) -> Finding {
    const CHECK: &str = "free disk";
    match rustix::fs::statvfs(root) {
        Err(fault) => Finding::warn(CHECK, fault.to_string(), ""),
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let detail = format!("{} MiB", free >> 20);
            match free {
                0..FREE_BYTES_LEAST => Finding::fail(CHECK, detail, "free some: writes fail when the disk is full"),
                FREE_BYTES_LEAST..FREE_BYTES_MIN => Finding::warn(CHECK, detail, "free some before it is full"),
                _ => Finding::ok(CHECK, detail),
            }
        }
    }
}

/// The server that uses the folder, if there is one.
pub(super) fn server(dir: &DataDir) -> Finding {
    const CHECK: &str = "server";
    match (dir.is_locked(), dir.address()) {
        (false, None) => Finding::ok(CHECK, "not running"),
        (false, Some(url)) => Finding::warn(
            CHECK,
            format!("not running, but was killed at {url}"),
            "start it again: what it acknowledged is there",
        ),
        (true, None) => Finding::warn(CHECK, "starting or stopping", "look again in a moment"),
        (true, Some(url)) => match ready(&url) {
            Ok(()) => Finding::ok(CHECK, format!("ready at {url}")),
            Err(why) => Finding::fail(CHECK, format!("{url}/readyz: {why}"), "its log says more"),
        },
    }
}

fn ready(url: &str) -> Result<(), String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(PROBE_TIMEOUT))
        .build()
        .into();
    let mut reply = agent.get(format!("{url}/readyz")).call().map_err(|fault| fault.to_string())?;
    if reply.status().is_success() {
        return Ok(());
    }
    let reason = reply.body_mut().read_to_string().unwrap_or_default();
    Err(format!("{} {reason}", reply.status().as_u16()))
}

/// `connections` is how many the configuration allows; 0 when it is not known.
pub(super) fn open_files(connections: u64) -> Finding {
    const CHECK: &str = "open files";
    let needed = connections + OTHER_FILES;
    match getrlimit(Resource::Nofile).current {
        Some(most) if most < needed => Finding::warn(
            CHECK,
            format!("this shell may open {most}; {connections} connections need {needed}"),
            format!("`ulimit -n {needed}`, LimitNOFILE= for a service, or set limits.connections lower"),
        ),
        Some(most) => Finding::ok(CHECK, format!("up to {most}")),
        None => Finding::ok(CHECK, "no limit"),
    }
}

pub(super) fn clock() -> Finding {
    judge_clock(SystemClock.now_s())
}

fn judge_clock(now_s: i64) -> Finding {
    const CHECK: &str = "clock";
    if (CLOCK_MIN_S..CLOCK_MAX_S).contains(&now_s) {
        return Finding::ok(CHECK, format!("{now_s} s since 1970"));
    }
    Finding::fail(CHECK, format!("{now_s} s since 1970 cannot be"), "set the clock, or tokens end at wrong times")
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn an_impossible_clock_is_noticed() {
        assert_eq!(judge_clock(0).state, State::Fail);
        assert_eq!(judge_clock(1_770_000_000).state, State::Ok);
        assert_eq!(judge_clock(i64::MAX).state, State::Fail);
    }
}
