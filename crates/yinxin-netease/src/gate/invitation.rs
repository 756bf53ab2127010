//! `getChannelInfos.action`: what a client asks before it comes in. Not signed: the room token is the credential.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{Method, Uri, header};
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use yinxin_core::rooms::{RoomName, RoomUid, doors};
use yinxin_core::{Code, Error, apps};
use yinxin_http::Arrival;

use super::Gate;
use crate::actions::form::Form;
use crate::answer::{self, Answer};
use crate::errors::At;
use crate::frame;

/// `secureType` of a client that has a token.
const HAS_TOKEN: &str = "1";
/// The best picture a client may send, in the SDK's numbers: no bound.
const QUALITY_LIMIT: u8 = 16;

/// What the SDK is told.
#[derive(Serialize)]
struct Infos<'a> {
    cid: i64,
    /// What it shows on the socket.
    token: &'a str,
    ips: Ips<'a>,
    time: Time,
    config: Config,
}

#[derive(Serialize)]
struct Ips<'a> {
    uid: u64,
    /// For relays, of which there are none.
    token: &'a str,
    /// It goes from one to the next until it is in.
    webrtcarray: Vec<String>,
    turnaddrs: [&'a str; 0],
    relayaddrs: Option<&'a str>,
}

/// When the client asked by its clock, and when it was heard and answered by ours, in milliseconds.
#[derive(Serialize)]
struct Time {
    t1: i64,
    t2: i64,
    t3: i64,
}

#[derive(Serialize)]
struct Config {
    quality_level_limit: u8,
}

/// Answers the call.
pub(super) async fn answer(State(gate): State<Arc<Gate>>, mut request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return answer::preflight();
    }
    let arrival = request.extensions_mut().remove::<Arrival>().unwrap_or_else(Arrival::in_process);
    let (parts, body) = request.into_parts();
    let (at, id) = (arrival.at, arrival.id.clone());
    // To its end, even if the client goes away: its token may be used up by then.
    let done = frame::to_its_end(invite(Arc::clone(&gate), arrival, parts, body)).await;
    let (status, body) = match done {
        Ok(body) => (200, body),
        Err(error) => {
            let wire = frame::failed(At::Join, "room.invite", &id, &error);
            (wire.status, answer::refusal(&wire))
        }
    };
    gate.invitations.record(status, at.elapsed());
    answer::reply(body)
}

async fn invite(gate: Arc<Gate>, arrival: Arrival, parts: Parts, body: Body) -> Answer {
    if parts.method != Method::POST {
        return Err(Code::MethodNotAllowed.into());
    }
    if arrival.head_too_large {
        return Err(Code::HeadersTooLarge.into());
    }
    let heard_ms = gate.ctx.clock.now_ms();
    gate.ctx.rates.token_call(arrival.client)?;
    let here = base_url(&gate, &arrival, &parts)?;
    // Refused before the token is used up.
    let socket = socket_url(&here, None)?;
    let body = frame::body(&arrival, body).await?;
    let form = Form::read(&parts.headers, &body)?;
    let app = apps::find_by_signing_key(&gate.ctx, form.get("appkey").unwrap_or_default()).await?;
    let room = RoomName::parse(form.get("channelName").unwrap_or_default())?;
    let request = doors::Request {
        uid: RoomUid::parse(form.get("uid").unwrap_or_default())?,
        room: &room,
        // Without a token the field holds a checksum that says nothing.
        token: form.filled("checksum").filter(|_| form.get("secureType") == Some(HAS_TOKEN)),
        permission_key: form.filled("permKeySecret"),
    };
    let invitation = doors::invite(&gate.ctx, &app, &request).await?;
    let sockets: Vec<_> =
        invitation.at.iter().map(|at| socket_url(at, Some(&app.signing.key))).collect::<Result<_, _>>()?;
    let t1 = form.get("t1").and_then(|t1| t1.parse().ok()).unwrap_or_default();
    answer::ok(Infos {
        cid: invitation.cid,
        token: &invitation.pass,
        ips: Ips {
            uid: invitation.uid.get(),
            token: "",
            webrtcarray: if sockets.is_empty() { vec![socket] } else { sockets },
            turnaddrs: [],
            relayaddrs: None,
        },
        time: Time { t1, t2: heard_ms, t3: gate.ctx.clock.now_ms() },
        config: Config { quality_level_limit: QUALITY_LIMIT },
    })
}

/// Where the client found this, or where the operator says.
fn base_url(gate: &Gate, arrival: &Arrival, parts: &Parts) -> Result<String, Error> {
    if let Some(url) = &gate.public_url {
        return Ok(url.clone());
    }
    let host = parts.headers.get(header::HOST).map_or(Ok("localhost"), |host| host.to_str()).map_err(|_| illegal())?;
    let host: Authority = host.parse().map_err(|_| illegal())?;
    if host.as_str().contains('@') {
        return Err(illegal());
    }
    Ok(format!("{}://{host}", if arrival.https { "https" } else { "http" }))
}

/// The socket of a server; in a cluster it is told whose room it is before it is opened.
///
/// Quirk(netease): the SDK appends its parameters with `&`, and reads `ip` out of what was there before, if it is the last.
/// Source: docs/dialects/netease-rooms.md.
fn socket_url(base: &str, app_key: Option<&str>) -> Result<String, Error> {
    let base = base.trim_end_matches('/');
    let url: Uri = base.parse().map_err(|_| illegal())?;
    let host = url.host().ok_or_else(illegal)?;
    // http: and https: become ws: and wss:.
    let rest = base.strip_prefix("http").ok_or_else(illegal)?;
    let app = app_key.map(|key| format!("{}={}&", super::APP, utf8_percent_encode(key, NON_ALPHANUMERIC)));
    Ok(format!("ws{rest}{}?{}ip={host}", super::SOCKET, app.unwrap_or_default()))
}

fn illegal() -> Error {
    Error::about(Code::FieldIllegal, "Host")
}
