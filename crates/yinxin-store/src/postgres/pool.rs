//! So many connections, made when they are first needed and lent to one user at a time; who waits for one, and how long.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use super::PostgresOptions;
use super::address::Address;
use super::conn::{Conn, engine};
use crate::error::{Error, Result};

/// What the connections of a pool are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Transactions that behave as if they ran one after the other.
    Writing,
    /// Single statements, each of which sees what was committed before.
    Reading,
    /// Either, for what must go on however many wait for the others.
    Vital,
}

/// Connections for what is vital: one who asks and one who says at a time.
pub(super) const VITAL: usize = 2;
/// Longest that one of these waits for an answer: what is vital is tried again instead.
const VITAL_STATEMENT: Duration = Duration::from_secs(3);

#[derive(Clone)]
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    address: Arc<Address>,
    what_for: Use,
    settings: String,
    /// How long a statement may run.
    statement: Duration,
    size: u32,
    seats: Arc<Semaphore>,
    /// The one used last is the next to be used: the others may rest.
    idle: Mutex<Vec<Conn>>,
    waiting: AtomicUsize,
    queue: usize,
    wait: Duration,
    closing: AtomicBool,
}

/// A connection on loan.
pub(super) struct Lent {
    conn: Option<Conn>,
    /// Others may have it afterwards: it is in no transaction.
    is_fit: bool,
    pool: Pool,
    _seat: OwnedSemaphorePermit,
}

impl Pool {
    pub fn new(address: Arc<Address>, what_for: Use, options: &PostgresOptions) -> Self {
        let size = match what_for {
            Use::Writing => options.writers,
            Use::Reading => options.readers,
            Use::Vital => VITAL,
        };
        let statement = match what_for {
            Use::Vital => options.statement.min(VITAL_STATEMENT),
            Use::Writing | Use::Reading => options.statement,
        };
        let size = u32::try_from(size.max(1)).unwrap_or(u32::MAX).min(10_000);
        Self(Arc::new(Shared {
            address,
            what_for,
            settings: settings(what_for, statement),
            statement,
            size,
            seats: Arc::new(Semaphore::new(size as usize)),
            idle: Mutex::default(),
            waiting: AtomicUsize::default(),
            queue: options.queue,
            wait: options.wait,
            closing: AtomicBool::default(),
        }))
    }

    /// Lends a connection, once there is one.
    pub async fn lend(&self) -> Result<Lent> {
        let seat = self.seat().await?;
        let conn = loop {
            let idle = self.0.idle.lock().pop();
            match idle {
                Some(conn) if conn.is_closed() => {}
                Some(conn) => break conn,
                None => break self.connect().await?,
            }
        };
        Ok(Lent { conn: Some(conn), is_fit: self.0.what_for == Use::Reading, pool: self.clone(), _seat: seat })
    }

    async fn seat(&self) -> Result<OwnedSemaphorePermit> {
        if self.0.closing.load(Ordering::Acquire) {
            return Err(Error::Closed);
        }
        match Arc::clone(&self.0.seats).try_acquire_owned() {
            Ok(seat) => Ok(seat),
            Err(TryAcquireError::Closed) => Err(Error::Closed),
            Err(TryAcquireError::NoPermits) => {
                let _waiting = Waiting::join(&self.0.waiting, self.0.queue)?;
                let seat = tokio::time::timeout(self.0.wait, Arc::clone(&self.0.seats).acquire_owned()).await;
                let late = || Error::Busy(format!("no connection was free within {:?}", self.0.wait).into());
                seat.map_err(|_| late())?.map_err(|_| Error::Closed)
            }
        }
    }

    async fn connect(&self) -> Result<Conn> {
        let conn = self.0.address.connect(self.0.statement).await?;
        conn.control(&self.0.settings).await.map_err(|source| {
            Error::Engine(format!("{} refuses our settings: {}", self.0.address, engine(&source)).into())
        })?;
        Ok(conn)
    }

    pub fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::Relaxed)
    }

    /// Refuses new loans, and returns once those that wait have been served and all is given back.
    pub async fn close(&self) {
        self.0.closing.store(true, Ordering::Release);
        // An error says that somebody has closed it before.
        let _all = self.0.seats.acquire_many(self.0.size).await;
        self.0.idle.lock().clear();
    }
}

impl Lent {
    /// Puts another connection in the place of this one, which is of no more use.
    pub async fn renew(&mut self) -> Result<()> {
        self.conn = Some(self.pool.connect().await?);
        Ok(())
    }

    /// The connection is in no transaction: others may have it.
    pub fn give_back(mut self) {
        self.is_fit = true;
    }

    /// Closes the connection.
    pub fn throw_away(mut self) {
        self.is_fit = false;
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // A transaction that was left ends with its connection.
        if let Some(conn) = self.conn.take()
            && self.is_fit
            && !conn.is_closed()
        {
            self.pool.0.idle.lock().push(conn);
        }
    }
}

impl Deref for Lent {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.conn.as_ref().expect("it is there until it is dropped")
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Conn {
        self.conn.as_mut().expect("it is there until it is dropped")
    }
}

/// One of those who wait.
struct Waiting<'w>(&'w AtomicUsize);

impl<'w> Waiting<'w> {
    fn join(waiting: &'w AtomicUsize, most: usize) -> Result<Self> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        let joined = Self(waiting);
        if before >= most {
            return Err(Error::Busy(format!("{before} are waiting already").into()));
        }
        Ok(joined)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What every session is told first.
///
/// Statements are written for their indexes: the planner must not prefer to read a table through because it was small
/// when it looked (in a SERIALIZABLE transaction that would also meet every other writer of the table), nor join in another
/// way than by looking rows up, as the embedded engine does, nor compile what it thinks expensive. One plan per statement,
/// whatever is bound.
fn settings(what_for: Use, statement: Duration) -> String {
    let isolation = match what_for {
        Use::Writing => "serializable",
        Use::Reading | Use::Vital => "read committed",
    };
    let statement_ms = statement.as_millis();
    format!(
        "SET statement_timeout = {statement_ms}; SET idle_in_transaction_session_timeout = {statement_ms}; \
         SET default_transaction_isolation = '{isolation}'; SET enable_seqscan = off; SET enable_hashjoin = off; \
         SET enable_mergejoin = off; SET jit = off; \
         SET plan_cache_mode = force_generic_plan; SET client_min_messages = error; \
         SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
}
