//! Files: what the users and the backend of an app upload, and who may open it.
//!
//! The bytes are objects beside the database. An object is written down as garbage before it is written, and claimed in
//! the transaction that adds its file: so whoever dies in between leaves nothing but garbage, which [`sweep`] deletes.
//! Bytes are on disk before the row is, and the row before anybody is told.

mod blobs;
mod kinds;
mod open;
mod parts;
mod seats;
mod store;
mod sweep;
mod thumbs;

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use yinxin_store::tables::garbage;
use yinxin_store::{AppId, Db, ObjectId, Sql, UserId};

use crate::apps::{self, App};
use crate::error::{Code, Error, Result};
use crate::limits::{FORM_BYTES_MAX, Limits};
use crate::tokens::Caller;
use crate::users;
use blobs::Blobs;
pub use blobs::{Bucket, Place};
pub use kinds::shows_in_place;
pub use open::{Opened, open, read};
pub use parts::{abort, begin, complete, keep_part};
use seats::Seats;
pub use store::{Details, Source, Stored, Written, keep, write};
pub use sweep::{expire, give_up, has_work, sweep};
use thumbs::Easel;
pub use thumbs::thumbnail;

/// What an operator says about files.
#[derive(Clone)]
pub struct Setup {
    /// Where their bytes are.
    pub place: Place,
    /// Whether a file's secret opens it for who shows no token, as pages need that show images by their URL.
    pub secret_is_enough: bool,
}

impl Setup {
    /// Files in that folder, which their secrets open.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { place: Place::Folder(folder.into()), secret_is_enough: true }
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
    /// Opens the place. Where there is no other server nobody is uploading yet: what was not finished is garbage.
    pub(crate) async fn open(db: &Db, setup: &Setup, limits: &Limits, is_alone: bool) -> Result<Self> {
        let blobs = Blobs::open(&setup.place)?;
        if is_alone {
            db.write((), |sql, ()| Box::pin(async move { Ok::<_, Error>(garbage::condemn_all(sql).await?) })).await?;
        }
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

    /// Bytes that a form with one file in it may have.
    pub fn form_bytes_max(&self) -> usize {
        usize::try_from(self.file_bytes).unwrap_or(usize::MAX).saturating_add(FORM_BYTES_MAX)
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

/// Whose the caller's files are; the backend's are the app's.
fn owner_of(app: &App, caller: &Caller) -> UserId {
    match caller {
        Caller::User(user) => user.user,
        Caller::App => UserId(app.id.0),
    }
}

/// Makes a write fail when the app or the owner is gone, so that no row outlives them.
async fn must_be_there(sql: &mut dyn Sql, app: AppId, owner: UserId) -> Result<()> {
    apps::must_exist(sql, app).await?;
    if owner.0 == app.0 { Ok(()) } else { users::must_exist(sql, app, owner).await }
}

/// Takes an object for a file, unless it took too long to come.
async fn claim(sql: &mut dyn Sql, object: ObjectId) -> Result<()> {
    if garbage::claim(sql, object).await? { Ok(()) } else { Err(Code::BodyTimedOut.into()) }
}
