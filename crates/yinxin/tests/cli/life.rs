//! Starting, restarting and ending a server.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use yinxin_testkit::storage;

use crate::process::{Running, call, run, run_on, run_with};

/// The words of a printed command line, as a shell reads them.
fn shell_words(line: &str) -> Vec<String> {
    let script = format!("curl() {{ for word; do printf '%s\\n' \"$word\"; done; }}; {line}");
    let done = Command::new("sh").args(["-c", &script]).output().unwrap();
    String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Does what the printed curl does.
fn paste(stdout: &str) -> Value {
    let line = stdout.lines().find(|line| line.starts_with("curl ")).expect("a curl");
    let words = shell_words(line);
    let after = |flag: &str| words[words.iter().position(|word| word == flag).unwrap() + 1].clone();
    let url = words.iter().find(|word| word.starts_with("http://")).unwrap();
    let header = after("-H");
    let (name, value) = header.split_once(": ").unwrap();
    let (status, body) = call(&after("-X"), url, &[(name, value)], &after("-d"));
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_first_start_prints_one_block_and_the_second_none() {
    let root = TempDir::new().unwrap();
    let data = root.path().join("new/data");
    let first = Running::start(&data, &[], &[]);
    let said = first.stdout();
    let app = run_on(&data, &["app", "show", "yinxin-demo/demo", "--secrets", "--json"]).json();
    for part in [
        first.url.as_str(),
        "yinxin-demo#demo",
        app["easemob"]["client_id"].as_str().unwrap(),
        app["easemob"]["client_secret"].as_str().unwrap(),
        "/admin/v1",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let token = paste(&said)["access_token"].as_str().unwrap().to_owned();
    assert_eq!(app["settings"]["open_registration"], true);
    for (name, wanted) in
        [("", 0o700), ("master.key", 0o600), ("admin.key", 0o600), ("yinxin.db", 0o600), ("address", 0o600)]
    {
        if name == "yinxin.db" && storage::on_postgres() {
            assert!(!data.join(name).exists());
            continue;
        }
        assert_eq!(mode(&data.join(name)), wanted, "{name}");
    }
    run_on(&data, &["user", "create", "yinxin-demo/demo", "ann", "--json"]).json();
    let keys = ["master.key", "admin.key"].map(|name| fs::read_to_string(data.join(name)).unwrap());
    assert_eq!(keys[0].trim().len(), 64);
    assert_eq!(first.end(Signal::TERM).0, Some(0));

    let second = Running::start(&data, &[], &[]);
    assert_eq!(second.stdout(), format!("yinxin listening on {}", second.url));
    assert_eq!(keys, ["master.key", "admin.key"].map(|name| fs::read_to_string(data.join(name)).unwrap()));
    assert_eq!(run_on(&data, &["app", "show", "yinxin-demo/demo", "--secrets", "--json"]).json(), app);
    let url = format!("{}/yinxin-demo/demo/users/ann", second.url);
    let (status, body) = call("GET", &url, &[("authorization", &format!("Bearer {token}"))], "");
    assert_eq!(status, 200, "the token of the first start is good: {body}");
}

#[test]
fn a_first_start_that_died_is_still_to_be_done() {
    let data = TempDir::new().unwrap();
    let mark = data.path().join("first-start");
    let died = |server: Running| {
        server.end(Signal::KILL);
        fs::write(&mark, "").unwrap();
    };
    // It died before it made the app …
    died(Running::start(data.path(), &["--no-demo"], &[]));
    let second = Running::start(data.path(), &[], &[]);
    paste(&second.stdout());
    assert!(!mark.exists());
    // … or before it printed it.
    died(second);
    let third = Running::start(data.path(), &[], &[]);
    paste(&third.stdout());
    assert_eq!(run_on(data.path(), &["app", "list", "--json"]).json()["apps"].as_array().unwrap().len(), 1);
    // A database with an app of one's own gets no other.
    run_on(data.path(), &["app", "create", "acme/chat", "--json"]).json();
    died(third);
    assert_eq!(Running::start(data.path(), &[], &[]).stdout().lines().count(), 1);
    assert!(!mark.exists());
}

#[test]
fn without_a_demo_only_the_address_is_printed() {
    let data = TempDir::new().unwrap();
    let server = Running::start(data.path(), &["--no-demo"], &[]);
    assert_eq!(server.stdout().lines().count(), 1);
    assert_eq!(run_on(data.path(), &["app", "list", "--json"]).json()["apps"].as_array().unwrap().len(), 0);
}

#[test]
fn a_folder_has_one_server() {
    let data = TempDir::new().unwrap();
    let server = Running::start(data.path(), &["--no-demo"], &[]);
    let second = run_on(data.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let said = second.failed(4);
    assert!(said.contains("another server") && said.contains(&server.url), "{said}");
    assert!(second.stdout.is_empty());
    run_on(data.path(), &["app", "list", "--json"]).json();
}

#[test]
fn both_signals_end_a_server_in_order() {
    for signal in [Signal::TERM, Signal::INT] {
        let data = TempDir::new().unwrap();
        let server = Running::start(data.path(), &["--no-demo"], &[]);
        let address = data.path().join("address");
        assert_eq!(fs::read_to_string(&address).unwrap().trim(), server.url);
        let (code, log) = server.end(signal);
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("stopped") && !address.exists(), "{log}");
        run_on(data.path(), &["app", "list"]).failed(5);
    }
}

#[test]
fn a_taken_port_makes_nothing() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let root = TempDir::new().unwrap();
    let data = root.path().join("new");
    let done = run_on(&data, &["serve", "--listen", &address]);
    assert!(done.failed(1).contains("--listen") && done.stderr.contains(&address), "{done:?}");
    assert!(!data.exists());
}

#[test]
fn a_database_does_not_get_another_key() {
    let data = TempDir::new().unwrap();
    let server = Running::start(data.path(), &[], &[]);
    server.end(Signal::TERM);
    let key = data.path().join("master.key");
    fs::write(&key, "0".repeat(64)).unwrap();
    let done = run_on(data.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert!(done.failed(1).contains("master.key the one of this database"), "{done:?}");
    fs::remove_file(&key).unwrap();
    let done = run_on(data.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert!(done.failed(1).contains("restore it"), "{done:?}");
    assert!(!key.exists());
}

#[test]
fn the_configuration_is_read_and_refused_as_a_whole() {
    let root = TempDir::new().unwrap();
    let data = root.path().join("data");
    let file = root.path().join("yinxin.toml");
    fs::write(&file, "lisen = \"127.0.0.1:0\"\n[limits]\nconnections = \"many\"\n").unwrap();
    let config = file.to_str().unwrap();
    let done = run_on(&data, &["serve", "--config", config]);
    let said = done.failed(2);
    assert!(said.contains("did you mean 'listen'?") && said.contains("limits.connections = \"many\""), "{said}");
    assert!(!data.exists());

    fs::write(&file, format!("data = {:?}\n[log]\nformat = \"json\"\n", data.to_str().unwrap())).unwrap();
    let server = Running::start(&data, &["--no-demo", "--config", config], &[]);
    let (_, log) = server.end(Signal::TERM);
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|fault| panic!("{fault}: {line}"));
        assert!(line["level"].is_string());
    }
    assert!(log.lines().count() >= 2, "{log}");
}

#[test]
fn no_secret_reaches_the_log() {
    let data = TempDir::new().unwrap();
    let server = Running::start(data.path(), &[], &[("YINXIN_LOG__LEVEL", "trace")]);
    let token = paste(&server.stdout())["access_token"].as_str().unwrap().to_owned();
    let app = run_on(data.path(), &["app", "show", "yinxin-demo/demo", "--secrets", "--json"]).json();
    run_on(data.path(), &["user", "create", "yinxin-demo/demo", "ann", "--password", "planted-secret", "--json"])
        .json();
    let url = format!("{}/yinxin-demo/demo/users/ann", server.url);
    call("GET", &url, &[("authorization", &format!("Bearer {token}")), ("x-request-id", "my-request")], "");
    let key = fs::read_to_string(data.path().join("admin.key")).unwrap();
    let (_, log) = server.end(Signal::TERM);
    assert!(log.contains("my-request"), "{log}");
    for secret in ["planted-secret", key.trim(), &token, app["easemob"]["client_secret"].as_str().unwrap()] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn probes_answer_and_metrics_are_for_this_machine() {
    let data = TempDir::new().unwrap();
    let server = Running::start(data.path(), &["--no-demo"], &[]);
    let get = |path: &str, headers: &[(&str, &str)]| call("GET", &format!("{}{path}", server.url), headers, "");
    assert_eq!(get("/livez", &[]), (200, "ok".to_owned()));
    assert_eq!(get("/readyz", &[]), (200, "ready".to_owned()));
    let (status, text) = get("/metrics", &[]);
    assert!(status == 200 && text.contains("yinxin_http_connections") && text.contains("yinxin_cached_users"));
    assert_eq!(get("/metrics", &[("x-forwarded-for", "203.0.113.9")]).0, 403);
    assert_eq!(get("/metrics", &[("x-forwarded-for", "127.0.0.1")]).0, 403);
    let key = fs::read_to_string(data.path().join("admin.key")).unwrap();
    let bearer = format!("Bearer {}", key.trim());
    assert_eq!(get("/metrics", &[("x-forwarded-for", "203.0.113.9"), ("authorization", &bearer)]).0, 200);

    let public = TempDir::new().unwrap();
    let server = Running::start(public.path(), &["--no-demo"], &[("YINXIN_METRICS__PUBLIC", "true")]);
    assert_eq!(call("GET", &format!("{}/metrics", server.url), &[("x-forwarded-for", "203.0.113.9")], "").0, 200);
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(run(&["--version"]).stdout, format!("yinxin {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_server_has_its_postgresql_for_itself() {
    // Once is enough: it is PostgreSQL whatever the suite runs on.
    if storage::server().is_none() || storage::on_postgres() {
        return;
    }
    let root = TempDir::new().unwrap();
    let (data, other) = (root.path().join("data"), root.path().join("other"));
    let url = storage::database_for(&root.path().join("store"));
    let env = [("YINXIN_DATABASE__URL", url.as_str())];
    let server = Running::start(&data, &["--no-demo"], &env);
    let copy = format!("sqlite:{}", root.path().join("copy").display());
    let moved = run(&["migrate-store", "--from", &url, "--to", &copy]);
    assert!(moved.failed(4).contains("in use by yinxin server at 127.0.0.1:"), "{moved:?}");
    let args = ["serve", "--no-demo", "--listen", "127.0.0.1:0", "--data", other.to_str().unwrap()];
    let second = run_with(&args, &env, "");
    assert!(second.failed(4).contains("stop them first, or set cluster.name"), "{second:?}");
    assert!(!other.join("master.key").exists());
    server.end(Signal::KILL);
    Running::start(&data, &["--no-demo"], &env).end(Signal::TERM);
}
