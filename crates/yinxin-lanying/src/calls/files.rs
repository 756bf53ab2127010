//! Files by their addresses, which stand in pages: opened by an access token, or by a token for files and a signature.

use std::ops::Range;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::TryStreamExt;
use yinxin_core::files::{self, Opened};
use yinxin_core::tokens::{self, Caller};
use yinxin_core::{Code, Error, Result, file_tokens};
use yinxin_http::{Asked, asked_range};

use crate::answer::{Answer, Reply};
use crate::call::Call;
use crate::rights::Anybody;

/// Who asks: by a token for files if there is one.
async fn caller(call: &Call, file: &str) -> Result<Caller> {
    match call.query.get("store_token") {
        Some(token) => {
            let signature = call.query.get("sdk_sign").ok_or(Code::SignatureMissing)?;
            file_tokens::authenticate(&call.ctx, &call.app, token, signature, file).await
        }
        None => tokens::authenticate(&call.ctx, &call.app, call.token()).await,
    }
}

/// `GET /file/download/chat?file_id=`, and the same for pictures of users. Addresses of what was uploaded by this dialect
/// name the file as `sign`.
pub(crate) async fn download(call: &Call, _: Anybody) -> Answer {
    let file = call.query.get("sign").map_or_else(|| call.query.required("file_id"), Ok)?;
    let caller = caller(call, file).await?;
    let opened = files::open(&call.ctx, &call.app, file, Some(&caller), None).await?;
    let tag = format!("\"{}\"", opened.file);
    let (status, range) = match asked_range(&call.headers, opened.bytes, &tag) {
        Asked::Whole => (StatusCode::OK, 0..opened.bytes),
        Asked::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Nothing => return Err(Error::over(Code::RangeIllegal, opened.bytes)),
    };
    let id = call.arrival.id.clone();
    let broken = move |error: &Error| tracing::warn!(request = %id, %error, "a download broke off");
    let body = files::read(&call.ctx, &opened, range.clone()).await?.inspect_err(broken);
    let mut response = Response::new(Body::from_stream(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers_of(&opened, &tag, status, &range)?;
    Ok(Reply::Ready(Box::new(response)))
}

fn headers_of(opened: &Opened, tag: &str, status: StatusCode, range: &Range<u64>) -> Result<HeaderMap> {
    let text = |text: String| HeaderValue::try_from(text).map_err(|fault| Error::from(Code::Internal).caused_by(fault));
    let mut headers = HeaderMap::from_iter([
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        // The address holds a token: nobody in between may keep what it opens.
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        // A file must never run as a page of this server.
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; media-src 'self'; sandbox")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ]);
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    headers.insert(header::ETAG, text(tag.to_owned())?);
    headers.insert(header::CONTENT_TYPE, text(opened.content_type.clone())?);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    let kind = if files::shows_in_place(&opened.content_type) { "inline" } else { "attachment" };
    let name = percent_encoding::utf8_percent_encode(&opened.name, percent_encoding::NON_ALPHANUMERIC);
    headers.insert(header::CONTENT_DISPOSITION, text(format!("{kind}; filename*=UTF-8''{name}"))?);
    if status == StatusCode::PARTIAL_CONTENT {
        let (first, last) = (range.start, range.end - 1);
        headers.insert(header::CONTENT_RANGE, text(format!("bytes {first}-{last}/{}", opened.bytes))?);
    }
    Ok(headers)
}
