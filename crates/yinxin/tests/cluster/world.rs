//! [`World`]: nodes that are processes, on one PostgreSQL and one NATS; what a backend calls at any of them.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use yinxin_testkit::chat::{self, Client};
use yinxin_testkit::http::{Response, request};
use yinxin_testkit::nats::Nats;
use yinxin_testkit::postgres::Postgres;
use yinxin_testkit::server::{AppCredentials, Server};
use yinxin_testkit::storage;

use crate::wire::Wire;

/// A test that waits so long for what has no bound has failed.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// What the documents promise: when what one node acknowledged holds at every node.
pub const BOUND: Duration = Duration::from_secs(1);
/// The same while NATS is away.
pub const BOUND_ALONE: Duration = Duration::from_secs(5);
/// When the connections of a dead node are off the record.
pub const BOUND_DEAD: Duration = Duration::from_secs(15);

/// Clusters measure time, so each has the machine for itself.
static TURN: Mutex<()> = Mutex::new(());

/// These tests need a PostgreSQL, and run with the suites of that engine.
pub fn is_wanted() -> bool {
    let is_wanted = storage::on_postgres();
    if !is_wanted {
        println!("left out: a cluster needs YINXIN_TEST_ENGINE=postgres");
    }
    is_wanted
}

/// How a world is to be.
#[derive(Default)]
pub struct Setup {
    /// A PostgreSQL of its own, which may be killed.
    pub own_database: bool,
    /// The last node reaches that by a wire.
    pub database_by_wire: bool,
    /// The last node reaches NATS by this address instead.
    pub nats_by: Option<SocketAddr>,
    /// The limit of wrong passwords.
    pub failures: Option<u32>,
}

pub struct World {
    pub nodes: Vec<Server>,
    pub nats: Nats,
    pub app: AppCredentials,
    /// The backend's token.
    pub token: String,
    pub postgres: Option<Postgres>,
    /// Between the last node and its database.
    pub wire: Option<Wire>,
    /// The nodes' database.
    pub url: String,
    pub folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl World {
    pub fn of_three() -> Self {
        Self::start(Nats::start(), &Setup::default())
    }

    pub fn start(nats: Nats, setup: &Setup) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = TempDir::new().unwrap();
        let postgres = setup.own_database.then(Postgres::start);
        let database = postgres.as_ref().map(|own| SocketAddr::from(([127, 0, 0, 1], own.port())));
        let wire = database.filter(|_| setup.database_by_wire).map(Wire::to);
        let url = postgres.as_ref().map_or_else(|| storage::database_for(&folder.path().join("db")), Postgres::url);
        let master = folder.path().join("master.key");
        std::fs::write(&master, "5a".repeat(32)).unwrap();
        let node = &|number: usize| {
            let is_last = number == 3;
            let nats_by = setup.nats_by.filter(|_| is_last).map(|address| format!("nats://{address}"));
            let ends = database.zip(wire.as_ref()).filter(|_| is_last);
            let url_by = ends.map(|(there, wire)| url.replace(&there.to_string(), &wire.at.to_string()));
            let (url, nats) = (url_by.as_ref().unwrap_or(&url), nats_by.unwrap_or_else(|| nats.url()));
            start_node(number, url, &nats, &master, setup)
        };
        // All at once: the first makes the tables and the keys, whichever it is.
        let nodes: Vec<_> = thread::scope(|scope| {
            let starting: Vec<_> = (1..=3).map(|number| scope.spawn(move || node(number))).collect();
            starting.into_iter().map(|node| node.join().expect("a node that starts")).collect()
        });
        let app = nodes[0].create_app("acme", "chat", &[]);
        let mut world = Self { nodes, nats, app, token: String::new(), postgres, wire, url, folder, _turn: turn };
        let grant = json!({ "grant_type": "client_credentials", "client_id": world.app.easemob.client_id,
            "client_secret": world.app.easemob.client_secret, "ttl": 0 });
        world.token = field(&world.call(0, "POST", "token", &grant), "access_token");
        world.await_members(3);
        world
    }

    /// Waits until every node knows so many.
    pub fn await_members(&self, count: usize) {
        let knows = |node: &Server| metric(node.addr(), "yinxin_cluster_nodes") == Some(count.to_string());
        eventually(PATIENCE, || self.nodes.iter().all(knows));
    }

    pub fn addr(&self, node: usize) -> SocketAddr {
        self.nodes[node].addr()
    }

    /// A call of the backend that must be answered with success.
    #[track_caller]
    pub fn call(&self, node: usize, method: &str, path: &str, body: &Value) -> Value {
        let reply = self.try_call(node, method, path, body).expect("the node answers");
        assert_eq!(reply.status, 200, "{method} {path}: {}", reply.text());
        reply.json().expect("JSON")
    }

    pub fn try_call(&self, node: usize, method: &str, path: &str, body: &Value) -> io::Result<Response> {
        call_at(self.addr(node), &self.token, method, path, body)
    }

    pub fn get(&self, node: usize, path: &str) -> Value {
        self.call(node, "GET", path, &Value::Null)
    }

    pub fn register(&self, node: usize, name: &str) {
        self.call(node, "POST", "users", &json!({ "username": name, "password": "first" }));
    }

    /// What a user logs in with.
    pub fn token_of(&self, node: usize, name: &str, password: &str) -> String {
        let grant = json!({ "grant_type": "password", "username": name, "password": password });
        field(&self.call(node, "POST", "token", &grant), "access_token")
    }

    /// The status of a call that a user makes about itself.
    pub fn status_for(&self, node: usize, name: &str, token: &str) -> u16 {
        let reply = call_at(self.addr(node), token, "GET", &format!("users/{name}"), &Value::Null);
        reply.expect("the node answers").status
    }

    /// A client that is in, at that node, and is sent what comes.
    pub async fn connect(&self, node: usize, name: &str, resource: &str) -> Client {
        let token = self.token_of(node, name, "first");
        let mut client = Client::open(self.addr(node), "/ws").await;
        name.clone_into(&mut client.user);
        resource.clone_into(&mut client.resource);
        client.frame(chat::BINARY, &chat::login_of(name, resource, &token)).await;
        assert_eq!(client.provisioned().await.status.unwrap().error_code, Some(0));
        client.unread().await;
        client
    }

    pub fn is_online(&self, node: usize, name: &str) -> bool {
        self.get(node, &format!("users/{name}/status"))["data"][name] == "online"
    }
}

fn start_node(number: usize, url: &str, nats: &str, master: &Path, setup: &Setup) -> Server {
    let (name, failures) = (format!("node-{number}"), setup.failures.unwrap_or(1_000_000).to_string());
    let environment = [
        ("YINXIN_DATABASE__URL", url),
        ("YINXIN_DATABASE__READ_CONNECTIONS", "4"),
        ("YINXIN_CLUSTER__NAME", "tests"),
        ("YINXIN_CLUSTER__NODE_NAME", &name),
        ("YINXIN_CLUSTER__NATS", nats),
        ("YINXIN_CLUSTER__DRAIN_MS", "500"),
        ("YINXIN_KEYS__MASTER_FILE", master.to_str().unwrap()),
        ("YINXIN_PASSWORDS__MEMORY_KIB", "8"),
        ("YINXIN_PASSWORDS__PASSES", "1"),
        ("YINXIN_LIMITS__PASSWORD_FAILURES", &failures),
    ];
    Server::start_with(Path::new(env!("CARGO_BIN_EXE_yinxin")), &[], &environment)
}

/// A call in the app.
pub fn call_at(addr: SocketAddr, token: &str, method: &str, path: &str, body: &Value) -> io::Result<Response> {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = (!body.is_null()).then(|| body.to_string());
    request(addr, method, &format!("/acme/chat/{path}"), &headers, body.as_deref().map(str::as_bytes))
}

pub fn field(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_else(|| panic!("no {name} in {body}")).to_owned()
}

/// What a node measures.
pub fn metric(addr: SocketAddr, name: &str) -> Option<String> {
    let text = request(addr, "GET", "/metrics", &[], None).ok()?.text();
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).map(|value| value.trim().to_owned())
}

/// Waits until it is so; how long that took. Fails when it takes longer than that.
#[track_caller]
pub fn eventually(bound: Duration, is_so: impl Fn() -> bool) -> Duration {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() <= bound, "not so after {:?}", began.elapsed());
        pause(Duration::from_millis(10));
    }
    began.elapsed()
}

/// Waits for other processes, whose clock is the machine's.
#[expect(clippy::disallowed_methods, reason = "the nodes are other processes, whose clock nobody moves")]
pub fn pause(time: Duration) {
    thread::sleep(time);
}
