//! [`Ctx`]: everything a use case may reach. Made once at the start, shared by all requests.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use yinxin_store::{NodeId, Options, Touched};

use crate::cache::Cache;
use crate::clock::Clock;
use crate::cluster::{self, Cluster, Touches};
use crate::db::Db;
use crate::error::Result;
use crate::files::{self, Files};
use crate::hooks::{Courier, Live};
use crate::keys::{Keys, MasterKey};
use crate::limits::{CACHE_TRUST_MS, Limits, SWEEPING_WRITES};
use crate::mint::Mint;
use crate::passwords::{HashCost, Passwords};
use crate::rates::{Preset, Rates};
use crate::rng::{self, Rng};
use crate::rooms::live::{self, Live as Rooms};
use crate::rooms::records;
use crate::sessions::{LocalSessions, Sessions};
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
    pub sessions: Sessions,
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
    /// The other nodes, where this is one of many.
    pub cluster: Option<Arc<Cluster>>,
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
    /// Who is connected to this server.
    pub sessions: Arc<dyn LocalSessions>,
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
    /// What makes this server one of many; `None`: it is the only one.
    pub cluster: Option<cluster::Setup>,
}

impl Ctx {
    /// Opens the database and the keys in it.
    pub async fn open(database: &Options, mut parts: Parts) -> Result<Arc<Self>> {
        let setup = parts.cluster.take();
        let max_age = match (&setup, database) {
            (Some(setup), _) => Some(setup.pace.trust),
            // A commit of which nobody knew what became may show after memory has looked again.
            (None, Options::Postgres(_)) => Some(Duration::from_millis(CACHE_TRUST_MS)),
            (None, Options::Sqlite(_)) => None,
        };
        let touches = setup.as_ref().map(|setup| Arc::new(Touches::new(Arc::clone(&setup.bus), setup.pace.patience)));
        let cache = Arc::new(Cache::new(parts.limits.cached_users, max_age));
        let hooks = Arc::new(Live::new(Arc::clone(&parts.courier), &parts.limits));
        let (forget, note, told) = (Arc::clone(&cache), Arc::clone(&hooks), touches.clone());
        let on_commit = move |touched: &[Touched]| {
            forget.forget(touched);
            note.note(touched);
            if let Some(told) = &told {
                told.tell(touched);
            }
        };
        let engine = yinxin_store::Db::open(database, on_commit).await?;
        let db = engine.clone();
        let keys = Keys::open(&db, &parts).await?;
        let files = Files::open(&db, &parts.files, &parts.limits, setup.is_none()).await?;
        let now_ms = parts.clock.now_ms();
        let rooms = Rooms::new(live::Bounds::default());
        let mut cluster = None;
        if let Some((setup, touches)) = setup.zip(touches.clone()) {
            let (local, cache, hooks) = (Arc::clone(&parts.sessions), Arc::clone(&cache), Arc::clone(&hooks));
            let number = i64::from(u16::from_be_bytes(rng::bytes(parts.rng.as_ref())));
            let rooms = Arc::clone(&rooms);
            records::recover_orphans(&db, now_ms).await?;
            let parts = cluster::Parts { setup, touches, db, local, cache, hooks, rooms, now_ms, number };
            cluster = Some(Cluster::join(parts).await?);
        } else {
            records::recover(&db, now_ms).await?;
            // There are no others that would have to know of this one first.
            cache.keep_from_now_on();
        }
        let mint = match &cluster {
            None => Mint::new(Arc::clone(&parts.clock)),
            Some(cluster) => Mint::of_node(Arc::clone(&parts.clock), cluster.number()),
        };
        let passwords = Passwords::start(parts.hash_cost, &parts.limits, &parts.rng)?;
        Ok(Arc::new(Self {
            mint: Arc::new(mint),
            rates: Rates::new(parts.preset, &parts.limits, Arc::clone(&parts.clock)),
            call_ids: CallIds::new(Arc::clone(&parts.clock)),
            clock: parts.clock,
            rng: parts.rng,
            sessions: Sessions::new(parts.sessions, cluster.clone()),
            rooms,
            hooks,
            passwords,
            files,
            keys,
            cache,
            chores: Notify::new(),
            db: Db::new(engine, touches),
            cluster,
        }))
    }

    /// This node, where it is one of many.
    pub(crate) fn node(&self) -> Option<NodeId> {
        self.cluster.as_ref().map(|cluster| cluster.node())
    }

    /// Whether that piece of background work is this server's to do.
    pub fn holds(&self, piece: cluster::Piece) -> bool {
        self.cluster.as_ref().is_none_or(|cluster| cluster.holds(piece))
    }

    /// How many rows whose time is over a write takes along. Writes that are under way at the same time and take the same
    /// rows meet, so where that can be few do, and these take more.
    pub(crate) fn swept(&self, few: i64) -> i64 {
        if self.db.is_embedded() {
            return few;
        }
        let [turn] = rng::bytes(self.rng.as_ref());
        if turn < SWEEPING_WRITES { few * 256 / i64::from(SWEEPING_WRITES) } else { 0 }
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
