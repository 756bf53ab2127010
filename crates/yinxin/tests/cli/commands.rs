//! `config`, `doctor` and the help.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use yinxin_testkit::nats::Nats;
use yinxin_testkit::storage;

use crate::process::{EMBEDDED, Running, run, run_on, run_with};

#[test]
fn the_default_configuration_is_valid() {
    let root = TempDir::new().unwrap();
    let file = root.path().join("yinxin.toml");
    let printed = run(&["config", "default"]).stdout;
    fs::write(&file, &printed).unwrap();
    assert!(printed.contains("\n#listen = \"127.0.0.1:8090\"\n") && printed.contains("\n[limits]\n"), "{printed}");
    let checked = run(&["config", "check", file.to_str().unwrap()]);
    assert!(checked.code == 0 && checked.stdout.contains("is valid"), "{checked:?}");
    assert!(run(&["config", "default", "--json"]).json().as_array().unwrap().len() > 20);
}

#[test]
fn a_wrong_configuration_is_told_in_full() {
    let root = TempDir::new().unwrap();
    let file = root.path().join("yinxin.toml");
    fs::write(&file, "listen = 5\n[limits]\nconection = 1\n").unwrap();
    let path = file.to_str().unwrap();
    let checked = run_with(&["config", "check", path], &[("YINXIN_LOG__FORMAT", "xml")], "");
    let said = checked.failed(2);
    for part in
        ["listen = 5", "did you mean 'limits.connections'?", "YINXIN_LOG__FORMAT", "'xml'", "\"text\" or \"json\""]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let json = run(&["config", "check", path, "--json"]);
    let found: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json.code, found["faults"].as_array().unwrap().len()), (2, 2));
    assert!(run(&["config", "check", "/nowhere.toml"]).failed(2).contains("/nowhere.toml"));
    assert_eq!(run(&["config", "check"]).code, 0);
}

#[test]
fn keys_are_explained() {
    let said = run(&["config", "explain", "limits.rate_preset"]).stdout;
    for part in ["limits.rate_preset", "\"self-hosted\" or \"vendor\"", "YINXIN_LIMITS__RATE_PRESET"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(run(&["config", "explain", "YINXIN_LISTEN", "--json"]).json()["key"], "listen");
    assert!(run(&["config", "explain", "limits.rate_prest"]).failed(3).contains("did you mean 'limits.rate_preset'?"));
}

fn findings(done: &crate::process::Done) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| (text(&finding["check"]), text(&finding["state"]))).collect()
}

#[test]
fn the_doctor_finds_what_is_wrong() {
    let root = TempDir::new().unwrap();
    let data = root.path().join("data");
    let doctor = || run_on(&data, &["doctor", "--json"]);
    let state = |check: &str| findings(&doctor()).into_iter().find(|(name, _)| name == check).unwrap().1;
    assert_eq!(doctor().code, 0);
    assert_eq!(state("data folder"), "warn");
    assert!(!data.exists(), "it changes nothing");

    let server = Running::start(&data, &["--no-demo"], &[EMBEDDED]);
    let healthy = doctor();
    assert_eq!(healthy.code, 0, "{healthy:?}");
    let table = run_on(&data, &["doctor"]);
    assert!(table.stdout.contains(&format!("ready at {}", server.url)) && table.stdout.contains("CHECK"), "{table:?}");
    server.end(Signal::KILL);
    assert_eq!(state("server"), "warn");

    let key = data.join("master.key");
    let good = fs::read(&key).unwrap();
    fs::write(&key, "damaged").unwrap();
    assert!(doctor().failed(1).contains("something is wrong"));
    assert_eq!(state("master key"), "fail");
    let elsewhere = root.path().join("given.key");
    fs::write(&elsewhere, &good).unwrap();
    fs::set_permissions(&elsewhere, Permissions::from_mode(0o600)).unwrap();
    let given = [("YINXIN_KEYS__MASTER_FILE", elsewhere.to_str().unwrap())];
    let given = run_with(&["doctor", "--json", "--data", data.to_str().unwrap()], &given, "");
    assert!(findings(&given).contains(&("master key".to_owned(), "ok".to_owned())), "the key that is configured");
    fs::write(&key, good).unwrap();
    assert_eq!(doctor().code, 0);

    // After a clean end the database is one file; before, its log would still have what is cut off here.
    Running::start(&data, &["--no-demo"], &[EMBEDDED]).end(Signal::TERM);
    let database = data.join("yinxin.db");
    let whole = fs::read(&database).unwrap();
    fs::write(&database, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(state("database"), "fail");
    fs::write(&database, "no database").unwrap();
    assert_eq!(state("database"), "fail");

    let config = run_with(&["doctor", "--json", "--data", data.to_str().unwrap()], &[("YINXIN_LISTEN", "here")], "");
    assert!(findings(&config).contains(&("configuration".to_owned(), "fail".to_owned())));
}

#[test]
fn the_doctor_looks_at_nats() {
    if storage::server().is_none() {
        return;
    }
    let root = TempDir::new().unwrap();
    let url = storage::database_for(&root.path().join("yinxin.db"));
    let nats = Nats::start();
    let node = |nats: &str, more: &[(&str, &str)]| {
        let env = [("YINXIN_DATABASE__URL", &*url), ("YINXIN_CLUSTER__NAME", "one"), ("YINXIN_CLUSTER__NATS", nats)];
        findings(&run_with(
            &["doctor", "--json", "--data", root.path().to_str().unwrap()],
            &[&env[..], more].concat(),
            "",
        ))
    };
    let found = node(&format!("{},nats://127.0.0.1:1", nats.url()), &[("YINXIN_LISTEN", "0.0.0.0:8090")]);
    let states: Vec<_> = found.iter().filter(|(check, _)| check == "NATS").map(|(_, state)| &**state).collect();
    assert_eq!(states, ["ok", "fail"]);
    for check in ["files of all nodes", "keys of all nodes", "address of this node"] {
        assert!(found.contains(&(check.to_owned(), "warn".to_owned())), "{check}: {found:?}");
    }
    let told = [
        ("YINXIN_LISTEN", "0.0.0.0:8090"),
        ("YINXIN_CLUSTER__NODE_URL", "http://node-1.example.com"),
        ("YINXIN_KEYS__MASTER_FILE", "/run/secrets/master.key"),
        ("YINXIN_KEYS__ADMIN_FILE", "/run/secrets/admin.key"),
    ];
    let found = node(&nats.url(), &told);
    for check in ["keys of all nodes", "address of this node"] {
        assert!(found.contains(&(check.to_owned(), "ok".to_owned())), "{check}: {found:?}");
    }
    let alone = run_with(&["config", "check"], &[("YINXIN_CLUSTER__NAME", "one")], "");
    assert!(alone.failed(2).contains("cluster.nats is not set"));
    let env = [("YINXIN_CLUSTER__NAME", "one"), ("YINXIN_CLUSTER__NATS", "nats://127.0.0.1:4222")];
    assert!(run_with(&["config", "check"], &env, "").failed(2).contains("database.url is not set"));
    let env = [("YINXIN_CLUSTER__NAME", "one"), ("YINXIN_CLUSTER__NATS", "nats://ann:s3cret@127.0.0.1:4222")];
    assert!(run_with(&["config", "check"], &env, "").failed(2).contains("addresses of NATS servers"));
}

/// The tests' PostgreSQL does not wait for its disk: a finding, and more than a warning.
#[test]
fn the_doctor_looks_at_a_database_server() {
    if storage::server().is_none() {
        return;
    }
    let root = TempDir::new().unwrap();
    let data = root.path().join("data");
    let url = storage::database_for(&data.join("yinxin.db"));
    let with = |url: &str| {
        run_with(&["doctor", "--json"], &[("YINXIN_DATABASE__URL", url), ("YINXIN_DATA", data.to_str().unwrap())], "")
    };
    let found = findings(&with(&url));
    for (check, state) in [
        ("database", "ok"),
        ("database durability", "fail"),
        ("database texts", "ok"),
        ("database connections", "ok"),
        ("database read locks", "ok"),
        ("database clock", "ok"),
    ] {
        assert!(found.contains(&(check.to_owned(), state.to_owned())), "{check}: {found:?}");
    }
    let file = root.path().join("url");
    std::fs::write(&file, format!("{url}\n")).unwrap();
    let named = run_with(&["doctor", "--json"], &[("YINXIN_DATABASE__URL_FILE", file.to_str().unwrap())], "");
    assert!(findings(&named).contains(&("database".to_owned(), "ok".to_owned())));
    let refused = with("postgresql://guarded:wr0ng-one@127.0.0.1:1/im");
    assert!(findings(&refused).contains(&("database".to_owned(), "fail".to_owned())));
    let unreadable = with("postgresql://guarded:wr0ng-one/im");
    assert!(findings(&unreadable).contains(&("configuration".to_owned(), "fail".to_owned())));
    for said in [&refused, &unreadable] {
        assert!(!said.stdout.contains("wr0ng-one") && !said.stderr.contains("wr0ng-one"), "{said:?}");
    }
}

#[test]
fn the_help_lists_the_exit_codes() {
    let help = run(&["--help"]).stdout;
    for part in ["serve", "doctor", "Exit codes:", "  6  refused"] {
        assert!(help.contains(part), "{part}: {help}");
    }
    assert!(run(&["user", "create", "--help"]).stdout.contains("--password-stdin"));
    run(&[]).failed(2);
    run(&["nonsense"]).failed(2);
}
