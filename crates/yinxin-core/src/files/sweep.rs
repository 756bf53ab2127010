//! Cleaning up: objects that belong to no file, uploads that were never finished, files that are too old.

use yinxin_store::tables::{apps, files, garbage};
use yinxin_store::{AppId, FileId, ObjectId, Sql};

use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::limits::{SWEEP_MAX, UPLOAD_MAX_MS};

/// Waits until there may be something to [`sweep`].
pub async fn has_work(ctx: &Ctx) {
    ctx.files.bin.bell.notified().await;
}

/// Writes down which objects were given up here, for the sweep to find.
pub async fn give_up(ctx: &Ctx) -> Result<()> {
    let given_up = std::mem::take(&mut *ctx.files.bin.objects.lock());
    if given_up.is_empty() {
        return Ok(());
    }
    ctx.db
        .write(given_up, |sql, given_up| {
            Box::pin(async move {
                for object in given_up {
                    garbage::condemn(sql, *object).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .await
}

/// Deletes some objects that belong to no file; whether there may be more. An object is beyond being claimed before it is
/// touched, and forgotten only when it is gone.
pub async fn sweep(ctx: &Ctx) -> Result<bool> {
    give_up(ctx).await?;
    let now_ms = ctx.clock.now_ms();
    let any = ctx
        .db
        .read(now_ms, |sql, now_ms| Box::pin(async move { Ok::<_, Error>(garbage::any_due(sql, *now_ms).await?) }))
        .await?;
    if !any {
        return Ok(false);
    }
    let some = ctx
        .db
        .write(now_ms, |sql, now_ms| {
            Box::pin(async move {
                garbage::condemn_due(sql, *now_ms).await?;
                Ok::<_, Error>(garbage::some(sql, SWEEP_MAX).await?)
            })
        })
        .await?;
    ctx.files.blobs.delete(&some).await?;
    let is_full = some.len() == usize::try_from(SWEEP_MAX).unwrap_or(usize::MAX);
    forget(ctx, some).await?;
    Ok(is_full)
}

async fn forget(ctx: &Ctx, gone: Vec<ObjectId>) -> Result<()> {
    ctx.db
        .write(gone, |sql, gone| {
            Box::pin(async move {
                for object in gone {
                    garbage::forget(sql, *object).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .await
}

/// Deletes some files and uploads that are too old, of each app; whether there may be more. They grow old in silence: to be
/// called now and then.
pub async fn expire(ctx: &Ctx) -> Result<bool> {
    let apps = ctx.db.read((), |sql, ()| Box::pin(async move { Ok::<_, Error>(apps::all(sql).await?) })).await?;
    let mut any = false;
    for row in apps {
        any |= delete_old(ctx, row.app).await?;
    }
    if any {
        ctx.files.ring();
    }
    Ok(any)
}

/// Deletes unfinished uploads and, where files have an end, files whose time has come.
async fn delete_old(ctx: &Ctx, app: AppId) -> Result<bool> {
    let now_ms = ctx.clock.now_ms();
    let unfinished_ms = now_ms - UPLOAD_MAX_MS;
    let complete_ms = if ctx.files.days == 0 { i64::MIN } else { now_ms - i64::from(ctx.files.days) * 86_400_000 };
    let before = (app, unfinished_ms, complete_ms);
    if ctx.db.read(before, |sql, before| Box::pin(old(sql, *before))).await?.is_empty() {
        return Ok(false);
    }
    ctx.db
        .write(before, |sql, before| {
            Box::pin(async move {
                // Asked again: what was not finished a moment ago may be now.
                for file in old(sql, *before).await? {
                    files::delete(sql, before.0, file).await?;
                }
                Ok::<_, Error>(true)
            })
        })
        .await
}

/// Some of an app's unfinished and complete files that began before those times.
async fn old(sql: &mut dyn Sql, (app, unfinished_ms, complete_ms): (AppId, i64, i64)) -> Result<Vec<FileId>> {
    let mut old = files::older(sql, app, false, unfinished_ms, SWEEP_MAX).await?;
    old.extend(files::older(sql, app, true, complete_ms, SWEEP_MAX).await?);
    Ok(old)
}
