//! Nodes on one database, in one process, and clients that are connected to them.

use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use yinxin_core::apps::{self, AppChanges};
use yinxin_core::clock::SystemClock;
use yinxin_core::cluster::{self, Pace};
use yinxin_core::ctx::Parts;
use yinxin_core::files::{self, Place};
use yinxin_core::hooks;
use yinxin_core::keys::MasterKey;
use yinxin_core::limits::Limits;
use yinxin_core::names::AppName;
use yinxin_core::passwords::HashCost;
use yinxin_core::presence::News;
use yinxin_core::rates::Preset;
use yinxin_core::rng::SystemRng;
use yinxin_core::sessions::{Device, Ending, Entered};
use yinxin_core::users::{self, Registration};
use yinxin_core::{App, Ctx, Database, NodeId, Result, User};
use yinxin_realtime::{Bounds, Line, Registration as Registered, Registry};
use yinxin_testkit::storage;
use zeroize::Zeroizing;

use crate::bus::Wire;

/// Faster than life: what takes seconds takes tenths.
pub const PACE: Pace = Pace {
    beat: Duration::from_millis(50),
    // Long, since the machine may be busy: only a node that is gone is dead.
    dead_after: Duration::from_secs(2),
    look: Duration::from_millis(100),
    trust: Duration::from_millis(300),
    patience: Duration::from_millis(300),
};
/// A test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Node {
    pub id: NodeId,
    pub ctx: Arc<Ctx>,
    pub registry: Arc<Registry>,
    running: JoinHandle<()>,
}

impl Node {
    /// Dies without a word.
    pub fn kill(&self) {
        self.running.abort();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.running.abort();
    }
}

pub struct World {
    pub wire: Arc<Wire>,
    pub nodes: Vec<Node>,
    pub app: Arc<App>,
    /// Of two clients the later one is the newer, however fast they come.
    since_ms: AtomicI64,
    database: Database,
    folder: TempDir,
}

impl World {
    /// Nodes that know each other.
    pub async fn of(count: u8) -> Self {
        Self::of_on(count, storage::at).await
    }

    /// The same on that database.
    pub async fn of_on(count: u8, database: fn(&Path) -> Database) -> Self {
        let mut world = Self::begin(PACE, database).await;
        for _ in 1..count {
            world.join().await;
        }
        // Each must know of all others, and they of it, before anything is kept in memory.
        let others = usize::from(count - 1);
        let knows = |node: &Node| node.ctx.cluster.as_ref().unwrap().others() == others;
        eventually(async || world.nodes.iter().all(knows)).await;
        world
    }

    /// A node of that pace.
    pub async fn at(pace: Pace) -> Self {
        Self::begin(pace, storage::at).await
    }

    async fn begin(pace: Pace, database: fn(&Path) -> Database) -> Self {
        let folder = TempDir::new().unwrap();
        let database = database(&folder.path().join("yinxin.db"));
        Self::on(database, folder, pace).await
    }

    /// A node of that pace on that database.
    pub async fn on(database: Database, folder: TempDir, pace: Pace) -> Self {
        let wire = Wire::new();
        let nodes = vec![start(&database, &folder, &wire, 1, pace).await];
        let name = AppName::parse("org/app").unwrap();
        let app = apps::create(&nodes[0].ctx, name, AppChanges::default()).await.unwrap();
        Self { wire, nodes, app, since_ms: AtomicI64::new(1), database, folder }
    }

    /// One node more.
    pub async fn join(&mut self) {
        let number = u8::try_from(self.nodes.len() + 1).unwrap();
        self.nodes.push(start(&self.database, &self.folder, &self.wire, number, PACE).await);
    }

    pub fn ctx(&self, node: usize) -> &Arc<Ctx> {
        &self.nodes[node].ctx
    }

    pub async fn register(&self, name: &str) -> Arc<User> {
        let registration = Registration {
            username: Some(name.to_owned()),
            password: Some(Zeroizing::new("first".to_owned())),
            ..Registration::default()
        };
        users::register(self.ctx(0), &self.app, registration).await.unwrap()
    }

    /// A client that is in, on that node.
    pub async fn connect(&self, node: usize, user: &User, resource: &str) -> Client {
        self.try_connect(node, user, resource).await.unwrap().expect("there is a place")
    }

    pub async fn try_connect(&self, node: usize, user: &User, resource: &str) -> Result<Option<Client>> {
        let waiting = self.come(node, user, resource);
        self.let_in(node, user, waiting).await
    }

    /// A client that has a place on that node, and is not on record yet.
    pub fn come(&self, node: usize, user: &User, resource: &str) -> Waiting {
        let registry = &self.nodes[node].registry;
        let heard = Arc::new(Heard::default());
        let device = Device {
            resource: resource.to_owned(),
            device_uuid: format!("uuid of {resource}"),
            device_name: format!("name of {resource}"),
            note: format!("I am {resource}"),
            since_ms: self.since_ms.fetch_add(1, Ordering::Relaxed),
        };
        let owner = (self.app.id, user.user);
        let registered = registry.register(owner, device.clone(), "web", heard.clone()).unwrap();
        Waiting { heard, device, registered }
    }

    pub async fn let_in(&self, node: usize, user: &User, waiting: Waiting) -> Result<Option<Client>> {
        let Waiting { heard, device, registered } = waiting;
        let number = registered.id().number();
        let entered = self.ctx(node).sessions.enter(self.app.id, user, &device, "web", number).await?;
        Ok(entered.map(|entered| Client { heard, registered, entered }))
    }
}

pub struct Waiting {
    heard: Arc<Heard>,
    device: Device,
    registered: Registered,
}

async fn start(database: &Database, folder: &TempDir, wire: &Arc<Wire>, number: u8, pace: Pace) -> Node {
    let id = NodeId([number; 16]);
    let registry = Registry::new(Bounds::default().of_node());
    let setup = cluster::Setup {
        node: id,
        name: format!("node {number}"),
        url: format!("http://node-{number}"),
        bus: wire.end_of(id),
        pace,
    };
    let parts = Parts {
        clock: Arc::new(SystemClock),
        rng: Arc::new(SystemRng),
        sessions: registry.clone(),
        courier: Arc::new(hooks::Nobody),
        limits: Limits { password_threads: 1, ..Limits::default() },
        preset: Preset::SelfHosted,
        hash_cost: HashCost { memory_kib: 8, passes: 1, lanes: 1 },
        files: files::Setup { place: Place::Folder(folder.path().join("files")), secret_is_enough: false },
        master: MasterKey::from_hex(&"5a".repeat(32)).unwrap(),
        cluster: Some(setup),
    };
    let ctx = Ctx::open(database, parts).await.unwrap();
    let running = tokio::spawn({
        let ctx = Arc::clone(&ctx);
        async move { cluster::run(&ctx).await }
    });
    Node { id, ctx, registry, running }
}

/// What a connection was told.
#[derive(Default)]
pub struct Heard {
    pub endings: Mutex<Vec<Ending>>,
    pub queues: Mutex<Vec<String>>,
    pub news: Mutex<Vec<Arc<News>>>,
    pub looks: Mutex<usize>,
    bell: Notify,
}

impl Line for Heard {
    fn end(&self, ending: Ending) {
        self.endings.lock().unwrap().push(ending);
        self.bell.notify_one();
    }

    fn wake(&self, queue: &str) {
        self.queues.lock().unwrap().push(queue.to_owned());
        self.bell.notify_one();
    }

    fn look_again(&self) {
        *self.looks.lock().unwrap() += 1;
        self.bell.notify_one();
    }

    fn announce(&self, news: &Arc<News>) {
        self.news.lock().unwrap().push(Arc::clone(news));
        self.bell.notify_one();
    }

    fn renew(&self, _: IpAddr, _: i64) {}
}

pub struct Client {
    pub heard: Arc<Heard>,
    registered: Registered,
    entered: Entered,
}

impl Client {
    /// Goes as its gateway would have it go.
    pub async fn leave(self) {
        drop(self.registered);
        self.entered.leave().await;
    }

    /// Waits until it is told to end.
    pub async fn ending(&self) -> Ending {
        self.until(|heard| heard.endings.lock().unwrap().first().cloned()).await
    }

    pub async fn until<T>(&self, found: impl Fn(&Heard) -> Option<T>) -> T {
        let waiting = async {
            loop {
                if let Some(found) = found(&self.heard) {
                    return found;
                }
                self.heard.bell.notified().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the connection is told")
    }
}

/// Waits until it is so.
pub async fn eventually(is_so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it becomes so");
}
