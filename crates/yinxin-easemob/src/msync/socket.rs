//! The requests that open a connection.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use yinxin_core::rng;
use yinxin_http::{Arrival, json_response, websocket};

use super::Gateway;
use super::conversation::converse;
use super::pipe::{Framing, Pipe};
use crate::rest::{self, cors};

/// Takes a connection over whose messages are frames.
pub(super) async fn plain(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    open(gateway, request, Framing::Plain)
}

/// Takes a connection over that wraps its frames. What SockJS puts into the path, to have a session found again by
/// other means than a websocket, means nothing here.
pub(super) async fn sockjs(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    open(gateway, request, Framing::SockJs)
}

/// What does not ask for a websocket is answered like any path that is not there.
fn open(gateway: Arc<Gateway>, mut request: Request, framing: Framing) -> Response {
    let Some((response, handshake)) = websocket::accept(&mut request) else {
        return rest::no_such_path(request.uri().path(), gateway.ctx.clock.now_ms());
    };
    let from = request.extensions().get::<Arrival>().map_or(Arrival::in_process().client, |arrival| arrival.client);
    tokio::spawn(async move {
        let message_bytes = framing.message_bytes(gateway.limits.frame_bytes);
        if let Some(socket) = handshake.socket(message_bytes).await {
            converse(Arc::clone(&gateway), Pipe::new(gateway, socket, framing), from).await;
        }
    });
    response
}

/// What SockJS asks before it connects.
pub(super) async fn info(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let origin = request.headers().get("origin");
    match *request.method() {
        Method::GET => {
            let entropy = u32::from_le_bytes(rng::bytes(gateway.ctx.rng.as_ref()));
            let text = yinxin_msync::sockjs::info(entropy);
            let mut response = json_response(StatusCode::OK, text.into_bytes());
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            cors::allow_credentials(response, origin)
        }
        Method::OPTIONS => cors::allow_credentials(cors::preflight(), origin),
        _ => rest::no_such_path(request.uri().path(), gateway.ctx.clock.now_ms()),
    }
}
