//! [`Ctx`]: everything a use case may reach. Made once at the start, shared by all requests.

use std::sync::Arc;

use tokio::sync::Notify;
use yinxin_store::{Db, Options, Touched};

use crate::cache::Cache;
use crate::clock::Clock;
use crate::error::Result;
use crate::files::{self, Files};
use crate::hooks::{Courier, Live};
use crate::keys::{Keys, MasterKey};
use crate::limits::Limits;
use crate::mint::Mint;
use crate::passwords::{HashCost, Passwords};
use crate::rates::{Preset, Rates};
use crate::rng::Rng;
use crate::rooms::live::{self, Live as Rooms};
use crate::rooms::records;
use crate::sessions::Sessions;
use crate::signed_calls::CallIds;

/// The shared context of all use cases.
pub struct Ctx {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for secrets.
    pub rng: Arc<dyn Rng>,
    /// New ids.
    pub mint: Arc<Mint>,
    /// Who is connected.
    pub sessions: Arc<dyn Sessions>,
    /// Who is in which room.
    pub rooms: Arc<Rooms>,
    /// What is to be told to hooks.
    pub hooks: Arc<Live>,
    /// Password hashing.
    pub passwords: Passwords,
    /// Call rates.
    pub rates: Rates,
    /// Uploaded files.
    pub files: Files,
    /// Signed calls that have been made.
    pub call_ids: CallIds,
    /// The server's keys.
    pub keys: Keys,
    pub(crate) cache: Arc<Cache>,
    /// Something is to be done in the background, now rather than later.
    pub(crate) chores: Notify,
}

/// What a context is made of.
pub struct Parts {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Who is connected.
    pub sessions: Arc<dyn Sessions>,
    /// Who carries calls to hooks.
    pub courier: Arc<dyn Courier>,
    /// Bounds.
    pub limits: Limits,
    /// Which call rates hold.
    pub preset: Preset,
    /// What a new password hash costs.
    pub hash_cost: HashCost,
    /// Where uploaded files are, and who may open them.
    pub files: files::Setup,
    /// The key that seals the others.
    pub master: MasterKey,
}

impl Ctx {
    /// Opens the database and the keys in it.
    pub async fn open(database: &Options, parts: Parts) -> Result<Arc<Self>> {
        let cache = Arc::new(Cache::new(parts.limits.cached_users));
        let hooks = Arc::new(Live::new(Arc::clone(&parts.courier), &parts.limits));
        let (forget, note) = (Arc::clone(&cache), Arc::clone(&hooks));
        let told = move |touched: &[Touched]| {
            forget.forget(touched);
            note.note(touched);
        };
        let db = Db::open(database, told).await?;
        let keys = Keys::open(&db, &parts).await?;
        let files = Files::open(&db, &parts.files, &parts.limits).await?;
        records::recover(&db, parts.clock.now_ms()).await?;
        let passwords = Passwords::start(parts.hash_cost, &parts.limits, &parts.rng)?;
        Ok(Arc::new(Self {
            mint: Arc::new(Mint::new(Arc::clone(&parts.clock))),
            rates: Rates::new(parts.preset, &parts.limits, Arc::clone(&parts.clock)),
            call_ids: CallIds::new(Arc::clone(&parts.clock)),
            clock: parts.clock,
            rng: parts.rng,
            sessions: parts.sessions,
            rooms: Rooms::new(live::Bounds::default()),
            hooks,
            passwords,
            files,
            keys,
            cache,
            chores: Notify::new(),
            db,
        }))
    }

    /// Users in memory, for metrics.
    pub fn cached_users(&self) -> usize {
        self.cache.user_count()
    }

    /// Whether the database answers, for the readiness probe.
    pub async fn check_storage(&self) -> Result<()> {
        self.db
            .read((), |sql, ()| {
                Box::pin(async move {
                    sql.rows("SELECT 1", &[]).await?;
                    Ok(())
                })
            })
            .await
    }
}
