//! Golden: every request and reply the vendors' documents print, replayed over HTTP against the built server. The same
//! files make `docs/coverage.md`; `YINXIN_BLESS=1` writes it. `YINXIN_GOLDEN=user.list` replays only the files whose
//! path contains that.

use std::path::{Path, PathBuf};
use std::{env, fs};

use yinxin_testkit::golden::shape::{self, Shape};
use yinxin_testkit::golden::{Coverage, coverage, replay_all};
use yinxin_testkit::server::Server;

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn easemob() -> Coverage {
    Coverage::load("Easemob", &here().join("tests/golden/easemob"))
}

fn netease() -> Coverage {
    Coverage::load("NetEase Yunxin", &here().join("tests/golden/netease"))
}

fn lanying() -> Coverage {
    Coverage::load("Lanying (Qiniu)", &here().join("tests/golden/lanying"))
}

fn every_sample_is_answered_as_printed(vendor: Coverage, shape_of: fn(&str) -> Option<Shape>) {
    let mut samples = vendor.samples;
    if let Ok(only) = env::var("YINXIN_GOLDEN") {
        samples.retain(|sample| sample.file.contains(&only));
    }
    let server = Server::start(Path::new(env!("CARGO_BIN_EXE_yinxin")), &[]);
    let reports = replay_all(&server, shape_of, &samples);
    let (failed, all) = (reports.len(), samples.len());
    assert!(reports.is_empty(), "{failed} of {all} samples are answered otherwise:\n\n{}", reports.join("\n\n"));
}

#[test]
fn every_printed_sample_of_easemob_is_answered_as_printed() {
    every_sample_is_answered_as_printed(easemob(), shape::easemob);
}

#[test]
fn every_printed_sample_of_netease_is_answered_as_printed() {
    every_sample_is_answered_as_printed(netease(), shape::netease);
}

#[test]
fn every_printed_sample_of_lanying_is_answered_as_printed() {
    every_sample_is_answered_as_printed(lanying(), shape::lanying);
}

#[test]
fn every_documented_call_is_covered_and_the_page_says_so() {
    let vendors = [easemob(), netease(), lanying()];
    for vendor in &vendors {
        assert_eq!(vendor.gaps(), Vec::<String>::new(), "{}", vendor.vendor);
    }
    let (path, page) = (page_path(), coverage::page(&vendors));
    if env::var_os("YINXIN_BLESS").is_some() {
        fs::write(&path, &page).expect("docs/coverage.md is writable");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "docs/coverage.md is out of date; run this test with YINXIN_BLESS=1 and commit it");
}

fn page_path() -> PathBuf {
    here().join("../../docs/coverage.md")
}
