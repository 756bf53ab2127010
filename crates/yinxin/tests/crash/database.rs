//! The database server of a running server is killed, replaced or frozen: calls are answered "try again" in their
//! vendor's words, nothing acknowledged is lost, and the server goes on by itself when there is a database again.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::json;
use yinxin_testkit::http::{Response, request};
use yinxin_testkit::postgres::Postgres;
use yinxin_testkit::server::{AppCredentials, Server};
use yinxin_testkit::storage;

use crate::client::{Client, Site, Victim, is_try_again};
use crate::guest::Guest;
use crate::random::{self, Random};
use crate::{CLIENTS, ENVIRONMENT, load_and_kill, number_from, reconcile};

const ROUNDS: usize = 5;
/// Stands for the times that nobody wants to wait for in a test.
const SOON_MS: &str = "1000";

/// Once is enough: what is looked at is PostgreSQL whatever the suite runs on.
fn there_is_a_server() -> bool {
    storage::server().is_some() && !storage::on_postgres()
}

fn serve(url: &str, more: &[(&str, &str)]) -> Server {
    let env = [&ENVIRONMENT[..], &[("YINXIN_DATABASE__URL", url)], more].concat();
    Server::start_with(Path::new(env!("CARGO_BIN_EXE_yinxin")), &[], &env)
}

/// A server under load, and what its clients know.
struct Scene {
    site: Site,
    clients: Vec<Client>,
    guest: Guest,
    random: Random,
    _server: Server,
}

impl Scene {
    fn set(url: &str) -> Self {
        let seed = number_from("YINXIN_CRASH_SEED").unwrap_or_else(random::any_seed);
        println!("YINXIN_CRASH_SEED={seed}");
        let mut random = Random::new(seed);
        let server = serve(url, &[]);
        let clients = (0..CLIENTS).map(|number| Client::new(number, random.fork())).collect();
        Self { site: Site::new(&server, Victim::Database), clients, guest: Guest::default(), random, _server: server }
    }

    /// Everybody writes until the database is killed.
    fn load_and_kill(&mut self, kill: impl FnOnce()) {
        let (site, guest, killed) = (&self.site, &mut self.guest, AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| guest.enter_until_killed(site, &killed));
            load_and_kill(site, &mut self.clients, &mut self.random, || {
                killed.store(true, Ordering::SeqCst);
                kill();
            });
        });
    }

    /// The first calls after it is back find what they were told.
    fn check(&mut self, round: usize) {
        reconcile(&self.site, &mut self.clients, round);
        self.guest.check(&self.site);
    }
}

#[test]
fn every_acknowledged_write_survives_a_kill_of_the_database() {
    if !there_is_a_server() {
        return;
    }
    let rounds = number_from("YINXIN_CRASH_ROUNDS").map_or(ROUNDS, |rounds| usize::try_from(rounds).unwrap());
    let database = Postgres::start();
    let mut scene = Scene::set(&database.url());
    for round in 0..rounds {
        scene.load_and_kill(|| database.crash());
        database.start_again();
        scene.check(round);
    }
}

#[test]
fn every_acknowledged_write_survives_a_failover() {
    if !there_is_a_server() {
        return;
    }
    let primary = Postgres::start();
    let standby = primary.standby();
    let mut scene = Scene::set(&primary.url_before(&standby));
    scene.load_and_kill(|| primary.crash());
    standby.promote();
    scene.check(0);
    scene.load_and_kill(|| standby.crash());
    standby.start_again();
    scene.check(1);
}

#[test]
fn a_frozen_database_is_answered_for_in_each_dialect() {
    if !there_is_a_server() {
        return;
    }
    let database = Postgres::start();
    let times = ["STATEMENT", "CONNECT", "WAIT"].map(|what| format!("YINXIN_DATABASE__{what}_TIMEOUT_MS"));
    let server = serve(&database.url(), &times.each_ref().map(|name| (name.as_str(), SOON_MS)));
    let app = server.create_app("org", "app", &[]);
    let statuses =
        |name: &str| [easemob(&server, &app, name), netease(&server, &app, name), lanying(&server, &app, name)];
    assert_eq!(statuses("ann").map(|reply| reply.status), [200; 3]);
    database.freeze();
    let away = statuses("ben");
    database.thaw();
    assert!(is_try_again(&away[0]), "{}", away[0].text());
    for reply in &away[1..] {
        assert_eq!(reply.json().unwrap()["code"], 503, "{}", reply.text());
    }
    assert_eq!(statuses("cid").map(|reply| reply.status), [200; 3]);
}

/// Each registers a user in its dialect.
fn easemob(server: &Server, app: &AppCredentials, name: &str) -> Response {
    let bearer = format!("Bearer {}", app.lanying.admin_token);
    let body = json!({ "username": format!("{name}-1"), "password": "pw" }).to_string();
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    request(server.addr(), "POST", "/org/app/users", &headers, Some(body.as_bytes())).expect("an answer")
}

fn netease(server: &Server, app: &AppCredentials, name: &str) -> Response {
    let signed = app.netease.sign("12345", None);
    let mut headers: Vec<_> = signed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    headers.push(("content-type", "application/x-www-form-urlencoded;charset=utf-8"));
    let form = format!("accid={name}-2");
    request(server.addr(), "POST", "/nimserver/user/create.action", &headers, Some(form.as_bytes())).expect("an answer")
}

fn lanying(server: &Server, app: &AppCredentials, name: &str) -> Response {
    let body = json!({ "username": format!("{name}3"), "password": "pw-of-six" }).to_string();
    let headers = [
        ("app_id", app.lanying.app_id.as_str()),
        ("access-token", app.lanying.admin_token.as_str()),
        ("content-type", "application/json"),
    ];
    request(server.addr(), "POST", "/user/register/v2", &headers, Some(body.as_bytes())).expect("an answer")
}
