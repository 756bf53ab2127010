//! [`Hold`]: beside whom a database is used. The nodes of a cluster use it together, everybody else alone.
//!
//! What says so is an advisory lock of that database. It ends with the connection that has it, and so with the process,
//! whatever becomes of that.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::PostgresOptions;
use super::address::Address;
use super::conn::{Conn, told};
use crate::error::{Error, Result};
use crate::value::{Arg, Row};

/// Beside whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tenancy {
    /// Nobody.
    Alone,
    /// Others who share it.
    Shared,
}

/// Why a database cannot be held.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// These use it, in words for people.
    #[error("the database is in use by {}", .0.join(", "))]
    Taken(Vec<String>),
    /// It failed.
    #[error(transparent)]
    Database(#[from] Error),
}

/// A number of ours alone, other than that of the migrations: "yinxin!" in ASCII.
const LOCK: i64 = 0x79_696e_7869_6e21;
/// How often it is asked whether the connection is one, and to a host that takes writes.
const LOOK: Duration = Duration::from_secs(3);
/// How often a database that is taken is asked for.
const RETRY: Duration = Duration::from_millis(100);
/// How long such a question may take.
const STATEMENT: Duration = Duration::from_secs(3);

/// A server that hears nothing more of this machine lets go after 12 s.
const SETTINGS: &str = "SET client_min_messages = error; SET tcp_keepalives_idle = 3; SET tcp_keepalives_interval = 3; \
                        SET tcp_keepalives_count = 3";
const INTRODUCE: &str = "SELECT set_config('application_name', $1, FALSE)";
const ALONE: &str = "SELECT pg_try_advisory_lock($1)";
const SHARED: &str = "SELECT pg_try_advisory_lock_shared($1)";
const HOLDERS: &str = "SELECT DISTINCT a.application_name || COALESCE(' (' || host(a.client_addr) || ')', '') \
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted \
    AND l.objsubid = 1 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
    AND ((CAST(l.classid AS BIGINT) << 32) | CAST(l.objid AS BIGINT)) = $1 ORDER BY 1";
const IS_HELD: &str = "SELECT current_setting('transaction_read_only') = 'off'";

/// A place on a database, until it is dropped.
pub struct Hold {
    claim: Claim,
    conn: Option<Conn>,
}

struct Claim {
    address: Address,
    tenancy: Tenancy,
    who: String,
    patience: Duration,
}

impl Hold {
    /// Takes a place. Whoever has the database is waited for so long: one that was killed may not be known to be gone. `who`
    /// is what others are told who find it taken.
    pub async fn take(
        options: &PostgresOptions,
        tenancy: Tenancy,
        who: String,
        patience: Duration,
    ) -> Result<Self, Refused> {
        let claim = Claim { address: Address::parse(options)?, tenancy, who, patience };
        let conn = Some(claim.acquire().await?);
        Ok(Self { claim, conn })
    }

    /// Waits until somebody else has it: with the connection the place may be lost, and is taken again when the database is
    /// back.
    pub async fn lost(&mut self) -> Refused {
        loop {
            sleep(LOOK).await;
            if self.is_held().await {
                continue;
            }
            // One that still has it must not stand in the way of the next.
            self.conn = None;
            match self.claim.acquire().await {
                Ok(conn) => self.conn = Some(conn),
                Err(Refused::Database(error)) => {
                    tracing::warn!(%error, "the place on the database was lost; it is taken again when that is back");
                }
                Err(taken) => return taken,
            }
        }
    }

    async fn is_held(&mut self) -> bool {
        let Some(conn) = &mut self.conn else { return false };
        let answer = ask(conn, IS_HELD, &[]).await;
        answer.and_then(truth).unwrap_or(false)
    }
}

impl Claim {
    async fn acquire(&self) -> Result<Conn, Refused> {
        let mut conn = self.address.connect(STATEMENT).await?;
        conn.control(SETTINGS).await.map_err(|failure| told(&failure))?;
        ask(&mut conn, INTRODUCE, &[(&self.who).into()]).await?;
        let lock = if self.tenancy == Tenancy::Alone { ALONE } else { SHARED };
        let end = Instant::now() + self.patience;
        let mut is_told = false;
        while !truth(ask(&mut conn, lock, &[LOCK.into()]).await?)? {
            let taken = Refused::Taken(holders(&mut conn).await?);
            if Instant::now() >= end {
                return Err(taken);
            }
            if !is_told {
                tracing::warn!(patience_s = self.patience.as_secs(), "{taken}: waiting for it to be free");
                is_told = true;
            }
            sleep(RETRY).await;
        }
        Ok(conn)
    }
}

async fn holders(conn: &mut Conn) -> Result<Vec<String>> {
    let rows = ask(conn, HOLDERS, &[LOCK.into()]).await?;
    let names = rows.into_iter().map(|mut row| row.take(0)).collect::<Result<Vec<_>>>()?;
    // Whoever it was has gone meanwhile.
    Ok(if names.is_empty() { vec!["somebody".to_owned()] } else { names })
}

async fn ask(conn: &mut Conn, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>> {
    conn.rows(sql, args).await.map_err(|failure| told(&failure))
}

fn truth(rows: Vec<Row>) -> Result<bool> {
    rows.into_iter().next().map_or(Ok(false), |mut row| row.take(0))
}
