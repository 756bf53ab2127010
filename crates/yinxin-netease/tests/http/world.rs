//! [`World`]: a server in this process with two apps and a clock that tests move.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use tempfile::TempDir;
use yinxin_core::apps::{self, App, AppChanges};
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
use yinxin_core::rooms::tokens::{self, Admission};
use yinxin_core::rooms::{RoomName, RoomUid};
use yinxin_core::{Code, Ctx, Error};
use yinxin_realtime::{Bounds, Registry};
use yinxin_testkit::storage;

use crate::asking::Ask;

/// When every world begins.
pub const START_MS: i64 = 1_700_000_000_000;
pub const SECOND: i64 = 1000;

pub struct World {
    pub ctx: Arc<Ctx>,
    pub clock: Arc<FakeClock>,
    pub registry: Arc<Registry>,
    pub router: Router,
    master: MasterKey,
    preset: Preset,
    folder: TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Preset::default()).await
    }

    pub async fn with(preset: Preset) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FakeClock::at(START_MS));
        let registry = Registry::new(Bounds::default());
        let master = MasterKey::generate(&SystemRng);
        let ctx = open(&folder, &clock, &registry, preset, &master).await;
        for name in ["acme/chat", "rival/chat"] {
            apps::create(&ctx, AppName::parse(name).unwrap(), AppChanges::default()).await.unwrap();
        }
        let router = yinxin_netease::router(Arc::clone(&ctx), yinxin_netease::Options::default());
        Self { ctx, clock, registry, router, master, preset, folder }
    }

    /// The same folder after the server was stopped and started again.
    pub async fn restarted(self) -> Self {
        let Self { ctx, clock, registry, router, master, preset, folder } = self;
        drop(router);
        let db = ctx.db.clone();
        drop(ctx);
        db.close().await;
        let ctx = open(&folder, &clock, &registry, preset, &master).await;
        let router = yinxin_netease::router(Arc::clone(&ctx), yinxin_netease::Options::default());
        Self { ctx, clock, registry, router, master, preset, folder }
    }

    /// The app that tests are about.
    pub async fn app(&self) -> Arc<App> {
        apps::find(&self.ctx, "acme", "chat").await.unwrap()
    }

    /// Somebody else's app on the same server.
    pub async fn other(&self) -> Arc<App> {
        apps::find(&self.ctx, "rival", "chat").await.unwrap()
    }

    pub async fn change_app(&self, changes: AppChanges) {
        apps::change(&self.ctx, &*self.app().await, changes).await.unwrap();
    }

    pub fn now_s(&self) -> i64 {
        self.clock.now_s()
    }

    /// A call as the app's backend makes it; `action` is below `/nimserver/`.
    pub async fn post(&self, action: &str, form: &[(&str, &str)]) -> Ask<'_> {
        Ask::new(self, "POST", &format!("/nimserver/{action}")).form(form).signed_by(&*self.app().await)
    }

    /// The same by the backend of the other app.
    pub async fn post_as_other(&self, action: &str, form: &[(&str, &str)]) -> Ask<'_> {
        Ask::new(self, "POST", &format!("/nimserver/{action}")).form(form).signed_by(&*self.other().await)
    }

    /// A room token.
    pub async fn token(&self, form: &[(&str, &str)]) -> String {
        self.post("user/getToken.action", form).await.await.ok()["token"].as_str().unwrap().to_owned()
    }

    /// A join as the gate decides it.
    pub async fn join(&self, uid: u64, room: &str, token: Option<&str>, key: Option<&str>) -> Result<Admission, Code> {
        let (uid, room) = (RoomUid::new(uid).unwrap(), RoomName::parse(room).unwrap());
        let admitted = tokens::admit(&self.ctx, &*self.app().await, uid, &room, token, key).await;
        admitted.map_err(|error| error.code)
    }

    /// Makes a user.
    pub async fn create(&self, accid: &str) -> String {
        let made = self.post("user/create.action", &[("accid", accid)]).await.await.ok();
        made["info"]["token"].as_str().unwrap().to_owned()
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

async fn open(
    folder: &TempDir,
    clock: &Arc<FakeClock>,
    registry: &Arc<Registry>,
    preset: Preset,
    master: &MasterKey,
) -> Arc<Ctx> {
    let parts = Parts {
        clock: clock.clone(),
        rng: Arc::new(SystemRng),
        sessions: registry.clone(),
        limits: Limits::default(),
        preset,
        hash_cost: HashCost { memory_kib: 8, passes: 1, lanes: 1 },
        master: master.clone(),
        files: files::Setup::in_folder(folder.path().join("files")),
        courier: Arc::new(Nobody),
    };
    Ctx::open(&storage::at(&folder.path().join("yinxin.db")), parts).await.unwrap()
}
