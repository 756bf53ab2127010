//! A write from its begin to its answer: one transaction, begun anew when it met another or lost its connection before
//! the commit. What became of a commit that lost its connection is not known, and is never called a success.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;

use super::conn::{Kind, engine, kind};
use super::pool::Lent;
use super::session::{Session, attended};
use super::{Lane, Shared};
use crate::error::{Error, Result};
use crate::seam::{Touched, Work};

/// How often a write is begun before its caller hears that the database is busy.
const BEGUN_MAX: u32 = 24;
/// How often of these because its connection was lost: all idle ones of a restarted server are.
const LOST_MAX: u32 = 3;
/// From that one on it is the only one of this node that has met another and is trying again.
const IN_TURN_FROM: u32 = 2;
/// From that one on no other write of this node is under way.
const ALONE_FROM: u32 = 6;
/// Longest pause before the next try.
const PAUSE_MAX_US: u64 = 64_000;

/// How one try ended.
enum Try<T, E> {
    /// For good.
    Done(Result<T, E>),
    /// For good, and the connection is of no more use.
    Unfit(Result<T, E>),
    /// It met another transaction.
    Met,
    /// The connection was lost before the commit: nothing of it is kept.
    Lost(String),
}

/// Tries until there is an outcome, and gives the connection back.
pub(super) async fn to_the_end<C, T, E>(
    shared: &Shared,
    lane: Lane,
    mut lent: Lent,
    input: &C,
    work: Work<C, T, E>,
) -> Result<T, E>
where
    C: Sync,
    T: Send,
    E: From<Error> + Send,
{
    let mut lost = 0;
    for begun in 1..=BEGUN_MAX {
        let tried = once(shared, &mut lent, input, work);
        let ended = match lane {
            Lane::Common => in_turn(shared, begun, tried).await,
            Lane::Vital => tried.await,
        };
        match ended {
            Try::Done(outcome) => {
                lent.give_back();
                return outcome;
            }
            Try::Unfit(outcome) => return outcome,
            Try::Met => tokio::time::sleep(pause(begun)).await,
            Try::Lost(why) => {
                lost += 1;
                if lost == LOST_MAX {
                    return Err(Error::Away(why.into()).into());
                }
                lent.renew().await?;
            }
        }
    }
    lent.give_back();
    Err(Error::Busy(format!("a write met others {BEGUN_MAX} times").into()).into())
}

/// Keeps those apart that have met: from their second try on they are tried one at a time, and in the end alone.
async fn in_turn<R>(shared: &Shared, begun: u32, tried: impl Future<Output = R>) -> R {
    let _turn = if begun >= IN_TURN_FROM { Some(shared.turn.lock().await) } else { None };
    if begun >= ALONE_FROM {
        let _alone = shared.alone.write().await;
        tried.await
    } else {
        let _beside = shared.alone.read().await;
        tried.await
    }
}

async fn once<C, T, E>(shared: &Shared, lent: &mut Lent, input: &C, work: Work<C, T, E>) -> Try<T, E>
where
    C: Sync,
    T: Send,
    E: From<Error> + Send,
{
    if let Err(failure) = lent.control("BEGIN ISOLATION LEVEL SERIALIZABLE").await {
        return match kind(&failure) {
            Kind::Silent => Try::Unfit(Err(Error::Away(engine(&failure).into()).into())),
            _ => Try::Lost(engine(&failure)),
        };
    }
    let mut session = Session::new(lent);
    let flight = session.flight();
    let guarded = AssertUnwindSafe(async { work(&mut session, input).await }).catch_unwind();
    let outcome = match attended(&flight, guarded).await {
        Some(Ok(outcome)) => outcome,
        Some(Err(_)) => Err(Error::Panicked.into()),
        None => Err(Error::Awaited.into()),
    };
    let (trouble, touched) = (session.trouble(), std::mem::take(&mut session.touched));
    shared.statements.fetch_add(session.statements, Ordering::Relaxed);
    let overlooked = || Error::Engine("a statement failed and the closure went on: nothing is kept".into());
    match (trouble, outcome) {
        // Another try would wait as long: the caller has waited long enough.
        (Some(Kind::Silent), outcome) => Try::Unfit(outcome.and_then(|_| Err(overlooked().into()))),
        (Some(Kind::Lost), _) => Try::Lost("the connection to the database was lost".to_owned()),
        (None, Ok(value)) => commit(shared, lent, &touched, value).await,
        (Some(Kind::Conflict), _) => undo(lent, Try::Met).await,
        (_, Err(error)) => undo(lent, Try::Done(Err(error))).await,
        (Some(Kind::TooSlow | Kind::Fault), Ok(_)) => undo(lent, Try::Done(Err(overlooked().into()))).await,
    }
}

async fn commit<T, E: From<Error>>(shared: &Shared, lent: &Lent, touched: &[Touched], value: T) -> Try<T, E> {
    let Err(failure) = lent.commit().await else {
        shared.commits.fetch_add(1, Ordering::Relaxed);
        (shared.on_commit)(touched);
        return Try::Done(Ok(value));
    };
    match kind(&failure) {
        Kind::Conflict => Try::Met,
        Kind::Lost | Kind::Silent => {
            // It may stand: whoever remembers what was before must look again.
            (shared.on_commit)(touched);
            Try::Unfit(Err(Error::Unsure(engine(&failure).into()).into()))
        }
        Kind::TooSlow | Kind::Fault => Try::Done(Err(Error::Engine(engine(&failure).into()).into())),
    }
}

/// Ends the transaction without keeping anything. When the connection cannot even do that, closing it does the same.
async fn undo<T, E>(lent: &Lent, ended: Try<T, E>) -> Try<T, E> {
    match (lent.control("ROLLBACK").await, ended) {
        (Ok(()), ended) => ended,
        (Err(_), Try::Done(outcome)) => Try::Unfit(outcome),
        (Err(failure), _) => Try::Lost(engine(&failure)),
    }
}

/// A random pause of growing bound: writers that met must not meet again. Nothing depends on its being unpredictable.
fn pause(begun: u32) -> Duration {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let drawn = DRAWN.fetch_add(1, Ordering::Relaxed).wrapping_add(u64::from(std::process::id()));
    let mixed = drawn.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let bound = (500_u64 << begun.min(16)).min(PAUSE_MAX_US);
    Duration::from_micros((mixed >> 16) % bound)
}
