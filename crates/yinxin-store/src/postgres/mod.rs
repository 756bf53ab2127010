//! The networked engine: a write is a SERIALIZABLE transaction on one of a pool of connections, run again when it met
//! another; a read runs its statements one by one on a pool of its own. The only module that names tokio-postgres. Knows
//! no table.

mod address;
mod conn;
mod hold;
mod migrate;
mod pool;
mod session;
mod survey;
mod tls;
mod values;
mod write;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, RwLock};

use crate::error::{Error, Result};
use crate::seam::{OnCommit, Work};
use crate::sqlite::WriterGauge;
use address::Address;
use conn::Kind;
pub use hold::{Hold, Refused, Tenancy};
pub use migrate::VERSION_MIN as POSTGRES_VERSION_MIN;
use pool::{Pool, Use};
use session::{Session, attended};
pub use survey::{Survey, survey};

/// How often a read is begun anew because its connection was lost: the idle ones of a restarted server are all lost.
const READS_BEGUN: usize = 3;

/// How to open a PostgreSQL database.
#[derive(Clone)]
pub struct PostgresOptions {
    /// `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…`; several `HOST:PORT` with commas between them.
    pub url: String,
    /// Connections for writes.
    pub writers: usize,
    /// Connections for reads.
    pub readers: usize,
    /// Writes, and reads, that may wait for a connection; more are answered "busy".
    pub queue: usize,
    /// How long one may wait.
    pub wait: Duration,
    /// How long a statement may run.
    pub statement: Duration,
    /// How long connecting to one host may take.
    pub connect: Duration,
}

impl PostgresOptions {
    /// The defaults for a URL.
    pub fn at(url: String) -> Self {
        Self {
            url,
            writers: 16,
            readers: 8,
            queue: 4096,
            wait: Duration::from_secs(5),
            statement: Duration::from_secs(10),
            connect: Duration::from_secs(5),
        }
    }

    /// How many a server may make, with that of its [`Hold`].
    pub fn connections(&self, is_node: bool) -> usize {
        self.writers + self.readers + 1 + if is_node { pool::VITAL } else { 0 }
    }
}

impl fmt::Debug for PostgresOptions {
    /// Without the password, and without what may be one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = Address::parse(self).map_or_else(|_| "unreadable".to_owned(), |address| address.to_string());
        f.debug_struct("PostgresOptions").field("url", &shown).finish_non_exhaustive()
    }
}

/// Where a URL leads, without the password; an error says what is wrong with it.
pub fn describe_url(url: &str) -> Result<String> {
    Address::parse(&PostgresOptions::at(url.to_owned())).map(|address| address.to_string())
}

/// Which connections something runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lane {
    /// Those of nearly everything.
    Common,
    /// Those of what must go on however busy the others are. Made when first needed.
    Vital,
}

#[derive(Clone)]
pub(crate) struct Postgres(Arc<Shared>);

pub(crate) struct Shared {
    writers: Pool,
    readers: Pool,
    vital: Pool,
    on_commit: OnCommit,
    /// Writes that have met another go on one at a time.
    turn: Mutex<()>,
    /// And in the end while no other is under way here.
    alone: RwLock<()>,
    commits: AtomicUsize,
    statements: AtomicUsize,
}

impl Postgres {
    /// Connects and migrates. Needs a runtime, which the connections live on.
    pub async fn open(options: &PostgresOptions, on_commit: OnCommit) -> Result<Self> {
        let address = Arc::new(Address::parse(options)?);
        migrate::to_newest(&address, &crate::migrations::for_postgres()?).await?;
        let writers = Pool::new(Arc::clone(&address), Use::Writing, options);
        let readers = Pool::new(Arc::clone(&address), Use::Reading, options);
        let vital = Pool::new(address, Use::Vital, options);
        let shared = Shared {
            writers,
            readers,
            vital,
            on_commit,
            turn: Mutex::default(),
            alone: RwLock::default(),
            commits: AtomicUsize::default(),
            statements: AtomicUsize::default(),
        };
        // One of each: what is wrong with the settings is told at the start.
        shared.writers.lend().await?.give_back();
        shared.readers.lend().await?.give_back();
        Ok(Self(Arc::new(shared)))
    }

    pub async fn write<C, T, E>(&self, lane: Lane, input: C, work: Work<C, T, E>) -> Result<T, E>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        // A caller that goes away while it waits takes its write along.
        let pool = if lane == Lane::Vital { &self.0.vital } else { &self.0.writers };
        let lent = pool.lend().await?;
        let shared = Arc::clone(&self.0);
        // Begun, it is finished whatever becomes of the caller.
        let task = tokio::spawn(async move { write::to_the_end(&shared, lane, lent, &input, work).await });
        task.await.unwrap_or_else(|ended| Err(E::from(if ended.is_panic() { Error::Panicked } else { Error::Closed })))
    }

    pub async fn read<C: Sync, T, E: From<Error>>(&self, lane: Lane, input: &C, work: Work<C, T, E>) -> Result<T, E> {
        let pool = if lane == Lane::Vital { &self.0.vital } else { &self.0.readers };
        let mut begun = 1;
        loop {
            let mut lent = pool.lend().await?;
            let mut session = Session::new(&mut lent);
            let flight = session.flight();
            let outcome = attended(&flight, work(&mut session, input)).await;
            let trouble = session.trouble();
            match trouble {
                Some(Kind::Lost | Kind::Silent) => lent.throw_away(),
                _ => lent.give_back(),
            }
            if trouble != Some(Kind::Lost) || begun == READS_BEGUN {
                return outcome.unwrap_or_else(|| Err(Error::Awaited.into()));
            }
            begun += 1;
        }
    }

    pub fn gauge(&self) -> WriterGauge {
        WriterGauge {
            queued: self.0.writers.waiting(),
            last_group: 1,
            commits: self.0.commits.load(Ordering::Relaxed),
            statements: self.0.statements.load(Ordering::Relaxed),
        }
    }

    /// Waits for the writes that have begun or wait, and refuses later ones. Reads still answer.
    pub async fn close(&self) {
        self.0.writers.close().await;
        self.0.vital.close().await;
    }
}
