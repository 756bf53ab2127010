//! Files: what the users and the backend of an app upload, and who may open it.
//!
//! The bytes are objects beside the database. An object is written down as garbage before it is written, and claimed in
//! the transaction that adds its file: so whoever dies in between leaves nothing but garbage, which [`sweep`] deletes.
//! Bytes are on disk before the row is, and the row before anybody is told.

mod blobs;
mod kinds;
mod parts;
mod seats;
mod sweep;
mod thumbs;

use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Notify;
use uuid::Uuid;
use yinxin_store::tables::files::{self, FileRow, PartRow};
use yinxin_store::tables::garbage;
use yinxin_store::{Db, FileId, ObjectId, Sql, UserId};

use crate::apps::{self, App};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{Limits, UPLOAD_MAX_MS};
use crate::rng;
use crate::tokens::Caller;
use crate::users;
use blobs::Blobs;
pub use blobs::{Bucket, Place};
pub use kinds::shows_in_place;
pub use parts::{abort, begin, complete, keep_part};
use seats::{Seat, Seats};
pub use sweep::{has_work, sweep};
use thumbs::Easel;
pub use thumbs::thumbnail;

/// Random bytes of a file's secret; 48 characters in text.
const SECRET_BYTES: usize = 36;
/// Bytes by which the kind of a file is known.
const HEAD_BYTES: usize = 16;

/// What an operator says about files.
#[derive(Clone)]
pub struct Setup {
    /// Where their bytes are.
    pub place: Place,
    /// Whether a file's secret opens it for who shows no token, as pages need that show images by their URL.
    pub secret_is_enough: bool,
}

impl Setup {
    /// Files in that folder.
    pub fn in_folder(folder: impl Into<std::path::PathBuf>) -> Self {
        Self { place: Place::Folder(folder.into()), secret_is_enough: false }
    }
}

/// What the use cases share.
pub struct Files {
    blobs: Blobs,
    secret_is_enough: bool,
    file_bytes: u64,
    app_bytes: i64,
    days: u32,
    seats: Arc<Seats>,
    bin: Arc<Bin>,
    easel: Easel,
}

/// Objects that were given up by those who wrote them; and the sweeper's bell.
#[derive(Default)]
struct Bin {
    objects: Mutex<Vec<ObjectId>>,
    bell: Notify,
}

impl Files {
    /// Opens the place. Nobody is uploading yet: what was not finished is garbage.
    pub(crate) async fn open(db: &Db, setup: &Setup, limits: &Limits) -> Result<Self> {
        let blobs = Blobs::open(&setup.place)?;
        db.write((), |sql, ()| Box::pin(async move { Ok::<_, Error>(garbage::condemn_all(sql).await?) })).await?;
        Ok(Self {
            blobs,
            secret_is_enough: setup.secret_is_enough,
            file_bytes: limits.file_bytes,
            app_bytes: if limits.app_file_bytes == 0 { i64::MAX } else { limits.app_file_bytes.cast_signed() },
            days: limits.file_days,
            seats: Seats::new(limits.uploads),
            bin: Arc::default(),
            easel: Easel::new(),
        })
    }

    /// Bytes that one file may have.
    pub fn file_bytes_max(&self) -> u64 {
        self.file_bytes
    }

    /// Uploads on their way, for metrics.
    pub fn uploads(&self) -> usize {
        self.seats.taken()
    }

    /// Has the sweeper look around.
    pub(crate) fn ring(&self) {
        self.bin.bell.notify_one();
    }
}

/// Fails unless the bucket can be reached and asked for objects.
pub async fn check(bucket: &Bucket) -> Result<()> {
    Blobs::open(&Place::Bucket(bucket.clone()))?.check().await
}

/// Where the bytes of an upload come from.
pub trait Source: Send {
    /// The next bytes; `None` at their end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>>> + Send;
}

/// Bytes that are stored and belong to no file yet. Dropped, they are garbage.
pub struct Written {
    object: ObjectId,
    bytes: u64,
    head: Vec<u8>,
    kept: bool,
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
async fn expect(ctx: &Ctx, seat: Option<Seat>) -> Result<Written> {
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

fn new_secret(ctx: &Ctx) -> String {
    URL_SAFE_NO_PAD.encode(rng::bytes::<SECRET_BYTES>(ctx.rng.as_ref()))
}

fn hash(secret: &str) -> Box<[u8]> {
    Sha256::digest(secret.as_bytes()).as_slice().into()
}

fn owner_of(app: &App, caller: &Caller) -> UserId {
    match caller {
        Caller::User(user) => user.user,
        Caller::App => UserId(app.id.0),
    }
}

/// Makes a write fail when the app or the owner is gone, so that no row outlives them.
async fn must_be_there(sql: &mut dyn Sql, app: yinxin_store::AppId, owner: UserId) -> Result<()> {
    apps::must_exist(sql, app).await?;
    if owner.0 == app.0 { Ok(()) } else { users::must_exist(sql, app, owner).await }
}

async fn claim(sql: &mut dyn Sql, object: ObjectId) -> Result<()> {
    if garbage::claim(sql, object).await? { Ok(()) } else { Err(Code::BodyTimedOut.into()) }
}

/// A file that may be read.
#[derive(Debug)]
pub struct Opened {
    /// Its id.
    pub file: Uuid,
    /// The name it had at home; may be empty.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its length.
    pub bytes: u64,
    /// Whether it is no more than the file's thumbnail.
    pub is_thumbnail: bool,
    parts: Vec<PartRow>,
    thumb: Option<PartRow>,
    /// Width and height that a thumbnail must not exceed.
    thumb_box: (u32, u32),
}

/// Opens a file for who shows a token of the app, or no more than the file's secret. A restricted file opens to nobody
/// without its secret.
pub async fn open(ctx: &Ctx, app: &App, file: &str, caller: Option<&Caller>, secret: Option<&str>) -> Result<Opened> {
    if caller.is_none() && !(ctx.files.secret_is_enough && secret.is_some()) {
        return Err(Code::TokenMissing.into());
    }
    let absent = || Error::about(Code::FileNotFound, file);
    let id = Uuid::try_parse(file).map_err(|_| absent())?;
    let found = ctx
        .db
        .read((app.id, FileId(id.into_bytes())), |sql, (app, file)| {
            Box::pin(async move {
                let Some(row) = files::by_id(sql, *app, *file).await? else { return Ok::<_, Error>(None) };
                Ok(Some((row, files::parts(sql, *app, *file).await?)))
            })
        })
        .await?;
    let (row, parts) = found.filter(|(row, _)| row.complete).ok_or_else(absent)?;
    let is_right = secret.is_some_and(|secret| hash(secret).ct_eq(&row.secret_hash).into());
    match caller {
        // Not told apart from a file that is not there.
        None if !is_right => return Err(Code::TokenMissing.into()),
        Some(_) if row.restricted && !is_right => return Err(Error::about(Code::FileSecretWrong, file)),
        _ => {}
    }
    let (thumb, parts): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| part.part == 0);
    Ok(Opened {
        file: id,
        name: row.name,
        content_type: row.content_type,
        bytes: row.bytes.cast_unsigned(),
        is_thumbnail: false,
        parts,
        thumb: thumb.first().copied(),
        thumb_box: (thumbs::side(row.thumb_width), thumbs::side(row.thumb_height)),
    })
}

/// Those bytes of a file, as they are read. An error ends them early.
pub async fn read(
    ctx: &Ctx,
    opened: &Opened,
    range: Range<u64>,
) -> Result<impl Stream<Item = Result<Bytes>> + Send + use<>> {
    let mut pieces = pieces(&opened.parts, &range).into_iter();
    let blobs = ctx.files.blobs.clone();
    // The first is opened at once: a file whose bytes are gone is told so while there is still an answer to give.
    let first = match pieces.next() {
        Some((object, range)) => blobs.read(object, range).await?,
        None => stream::empty().boxed(),
    };
    let rest = stream::iter(pieces).then(move |(object, range)| {
        let blobs = blobs.clone();
        async move { blobs.read(object, range).await }
    });
    Ok(first.chain(rest.try_flatten()))
}

/// Where in which objects a range of a file is.
fn pieces(parts: &[PartRow], range: &Range<u64>) -> Vec<(ObjectId, Range<u64>)> {
    let mut begin = 0;
    let mut pieces = Vec::new();
    for part in parts {
        let end = begin + part.bytes.cast_unsigned();
        let (from, to) = (range.start.max(begin), range.end.min(end));
        if from < to {
            pieces.push((part.object, from - begin..to - begin));
        }
        begin = end;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_found_in_its_parts() {
        let part = |part: u8, bytes| PartRow { part: part.into(), object: ObjectId([part; 16]), bytes };
        let parts = [part(1, 5), part(2, 3), part(3, 4)];
        let found =
            |range| pieces(&parts, &range).into_iter().map(|(object, range)| (object.0[0], range)).collect::<Vec<_>>();
        assert_eq!(found(0..12), [(1, 0..5), (2, 0..3), (3, 0..4)]);
        assert_eq!(found(4..6), [(1, 4..5), (2, 0..1)]);
        assert_eq!(found(5..8), [(2, 0..3)]);
        assert_eq!(found(8..9), [(3, 0..1)]);
        assert_eq!(found(3..3), []);
    }
}
