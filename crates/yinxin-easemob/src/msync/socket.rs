//! The websocket: upgrade, limits, timers, and the loop that joins frames and wake-ups.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::Uri;
use axum::response::Response;
use tokio::time::{Instant, timeout, timeout_at};
use yinxin_core::{messages, presence};
use yinxin_msync::limits::FRAME_BYTES;
use yinxin_msync::{Frame, LoginRefusal, encode, frame};
use yinxin_realtime::{Ending, Refused as RegistryRefused, Registration};

use super::Gateway;
use super::line::{self, Told};
use super::login::{self, Identity, Refused};
use super::session::{Next, Session};
use crate::rest;

/// Time for the first frame.
const HELLO: Duration = Duration::from_secs(15);
/// A connection that says nothing is asked whether it is there, and ends when it does not answer. The SDK itself asks
/// for news every 30 to 60 seconds.
const SILENCE: Duration = Duration::from_secs(75);
const ANSWER: Duration = Duration::from_secs(30);
/// A client that does not take a frame for so long is gone.
const WRITE: Duration = Duration::from_secs(10);
/// Between the farewell and the end of the socket: closed at once, the SDK may take it for a fault and come back.
const FAREWELL: Duration = Duration::from_millis(300);
/// A stock websocket reads into 128 KiB; an idle connection needs a fraction.
const READ_BUFFER: usize = 2048;
const PLATFORM: &str = "web";

/// Takes a connection over. What does not ask for a websocket is answered like any path that is not there.
pub(super) async fn upgrade(
    State(gateway): State<Arc<Gateway>>,
    uri: Uri,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else { return rest::no_such_path(uri.path(), gateway.ctx.clock.now_ms()) };
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_frame_size(FRAME_BYTES)
        .max_message_size(FRAME_BYTES)
        .on_upgrade(move |socket| serve(gateway, socket))
}

/// A connection from its first frame to its end.
async fn serve(gateway: Arc<Gateway>, mut socket: WebSocket) {
    let Some(login) = first_frame(&mut socket).await else { return };
    let admitted = match login::identify(&gateway.ctx, &login).await {
        Ok(who) => admit(&gateway, who, &login).await,
        Err(refused) => Err(refused),
    };
    match admitted {
        Ok((who, line)) => Box::pin(converse(gateway, socket, who, line)).await,
        Err(refused) => {
            let refusal = match refused {
                Refused::As(refusal) => refusal,
                Refused::Broken(error) => {
                    tracing::error!(%error, "a login failed");
                    LoginRefusal::Other("server error")
                }
            };
            if send(&mut socket, encode::provision_refused(refusal)).await {
                linger(&mut socket).await;
            }
        }
    }
}

async fn first_frame(socket: &mut WebSocket) -> Option<frame::Login> {
    let deadline = Instant::now() + HELLO;
    loop {
        match timeout_at(deadline, socket.recv()).await.ok()??.ok()? {
            Message::Binary(bytes) => match frame::decode(&bytes).ok()? {
                Frame::Provision(login) => return Some(*login),
                _ => return None,
            },
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Text(_) | Message::Close(_) => return None,
        }
    }
}

/// A connection's place in the registry and how it is reached there.
struct Place {
    registration: Registration,
    sender: Arc<line::Sender>,
    receiver: line::Receiver,
}

async fn admit(gateway: &Gateway, who: Identity, login: &frame::Login) -> Result<(Identity, Place), Refused> {
    let (app, user) = (who.app.id, who.user.user);
    messages::greet_device(&gateway.ctx, app, user, &who.device.resource).await?;
    let (sender, receiver) = line::line();
    let sender = Arc::new(sender);
    let line = Arc::clone(&sender);
    let registered = gateway.registry.register((app, user), who.device.clone(), PLATFORM, line);
    let registration = registered.map_err(|refused| {
        Refused::As(match refused {
            RegistryRefused::UserFull => LoginRefusal::TooManyDevices,
            RegistryRefused::ServerFull => LoginRefusal::OnlineLimit,
        })
    })?;
    // A ban between the look at the token and now would not have found this connection.
    login::still_good(&gateway.ctx, &who, login).await?;
    Ok((who, Place { registration, sender, receiver }))
}

async fn converse(gateway: Arc<Gateway>, mut socket: WebSocket, who: Identity, place: Place) {
    let Place { registration, sender, mut receiver } = place;
    let welcome = encode::provision_ok(&who.device.resource, env!("CARGO_PKG_VERSION"), who.ends_ms);
    if !send(&mut socket, welcome).await {
        return;
    }
    let (app, user, resource) = (who.app.id, Arc::clone(&who.user), who.device.resource.clone());
    announce(presence::arrived(&gateway.ctx, app, &user, &resource).await);
    let mut session = Session::new(Arc::clone(&gateway.ctx), who);
    let ending = exchange(&mut socket, &mut session, &mut receiver, &sender).await;
    // Offline from here on, whatever the socket still does.
    drop(registration);
    announce(presence::left(&gateway.ctx, app, &user, &resource).await);
    if let Some(farewell) = ending.and_then(|ending| session.farewell(&ending))
        && send(&mut socket, farewell).await
    {
        linger(&mut socket).await;
    }
}

/// Presence is best effort: what could not be told is asked for.
fn announce(told: yinxin_core::Result<()>) {
    if let Err(error) = told {
        tracing::warn!(%error, "a change of presence could not be told");
    }
}

/// The conversation itself; gives why the server ends it, or `None` when the client did or is gone.
async fn exchange(
    socket: &mut WebSocket,
    session: &mut Session,
    told: &mut line::Receiver,
    line: &line::Sender,
) -> Option<Ending> {
    let mut deadline = Instant::now() + SILENCE;
    let mut asked = false;
    loop {
        let frames = tokio::select! {
            biased;
            news = told.next() => match news {
                Told::End(ending) => return Some(ending),
                Told::Wake(queue) => session.on_wake(&queue).await,
                Told::News(news) => Ok(vec![session.on_news(&news)]),
            },
            received = timeout_at(deadline, socket.recv()) => match received {
                Err(_) if asked => return None,
                Err(_) => {
                    asked = true;
                    deadline = Instant::now() + ANSWER;
                    ping(socket).await?;
                    continue;
                }
                Ok(message) => {
                    asked = false;
                    deadline = Instant::now() + SILENCE;
                    match message?.ok()? {
                        Message::Binary(bytes) => match session.on_frame(frame::decode(&bytes).ok()?).await {
                            Ok(Next::Close) => return None,
                            Ok(Next::Send(frames)) => Ok(frames),
                            Err(error) => Err(error),
                        },
                        Message::Ping(_) | Message::Pong(_) => continue,
                        Message::Text(_) | Message::Close(_) => return None,
                    }
                }
            },
        };
        let frames = frames.map_err(|error| tracing::error!(%error, "a connection could not be served")).ok()?;
        for frame in frames {
            if !send(socket, frame).await {
                return None;
            }
        }
        if line.take_missed() {
            for frame in session.resync().await.ok()? {
                if !send(socket, frame).await {
                    return None;
                }
            }
        }
    }
}

async fn ping(socket: &mut WebSocket) -> Option<()> {
    timeout(WRITE, socket.send(Message::Ping(Vec::new().into()))).await.ok()?.ok()
}

async fn send(socket: &mut WebSocket, frame: Vec<u8>) -> bool {
    matches!(timeout(WRITE, socket.send(Message::Binary(frame.into()))).await, Ok(Ok(())))
}

/// Waits for the client to go, but not for long; what it still says is not listened to.
async fn linger(socket: &mut WebSocket) {
    let gone = async { while let Some(Ok(_)) = socket.recv().await {} };
    // Either way the socket ends now.
    let _waited = timeout(FAREWELL, gone).await;
}
