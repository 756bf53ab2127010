//! The request that opens a connection.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use yinxin_floo::handshake::{self, Refusal};
use yinxin_http::{Arrival, json_response, websocket};

use super::Gateway;
use super::conversation::converse;
use super::pipe::Pipe;

/// Takes a connection over. What asks for something else hears it in the words of Engine.IO.
pub(super) async fn open(State(gateway): State<Arc<Gateway>>, mut request: Request) -> Response {
    if let Err(refusal) = handshake::check(request.uri().query().unwrap_or_default()) {
        return refused(refusal);
    }
    let Some((response, handshake)) = websocket::accept(&mut request) else { return refused(Refusal::BadRequest) };
    let from = request.extensions().get::<Arrival>().map_or(Arrival::in_process().client, |arrival| arrival.client);
    tokio::spawn(async move {
        // A byte says that it is a message.
        if let Some(socket) = handshake.socket(gateway.limits.frame_bytes + 1).await {
            converse(Arc::clone(&gateway), Pipe::new(gateway, socket), from).await;
        }
    });
    response
}

fn refused(refusal: Refusal) -> Response {
    let mut response = json_response(StatusCode::BAD_REQUEST, refusal.body().as_bytes().to_vec());
    // Pages of any origin may call, and read why they are refused.
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
