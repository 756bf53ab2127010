//! An app with many rows is gone when its deletion is acknowledged; what is left of it when the server is killed goes
//! after the restart.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use yinxin_testkit::http::request;
use yinxin_testkit::server::Server;

use crate::structure;

const USERS: usize = 5000;
/// Longer than clearing takes on any machine.
const DEADLINE: Duration = Duration::from_mins(2);

fn admin(server: &Server, method: &str, path: &str, body: Option<&str>) -> (u16, Value) {
    let key = std::fs::read_to_string(server.data().join("admin.key")).expect("the admin key");
    let bearer = format!("Bearer {}", key.trim());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let path = format!("/admin/v1{path}");
    let reply = request(server.addr(), method, &path, &headers, body.map(str::as_bytes)).expect("an answer");
    (reply.status, reply.json().expect("JSON"))
}

#[test]
fn an_app_that_was_deleted_before_a_kill_is_cleared_away_after_it() {
    let mut server = Server::start(Path::new(env!("CARGO_BIN_EXE_yinxin")), &[]);
    let doomed = server.create_app("org", "doomed", &[]);
    server.create_app("org", "other", &[]);
    let line = |number| format!("{{\"username\":\"user{number}\"}}");
    let lines = |count| (0..count).map(line).collect::<Vec<_>>().join("\n");
    let (many, few) = (lines(USERS), lines(10));
    assert_eq!(admin(&server, "POST", "/apps/org/doomed/users/import", Some(&many)).1["imported"], USERS);
    assert_eq!(admin(&server, "POST", "/apps/org/other/users/import", Some(&few)).1["imported"], 10);
    assert_eq!(admin(&server, "DELETE", "/apps/org/doomed", None).0, 200);
    // Once before anything could be done, once while it may be under way.
    for _ in 0..2 {
        server.kill();
        server.restart();
    }
    assert_eq!(admin(&server, "GET", "/apps/org/doomed", None).0, 404, "acknowledged is gone");
    let heir = server.create_app("org", "doomed", &[]);
    assert_ne!(heir.application, doomed.application);
    assert_eq!(admin(&server, "POST", "/apps/org/doomed/users/import", Some(&few)).1["imported"], 10);
    let end = Instant::now() + DEADLINE;
    while admin(&server, "GET", "/server", None).1["apps_clearing"] != 0 {
        assert!(Instant::now() < end, "the app is not cleared away");
    }
    server.kill();
    structure::check(server.data());
    let of = |app: &str| structure::rows_of_app(server.data(), &app.replace('-', ""));
    assert_eq!(of(&doomed.application), 0);
    // An app, its three secrets and its standing token, ten users and their names.
    assert_eq!(of(&heir.application), 25);
}
