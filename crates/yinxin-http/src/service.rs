//! One request: what the kit does around the router.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use hyper::body::Incoming;
use tower::Service as _;

use crate::arrival::{Arrival, REQUEST_ID, RequestId, bytes_of};
use crate::body::Noticed;
use crate::connection::Connection;
use crate::panics::{self, Panicked};
use crate::proxies;

/// Answers a request of that connection.
pub(crate) fn answer(
    connection: &Arc<Connection>,
    mut request: Request<Incoming>,
) -> impl Future<Output = Result<Response, Infallible>> + use<> {
    let connection = Arc::clone(connection);
    connection.begin_answer();
    let arrival = arrival_of(&connection, &request);
    let told =
        Told { id: arrival.id.clone(), client: arrival.client, at: arrival.at, method: request.method().clone() };
    request.extensions_mut().insert(arrival);
    let request = request.map(|incoming| Noticed::body(incoming, &connection));
    async move {
        let mut router = connection.shared.router.clone();
        let mut response = match panics::netted(async move { router.call(request).await }).await {
            Ok(Ok(response)) => response,
            Err(panicked) => bare_500(&connection, &told, &panicked),
        };
        response.headers_mut().insert(REQUEST_ID, told.id.to_header());
        connection.end_answer();
        told.log(response.status());
        Ok(response)
    }
}

fn arrival_of(connection: &Connection, request: &Request<Incoming>) -> Arrival {
    let options = &connection.shared.options;
    let headers = request.headers();
    let trusted = connection.peer_is_trusted;
    Arrival {
        id: RequestId::given_or(headers, || connection.next_id_bits()),
        client: if trusted {
            proxies::client_behind(connection.peer, headers, &options.trusted_proxies)
        } else {
            connection.peer
        },
        https: trusted && proxies::https_behind(headers),
        at: Instant::now(),
        head_too_large: bytes_of(request.method(), request.uri(), headers) > options.header_bytes_max,
        body_bytes_max: options.body_bytes_max,
        body_timeout: options.body_timeout,
    }
}

/// The answer to a panic that no dialect has caught.
fn bare_500(connection: &Connection, told: &Told, panicked: &Panicked) -> Response {
    connection.shared.metrics.panics.increment(1);
    tracing::error!(request = %told.id, at = panicked.at, text = panicked.text, "a handler panicked");
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// What the access log says of a request. Not the path: it holds users' names.
struct Told {
    id: RequestId,
    client: IpAddr,
    at: Instant,
    method: Method,
}

impl Told {
    fn log(&self, status: StatusCode) {
        tracing::debug!(
            request = %self.id,
            client = %self.client,
            method = %self.method,
            status = status.as_u16(),
            elapsed_us = self.at.elapsed().as_micros(),
            "answered"
        );
    }
}
