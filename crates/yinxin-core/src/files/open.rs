//! Opening: who may read which file, and its bytes as a sequence of its parts.

use std::ops::Range;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use subtle::ConstantTimeEq;
use uuid::Uuid;
use yinxin_store::tables::files::{self, PartRow};
use yinxin_store::{FileId, ObjectId};

use super::store::hash;
use super::thumbs;
use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::tokens::Caller;

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
    pub(super) parts: Vec<PartRow>,
    pub(super) thumb: Option<PartRow>,
    /// Width and height that a thumbnail must not exceed.
    pub(super) thumb_box: (u32, u32),
}

/// Opens a file for who shows a token of the app, or no more than the file's secret. A restricted file opens to nobody
/// without its secret.
pub async fn open(ctx: &Ctx, app: &App, file: &str, caller: Option<&Caller>, secret: Option<&str>) -> Result<Opened> {
    if caller.is_none() && !(ctx.files.secret_is_enough && secret.is_some()) {
        return Err(Code::TokenMissing.into());
    }
    let absent = || Error::about(Code::FileNotFound, file);
    let id = Uuid::try_parse(file).map_err(|_| if caller.is_some() { absent() } else { Code::TokenMissing.into() })?;
    let found = ctx
        .db
        .read((app.id, FileId(id.into_bytes())), |sql, (app, file)| {
            Box::pin(async move {
                let Some(row) = files::by_id(sql, *app, *file).await? else { return Ok::<_, Error>(None) };
                Ok(Some((row, files::parts(sql, *app, *file).await?)))
            })
        })
        .await?;
    let found = found.filter(|(row, _)| row.complete);
    let is_right =
        found.as_ref().is_some_and(|(row, _)| secret.is_some_and(|secret| hash(secret).ct_eq(&row.secret_hash).into()));
    if caller.is_none() && !is_right {
        // A file that is not there is not told apart.
        return Err(Code::TokenMissing.into());
    }
    let (row, parts) = found.ok_or_else(absent)?;
    if caller.is_some() && row.restricted && !is_right {
        return Err(Error::about(Code::FileSecretWrong, file));
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
