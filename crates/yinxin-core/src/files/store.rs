//! Storing: bytes first, then the row that makes a file of them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use yinxin_store::tables::files::{self, FileRow, PartRow};
use yinxin_store::tables::garbage;
use yinxin_store::{FileId, ObjectId};

use super::seats::Seat;
use super::{Bin, blobs, claim, kinds, must_be_there, owner_of};
use crate::apps::{self, App};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::UPLOAD_MAX_MS;
use crate::rng;
use crate::tokens::Caller;

/// Random bytes of a file's secret; 48 characters in text.
const SECRET_BYTES: usize = 36;
/// Bytes by which the kind of a file is known.
const HEAD_BYTES: usize = 16;

/// Where the bytes of an upload come from.
pub trait Source: Send {
    /// The next bytes; `None` at their end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>>> + Send;
}

/// Bytes that are stored and belong to no file yet. Dropped, they are garbage.
pub struct Written {
    pub(super) object: ObjectId,
    pub(super) bytes: u64,
    pub(super) head: Vec<u8>,
    pub(super) kept: bool,
    bin: Arc<Bin>,
    _seat: Option<Seat>,
}

impl Written {
    /// How many they are.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        if !self.kept {
            self.bin.objects.lock().push(self.object);
            self.bin.bell.notify_one();
        }
    }
}

/// What an upload says about its file.
#[derive(Clone, Default, Debug)]
pub struct Details {
    /// Opens only to who shows its secret.
    pub restricted: bool,
    /// The name it had at home.
    pub name: String,
    /// Its media type.
    pub content_type: Option<String>,
    /// Width of its thumbnail.
    pub thumb_width: Option<i64>,
    /// Height of its thumbnail.
    pub thumb_height: Option<i64>,
}

/// A file that is there to stay, and the only time its secret is told.
pub struct Stored {
    /// Its id.
    pub file: Uuid,
    /// What opens it.
    pub secret: String,
}

/// Stores the bytes of an upload, which a file or a part of one is then made of.
pub async fn write(ctx: &Ctx, app: &App, caller: &Caller, source: &mut impl Source) -> Result<Written> {
    let files = &ctx.files;
    let seat = files.seats.take(app.id, caller)?;
    let app_bytes = ctx.db.read(app.id, |sql, app| {
        Box::pin(async move {
            apps::must_exist(sql, *app).await?;
            Ok::<_, Error>(files::bytes_of_app(sql, *app).await?)
        })
    });
    if app_bytes.await? >= files.app_bytes {
        return Err(Error::over(Code::FilesFull, files.app_bytes));
    }
    let mut written = expect(ctx, Some(seat)).await?;
    let mut writer = files.blobs.write(written.object);
    let poured = pour(&mut written, &mut writer, source, files.file_bytes).await;
    if poured.is_err() {
        writer.abort().await;
    }
    poured.map(|()| written)
}

/// Writes down an object that is going to be written.
pub(super) async fn expect(ctx: &Ctx, seat: Option<Seat>) -> Result<Written> {
    let object = ObjectId(rng::bytes(ctx.rng.as_ref()));
    let due_ms = ctx.clock.now_ms() + UPLOAD_MAX_MS;
    ctx.db
        .write((object, due_ms), |sql, (object, due_ms)| {
            Box::pin(async move { Ok::<_, Error>(garbage::expect(sql, *object, *due_ms).await?) })
        })
        .await?;
    Ok(Written { object, bytes: 0, head: Vec::new(), kept: false, bin: Arc::clone(&ctx.files.bin), _seat: seat })
}

async fn pour(to: &mut Written, writer: &mut blobs::Writer, source: &mut impl Source, most: u64) -> Result<()> {
    while let Some(data) = source.next().await? {
        to.bytes += data.len() as u64;
        if to.bytes > most {
            return Err(Error::over(Code::FileTooLarge, most));
        }
        let missing = (HEAD_BYTES - to.head.len()).min(data.len());
        to.head.extend_from_slice(&data[..missing]);
        writer.write(&data).await?;
    }
    writer.finish().await
}

/// Makes a file of what was written.
pub async fn keep(ctx: &Ctx, app: &App, caller: &Caller, mut written: Written, details: Details) -> Result<Stored> {
    let minted = ctx.mint.uuid();
    let secret = new_secret(ctx);
    let row = FileRow {
        file: FileId(minted.uuid.into_bytes()),
        owner: owner_of(app, caller),
        complete: true,
        restricted: details.restricted,
        secret_hash: hash(&secret),
        name: kinds::clean_name(&details.name),
        content_type: kinds::media_type(details.content_type.as_deref(), &written.head),
        bytes: written.bytes.cast_signed(),
        thumb_width: details.thumb_width,
        thumb_height: details.thumb_height,
        created_ms: minted.at_ms,
    };
    ctx.db
        .write((app.id, row, written.object, ctx.files.app_bytes), |sql, (app, row, object, most)| {
            Box::pin(async move {
                must_be_there(sql, *app, row.owner).await?;
                claim(sql, *object).await?;
                if !files::add_bytes(sql, *app, row.bytes, *most).await? {
                    return Err(Error::over(Code::FilesFull, *most));
                }
                files::put(sql, *app, row).await?;
                let part = PartRow { part: 1, object: *object, bytes: row.bytes };
                Ok(files::put_part(sql, *app, row.file, part).await?)
            })
        })
        .await?;
    written.kept = true;
    Ok(Stored { file: minted.uuid, secret })
}

pub(super) fn new_secret(ctx: &Ctx) -> String {
    URL_SAFE_NO_PAD.encode(rng::bytes::<SECRET_BYTES>(ctx.rng.as_ref()))
}

pub(super) fn hash(secret: &str) -> Box<[u8]> {
    Sha256::digest(secret.as_bytes()).as_slice().into()
}
