//! Reading requests: bodies, query strings and paths, every failure in this API's own shape.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;
use yinxin_core::Code;
use yinxin_http::{Arrival, BodyFault, json_response, read_body};

use crate::problem::Problem;

/// Bytes of a body, but for imports.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// A JSON body. Fields the call does not know are refused by the types, with their names.
pub(crate) struct Json<T>(pub T);

/// A JSON body that may be left out.
pub(crate) struct JsonOrNothing<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        from_json(&whole_body(request, BODY_BYTES_MAX).await?).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for JsonOrNothing<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        match whole_body(request, BODY_BYTES_MAX).await? {
            nothing if nothing.trim_ascii().is_empty() => Ok(Self(T::default())),
            body => from_json(&body).map(Self),
        }
    }
}

/// The whole body within the arrival's time.
pub(crate) async fn whole_body(request: Request, bytes_max: usize) -> Result<Bytes, Problem> {
    let within = match request.extensions().get::<Arrival>() {
        Some(arrival) => arrival.body_timeout,
        None => Arrival::in_process().body_timeout,
    };
    read_body(request.into_body(), bytes_max, within).await.map_err(|fault| {
        let code = match fault {
            BodyFault::TooLarge { .. } => Code::BodyTooLarge,
            BodyFault::Incomplete => Code::BodyIncomplete,
            BodyFault::TimedOut => Code::BodyTimedOut,
        };
        Problem::new(code, fault.to_string())
    })
}

/// Reads JSON. Well-formed JSON that does not fit the call is another problem than text that is no JSON.
pub(crate) fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|fault| {
        let code = if fault.is_data() { Code::FieldIllegal } else { Code::BodyMalformed };
        Problem::new(code, format!("{}: {fault}", code.text()))
    })
}

/// Writes JSON.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Result<Response, Problem> {
    let body = serde_json::to_vec(body).map_err(|fault| yinxin_core::Error::from(Code::Internal).caused_by(fault))?;
    Ok(json_response(status, body))
}

/// The query string.
pub(crate) struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(params) = Query::from_request_parts(parts, state)
            .await
            .map_err(|fault| Problem::new(Code::FieldIllegal, fault.body_text()))?;
        Ok(Self(params))
    }
}

/// Parts of the path. A path that is no text names nothing.
pub(crate) async fn path<T, S>(parts: &mut Parts, state: &S) -> Result<T, Problem>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    let Path(named) = Path::from_request_parts(parts, state).await.map_err(|_| Problem::from(Code::RouteNotFound))?;
    Ok(named)
}
