//! Uploaded files: stored before anybody is told, opened by who may, and nothing left of what was not finished.

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::StreamExt;
use image::{DynamicImage, ImageFormat, RgbImage, RgbaImage};
use tokio::sync::Semaphore;
use yinxin_core::files::{self, Bucket, Details, Opened, Place, Source, Stored, Written};
use yinxin_core::limits::{FILE_PART_BYTES_MIN, Limits, UNFINISHED_UPLOADS_MAX, UPLOAD_MAX_MS, USER_UPLOADS_MAX};
use yinxin_core::tokens::Caller;
use yinxin_core::{Code, Error, Result, apps, users};
use yinxin_testkit::{bucket, storage};
use zeroize::Zeroizing;

use crate::kit::{Setup, Site};

const MIB: usize = 1 << 20;
const PART: usize = 5 * MIB;

/// Bytes that come in pieces of a size, and may end in an error.
struct Pieces {
    left: Vec<u8>,
    length: usize,
    breaks: bool,
}

impl Source for Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        if self.left.is_empty() {
            return if self.breaks { Err(Code::BodyIncomplete.into()) } else { Ok(None) };
        }
        let rest = self.left.split_off(self.length.min(self.left.len()));
        Ok(Some(std::mem::replace(&mut self.left, rest).into()))
    }
}

/// Bytes that never end by themselves.
struct Stuck(Arc<Semaphore>);

impl Source for Stuck {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        self.0.acquire().await.unwrap().forget();
        Ok(None)
    }
}

fn pieces(bytes: &[u8]) -> Pieces {
    Pieces { left: bytes.to_vec(), length: 100_000, breaks: false }
}

/// Bytes that look like chance and are the same each time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = std::iter::repeat_with(&mut next).take(length.div_ceil(8)).flatten().collect();
    bytes.truncate(length);
    bytes
}

fn restricted(name: &str) -> Details {
    Details { restricted: true, name: name.to_owned(), ..Details::default() }
}

impl Site {
    async fn with_files(limits: Limits) -> Self {
        let mut setup = Setup::new();
        setup.limits = limits;
        Self::of(setup).await
    }

    async fn write(&self, caller: &Caller, bytes: &[u8]) -> Result<Written> {
        files::write(&self.ctx, &self.app, caller, &mut pieces(bytes)).await
    }

    async fn store(&self, caller: &Caller, bytes: &[u8], details: Details) -> Result<Stored> {
        let written = self.write(caller, bytes).await?;
        files::keep(&self.ctx, &self.app, caller, written, details).await
    }

    async fn open(&self, stored: &Stored, caller: Option<&Caller>, secret: Option<&str>) -> Result<Opened> {
        files::open(&self.ctx, &self.app, &stored.file.to_string(), caller, secret).await
    }

    async fn bytes_of(&self, stored: &Stored) -> Vec<u8> {
        let opened = self.open(stored, Some(&Caller::App), Some(&stored.secret)).await.unwrap();
        self.range_of(&opened, 0..opened.bytes).await.unwrap()
    }

    async fn range_of(&self, opened: &Opened, range: std::ops::Range<u64>) -> Result<Vec<u8>> {
        let mut stream = Box::pin(files::read(&self.ctx, opened, range).await?);
        let mut all = Vec::new();
        while let Some(chunk) = stream.next().await {
            all.extend_from_slice(&chunk?);
        }
        Ok(all)
    }

    /// Cleans until nothing is left to clean.
    async fn sweep(&self) {
        while apps::clear_some(&self.ctx).await.unwrap()
            || files::expire(&self.ctx).await.unwrap()
            || files::sweep(&self.ctx).await.unwrap()
        {}
    }

    /// Names of the files in the folder, those that are not whole too.
    fn on_disk(&self) -> Vec<String> {
        let folders = std::fs::read_dir(self.setup.files()).unwrap();
        let files = folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }

    async fn user(&self, name: &str) -> Caller {
        Caller::User(self.register(name).await)
    }
}

fn code<T>(result: Result<T>) -> Option<Code> {
    result.err().map(|error| error.code)
}

#[tokio::test]
async fn a_file_is_read_as_it_was_written() {
    let site = Site::new().await;
    let ann = site.user("ann").await;
    for length in [0, 1, 255 * 1024, 256 * 1024, 256 * 1024 + 1, 3 * MIB + 7] {
        let bytes = noise(length);
        let stored = site.store(&ann, &bytes, restricted("a.bin")).await.unwrap();
        assert_eq!(site.bytes_of(&stored).await, bytes, "{length}");
    }
    assert!(site.on_disk().iter().all(|name| !name.contains('#')));
    let bytes = noise(MIB);
    let stored = site.store(&ann, &bytes, restricted("a.bin")).await.unwrap();
    let opened = site.open(&stored, Some(&ann), Some(&stored.secret)).await.unwrap();
    for range in [0..1, 5..5, 131_071..131_073, MIB - 1..MIB, 0..MIB] {
        let read = site.range_of(&opened, range.start as u64..range.end as u64).await.unwrap();
        assert_eq!(read, &bytes[range.clone()], "{range:?}");
    }
}

#[tokio::test]
async fn a_file_is_there_after_a_restart_and_its_secret_is_not_in_the_database() {
    let site = Site::new().await;
    let stored = site.store(&Caller::App, b"the bytes", restricted("../dir/a.txt")).await.unwrap();
    assert_eq!(stored.secret.len(), 48);
    site.ctx.db.close().await;
    assert!(!storage::holds(&site.setup.files().with_file_name("yinxin.db"), stored.secret.as_bytes()));
    assert!(storage::holds(&site.setup.files().with_file_name("yinxin.db"), b"application/octet-stream"));
    let site = Site { ctx: site.setup.open().await, ..site };
    site.sweep().await;
    assert_eq!(site.bytes_of(&stored).await, b"the bytes");
    let opened = site.open(&stored, Some(&Caller::App), Some(&stored.secret)).await.unwrap();
    assert_eq!((&*opened.name, &*opened.content_type, opened.bytes), ("a.txt", "application/octet-stream", 9));
}

#[tokio::test]
async fn who_may_open_a_file() {
    for secret_is_enough in [false, true] {
        let mut setup = Setup::new();
        setup.secret_is_enough = secret_is_enough;
        let site = Site::of(setup).await;
        let (ann, ben) = (site.user("ann").await, site.user("ben").await);
        let secret = site.store(&ann, b"x", restricted("")).await.unwrap();
        let public = site.store(&ann, b"x", Details::default()).await.unwrap();
        let wrong = "x".repeat(48);
        let with_secret = if secret_is_enough { None } else { Some(Code::TokenMissing) };
        for (stored, caller, shown, refused) in [
            (&secret, Some(&ben), Some(&*secret.secret), None),
            (&secret, Some(&Caller::App), Some(&*secret.secret), None),
            (&secret, Some(&ben), Some(&*public.secret), Some(Code::FileSecretWrong)),
            (&secret, Some(&ann), Some(""), Some(Code::FileSecretWrong)),
            (&secret, Some(&ann), None, Some(Code::FileSecretWrong)),
            (&secret, None, Some(&*secret.secret), with_secret),
            (&secret, None, Some(&*wrong), Some(Code::TokenMissing)),
            (&secret, None, None, Some(Code::TokenMissing)),
            (&public, Some(&ben), None, None),
            (&public, Some(&ben), Some(&*wrong), None),
            (&public, None, Some(&*public.secret), with_secret),
            (&public, None, Some(&*wrong), Some(Code::TokenMissing)),
            (&public, None, None, Some(Code::TokenMissing)),
        ] {
            let found = code(site.open(stored, caller, shown).await);
            assert_eq!(found, refused, "{secret_is_enough} {} {shown:?}", caller.is_some());
        }
    }
}

#[tokio::test]
async fn another_apps_file_is_not_there() {
    let site = Site::new().await;
    let stored = site.store(&Caller::App, b"x", Details::default()).await.unwrap();
    let name = yinxin_core::names::AppName::parse("org/other").unwrap();
    let other = apps::create(&site.ctx, name, apps::AppChanges::default()).await.unwrap();
    for file in [&*stored.file.to_string(), "00000000-0000-1000-8000-000000000000", "", "no-uuid"] {
        let opened = files::open(&site.ctx, &other, file, Some(&Caller::App), Some(&stored.secret)).await;
        assert_eq!(code(opened), Some(Code::FileNotFound), "{file}");
    }
}

#[tokio::test]
async fn what_was_not_finished_leaves_nothing() {
    let site = Site::new().await;
    let mut breaks = Pieces { breaks: true, ..pieces(&noise(MIB)) };
    let broken = files::write(&site.ctx, &site.app, &Caller::App, &mut breaks).await;
    assert_eq!(code(broken), Some(Code::BodyIncomplete));
    let dropped = site.write(&Caller::App, &noise(MIB)).await.unwrap();
    assert_eq!(site.on_disk().len(), 1);
    drop(dropped);
    site.sweep().await;
    assert_eq!(site.on_disk(), Vec::<String>::new());
}

#[tokio::test]
async fn what_was_cut_off_by_a_crash_is_cleaned_away_by_the_next_start() {
    let site = Site::new().await;
    let stored = site.store(&Caller::App, b"kept", Details::default()).await.unwrap();
    let written = site.write(&Caller::App, b"whole, but nobody's").await.unwrap();
    let mut stuck = Stuck(Arc::new(Semaphore::new(0)));
    let is_begun = AtomicBool::new(false);
    {
        // A write that is cut off in the middle, as by a crash: the file is begun and nothing is told.
        let mut source = Begun { bytes: Some(noise(MIB)), then: &mut stuck, taken: &is_begun };
        let mut cut = Box::pin(files::write(&site.ctx, &site.app, &Caller::App, &mut source));
        while !is_begun.load(Ordering::SeqCst) {
            tokio::select! { biased; _ = &mut cut => unreachable!(), () = tokio::task::yield_now() => {} }
        }
        std::mem::forget(cut);
    }
    assert_eq!(site.on_disk().len(), 3);
    assert_eq!(site.on_disk().iter().filter(|name| name.ends_with("#1")).count(), 1);
    std::mem::forget(written);
    let site = Site { ctx: site.setup.open().await, ..site };
    site.sweep().await;
    assert_eq!(site.on_disk().len(), 1);
    assert_eq!(site.bytes_of(&stored).await, b"kept");
}

/// Some bytes, of which it is told when they have been taken, then another source.
struct Begun<'a, S> {
    bytes: Option<Vec<u8>>,
    then: &'a mut S,
    taken: &'a AtomicBool,
}

impl<S: Source> Source for Begun<'_, S> {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        if let Some(bytes) = self.bytes.take() {
            return Ok(Some(bytes.into()));
        }
        self.taken.store(true, Ordering::SeqCst);
        self.then.next().await
    }
}

#[tokio::test]
async fn what_is_swept_cannot_be_kept() {
    let site = Site::new().await;
    let written = site.write(&Caller::App, b"late").await.unwrap();
    site.setup.clock.move_by(UPLOAD_MAX_MS);
    site.sweep().await;
    // Even when the clock is set back.
    site.setup.clock.move_by(-UPLOAD_MAX_MS);
    let kept = files::keep(&site.ctx, &site.app, &Caller::App, written, Details::default()).await;
    assert_eq!(code(kept), Some(Code::BodyTimedOut));
}

#[tokio::test]
async fn limits_hold() {
    let limits = Limits { file_bytes: 1000, app_file_bytes: 2500, ..Limits::default() };
    let site = Site::with_files(limits).await;
    let too_large = site.store(&Caller::App, &noise(1001), Details::default()).await.err().unwrap();
    assert_eq!((too_large.code, too_large.limit), (Code::FileTooLarge, 1000));
    for _ in 0..2 {
        site.store(&Caller::App, &noise(1000), Details::default()).await.unwrap();
    }
    let full = site.store(&Caller::App, &noise(501), Details::default()).await.err().unwrap();
    assert_eq!((full.code, full.limit), (Code::FilesFull, 2500));
    site.store(&Caller::App, &noise(500), Details::default()).await.unwrap();
    assert_eq!(code(site.store(&Caller::App, b"x", Details::default()).await), Some(Code::FilesFull));
    site.sweep().await;
    assert_eq!(site.on_disk().len(), 3);
}

#[tokio::test]
async fn so_many_upload_at_a_time() {
    let site = Site::with_files(Limits { uploads: USER_UPLOADS_MAX + 2, ..Limits::default() }).await;
    let (ann, ben) = (site.user("ann").await, site.user("ben").await);
    let mut seats = Vec::new();
    for _ in 0..USER_UPLOADS_MAX {
        seats.push(site.write(&ann, b"").await.unwrap());
    }
    assert_eq!(code(site.write(&ann, b"").await), Some(Code::Busy), "one user has not all seats");
    seats.push(site.write(&ben, b"").await.unwrap());
    seats.push(site.write(&Caller::App, b"").await.unwrap());
    assert_eq!(code(site.write(&Caller::App, b"").await), Some(Code::Busy));
    assert_eq!(site.ctx.files.uploads(), USER_UPLOADS_MAX + 2);
    drop(seats);
    assert_eq!(site.ctx.files.uploads(), 0);
    site.write(&ann, b"").await.unwrap();
}

#[tokio::test]
async fn deleting_an_app_deletes_its_files_at_once_and_their_bytes_afterwards() {
    let site = Site::new().await;
    for _ in 0..3 {
        site.store(&Caller::App, b"x", Details::default()).await.unwrap();
    }
    let late = site.write(&Caller::App, b"late").await.unwrap();
    apps::delete(&site.ctx, &site.app).await.unwrap();
    let kept = files::keep(&site.ctx, &site.app, &Caller::App, late, Details::default()).await;
    assert_eq!(code(kept), Some(Code::AppNotFound));
    assert_eq!(code(site.write(&Caller::App, b"x").await), Some(Code::AppNotFound));
    // The process dies before a byte is deleted; the next one goes on.
    files::has_work(&site.ctx).await;
    assert_eq!(site.on_disk().len(), 4);
    let site = Site { ctx: site.setup.open().await, ..site };
    site.sweep().await;
    assert_eq!(site.on_disk(), Vec::<String>::new());
}

#[tokio::test]
async fn what_a_user_sent_outlives_the_user() {
    let site = Site::new().await;
    let ann = site.user("ann").await;
    let stored = site.store(&ann, b"for ben", restricted("")).await.unwrap();
    let late = site.write(&ann, b"late").await.unwrap();
    users::delete(&site.ctx, &site.app, "ann").await.unwrap();
    assert_eq!(site.bytes_of(&stored).await, b"for ben");
    let kept = files::keep(&site.ctx, &site.app, &ann, late, Details::default()).await;
    assert_eq!(code(kept), Some(Code::UserNotFound));
}

#[tokio::test]
async fn files_have_an_end_where_it_is_set() {
    let limits = Limits { file_days: 7, app_file_bytes: 4, ..Limits::default() };
    let site = Site::with_files(limits).await;
    let old = site.store(&Caller::App, b"old", Details::default()).await.unwrap();
    site.setup.clock.move_by(7 * 86_400_000);
    site.sweep().await;
    assert_eq!(site.bytes_of(&old).await, b"old");
    site.setup.clock.move_by(1);
    site.sweep().await;
    assert_eq!(code(site.open(&old, Some(&Caller::App), None).await), Some(Code::FileNotFound));
    assert_eq!(site.on_disk(), Vec::<String>::new());
    site.store(&Caller::App, b"new1", Details::default()).await.unwrap();
}

#[tokio::test]
async fn a_file_whose_bytes_are_gone_is_not_there() {
    let site = Site::new().await;
    let stored = site.store(&Caller::App, b"x", Details::default()).await.unwrap();
    let opened = site.open(&stored, Some(&Caller::App), None).await.unwrap();
    std::fs::remove_dir_all(site.setup.files()).unwrap();
    assert_eq!(code(site.range_of(&opened, 0..1).await), Some(Code::FileNotFound));
}

// Thumbnails.

/// A picture of noise, so that it is large in any format; with that orientation noted, if it is a JPEG.
fn picture(format: ImageFormat, width: u32, height: u32, orientation: u8) -> Vec<u8> {
    let bytes = noise((width * height * 3) as usize);
    let image = DynamicImage::ImageRgb8(RgbImage::from_raw(width, height, bytes).unwrap());
    let mut encoded = Cursor::new(Vec::new());
    image.write_to(&mut encoded, format).unwrap();
    let encoded = encoded.into_inner();
    if format != ImageFormat::Jpeg {
        return encoded;
    }
    // One entry of EXIF: the tag 0x0112, a short.
    let exif =
        [&b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..], &[orientation, 0, 0, 0], &[0; 4]].concat();
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&encoded[..2], &[0xFF, 0xE1], &length, &exif, &encoded[2..]].concat()
}

impl Site {
    async fn thumbnail(&self, stored: &Stored) -> (Opened, Vec<u8>) {
        let opened = self.open(stored, Some(&Caller::App), None).await.unwrap();
        let thumb = files::thumbnail(&self.ctx, &self.app, opened).await.unwrap();
        let bytes = self.range_of(&thumb, 0..thumb.bytes).await.unwrap();
        (thumb, bytes)
    }

    async fn picture(&self, bytes: &[u8], thumb: (Option<i64>, Option<i64>)) -> Stored {
        let content_type = Some("image/x".to_owned());
        let details = Details { content_type, thumb_width: thumb.0, thumb_height: thumb.1, ..Details::default() };
        self.store(&Caller::App, bytes, details).await.unwrap()
    }
}

#[tokio::test]
async fn pictures_have_thumbnails() {
    let site = Site::new().await;
    for (format, orientation, wanted, size) in [
        (ImageFormat::Png, 0, (None, None), (170, 85)),
        (ImageFormat::Jpeg, 1, (None, None), (170, 85)),
        (ImageFormat::Jpeg, 6, (None, None), (85, 170)),
        (ImageFormat::Jpeg, 6, (Some(60), Some(300)), (60, 120)),
        (ImageFormat::Gif, 0, (Some(100), None), (100, 50)),
        (ImageFormat::WebP, 0, (Some(0), Some(-1)), (1, 1)),
        (ImageFormat::Png, 0, (Some(i64::MAX), Some(200)), (400, 200)),
    ] {
        let stored = site.picture(&picture(format, 600, 300, orientation), wanted).await;
        let (thumb, bytes) = site.thumbnail(&stored).await;
        assert!(thumb.is_thumbnail && thumb.content_type == "image/jpeg", "{format:?}");
        let image = image::load_from_memory(&bytes).unwrap();
        assert_eq!((image.width(), image.height()), size, "{format:?} {orientation} {wanted:?}");
        // The second time it is there already.
        let objects = site.on_disk().len();
        assert_eq!(site.thumbnail(&stored).await.1, bytes);
        assert_eq!(site.on_disk().len(), objects);
    }
    apps::delete(&site.ctx, &site.app).await.unwrap();
    site.sweep().await;
    assert_eq!(site.on_disk(), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_transparent_is_on_white() {
    let site = Site::new().await;
    let mut pixels = noise(400 * 400 * 4);
    pixels.chunks_mut(4).for_each(|pixel| pixel[3] = 0);
    let image = DynamicImage::ImageRgba8(RgbaImage::from_raw(400, 400, pixels).unwrap());
    let mut encoded = Cursor::new(Vec::new());
    image.write_to(&mut encoded, ImageFormat::Png).unwrap();
    let stored = site.picture(encoded.get_ref(), (None, None)).await;
    let thumb = image::load_from_memory(&site.thumbnail(&stored).await.1).unwrap().to_rgb8();
    assert!(thumb.pixels().all(|pixel| pixel.0.iter().all(|channel| *channel > 250)));
}

/// A PNG that says it has that size, with bytes behind its head that are none of a picture.
fn boast(width: u32, height: u32) -> Vec<u8> {
    let mut png = picture(ImageFormat::Png, 100, 100, 0);
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = png[12..29].iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
    });
    png[29..33].copy_from_slice(&(!crc).to_be_bytes());
    png
}

#[tokio::test]
async fn what_no_thumbnail_can_be_made_of_is_its_own() {
    let site = Site::new().await;
    let cut = picture(ImageFormat::Jpeg, 300, 300, 1);
    for (what, bytes) in [
        ("a small file", picture(ImageFormat::Png, 30, 30, 0)),
        ("a picture smaller than the box", picture(ImageFormat::Png, 100, 100, 0)),
        ("no picture", noise(20_000)),
        ("a page", b"<svg xmlns='http://www.w3.org/2000/svg'></svg>".repeat(1000)),
        ("a bomb", boast(60_000, 60_000)),
        ("a bomb of one line", boast(u32::MAX >> 1, 1)),
        ("a picture without its end", boast(4000, 4000)),
        ("half a head", cut[..11_000.min(cut.len() / 2)].repeat(2)),
    ] {
        let stored = site.picture(&bytes, (None, None)).await;
        for _ in 0..2 {
            let (thumb, read) = site.thumbnail(&stored).await;
            assert!((thumb.is_thumbnail && what == "half a head") || read == bytes, "{what}");
        }
    }
    let named_otherwise = Details { content_type: Some("text/plain".to_owned()), ..Details::default() };
    let stored = site.store(&Caller::App, &picture(ImageFormat::Png, 300, 300, 0), named_otherwise).await.unwrap();
    assert!(!site.thumbnail(&stored).await.0.is_thumbnail);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thumbnail_is_made_once_whoever_asks() {
    let site = Arc::new(Site::new().await);
    let stored = Arc::new(site.picture(&picture(ImageFormat::Png, 600, 600, 0), (None, None)).await);
    let asking = (0..20).map(|_| {
        let (site, stored) = (Arc::clone(&site), Arc::clone(&stored));
        tokio::spawn(async move { site.thumbnail(&stored).await.1 })
    });
    let thumbs = futures_util::future::join_all(asking).await;
    assert!(thumbs.iter().all(|thumb| thumb.as_ref().unwrap() == thumbs[0].as_ref().unwrap()));
    assert_eq!(site.on_disk().len(), 2);
}

// Uploads in parts.

impl Site {
    async fn put(&self, caller: &Caller, upload: &str, number: i64, bytes: &[u8]) -> Result<()> {
        let written = self.write(caller, bytes).await?;
        files::keep_part(&self.ctx, &self.app, caller, upload, number, written).await
    }

    async fn begin(&self, caller: &Caller) -> Result<String> {
        Ok(files::begin(&self.ctx, &self.app, caller).await?.to_string())
    }

    async fn complete(&self, caller: &Caller, upload: &str) -> Result<Stored> {
        files::complete(&self.ctx, &self.app, caller, upload, restricted("")).await
    }
}

#[tokio::test]
async fn parts_come_in_any_order_and_more_than_once() {
    let site =
        Site::with_files(Limits { file_bytes: 12 * MIB as u64, app_file_bytes: 12 * MIB as u64, ..Limits::default() })
            .await;
    let ann = site.user("ann").await;
    let bytes = [b"\x89PNG\r\n\x1A\n".to_vec(), noise(2 * PART)].concat();
    let upload = site.begin(&ann).await.unwrap();
    site.put(&ann, &upload, 3, &bytes[2 * PART..]).await.unwrap();
    site.put(&ann, &upload, 1, &noise(PART)).await.unwrap();
    // The server is killed, and the client goes on with the next.
    let site = Site { ctx: site.setup.open().await, ..site };
    site.sweep().await;
    site.put(&ann, &upload, 2, &bytes[PART..2 * PART]).await.unwrap();
    site.put(&ann, &upload, 1, &bytes[..PART]).await.unwrap();
    let absent = files::open(&site.ctx, &site.app, &upload, Some(&ann), None).await;
    assert_eq!(code(absent), Some(Code::FileNotFound), "not before it is complete");
    let stored = site.complete(&ann, &upload).await.unwrap();
    assert_eq!(stored.file.to_string(), upload);
    assert_eq!(site.bytes_of(&stored).await, bytes);
    let opened = site.open(&stored, Some(&ann), Some(&stored.secret)).await.unwrap();
    assert_eq!((&*opened.content_type, opened.bytes), ("image/png", bytes.len() as u64));
    let across = (PART - 3) as u64..(2 * PART + 5) as u64;
    assert_eq!(site.range_of(&opened, across).await.unwrap(), &bytes[PART - 3..2 * PART + 5]);
    site.sweep().await;
    assert_eq!(site.on_disk().len(), 3, "the part that was replaced is gone");
    assert_eq!(code(site.put(&ann, &upload, 1, b"x").await), Some(Code::FileNotFound), "it has ended");
    assert_eq!(code(site.complete(&ann, &upload).await), Some(Code::FileNotFound));
}

#[tokio::test]
async fn an_upload_in_parts_ends_only_when_they_are_all_there() {
    let site = Site::with_files(Limits { file_bytes: 2 * FILE_PART_BYTES_MIN, ..Limits::default() }).await;
    let upload = site.begin(&Caller::App).await.unwrap();
    assert_eq!(code(site.complete(&Caller::App, &upload).await), Some(Code::PartsMissing));
    site.put(&Caller::App, &upload, 2, b"the last").await.unwrap();
    assert_eq!(code(site.complete(&Caller::App, &upload).await), Some(Code::PartsMissing));
    site.put(&Caller::App, &upload, 1, b"too small").await.unwrap();
    assert_eq!(code(site.complete(&Caller::App, &upload).await), Some(Code::PartsMissing));
    site.put(&Caller::App, &upload, 1, &noise(PART)).await.unwrap();
    for number in [0, -1, 3, i64::MAX] {
        assert_eq!(code(site.put(&Caller::App, &upload, number, b"x").await), Some(Code::FieldIllegal), "{number}");
    }
    assert_eq!(code(site.put(&Caller::App, &upload, 2, &noise(PART + 1)).await), Some(Code::FileTooLarge));
    site.complete(&Caller::App, &upload).await.unwrap();
}

#[tokio::test]
async fn an_upload_in_parts_is_its_owners() {
    let site = Site::new().await;
    let (ann, ben) = (site.user("ann").await, site.user("ben").await);
    let upload = site.begin(&ann).await.unwrap();
    for other in [&ben, &Caller::App] {
        assert_eq!(code(site.put(other, &upload, 1, b"x").await), Some(Code::FileNotFound));
        assert_eq!(code(site.complete(other, &upload).await), Some(Code::FileNotFound));
        assert_eq!(code(files::abort(&site.ctx, &site.app, other, &upload).await), Some(Code::FileNotFound));
    }
    site.put(&ann, &upload, 1, b"x").await.unwrap();
    files::abort(&site.ctx, &site.app, &ann, &upload).await.unwrap();
    assert_eq!(code(site.complete(&ann, &upload).await), Some(Code::FileNotFound));
    site.sweep().await;
    assert_eq!(site.on_disk(), Vec::<String>::new());
}

#[tokio::test]
async fn uploads_in_parts_that_nobody_finishes_are_bounded_and_end() {
    let site = Site::new().await;
    let ann = site.user("ann").await;
    let mut last = String::new();
    for _ in 0..UNFINISHED_UPLOADS_MAX {
        last = site.begin(&ann).await.unwrap();
    }
    assert_eq!(code(site.begin(&ann).await), Some(Code::TooManyUploads));
    site.begin(&Caller::App).await.unwrap();
    site.put(&ann, &last, 1, b"x").await.unwrap();
    site.setup.clock.move_by(UPLOAD_MAX_MS + 1);
    site.sweep().await;
    assert_eq!(site.on_disk(), Vec::<String>::new());
    assert_eq!(code(site.put(&ann, &last, 1, b"x").await), Some(Code::FileNotFound));
    site.begin(&ann).await.unwrap();
}

// The same in a bucket.

fn reached(service: &bucket::Bucket, key: &str) -> Bucket {
    Bucket {
        name: bucket::NAME.to_owned(),
        endpoint: Some(service.endpoint()),
        region: "us-east-1".to_owned(),
        prefix: "some/where".to_owned(),
        key: Some((key.to_owned(), Zeroizing::new("secret".to_owned()))),
        in_host: false,
    }
}

async fn in_bucket() -> (bucket::Bucket, Site) {
    let service = bucket::Bucket::start().unwrap();
    let mut setup = Setup::new();
    setup.place = Some(Place::Bucket(reached(&service, bucket::KEY_ID)));
    setup.limits.file_bytes = 20 * MIB as u64;
    (service, Site::of(setup).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_keeps_files_as_a_folder_does() {
    let (service, site) = in_bucket().await;
    for length in [0, 7, PART, PART + 1, 2 * PART + 3] {
        let bytes = noise(length);
        let stored = site.store(&Caller::App, &bytes, restricted("")).await.unwrap();
        assert_eq!(site.bytes_of(&stored).await, bytes, "{length}");
        let opened = site.open(&stored, Some(&Caller::App), Some(&stored.secret)).await.unwrap();
        if length > 4 {
            assert_eq!(site.range_of(&opened, 2..length as u64 - 1).await.unwrap(), &bytes[2..length - 1]);
        }
    }
    assert!(service.objects().iter().all(|(name, _)| name.starts_with("some/where/")));
    let puts: Vec<usize> =
        service.writes().iter().filter(|(method, _)| method == "PUT").map(|(_, size)| *size).collect();
    assert_eq!(puts, [0, 7, PART, PART, 1, PART, PART, 3], "no more than a chunk is held");
    apps::delete(&site.ctx, &site.app).await.unwrap();
    site.sweep().await;
    assert_eq!(service.objects(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bucket_got_of_a_broken_upload_is_taken_back() {
    let (service, site) = in_bucket().await;
    let mut breaks = Pieces { breaks: true, ..pieces(&noise(PART + MIB)) };
    let broken = files::write(&site.ctx, &site.app, &Caller::App, &mut breaks).await;
    assert_eq!(code(broken), Some(Code::BodyIncomplete));
    assert_eq!((service.unfinished(), service.objects()), (0, Vec::new()));
    drop(site.write(&Caller::App, b"nobody's").await.unwrap());
    assert_eq!(service.objects().len(), 1);
    site.sweep().await;
    assert_eq!(service.objects(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_fails_is_told_so_and_tried_again() {
    let (service, site) = in_bucket().await;
    let stored = site.store(&Caller::App, b"before", Details::default()).await.unwrap();
    files::check(&reached(&service, bucket::KEY_ID)).await.unwrap();
    let refused: Error = files::check(&reached(&service, "another")).await.unwrap_err();
    assert_eq!(refused.code, Code::FileStore);
    let elsewhere = Bucket { name: "no-bucket".to_owned(), ..reached(&service, bucket::KEY_ID) };
    assert_eq!(code(files::check(&elsewhere).await), Some(Code::FileStore));
    let mut setup = Setup::new();
    setup.place = Some(Place::Bucket(elsewhere));
    let nowhere = Site::of(setup).await;
    assert_eq!(code(nowhere.write(&Caller::App, b"x").await), Some(Code::FileStore), "not that of a missing file");
    service.set_down(true);
    assert_eq!(code(site.write(&Caller::App, b"x").await), Some(Code::FileStore));
    let opened = site.open(&stored, Some(&Caller::App), None).await.unwrap();
    assert_eq!(code(site.range_of(&opened, 0..1).await), Some(Code::FileStore));
    apps::delete(&site.ctx, &site.app).await.unwrap();
    assert_eq!(code(files::sweep(&site.ctx).await), Some(Code::FileStore));
    service.set_down(false);
    site.sweep().await;
    assert_eq!(service.objects(), []);
}
