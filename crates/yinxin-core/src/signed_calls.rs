//! Calls that a backend signs one by one: whose app it is, whether the signature holds now, and that a call which names
//! itself is made once.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use parking_lot::Mutex;
use yinxin_store::AppId;
use yinxin_store::tables::made_calls;
use yinxin_token::netease;

use crate::apps::{self, App};
use crate::clock::Clock;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{CALL_IDS_KEPT, CALL_IDS_KEPT_MS, MADE_CALLS_SWEPT, NONCE_CHARS_MAX, SIGNATURE_WINDOW_S};

/// What a signed call says about itself; an empty text is a missing one.
#[derive(Clone, Copy, Debug)]
pub struct Signature<'a> {
    /// The app.
    pub key: &'a str,
    /// Any text. It need not be another one each time: backends are known to send a constant.
    pub nonce: &'a str,
    /// When it was signed, Unix seconds.
    pub signed_at: &'a str,
    /// The signature itself.
    pub check_sum: &'a str,
}

/// The app whose backend signed the call.
pub async fn authenticate(ctx: &Ctx, signature: &Signature<'_>) -> Result<Arc<App>> {
    let Signature { key, nonce, signed_at, check_sum } = *signature;
    let is_whole = [key, nonce, signed_at, check_sum].iter().all(|part| !part.is_empty());
    if !is_whole || nonce.chars().count() > NONCE_CHARS_MAX {
        return Err(Code::SignatureMissing.into());
    }
    let signed_s: i64 = signed_at.parse().map_err(|_| Code::SignatureMissing)?;
    let app = apps::find_by_signing_key(ctx, key).await?;
    if !netease::check_sum_is(check_sum, app.signing.reveal_secret(), nonce, signed_at) {
        return Err(Code::SignatureWrong.into());
    }
    if ctx.clock.now_s().abs_diff(signed_s) > SIGNATURE_WINDOW_S.unsigned_abs() {
        return Err(Error::about(Code::SignatureExpired, signed_at));
    }
    Ok(app)
}

/// A call that is noted, and is made once from here on.
#[derive(Debug)]
pub struct Noted<'a> {
    id: &'a str,
    /// Until when it is remembered, which tells this note from another's of the same call.
    until_ms: i64,
}

/// Notes a call that names itself. Refuses one that was noted before, in a cluster by whichever node.
///
/// In a cluster a note may stand that was answered by an error, since the answer to a commit can be lost. It is taken back
/// then, so that the call may be made again. Where that fails, too, or the commit comes through after it, as it does when
/// the database itself was killed or held up, the call is refused as a repetition for as long as calls are remembered,
/// though it never was made.
pub async fn note<'a>(ctx: &Ctx, app: &App, id: &'a str) -> Result<Noted<'a>> {
    ctx.call_ids.note(app.id, id)?;
    let now_ms = ctx.clock.now_ms();
    let call = Noted { id, until_ms: now_ms + CALL_IDS_KEPT_MS };
    if ctx.cluster.is_none() {
        return Ok(call);
    }
    let input = (app.id, hash(ctx, app.id, id), now_ms, call.until_ms);
    let noted = ctx.db.write(input, |sql, (app, call_hash, now_ms, until_ms)| {
        Box::pin(async move {
            apps::must_exist(sql, *app).await?;
            Ok::<_, Error>(made_calls::note(sql, *app, call_hash, *now_ms, *until_ms).await?)
        })
    });
    match noted.await {
        Ok(true) => Ok(call),
        Ok(false) => Err(Error::about(Code::CallRepeated, id)),
        Err(error) => {
            forget(ctx, app, &call).await;
            Err(error)
        }
    }
}

/// Takes a note back: the call failed by no fault of the caller's, who may make it again.
pub async fn forget(ctx: &Ctx, app: &App, noted: &Noted<'_>) {
    if ctx.cluster.is_some() {
        let input = (app.id, hash(ctx, app.id, noted.id), noted.until_ms);
        let forgotten = ctx.db.write(input, |sql, (app, call_hash, until_ms)| {
            Box::pin(async move { Ok::<_, Error>(made_calls::forget(sql, *app, call_hash, *until_ms).await?) })
        });
        if let Err(error) = forgotten.await {
            tracing::warn!(%error, "a call that failed may be refused as made for some minutes");
        }
    }
    // Last, or whoever tries again at once would meet the note that is being taken back.
    ctx.call_ids.forget(app.id, noted.id);
}

/// Removes some of the notes of all nodes that are of no more use.
pub(crate) async fn tidy(ctx: &Ctx) -> Result<()> {
    ctx.db
        .write(ctx.clock.now_ms(), |sql, now_ms| {
            Box::pin(async move {
                made_calls::remove_ended(sql, *now_ms, MADE_CALLS_SWEPT).await?;
                Ok(())
            })
        })
        .await
}

/// Of one length, and says nothing to whoever reads the row.
fn hash(ctx: &Ctx, app: AppId, id: &str) -> [u8; 32] {
    ctx.keys.disguise(&[b"made call".as_slice(), &app.0, id.as_bytes()].concat())
}

/// The ids of the calls of the last minutes, for as long as a signature can hold. There is room for so many; under a flood
/// the oldest are forgotten sooner.
///
/// Of this server, and not over a restart; what nodes of a cluster must agree on is on record: see [`note`].
pub struct CallIds {
    clock: Arc<dyn Clock>,
    scatter: RandomState,
    remembered: Mutex<Remembered>,
}

/// Two generations: the later is filled, the earlier only asked.
struct Remembered {
    earlier: HashSet<u64>,
    later: HashSet<u64>,
    /// When the later one was begun.
    begun_ms: i64,
}

impl CallIds {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let remembered = Remembered { earlier: HashSet::new(), later: HashSet::new(), begun_ms: clock.now_ms() };
        Self { clock, scatter: RandomState::new(), remembered: Mutex::new(remembered) }
    }

    /// Notes a call of that app. Refuses one whose id was noted before.
    pub fn note(&self, app: AppId, id: &str) -> Result<()> {
        let id_hash = self.scatter.hash_one((app, id));
        let now_ms = self.clock.now_ms();
        let mut remembered = self.remembered.lock();
        let age_ms = now_ms.abs_diff(remembered.begun_ms);
        if age_ms > CALL_IDS_KEPT_MS.unsigned_abs() || remembered.later.len() >= CALL_IDS_KEPT {
            remembered.earlier = std::mem::take(&mut remembered.later);
            remembered.begun_ms = now_ms;
        }
        if remembered.earlier.contains(&id_hash) || !remembered.later.insert(id_hash) {
            return Err(Error::about(Code::CallRepeated, id));
        }
        Ok(())
    }

    /// Takes a note back: the call failed by no fault of the caller's, who may make it again.
    pub fn forget(&self, app: AppId, id: &str) {
        let id_hash = self.scatter.hash_one((app, id));
        let mut remembered = self.remembered.lock();
        remembered.later.remove(&id_hash);
        remembered.earlier.remove(&id_hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FakeClock;

    const APP: AppId = AppId([1; 16]);

    fn ids() -> (CallIds, Arc<FakeClock>) {
        let clock = Arc::new(FakeClock::at(1_700_000_000_000));
        (CallIds::new(clock.clone()), clock)
    }

    #[test]
    fn a_call_is_made_once_per_app_while_its_signature_may_hold() {
        let (ids, clock) = ids();
        ids.note(APP, "a").unwrap();
        assert_eq!(ids.note(APP, "a").unwrap_err().code, Code::CallRepeated);
        ids.note(AppId([2; 16]), "a").unwrap();
        // One that was signed with a clock as far ahead as may be holds for the whole window, before and after.
        clock.move_by(2 * SIGNATURE_WINDOW_S * 1000);
        assert!(ids.note(APP, "a").is_err());
        clock.move_by(1);
        assert!(ids.note(APP, "a").is_err(), "what is in the earlier generation is still known");
        clock.move_by(2 * SIGNATURE_WINDOW_S * 1000 + 1);
        ids.note(APP, "a").unwrap();
    }

    #[test]
    fn a_call_that_we_failed_may_be_made_again() {
        let (ids, _clock) = ids();
        ids.note(APP, "a").unwrap();
        ids.forget(APP, "a");
        ids.note(APP, "a").unwrap();
    }

    #[test]
    fn a_flood_is_bounded() {
        let (ids, _clock) = ids();
        for number in 0..3 * CALL_IDS_KEPT {
            ids.note(APP, &number.to_string()).unwrap();
        }
        let remembered = ids.remembered.lock();
        assert!(remembered.earlier.len() + remembered.later.len() <= 2 * CALL_IDS_KEPT);
    }
}
