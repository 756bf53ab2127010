//! The request that opens a connection.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use yinxin_core::rooms::homes;
use yinxin_core::{Code, Ctx, Error, apps};
use yinxin_http::websocket;

use super::conversation::converse;
use super::pipe::Pipe;
use super::protoo::SUBPROTOCOL;
use super::{APP, Gate};
use crate::actions::form::Form;
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
    if is_wrong_door(&gate.ctx, request.uri()).await {
        // The SDK tries the next address, as it would not if it were let say what it wants.
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
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

/// Whether the room that the address names is on another server. Whatever cannot be found out is for the join to say.
async fn is_wrong_door(ctx: &Ctx, uri: &Uri) -> bool {
    if ctx.cluster.is_none() {
        return false;
    }
    let Ok(query) = Form::parse(uri.query().unwrap_or_default().as_bytes()) else { return false };
    let (Some(app), Some(cid)) = (query.filled(APP), query.filled("cid").and_then(|cid| cid.parse().ok())) else {
        return false;
    };
    match apps::find_by_signing_key(ctx, app).await {
        Ok(app) => homes::is_wrong_door(ctx, &app, cid).await.unwrap_or(false),
        Err(_) => false,
    }
}
