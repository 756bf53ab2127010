//! Who signed a call: the four headers, in any case, and the call's own id.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName};
use yinxin_core::signed_calls::{self, Signature};
use yinxin_core::{App, Code, Ctx, Result};

use crate::frame;

const APP_KEY: HeaderName = HeaderName::from_static("appkey");
const NONCE: HeaderName = HeaderName::from_static("nonce");
const CUR_TIME: HeaderName = HeaderName::from_static("curtime");
const CHECK_SUM: HeaderName = HeaderName::from_static("checksum");
/// How a call of the older kind names itself.
const REQUEST_ID: HeaderName = HeaderName::from_static("requestid");
/// How a call of the newer kind does.
const TRACE_ID: HeaderName = HeaderName::from_static("x-custom-traceid");

/// The app whose backend signed the call.
pub(crate) async fn authenticate(ctx: &Ctx, headers: &HeaderMap) -> Result<Arc<App>> {
    let signature = Signature {
        key: text(headers, &APP_KEY),
        nonce: text(headers, &NONCE),
        signed_at: text(headers, &CUR_TIME),
        check_sum: text(headers, &CHECK_SUM),
    };
    signed_calls::authenticate(ctx, &signature).await
}

/// The app that the call names, whoever calls; empty when it names none.
pub(crate) fn app_key(headers: &HeaderMap) -> &str {
    text(headers, &APP_KEY)
}

/// The call's own id; empty when it has none.
pub(crate) fn call_id(headers: &HeaderMap) -> &str {
    match text(headers, &REQUEST_ID) {
        "" => text(headers, &TRACE_ID),
        id => id,
    }
}

/// Makes a call once that has an id. From here on it is made; a try that did not arrive whole was none. One that failed by
/// no fault of the caller's may be made again.
pub(crate) async fn once<T>(ctx: &Ctx, app: &App, id: &str, call: impl Future<Output = Result<T>>) -> Result<T> {
    if id.is_empty() {
        return call.await;
    }
    let noted = signed_calls::note(ctx, app, id).await?;
    let done = frame::contained(call).await;
    if done.as_ref().is_err_and(|error| error.code == Code::Busy || error.code.is_our_failure()) {
        signed_calls::forget(ctx, app, &noted).await;
    }
    done
}

/// A header as text. One that is no UTF-8 is as good as none.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok()).unwrap_or_default().trim()
}
