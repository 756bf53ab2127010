//! What `deploy/` and `docs/scaling.md` say about the program is true: every key and variable exists, every configuration
//! is accepted, every secret that one names is brought, every table is in the list for Citus.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yinxin(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_yinxin")).args(args).output().unwrap()
}

/// What follows each `start` in `text`, as far as `legal` goes.
fn words(text: &str, start: &str, legal: fn(char) -> bool) -> BTreeSet<String> {
    let tails = text.split(start).skip(1);
    tails.map(|tail| tail.chars().take_while(|sign| legal(*sign)).collect()).collect()
}

#[test]
fn every_variable_is_a_key() {
    for file in [
        "docker/Dockerfile",
        "docker/compose.yaml",
        "docker/cluster.yaml",
        "kubernetes/nodes.yaml",
        "systemd/yinxin.service",
    ] {
        let text = read(&format!("deploy/{file}"));
        for name in words(&text, "YINXIN_", |sign| sign.is_ascii_uppercase() || sign == '_') {
            let key = name.to_lowercase().replace("__", ".");
            let said = yinxin(&["config", "explain", &key]);
            assert!(said.status.success(), "{file} sets YINXIN_{name}, and there is no key {key}");
        }
    }
}

#[test]
fn every_configuration_is_accepted_once_its_secrets_are_there() {
    for (folder, brings) in [("docker", "cluster.yaml"), ("kubernetes", "kustomization.yaml")] {
        let config = read(&format!("deploy/{folder}/cluster.toml"));
        let brought = read(&format!("deploy/{folder}/{brings}"));
        let here = tempfile::tempdir().unwrap();
        let mut local = config.clone();
        for path in words(&config, "\"/run/secrets/", |sign| sign != '"') {
            let name = path.rsplit('/').next().unwrap();
            assert!(brought.contains(&format!("secrets/{name}")), "{folder}: nobody brings {name}");
            let file = here.path().join(name);
            let secret =
                if name == "database.url" { "postgresql://u:p@127.0.0.1/yinxin?sslmode=disable" } else { "secret" };
            fs::write(&file, secret).unwrap();
            local = local.replace(&format!("/run/secrets/{path}"), file.to_str().unwrap());
        }
        let file = here.path().join("cluster.toml");
        fs::write(&file, local).unwrap();
        let said = yinxin(&["config", "check", file.to_str().unwrap()]);
        assert!(said.status.success(), "{folder}/cluster.toml: {}", String::from_utf8_lossy(&said.stderr));
    }
}

#[test]
fn the_unit_is_sound() {
    let here = tempfile::tempdir().unwrap();
    let unit = read("deploy/systemd/yinxin.service").replace("/usr/local/bin/yinxin", env!("CARGO_BIN_EXE_yinxin"));
    assert!(unit.contains(env!("CARGO_BIN_EXE_yinxin")));
    let file = here.path().join("yinxin.service");
    fs::write(&file, unit).unwrap();
    let said = Command::new("systemd-analyze").arg("verify").arg(&file).output().expect("systemd-analyze");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

/// Tables that belong to no app: they stay where the coordinator is.
const OF_NO_APP: [&str; 7] =
    ["apps", "server_keys", "file_garbage", "nodes", "leases", "session_endings", "room_endings"];

#[test]
fn the_calls_for_citus_name_every_table() {
    let migrations = root().join("crates/yinxin-store/src/migrations");
    let mut tables = BTreeSet::new();
    for file in fs::read_dir(migrations).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        tables.extend(words(&text, "CREATE TABLE ", |sign| sign.is_ascii_lowercase() || sign == '_'));
    }
    tables.remove("");
    for table in OF_NO_APP {
        assert!(tables.remove(table), "{table}");
    }
    for page in ["docs/scaling.md", "docs/scaling.zh-CN.md"] {
        let text = read(page);
        let calls = text.split("create_reference_table").nth(1).unwrap().split("AS name;").next().unwrap();
        let named: BTreeSet<String> = calls.split('\'').skip(1).step_by(2).map(str::to_owned).collect();
        let named: BTreeSet<String> =
            named.into_iter().filter(|name| !["apps", "app_id"].contains(&name.as_str())).collect();
        assert_eq!(named, tables, "{page}");
    }
}
