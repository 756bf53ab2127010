//! What goes around every handler: its body, the net under a panic, and the answer to an error.

use axum::body::Body;
use bytes::Bytes;
use yinxin_core::{Code, Error, Result};
use yinxin_http::panics::{Panicked, netted};
use yinxin_http::{Arrival, BodyFault, RequestId, read_body};

use crate::errors::{At, Wire, wire};

/// The whole body, within the limits of the request.
pub(crate) async fn body(arrival: &Arrival, body: Body) -> Result<Bytes> {
    read_body(body, arrival.body_bytes_max, arrival.body_timeout).await.map_err(|fault| match fault {
        BodyFault::TooLarge { limit } => Error::over(Code::BodyTooLarge, limit),
        BodyFault::Incomplete => Code::BodyIncomplete.into(),
        BodyFault::TimedOut => Code::BodyTimedOut.into(),
    })
}

/// What a handler gives; a panic is an error like others.
pub(crate) async fn contained<T>(handling: impl Future<Output = Result<T>>) -> Result<T> {
    netted(handling).await.unwrap_or_else(|Panicked { at, text }| {
        Err(Error::from(Code::Internal).caused_by(format!("a handler panicked at {at}: {text}")))
    })
}

/// The same for a handler that is to end even if the caller goes away.
pub(crate) async fn to_its_end<T: Send + 'static>(
    handling: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let ended = tokio::spawn(contained(handling)).await;
    ended.unwrap_or_else(|ended| Err(Error::from(Code::Internal).caused_by(ended)))
}

/// An error as the wire shows it; logs it if it is ours.
pub(crate) fn failed(at: At, label: &str, id: &RequestId, error: &Error) -> Wire {
    if error.code.is_our_failure() {
        let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        tracing::error!(request = %id, operation = label, %error, source, "a call failed");
    }
    wire(at, error)
}
