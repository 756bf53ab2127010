//! How client commands find their server, and what they say when there is none.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::process::{Running, run, run_on, run_with};

#[test]
fn a_server_is_found_by_folder_environment_or_url() {
    let data = TempDir::new().unwrap();
    let server = Running::start(data.path(), &["--no-demo"], &[]);
    let folder = data.path().to_str().unwrap();
    let key = data.path().join("admin.key");
    run_on(data.path(), &["app", "list", "--json"]).json();
    run_with(&["app", "list", "--json"], &[("YINXIN_DATA", folder)], "").json();
    run(&["app", "list", "--json", "--server", &server.url, "--admin-key-file", key.to_str().unwrap()]).json();
    run(&["--data", folder, "app", "list"]).failed(2);
    run(&["app", "--data", folder, "--json", "list"]).json();

    let elsewhere = TempDir::new().unwrap();
    let other = elsewhere.path().to_str().unwrap();
    run_with(&["app", "list", "--json", "--data", folder], &[("YINXIN_DATA", other)], "").json();
    let https = run(&["app", "list", "--server", "https://127.0.0.1", "--data", folder]);
    assert!(https.failed(2).contains("expected http://ADDR:PORT"));
}

#[test]
fn without_a_server_the_command_says_how_to_start_one() {
    let data = TempDir::new().unwrap();
    let said = run_on(data.path(), &["app", "list"]);
    let advice = format!("yinxin serve --data {}", data.path().display());
    assert!(said.failed(5).contains(&advice), "{said:?}");
    assert!(said.stdout.is_empty());

    let server = Running::start(data.path(), &["--no-demo"], &[]);
    let key = data.path().join("admin.key");
    let (code, _log) = server.end(Signal::KILL);
    assert_eq!(code, None);
    // Whoever has taken the killed server's port is not sent the key.
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    stranger.set_nonblocking(true).unwrap();
    fs::write(data.path().join("address"), format!("http://{}", stranger.local_addr().unwrap())).unwrap();
    let said = run_on(data.path(), &["app", "list"]);
    assert!(said.failed(5).contains("no server is running on"), "{said:?}");
    assert!(said.stderr.contains("a server that was killed"), "{said:?}");
    assert_eq!(stranger.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    let key = key.to_str().unwrap();
    assert!(
        run(&["app", "list", "--server", "http://127.0.0.1:1", "--admin-key-file", key]).failed(5).contains("--server")
    );
}

#[test]
fn a_wrong_key_has_its_own_exit_code() {
    let data = TempDir::new().unwrap();
    let _server = Running::start(data.path(), &["--no-demo"], &[]);
    let key = data.path().join("other.key");
    let file = key.to_str().unwrap();
    let list = |file: &str| run_on(data.path(), &["app", "list", "--admin-key-file", file]);
    fs::write(&key, "0123456789abcdef0123456789abcdef0123456789abcdef").unwrap();
    assert!(list(file).failed(7).contains("admin.key"));
    fs::write(&key, "short").unwrap();
    assert!(list(file).failed(1).contains("holds no admin key"));
    assert!(list("/nowhere/admin.key").failed(1).contains("--admin-key-file"));
}
