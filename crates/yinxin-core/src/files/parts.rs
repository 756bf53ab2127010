//! Files that are uploaded in parts: begun, filled part by part in any order, and then completed or aborted. The parts stay
//! objects of their own; a file is read as their sequence, so that completing one copies nothing.

use uuid::Uuid;
use yinxin_store::tables::files::{self, FileRow, PartRow};
use yinxin_store::tables::garbage;
use yinxin_store::{AppId, FileId, Sql, UserId};

use super::store::{Details, Stored, Written, hash, new_secret};
use super::{claim, kinds, must_be_there, owner_of};
use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{FILE_PART_BYTES_MIN, UNFINISHED_UPLOADS_MAX};
use crate::tokens::Caller;

/// Begins a file; its id.
pub async fn begin(ctx: &Ctx, app: &App, caller: &Caller) -> Result<Uuid> {
    let minted = ctx.mint.uuid();
    let row = FileRow {
        file: FileId(minted.uuid.into_bytes()),
        owner: owner_of(app, caller),
        complete: false,
        restricted: true,
        secret_hash: Box::default(),
        name: String::new(),
        content_type: String::new(),
        bytes: 0,
        thumb_width: None,
        thumb_height: None,
        created_ms: minted.at_ms,
    };
    ctx.db
        .write((app.id, row), |sql, (app, row)| {
            Box::pin(async move {
                must_be_there(sql, *app, row.owner).await?;
                if files::unfinished(sql, *app, row.owner).await? >= UNFINISHED_UPLOADS_MAX {
                    return Err(Error::over(Code::TooManyUploads, UNFINISHED_UPLOADS_MAX));
                }
                Ok(files::put(sql, *app, row).await?)
            })
        })
        .await?;
    Ok(minted.uuid)
}

/// An upload as its owner names it.
#[derive(Clone, Copy)]
struct Upload {
    app: AppId,
    owner: UserId,
    file: FileId,
}

impl Upload {
    fn named(app: &App, caller: &Caller, upload: &str) -> Result<Self> {
        let file = Uuid::try_parse(upload).map_err(|_| Error::about(Code::FileNotFound, upload))?;
        Ok(Self { app: app.id, owner: owner_of(app, caller), file: FileId(file.into_bytes()) })
    }

    /// Its row; another's upload, or one that has ended, is none.
    async fn row(&self, sql: &mut dyn Sql) -> Result<FileRow> {
        let row = files::by_id(sql, self.app, self.file).await?;
        row.filter(|row| !row.complete && row.owner == self.owner).ok_or_else(|| Code::FileNotFound.into())
    }
}

/// Sets a part of a file, from 1, in the place of one that was there.
pub async fn keep_part(
    ctx: &Ctx,
    app: &App,
    caller: &Caller,
    upload: &str,
    number: i64,
    mut written: Written,
) -> Result<()> {
    let most = ctx.files.file_bytes;
    if !(1..=most.div_ceil(FILE_PART_BYTES_MIN).cast_signed()).contains(&number) {
        return Err(Error::about(Code::FieldIllegal, format!("part {number}")));
    }
    let upload = Upload::named(app, caller, upload)?;
    let part = PartRow { part: number, object: written.object, bytes: written.bytes.cast_signed() };
    let kind = (number == 1).then(|| kinds::told_by(&written.head));
    let input = (upload, part, kind, most.cast_signed(), ctx.files.app_bytes);
    let is_replaced = ctx
        .db
        .write(input, |sql, (upload, part, kind, most, app_most)| {
            Box::pin(async move {
                let row = upload.row(sql).await?;
                claim(sql, part.object).await?;
                let parts = files::parts(sql, upload.app, upload.file).await?;
                let replaced = parts.iter().find(|known| known.part == part.part);
                let added = part.bytes - replaced.map_or(0, |replaced| replaced.bytes);
                if parts.iter().map(|part| part.bytes).sum::<i64>() + added > *most {
                    return Err(Error::over(Code::FileTooLarge, *most));
                }
                if !files::add_bytes(sql, upload.app, added, *app_most).await? {
                    return Err(Error::over(Code::FilesFull, *app_most));
                }
                if let Some(replaced) = replaced {
                    garbage::add(sql, replaced.object).await?;
                }
                if let Some(kind) = *kind {
                    files::put(sql, upload.app, &FileRow { content_type: kind.to_owned(), ..row }).await?;
                }
                files::put_part(sql, upload.app, upload.file, *part).await?;
                Ok(replaced.is_some())
            })
        })
        .await?;
    written.kept = true;
    if is_replaced {
        ctx.files.ring();
    }
    Ok(())
}

/// Makes a file of its parts, which must be all there.
pub async fn complete(ctx: &Ctx, app: &App, caller: &Caller, upload: &str, details: Details) -> Result<Stored> {
    let upload = Upload::named(app, caller, upload)?;
    let secret = new_secret(ctx);
    ctx.db
        .write((upload, details, hash(&secret)), |sql, (upload, details, secret_hash)| {
            Box::pin(async move {
                let row = upload.row(sql).await?;
                let parts = files::parts(sql, upload.app, upload.file).await?;
                let bytes = whole(&parts).ok_or(Code::PartsMissing)?;
                let row = FileRow {
                    complete: true,
                    restricted: details.restricted,
                    secret_hash: secret_hash.clone(),
                    name: kinds::clean_name(&details.name),
                    content_type: kinds::media_type(details.content_type.as_deref().or(Some(&row.content_type)), &[]),
                    bytes,
                    thumb_width: details.thumb_width,
                    thumb_height: details.thumb_height,
                    ..row
                };
                Ok::<_, Error>(files::put(sql, upload.app, &row).await?)
            })
        })
        .await?;
    Ok(Stored { file: Uuid::from_bytes(upload.file.0), secret })
}

/// The length of a file of those parts, if none is missing and only the last is small.
fn whole(parts: &[PartRow]) -> Option<i64> {
    let (_, but_last) = parts.split_last()?;
    let follow = parts.iter().zip(1..).all(|(part, number)| part.part == number);
    let are_large = but_last.iter().all(|part| part.bytes.cast_unsigned() >= FILE_PART_BYTES_MIN);
    (follow && are_large).then(|| parts.iter().map(|part| part.bytes).sum())
}

/// Ends an upload; nothing is left of it.
pub async fn abort(ctx: &Ctx, app: &App, caller: &Caller, upload: &str) -> Result<()> {
    let upload = Upload::named(app, caller, upload)?;
    ctx.db
        .write(upload, |sql, upload| {
            Box::pin(async move {
                upload.row(sql).await?;
                Ok::<_, Error>(files::delete(sql, upload.app, upload.file).await?)
            })
        })
        .await?;
    ctx.files.ring();
    Ok(())
}
