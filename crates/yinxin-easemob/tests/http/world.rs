//! [`World`]: a server in this process with two apps, a clock that tests move, and pretended connections.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use serde_json::{Value, json};
use tempfile::TempDir;
use yinxin_core::apps::{self, App, AppChanges, Profile};
use yinxin_core::clock::{Clock, FakeClock};
use yinxin_core::ctx::Parts;
use yinxin_core::files;
use yinxin_core::hooks::Nobody;
use yinxin_core::keys::MasterKey;
use yinxin_core::limits::Limits;
use yinxin_core::names::AppName;
use yinxin_core::passwords::HashCost;
use yinxin_core::rates::Preset;
use yinxin_core::rng::SystemRng;
use yinxin_core::{Ctx, Error};
use yinxin_testkit::storage;

use crate::asking::Ask;
use crate::connections::Connections;

/// When every world begins.
pub const START_MS: i64 = 1_700_000_000_000;
pub const SECOND: i64 = 1000;
pub const DAY: i64 = 86_400 * SECOND;

/// What a test wants of its world; the default is a server as installed.
#[derive(Clone, Default)]
pub struct Setup {
    pub profile: Profile,
    pub open_registration: bool,
    pub contacts_max: Option<i64>,
    pub preset: Preset,
    pub limits: Limits,
    /// Cost of a password, when it should be one.
    pub hash_memory_kib: Option<u32>,
    /// Whether a file's secret opens it without a token.
    pub secret_is_enough: bool,
}

/// An app and its backend's token, which never expires.
#[derive(Clone)]
pub struct Tenant {
    /// `/org/app`.
    pub path: String,
    pub token: String,
}

pub struct World {
    pub ctx: Arc<Ctx>,
    pub clock: Arc<FakeClock>,
    pub connections: Arc<Connections>,
    /// The app that tests are about.
    pub app: Tenant,
    /// Somebody else's app on the same server.
    pub other: Tenant,
    pub router: Router,
    setup: Setup,
    master: MasterKey,
    folder: TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn of_profile(profile: Profile) -> Self {
        Self::with(Setup { profile, ..Setup::default() }).await
    }

    pub async fn with(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FakeClock::at(START_MS));
        let connections = Arc::new(Connections::default());
        let master = MasterKey::generate(&SystemRng);
        let ctx = open(&folder, &clock, &connections, &setup, &master).await;
        let changes = AppChanges {
            open_registration: Some(setup.open_registration),
            profile: Some(setup.profile),
            contacts_max: setup.contacts_max,
            ..AppChanges::default()
        };
        let app = tenant(&ctx, "acme/chat", changes).await;
        let other =
            tenant(&ctx, "rival/chat", AppChanges { profile: Some(setup.profile), ..AppChanges::default() }).await;
        // Ids of users are later than those of their app.
        clock.move_by(DAY);
        let router = self::router(&ctx, yinxin_easemob::Options::default());
        Self { ctx, clock, connections, app, other, router, setup, master, folder }
    }

    /// The same folder after the server was stopped and started again.
    pub async fn restarted(self) -> Self {
        let Self { ctx, clock, connections, app, other, router, setup, master, folder } = self;
        drop(router);
        let db = ctx.db.clone();
        drop(ctx);
        db.close().await;
        let ctx = open(&folder, &clock, &connections, &setup, &master).await;
        let router = self::router(&ctx, yinxin_easemob::Options::default());
        Self { ctx, clock, connections, app, other, router, setup, master, folder }
    }

    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    pub fn now_s(&self) -> i64 {
        self.clock.now_s()
    }

    /// A call as the app's backend makes it.
    pub fn call(&self, method: &str, path: &str) -> Ask<'_> {
        Ask::new(self, method, &format!("{}{path}", self.app.path)).by(&self.app.token)
    }

    pub fn get(&self, path: &str) -> Ask<'_> {
        self.call("GET", path)
    }

    #[expect(clippy::needless_pass_by_value, reason = "the body is written where the call is")]
    pub fn post(&self, path: &str, body: Value) -> Ask<'_> {
        self.call("POST", path).json(&body)
    }

    #[expect(clippy::needless_pass_by_value, reason = "the body is written where the call is")]
    pub fn put(&self, path: &str, body: Value) -> Ask<'_> {
        self.call("PUT", path).json(&body)
    }

    pub fn delete(&self, path: &str) -> Ask<'_> {
        self.call("DELETE", path)
    }

    /// The app's record, with its secrets.
    pub async fn app(&self) -> Arc<App> {
        apps::find(&self.ctx, "acme", "chat").await.unwrap()
    }

    pub async fn change_app(&self, changes: AppChanges) {
        apps::change(&self.ctx, &*self.app().await, changes).await.unwrap();
    }

    /// Registers users whose password is `pw-` and their name.
    pub async fn register(&self, names: &[&str]) {
        for names in names.chunks(60) {
            let new: Vec<Value> =
                names.iter().map(|name| json!({ "username": name, "password": format!("pw-{name}") })).collect();
            self.post("/users", new.into()).await.ok();
        }
    }

    /// A user's token, got by its password.
    pub async fn login(&self, name: &str) -> String {
        let granted = self.log_in(name, &format!("pw-{name}")).await.ok();
        granted["access_token"].as_str().unwrap().to_owned()
    }

    pub fn log_in(&self, name: &str, password: &str) -> Ask<'_> {
        let body = json!({ "grant_type": "password", "username": name, "password": password });
        self.post("/token", body).anonymous()
    }

    /// A user's token, got by the backend.
    pub async fn inherit(&self, name: &str) -> String {
        let body = json!({ "grant_type": "inherit", "username": name, "autoCreateUser": true });
        self.post("/token", body).await.ok()["access_token"].as_str().unwrap().to_owned()
    }

    /// A user's id as replies print it.
    pub async fn uuid(&self, name: &str) -> String {
        let found = self.get(&format!("/users/{name}")).await.ok();
        found["entities"][0]["uuid"].as_str().unwrap().to_owned()
    }

    /// All user names, oldest first.
    pub async fn names(&self) -> Vec<String> {
        let mut all = Vec::new();
        let mut path = "/users?limit=100".to_owned();
        loop {
            let page = self.get(&path).await.ok();
            all.extend(usernames(&page["entities"]));
            let Some(cursor) = page["cursor"].as_str() else { return all };
            path = format!("/users?limit=100&cursor={cursor}");
        }
    }

    /// Everything that is stored, as text: to see that a call changed nothing, or left no trace.
    pub async fn dump(&self) -> String {
        let mut dump = String::new();
        for table in self.strings("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").await {
            let columns =
                format!("SELECT group_concat('quote(' || name || ')', '||'',''||') FROM pragma_table_info('{table}')");
            let columns = self.strings(columns.leak()).await.remove(0);
            let rows = format!("SELECT {columns} FROM {table} ORDER BY 1");
            for row in self.strings(rows.leak()).await {
                writeln!(dump, "{table}: {row}").unwrap();
            }
        }
        dump
    }

    /// The answer of a query with one column of text.
    async fn strings(&self, query: &'static str) -> Vec<String> {
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

async fn open(
    folder: &TempDir,
    clock: &Arc<FakeClock>,
    connections: &Arc<Connections>,
    setup: &Setup,
    master: &MasterKey,
) -> Arc<Ctx> {
    let parts = Parts {
        clock: clock.clone(),
        rng: Arc::new(SystemRng),
        sessions: connections.clone(),
        courier: Arc::new(Nobody),
        limits: setup.limits.clone(),
        preset: setup.preset,
        hash_cost: HashCost { memory_kib: setup.hash_memory_kib.unwrap_or(8), passes: 1, lanes: 1 },
        files: files::Setup {
            secret_is_enough: setup.secret_is_enough,
            ..files::Setup::in_folder(folder.path().join("files"))
        },
        master: master.clone(),
    };
    Ctx::open(&storage::at(&folder.path().join("yinxin.db")), parts).await.unwrap()
}

/// An app with a token for ever.
pub async fn tenant(ctx: &Ctx, name: &str, changes: AppChanges) -> Tenant {
    let app = apps::create(ctx, AppName::parse(name).unwrap(), changes).await.unwrap();
    let (id, secret) = (Some(&*app.client_id), Some(app.reveal_client_secret()));
    let grant = yinxin_core::tokens::issue_to_app(ctx, &app, id, secret, Some(0)).unwrap();
    Tenant { path: format!("/{name}"), token: grant.token }
}

/// The names in a reply's entities.
pub fn usernames(entities: &Value) -> Vec<String> {
    entities.as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap().to_owned()).collect()
}

/// `user1` to `user<count>`, as a backend would call them.
pub fn numbered(prefix: &str, count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("{prefix}{number}")).collect()
}

/// The dialect's router. Nobody connects in these tests: its socket has a registry of its own.
pub fn router(ctx: &Arc<Ctx>, options: yinxin_easemob::Options) -> Router {
    let registry = yinxin_realtime::Registry::new(yinxin_realtime::Bounds::default());
    yinxin_easemob::router(Arc::clone(ctx), registry, options)
}
