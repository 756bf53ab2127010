//! [`Ground`]: a server's core in a folder of its own and a dialect's router on it, in this process, with a clock that
//! tests move. The worlds of the dialects' tests stand on one. [`open`] is where every test's core is opened.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use axum::Router;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::{OnceCell, oneshot};
use yinxin_core::apps::{self, App, AppChanges};
use yinxin_core::clock::{Clock, FakeClock};
use yinxin_core::ctx::Parts;
use yinxin_core::hooks::{Courier, Nobody};
use yinxin_core::keys::MasterKey;
use yinxin_core::limits::Limits;
use yinxin_core::names::AppName;
use yinxin_core::passwords::HashCost;
use yinxin_core::rates::Preset;
use yinxin_core::rng::SystemRng;
use yinxin_core::sessions::LocalSessions;
use yinxin_core::{Ctx, Database, Error, SqliteOptions, files};
use yinxin_http::ServeOptions;
use yinxin_http::metrics::PrometheusHandle;

use crate::storage;

/// When every clock begins.
pub const START_MS: i64 = 1_700_000_000_000;
/// In milliseconds.
pub const SECOND: i64 = 1000;
/// In milliseconds.
pub const DAY: i64 = 86_400 * SECOND;
/// As little work as Argon2 can be asked for.
pub const CHEAP: HashCost = HashCost { memory_kib: 8, passes: 1, lanes: 1 };

/// What a test that is not async itself runs on: one thread, with the timers and sockets that every engine needs.
#[must_use]
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Opens a core in a folder, where another may have been before.
pub async fn open(folder: &Path, parts: Parts) -> Arc<Ctx> {
    Ctx::open(&storage::at(&folder.join("yinxin.db")), parts).await.unwrap()
}

/// The same on the embedded engine, whichever the suite runs on.
pub async fn open_embedded(folder: &Path, parts: Parts) -> Arc<Ctx> {
    Ctx::open(&Database::Sqlite(SqliteOptions::at(folder.join("yinxin.db"))), parts).await.unwrap()
}

/// What a test wants of its server; the default is one as installed, with cheap passwords and without hooks.
#[derive(Clone)]
pub struct Setup {
    /// Which call rates hold.
    pub preset: Preset,
    /// Bounds.
    pub limits: Limits,
    /// What a new password hash costs.
    pub hash_cost: HashCost,
    /// Whether a file's secret opens it without a token.
    pub secret_is_enough: bool,
    /// Who carries calls to hooks.
    pub courier: Arc<dyn Courier>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            preset: Preset::default(),
            limits: Limits::default(),
            hash_cost: CHEAP,
            secret_is_enough: false,
            courier: Arc::new(Nobody),
        }
    }
}

/// The query of [`Ground::dump`]: all databases of a process have one schema.
static DUMP: OnceCell<&str> = OnceCell::const_new();

type Build = dyn Fn(&Arc<Ctx>) -> Router + Send + Sync;

/// A server in this process.
pub struct Ground {
    /// Its core.
    pub ctx: Arc<Ctx>,
    /// Its clock.
    pub clock: Arc<FakeClock>,
    /// What answers.
    pub router: Router,
    build: Box<Build>,
    sessions: Arc<dyn LocalSessions>,
    setup: Setup,
    master: MasterKey,
    folder: TempDir,
}

impl Ground {
    /// A new server, whose router that function makes.
    pub async fn new(
        setup: Setup,
        sessions: Arc<dyn LocalSessions>,
        build: impl Fn(&Arc<Ctx>) -> Router + Send + Sync + 'static,
    ) -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(FakeClock::at(START_MS)));
        let master = MasterKey::generate(&SystemRng);
        let ctx = open(folder.path(), parts(&folder, &clock, &sessions, &setup, &master)).await;
        let router = build(&ctx);
        Self { ctx, clock, router, build: Box::new(build), sessions, setup, master, folder }
    }

    /// The same folder after the server was stopped and started again.
    pub async fn restarted(self) -> Self {
        let Self { ctx, clock, router, build, sessions, setup, master, folder } = self;
        drop(router);
        ctx.db.close().await;
        drop(ctx);
        let ctx = open(folder.path(), parts(&folder, &clock, &sessions, &setup, &master)).await;
        let router = build(&ctx);
        Self { ctx, clock, router, build, sessions, setup, master, folder }
    }

    /// The time.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// The time, in seconds.
    pub fn now_s(&self) -> i64 {
        self.clock.now_s()
    }

    /// Makes the app of that name.
    pub async fn create_app(&self, name: &str, changes: AppChanges) -> Arc<App> {
        apps::create(&self.ctx, AppName::parse(name).unwrap(), changes).await.unwrap()
    }

    /// The app of that name, with its secrets.
    pub async fn app_of(&self, name: &str) -> Arc<App> {
        let (org, app) = name.split_once('/').unwrap();
        apps::find(&self.ctx, org, app).await.unwrap()
    }

    /// Everything that is stored, as text: to see that a call changed nothing, or left no trace.
    pub async fn dump(&self) -> String {
        let query = DUMP.get_or_init(|| async { self.dumping().await.leak() as &'static str }).await;
        self.strings(query).await.join("\n")
    }

    /// One query for all rows of all tables: many small ones would take most of the time of the tests that compare dumps.
    async fn dumping(&self) -> String {
        let mut selects = Vec::new();
        for table in self.strings(storage::tables()).await {
            let columns = self.strings(storage::spelled_columns(&table).leak()).await.remove(0);
            selects.push(format!("SELECT '{table}: ' || {columns} FROM {table}"));
        }
        format!("{} ORDER BY 1", selects.join(" UNION ALL "))
    }

    /// The answer of a query with one column of text.
    pub async fn strings(&self, query: &'static str) -> Vec<String> {
        self.ctx
            .db
            .read(query, |sql, query| {
                Box::pin(async move {
                    let rows = sql.rows(query, &[]).await?;
                    rows.into_iter().map(|mut row| Ok::<String, Error>(row.take(0)?)).collect()
                })
            })
            .await
            .unwrap()
    }
}

fn parts(
    folder: &TempDir,
    clock: &Arc<FakeClock>,
    sessions: &Arc<dyn LocalSessions>,
    setup: &Setup,
    master: &MasterKey,
) -> Parts {
    Parts {
        clock: clock.clone(),
        rng: Arc::new(SystemRng),
        sessions: Arc::clone(sessions),
        courier: Arc::clone(&setup.courier),
        limits: setup.limits.clone(),
        preset: setup.preset,
        hash_cost: setup.hash_cost,
        files: files::Setup {
            secret_is_enough: setup.secret_is_enough,
            ..files::Setup::in_folder(folder.path().join("files"))
        },
        master: master.clone(),
        cluster: None,
    }
}

/// A router on a port of its own, until it is dropped.
pub struct Listener {
    /// Where it listens.
    pub address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Listener {
    /// Begins to answer.
    pub async fn start(router: Router) -> Self {
        let options = ServeOptions::default();
        let listener = yinxin_http::bind(([127, 0, 0, 1], 0).into(), options.backlog).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(yinxin_http::serve(listener, router, options, async {
            // An error says that the world is gone, which is a reason to stop as well.
            let _ = stopped.await;
        }));
        Self { address, _stop: stop }
    }
}

/// The process's metrics, installed once.
pub fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| yinxin_http::metrics::install().unwrap())
}

/// How many connections of this process have ended for that reason.
pub fn ended(reason: &str) -> u64 {
    let series = format!("yinxin_session_ends_total{{reason=\"{reason}\"}}");
    let text = yinxin_http::metrics::render(metrics());
    let value = text.lines().find_map(|line| line.strip_prefix(&series));
    value.map_or(0, |value| value.trim().parse().unwrap())
}
