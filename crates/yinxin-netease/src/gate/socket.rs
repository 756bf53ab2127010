//! The request that opens a connection.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::response::Response;
use yinxin_core::{Code, Error};
use yinxin_http::websocket;

use super::Gate;
use super::conversation::converse;
use super::pipe::Pipe;
use super::protoo::SUBPROTOCOL;
use crate::answer;
use crate::errors::{At, wire};

/// Takes a connection over. What does not ask for a websocket is answered like any call that is not there.
pub(super) async fn open(State(gate): State<Arc<Gate>>, mut request: Request) -> Response {
    let offers = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).into_iter().filter_map(|value| value.to_str().ok());
    let is_offered = offers.flat_map(|offer| offer.split(',')).any(|offer| offer.trim() == SUBPROTOCOL);
    let Some((mut response, handshake)) = websocket::accept(&mut request) else {
        let error = Error::about(Code::RouteNotFound, request.uri().path());
        return answer::reply(answer::refusal(&wire(At::Join, &error)));
    };
    if is_offered {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    tokio::spawn(async move {
        if let Some(socket) = handshake.socket(gate.limits.frame_bytes).await {
            converse(Arc::clone(&gate), Pipe::new(gate, socket)).await;
        }
    });
    response
}
