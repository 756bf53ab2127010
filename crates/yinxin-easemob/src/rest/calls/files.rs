//! Files, `/chatfiles`, and the calls by which the web SDK sends large ones in parts. Source: docs/dialects/easemob.md.

use std::ops::Range;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::TryStreamExt;
use serde_json::json;
use yinxin_core::files::{self, Details, Opened, Source, Stored, Written};
use yinxin_core::limits::FILE_PART_BYTES_MIN;
use yinxin_core::tokens::Caller;
use yinxin_core::{Code, Error, Result};
use yinxin_http::{Asked, BodyFault, Form, FormFault, asked_range};

use crate::rest::answer::Answer;
use crate::rest::call::{Call, unread};
use crate::rest::cors;
use crate::rest::query::Query;
use crate::rest::rights::{By, FromCall, PerhapsBy};

/// Bytes of a form's field that is no file.
const TEXT_BYTES_MAX: usize = 256;

/// `POST /chatfiles`.
pub(crate) async fn upload(call: &mut Call, By(caller): By) -> Result<Answer> {
    let query = Query::from_call(call).await?;
    let form = FileForm::read(call, &caller, "file").await?;
    let details = details_of(call, &query, &form.texts, form.name, form.content_type);
    let stored = files::keep(call.ctx(), &call.app, &caller, form.written, details).await?;
    Ok(stored_answer(&stored))
}

/// `POST /sdk/chatfiles/part-upload`.
pub(crate) async fn begin_parts(call: &mut Call, By(caller): By) -> Result<Answer> {
    let file = files::begin(call.ctx(), &call.app, &caller).await?;
    let most = call.ctx().files.file_bytes_max();
    let entity = json!({ "uuid": file, "part_lower_limit": FILE_PART_BYTES_MIN, "file_upper_limit": most });
    Ok(Answer::write().entities(vec![entity]))
}

/// `PUT /sdk/chatfiles/part-upload/{uuid}`, a form with `part_file` and `part_number`.
pub(crate) async fn put_part(call: &mut Call, By(caller): By) -> Result<Answer> {
    let FileForm { written, texts, .. } = FileForm::read(call, &caller, "part_file").await?;
    let text = texts.iter().find(|(name, _)| name == "part_number").map_or("", |(_, text)| text);
    let number = text.parse().map_err(|_| Error::about(Code::FieldIllegal, format!("part_number={text}")))?;
    let entity = json!({ "part_number": number, "part_size": written.bytes() });
    files::keep_part(call.ctx(), &call.app, &caller, call.param("file"), number, written).await?;
    Ok(Answer::write().entities(vec![entity]))
}

/// `POST /sdk/chatfiles/part-upload/{uuid}`; the answer is that of an upload at once.
pub(crate) async fn complete_parts(call: &mut Call, By(caller): By, query: Query) -> Result<Answer> {
    let details = details_of(call, &query, &[], None, None);
    let stored = files::complete(call.ctx(), &call.app, &caller, call.param("file"), details).await?;
    Ok(stored_answer(&stored))
}

/// `DELETE /sdk/chatfiles/part-upload/{uuid}`.
pub(crate) async fn abort_parts(call: &mut Call, By(caller): By) -> Result<Answer> {
    files::abort(call.ctx(), &call.app, &caller, call.param("file")).await?;
    Ok(Answer::write())
}

/// A client makes a file's URL of `uri` and the id, so it is the same for both kinds of upload.
fn stored_answer(stored: &Stored) -> Answer {
    let entity = json!({ "uuid": stored.file, "type": "chatfile", "share-secret": stored.secret });
    Answer::write().path("/chatfiles").uri("/chatfiles").entities(vec![entity])
}

/// A form that has a file in one of its fields, read to its end. The web SDK sends the file before the texts.
struct FileForm {
    written: Written,
    name: Option<String>,
    content_type: Option<String>,
    texts: Vec<(String, String)>,
}

impl FileForm {
    async fn read(call: &mut Call, caller: &Caller, wanted: &str) -> Result<Self> {
        let file_bytes_max = call.ctx().files.file_bytes_max();
        let form_bytes_max = call.ctx().files.form_bytes_max();
        let fault = |fault| refused(fault, file_bytes_max);
        let mut form = call.take_form(form_bytes_max).map_err(fault)?;
        let (mut file, mut texts) = (None, Vec::new());
        while let Some(field) = form.field().await.map_err(fault)? {
            if field.name != wanted {
                texts.push((field.name, text_of(&mut form).await.map_err(fault)?));
            } else if file.is_none() {
                let mut data = Data { form: &mut form, file_bytes_max };
                let written = files::write(call.ctx(), &call.app, caller, &mut data).await?;
                file = Some((written, field.file_name, field.content_type));
            } else {
                return Err(Error::about(Code::FieldIllegal, format!("{wanted} stands twice")));
            }
        }
        let (written, name, content_type) = file.ok_or(Code::FileMissing)?;
        Ok(Self { written, name, content_type, texts })
    }
}

/// A field that is no file. One that is too long is cut: whatever it is, it means nothing here.
async fn text_of(form: &mut Form) -> Result<String, FormFault> {
    let mut text = Vec::new();
    while text.len() < TEXT_BYTES_MAX {
        let Some(data) = form.data().await? else { break };
        text.extend_from_slice(&data[..data.len().min(TEXT_BYTES_MAX)]);
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn refused(fault: FormFault, file_bytes_max: u64) -> Error {
    match fault {
        FormFault::NotAForm => Code::FileMissing.into(),
        FormFault::Malformed(what) => Error::about(Code::FormMalformed, what),
        FormFault::Body(BodyFault::TooLarge { .. }) => Error::over(Code::FileTooLarge, file_bytes_max),
        FormFault::Body(fault) => unread(fault),
    }
}

/// The bytes of a form's field.
struct Data<'a> {
    form: &'a mut Form,
    file_bytes_max: u64,
}

impl Source for Data<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        self.form.data().await.map_err(|fault| refused(fault, self.file_bytes_max))
    }
}

/// Clients say these things in headers, in the query or in the form.
fn details_of(
    call: &Call,
    query: &Query,
    texts: &[(String, String)],
    name: Option<String>,
    content_type: Option<String>,
) -> Details {
    let said = |name: &str| {
        let in_form = || texts.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
        let in_header = || call.headers().get(name).and_then(|value| value.to_str().ok());
        query.get(name).or_else(in_header).or_else(in_form).map(str::trim)
    };
    let side = |name: &str| said(name).and_then(|text| text.parse().ok());
    Details {
        // Quirk(easemob): the header counts by being there, newer pages say by its value. Source: the vendor's pages on
        // files of 2016 and 2024.
        restricted: said("restrict-access").is_some_and(|text| !text.eq_ignore_ascii_case("false")),
        name: name.unwrap_or_default(),
        content_type,
        thumb_width: side("thumbnail-width"),
        thumb_height: side("thumbnail-height"),
    }
}

/// `GET` and `HEAD /chatfiles/{uuid}`.
pub(crate) async fn download(call: &mut Call, PerhapsBy(caller): PerhapsBy, query: Query) -> Result<Answer> {
    let header = call.headers().get("share-secret").and_then(|secret| secret.to_str().ok());
    let secret = header.or_else(|| query.get("share-secret"));
    let opened = files::open(call.ctx(), &call.app, call.param("file"), caller.as_ref(), secret).await;
    let opened = match opened {
        Err(error) if error.code == Code::TokenMissing => return Err(call.refused(Code::TokenMissing).await?),
        opened => opened?,
    };
    // Quirk(easemob): the web SDK asks by this for a picture out of a film. There is none to give, and the film is no
    // answer to that. Source: the SDK's `thumb` of video messages.
    if query.flag("vframe")? == Some(true) {
        return Err(Error::about(Code::FileNotFound, call.param("file")));
    }
    let wants = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"true");
    let is_thumb = call.headers().get("thumbnail").is_some_and(wants) || query.flag("thumbnail")? == Some(true);
    let opened = if is_thumb { files::thumbnail(call.ctx(), &call.app, opened).await? } else { opened };
    answer(call, &opened).await.map(Answer::ready)
}

async fn answer(call: &Call, opened: &Opened) -> Result<Response> {
    let tag = format!("\"{}{}\"", opened.file, if opened.is_thumbnail { "-thumbnail" } else { "" });
    let is_get = call.parts.method == Method::GET;
    let asked = if is_get { asked_range(call.headers(), opened.bytes, &tag) } else { Asked::Whole };
    let (status, range) = match asked {
        _ if knows(call.headers(), &tag) => (StatusCode::NOT_MODIFIED, 0..0),
        Asked::Whole => (StatusCode::OK, 0..opened.bytes),
        Asked::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Nothing => return Err(Error::over(Code::RangeIllegal, opened.bytes)),
    };
    let body = if is_get && status != StatusCode::NOT_MODIFIED {
        let id = call.arrival.id.clone();
        let broken = move |error: &Error| tracing::warn!(request = %id, %error, "a download broke off");
        Body::from_stream(files::read(call.ctx(), opened, range.clone()).await?.inspect_err(broken))
    } else {
        Body::empty()
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers_of(opened, &tag, status, &range)?;
    Ok(response)
}

/// Whether the caller has the file already.
fn knows(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok()).unwrap_or_default();
    known.split(',').map(|known| known.trim().trim_start_matches("W/")).any(|known| known == tag || known == "*")
}

fn headers_of(opened: &Opened, tag: &str, status: StatusCode, range: &Range<u64>) -> Result<HeaderMap> {
    let text = |text: String| HeaderValue::try_from(text).map_err(|fault| Error::from(Code::Internal).caused_by(fault));
    let mut headers = HeaderMap::from_iter([
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        // Asked again each time, and then not sent again: who may see a file can change, the file cannot.
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        (header::VARY, HeaderValue::from_static("Authorization, share-secret, thumbnail")),
        // A file must never run as a page of this server.
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; media-src 'self'; sandbox")),
    ]);
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    headers.insert(header::ETAG, text(tag.to_owned())?);
    cors::expose(&mut headers, "Content-Disposition, Content-Length, Content-Range, Accept-Ranges, ETag");
    if status == StatusCode::NOT_MODIFIED {
        return Ok(headers);
    }
    headers.insert(header::CONTENT_TYPE, text(opened.content_type.clone())?);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    headers.insert(header::CONTENT_DISPOSITION, text(disposition(opened))?);
    if status == StatusCode::PARTIAL_CONTENT {
        let (first, last) = (range.start, range.end - 1);
        headers.insert(header::CONTENT_RANGE, text(format!("bytes {first}-{last}/{}", opened.bytes))?);
    }
    Ok(headers)
}

/// What a browser is to do with the file, and how it is called; for those who read no UTF-8, too.
fn disposition(opened: &Opened) -> String {
    let kind = if files::shows_in_place(&opened.content_type) { "inline" } else { "attachment" };
    if opened.name.is_empty() {
        return kind.to_owned();
    }
    let plain = |c: char| if c.is_ascii_graphic() && !"\"\\%;".contains(c) || c == ' ' { c } else { '_' };
    let plain: String = opened.name.chars().map(plain).collect();
    let full = percent_encoding::utf8_percent_encode(&opened.name, percent_encoding::NON_ALPHANUMERIC);
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{full}")
}
