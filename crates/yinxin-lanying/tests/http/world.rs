//! [`World`]: a server in this process with two apps and a clock that tests move.

use std::fmt::Write as _;
use std::future::ready;
use std::sync::Arc;

use axum::Router;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tempfile::TempDir;
use yinxin_core::apps::{self, App, AppChanges};
use yinxin_core::clock::FakeClock;
use yinxin_core::ctx::Parts;
use yinxin_core::files;
use yinxin_core::hooks::{Courier, Letter, Reply, Undelivered};
use yinxin_core::keys::MasterKey;
use yinxin_core::limits::Limits;
use yinxin_core::names::AppName;
use yinxin_core::passwords::HashCost;
use yinxin_core::rates::Preset;
use yinxin_core::rng::SystemRng;
use yinxin_core::users::{self, Registration};
use yinxin_core::{Ctx, Error};
use yinxin_realtime::{Bounds, Registry};
use zeroize::Zeroizing;

use crate::asking::Ask;

/// When every world begins.
pub const START_MS: i64 = 1_700_000_000_000;
pub const SECOND: i64 = 1000;
pub const DAY: i64 = 86_400 * SECOND;

/// An app as its clients and its backend know it.
#[derive(Clone)]
pub struct Tenant {
    pub app_id: String,
    pub admin: String,
}

/// A user who has logged in.
#[derive(Clone)]
pub struct Somebody {
    pub name: String,
    pub id: i64,
    pub token: String,
}

pub struct World {
    pub ctx: Arc<Ctx>,
    pub clock: Arc<FakeClock>,
    pub registry: Arc<Registry>,
    pub router: Router,
    /// The app that tests are about, open for registration.
    pub app: Tenant,
    /// Somebody else's app on the same server.
    pub other: Tenant,
    _folder: TempDir,
}

impl World {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FakeClock::at(START_MS));
        let registry = Registry::new(Bounds::default());
        let ctx = open(&folder, &clock, &registry).await;
        let changes = AppChanges { open_registration: Some(true), ..AppChanges::default() };
        let app = tenant(&ctx, "acme/chat", changes).await;
        let other = tenant(&ctx, "rival/chat", AppChanges::default()).await;
        let router = yinxin_lanying::router(Arc::clone(&ctx), yinxin_lanying::Options::default());
        Self { ctx, clock, registry, router, app, other, _folder: folder }
    }

    pub async fn core_app(&self) -> Arc<App> {
        apps::find(&self.ctx, "acme", "chat").await.unwrap()
    }

    pub async fn change_app(&self, changes: AppChanges) {
        apps::change(&self.ctx, &*self.core_app().await, changes).await.unwrap();
    }

    pub fn get(&self, path: &str) -> Ask<'_> {
        Ask::new(self, "GET", path).header("app_id", &self.app.app_id)
    }

    pub fn post(&self, path: &str, body: &Value) -> Ask<'_> {
        Ask::new(self, "POST", path).header("app_id", &self.app.app_id).body(body.to_string())
    }

    /// A call that says everything behind the question mark.
    pub fn tell(&self, path: &str) -> Ask<'_> {
        Ask::new(self, "POST", path).header("app_id", &self.app.app_id)
    }

    /// A user made and logged in by this dialect; the password is the name behind `pw-`.
    pub async fn user(&self, name: &str) -> Somebody {
        let password = format!("pw-{name}");
        let made = self.post("/user/register/v2", &json!({ "username": name, "password": password })).ok().await;
        let granted = self.log_in(name).ok().await;
        assert_eq!(made["user_id"], granted["user_id"]);
        Somebody {
            name: name.to_owned(),
            id: granted["user_id"].as_i64().unwrap(),
            token: granted["token"].as_str().unwrap().to_owned(),
        }
    }

    pub fn log_in(&self, name: &str) -> Ask<'_> {
        self.post("/token/user", &json!({ "name": name, "password": format!("pw-{name}") }))
    }

    /// A user as another dialect makes it.
    pub async fn foreign_user(&self, name: &str) {
        let password = Some(Zeroizing::new(format!("pw-{name}")));
        let registration = Registration { username: Some(name.to_owned()), password, ..Registration::default() };
        users::register(&self.ctx, &*self.core_app().await, registration).await.unwrap();
    }

    /// Everything that is stored, as text: to see that a call changed nothing.
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

    /// What a query gives.
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

/// Takes every address and carries nothing: what hooks would be told stays in the outbox.
struct Idle;

impl Courier for Idle {
    fn check(&self, _url: &str) -> Result<(), String> {
        Ok(())
    }

    fn post(&self, _letter: Letter) -> BoxFuture<'_, Result<Reply, Undelivered>> {
        Box::pin(ready(Err(Undelivered("nothing is carried".to_owned()))))
    }
}

async fn tenant(ctx: &Ctx, name: &str, changes: AppChanges) -> Tenant {
    let app = apps::create(ctx, AppName::parse(name).unwrap(), changes).await.unwrap();
    let admin = apps::create_admin_token(ctx, &app, "first".to_owned()).await.unwrap();
    Tenant { app_id: app.short_id.clone(), admin: admin.token.to_string() }
}

async fn open(folder: &TempDir, clock: &Arc<FakeClock>, registry: &Arc<Registry>) -> Arc<Ctx> {
    let parts = Parts {
        clock: clock.clone(),
        rng: Arc::new(SystemRng),
        sessions: registry.clone(),
        limits: Limits::default(),
        preset: Preset::default(),
        hash_cost: HashCost { memory_kib: 8, passes: 1, lanes: 1 },
        master: MasterKey::generate(&SystemRng),
        files: files::Setup::in_folder(folder.path().join("files")),
        courier: Arc::new(Idle),
    };
    Ctx::open(&folder.path().join("yinxin.db"), parts).await.unwrap()
}
