//! Thumbnails of pictures: made when the first is asked for, kept beside the file, one at a time and within bounds, since
//! a picture of a few bytes may say that it has the size of a house.

use std::io::Cursor;

use futures_util::TryStreamExt;
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, RgbImage};
use tokio::sync::Semaphore;
use yinxin_store::tables::files::{self, PartRow};
use yinxin_store::{AppId, FileId};

use super::claim;
use super::open::{Opened, read};
use super::store::expect;
use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{
    THUMB_DECODED_BYTES_MAX, THUMB_PIXELS_MAX, THUMB_QUEUE, THUMB_SIDE_DEFAULT, THUMB_SIDE_MAX, THUMB_SOURCE_BYTES_MAX,
    THUMB_WHOLE_BYTES,
};

const KIND: &str = "image/jpeg";
const QUALITY: u8 = 80;
/// The part of a file that is its thumbnail; without bytes where none can be made.
const PART: i64 = 0;

/// Who makes thumbnails, and who waits for it.
pub(super) struct Easel {
    brush: Semaphore,
    places: Semaphore,
}

impl Easel {
    pub fn new() -> Self {
        Self { brush: Semaphore::new(1), places: Semaphore::new(THUMB_QUEUE) }
    }
}

/// The thumbnail of a picture. A small picture is its own, and what is no picture, or too large a one, has none: then it
/// is the file itself.
pub async fn thumbnail(ctx: &Ctx, app: &App, opened: Opened) -> Result<Opened> {
    let may_have = (THUMB_WHOLE_BYTES + 1..=THUMB_SOURCE_BYTES_MAX).contains(&opened.bytes);
    if !may_have || !opened.content_type.starts_with("image/") {
        return Ok(opened);
    }
    let known = match opened.thumb {
        Some(part) => Some(part),
        None => make_one(ctx, app, &opened).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "a thumbnail could not be made; the picture is sent instead");
            None
        }),
    };
    Ok(match known {
        Some(part) if part.bytes > 0 => Opened {
            content_type: KIND.to_owned(),
            bytes: part.bytes.cast_unsigned(),
            parts: vec![part],
            is_thumbnail: true,
            ..opened
        },
        _ => opened,
    })
}

/// Makes and keeps a thumbnail; `None` when too many are waiting for that, and it is to be asked for again.
async fn make_one(ctx: &Ctx, app: &App, opened: &Opened) -> Result<Option<PartRow>> {
    let easel = &ctx.files.easel;
    let Ok(_place) = easel.places.try_acquire() else { return Ok(None) };
    let _brush = easel.brush.acquire().await.map_err(|closed| Error::from(Code::Internal).caused_by(closed))?;
    let file = FileId(opened.file.into_bytes());
    // Somebody else may have been faster.
    if let Some(made) = part_of(ctx, app.id, file).await? {
        return Ok(Some(made));
    }
    let chunks: Vec<_> = read(ctx, opened, 0..opened.bytes).await?.try_collect().await?;
    let (width, height) = opened.thumb_box;
    // A panic of a decoder costs no more than this thumbnail.
    let painted = tokio::task::spawn_blocking(move || paint(&chunks.concat(), width, height)).await.ok().flatten();
    keep(ctx, app.id, file, painted.unwrap_or_default()).await.map(Some)
}

async fn part_of(ctx: &Ctx, app: AppId, file: FileId) -> Result<Option<PartRow>> {
    let parts = ctx.db.read((app, file), |sql, (app, file)| {
        Box::pin(async move { Ok::<_, Error>(files::parts(sql, *app, *file).await?) })
    });
    Ok(parts.await?.into_iter().find(|part| part.part == PART))
}

async fn keep(ctx: &Ctx, app: AppId, file: FileId, bytes: Vec<u8>) -> Result<PartRow> {
    let mut written = expect(ctx, None).await?;
    if !bytes.is_empty() {
        let mut writer = ctx.files.blobs.write(written.object);
        writer.write(&bytes).await?;
        writer.finish().await?;
    }
    let part = PartRow { part: PART, object: written.object, bytes: i64::try_from(bytes.len()).unwrap_or(i64::MAX) };
    ctx.db
        .write((app, file, part), |sql, (app, file, part)| {
            Box::pin(async move {
                if files::by_id(sql, *app, *file).await?.is_none() {
                    return Err(Error::from(Code::FileNotFound));
                }
                claim(sql, part.object).await?;
                Ok(files::put_part(sql, *app, *file, *part).await?)
            })
        })
        .await?;
    written.kept = true;
    Ok(part)
}

/// The picture, within that box and on white; `None` for what is no picture, one over the bounds, and one that is no
/// larger than the box.
fn paint(bytes: &[u8], width: u32, height: u32) -> Option<Vec<u8>> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(THUMB_DECODED_BYTES_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let (full_width, full_height) = decoder.dimensions();
    let is_too_large = u64::from(full_width) * u64::from(full_height) > THUMB_PIXELS_MAX;
    if is_too_large || decoder.total_bytes() > THUMB_DECODED_BYTES_MAX {
        return None;
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let (width, height) = if lies(orientation) { (height, width) } else { (width, height) };
    if full_width <= width && full_height <= height {
        return None;
    }
    let mut small = DynamicImage::from_decoder(decoder).ok()?.thumbnail(width, height);
    small.apply_orientation(orientation);
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&on_white(&small)).ok()?;
    Some(jpeg)
}

/// Whether a picture is stored on its side.
fn lies(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate90FlipH | Rotate270 | Rotate270FlipH)
}

fn on_white(image: &DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.to_rgb8();
    }
    let image = image.to_rgba8();
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [r, g, b, alpha] = image.get_pixel(x, y).0;
        let mix = |channel: u8| {
            let (channel, alpha) = (u16::from(channel), u16::from(alpha));
            u8::try_from((channel * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
        };
        image::Rgb([mix(r), mix(g), mix(b)])
    })
}

/// A side of the box as it was asked for, within bounds.
pub(super) fn side(asked: Option<i64>) -> u32 {
    let side = asked.unwrap_or(THUMB_SIDE_DEFAULT).clamp(1, THUMB_SIDE_MAX);
    u32::try_from(side).unwrap_or(1)
}
