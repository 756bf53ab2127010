use serde_json::json;
use yinxin_testkit::server::Server;

use crate::binary;
use crate::process::{call, run_on, run_with};

#[test]
fn a_user_lives_from_creation_to_deletion() {
    let server = Server::start(binary(), &[]);
    server.create_app("acme", "chat", &[]);
    let yinxin = |args: &[&str]| run_on(server.data(), args);

    let made = yinxin(&["user", "create", "acme/chat", "Ann", "--password", "p", "--nickname", "A", "--json"]).json();
    assert_eq!((&made["name"], &made["nickname"], &made["active"]), (&json!("ann"), &json!("A"), &json!(true)));
    let shown = yinxin(&["user", "show", "acme/chat", "ANN", "--json"]).json();
    assert_eq!((&shown["uuid"], &shown["online"], &shown["devices"]), (&made["uuid"], &json!(false), &json!([])));
    assert_eq!(yinxin(&["user", "ban", "acme/chat", "ann", "--json"]).json()["active"], false);
    assert_eq!(yinxin(&["user", "list", "acme/chat", "--banned", "--json"]).json()["users"][0]["name"], "ann");
    assert_eq!(yinxin(&["user", "unban", "acme/chat", "ann", "--json"]).json()["active"], true);
    yinxin(&["user", "kick", "acme/chat", "ann", "--json"]).json();
    yinxin(&["user", "kick", "acme/chat", "ann", "--resource", "web", "--json"]).json();
    assert_eq!(yinxin(&["user", "delete", "acme/chat", "ann", "--yes", "--json"]).json()["uuid"], made["uuid"]);
    assert_eq!(yinxin(&["user", "list", "acme/chat", "--json"]).json(), json!({"users": [], "cursor": null}));
}

#[test]
fn passwords_are_taken_from_both_places() {
    let server = Server::start(binary(), &[]);
    server.create_app("acme", "chat", &[]);
    let data = server.data().to_str().unwrap();
    let log_in = |password: &str| {
        let body = json!({"grant_type": "password", "username": "ann", "password": password}).to_string();
        let url = format!("http://{}/acme/chat/token", server.addr());
        call("POST", &url, &[("content-type", "application/json")], &body).0
    };
    let with_input = |args: &[&str], input: &str| run_with(&[args, &["--data", data]].concat(), &[], input);
    with_input(&["user", "create", "acme/chat", "ann", "--password-stdin", "--json"], "first\r\nnot this\n").json();
    assert_eq!((log_in("first"), log_in("other")), (200, 400));
    with_input(&["user", "set-password", "acme/chat", "ann", "--password-stdin", "--json"], "second").json();
    assert_eq!((log_in("second"), log_in("first")), (200, 400));
    with_input(&["user", "set-password", "acme/chat", "ann", "--password", "third", "--json"], "").json();
    assert_eq!(log_in("third"), 200);

    let empty = with_input(&["user", "set-password", "acme/chat", "ann", "--password-stdin"], "\n");
    assert!(empty.failed(2).contains("is empty"));
    assert!(with_input(&["user", "set-password", "acme/chat", "ann"], "").failed(2).contains("--password-stdin"));
    let both = ["user", "set-password", "acme/chat", "ann", "--password", "x", "--password-stdin"];
    assert!(with_input(&both, "y").failed(2).contains("cannot be used with"));

    run_on(server.data(), &["user", "create", "acme/chat", "bot", "--json"]).json();
    let long = "x".repeat(65);
    let refused = run_on(server.data(), &["user", "set-password", "acme/chat", "bot", "--password", &long]);
    assert!(refused.failed(2).contains("too long"));
}

#[test]
fn refusals_have_their_exit_codes() {
    let server = Server::start(binary(), &[]);
    server.create_app("acme", "chat", &[]);
    let yinxin = |args: &[&str]| run_on(server.data(), args);
    yinxin(&["user", "create", "acme/chat", "ann"]);
    assert!(yinxin(&["user", "create", "acme/chat", "ANN"]).failed(4).contains("taken"));
    assert!(yinxin(&["user", "create", "acme/chat", "a b"]).failed(2).contains("'a b'"));
    assert!(yinxin(&["user", "create", "acme/none", "ann"]).failed(3).contains("app"));
    for action in ["show", "ban", "unban", "kick"] {
        assert!(yinxin(&["user", action, "acme/chat", "none"]).failed(3).contains("there is no such user: 'none'"));
    }
    assert!(yinxin(&["user", "show", "acme/chat", "../../x"]).failed(3).contains("'../../x'"));
    assert!(yinxin(&["user", "show", "acme/chat", ""]).failed(2).contains("empty"));
    assert!(yinxin(&["user", "delete", "acme/chat", "ann"]).failed(6).contains("--yes"));
    assert!(yinxin(&["user", "list", "acme/chat", "--limit", "101"]).failed(2).contains("101"));
    assert!(yinxin(&["user", "list", "acme/chat", "--cursor", "x y"]).failed(2).contains("cursor"));
}

#[test]
fn people_get_pages_of_text() {
    let server = Server::start(binary(), &[]);
    server.create_app("acme", "chat", &[]);
    let yinxin = |args: &[&str]| run_on(server.data(), args);
    for name in ["ann", "bob", "cyd"] {
        assert!(yinxin(&["user", "create", "acme/chat", name]).stdout.contains(&format!("Name      {name}")));
    }
    assert_eq!(yinxin(&["user", "ban", "acme/chat", "bob"]).stdout, "bob: banned\n");
    let page = yinxin(&["user", "list", "acme/chat", "--limit", "2"]);
    assert!(page.stdout.contains("ann") && page.stdout.contains("banned") && !page.stdout.contains("cyd"), "{page:?}");
    let cursor = page.stderr.trim().rsplit(' ').next().unwrap();
    let rest = yinxin(&["user", "list", "acme/chat", "--cursor", cursor]);
    assert!(rest.stdout.contains("cyd") && !rest.stdout.contains("ann") && rest.stderr.is_empty(), "{rest:?}");
}
