//! One connection from its first frame to its end.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{sleep, timeout};
use yinxin_core::hooks::{self, EndReason};
use yinxin_core::{messages, presence};
use yinxin_msync::{Frame, LoginRefusal, encode, frame};
use yinxin_realtime::{Ending, Refused as RegistryRefused, Registration};

use super::Gateway;
use super::end::End;
use super::line::{self, Endings, Note, Notes};
use super::login::{self, Identity, Refused};
use super::pipe::Pipe;
use super::session::{Answering, Next, Session};

const PLATFORM: &str = "web";

/// Holds the conversation, and says why it ended.
pub(super) async fn converse(gateway: Arc<Gateway>, mut pipe: Pipe, from: IpAddr) {
    // Boxed, here and below, are the parts that need much room for a short time: a connection is idle nearly always.
    let end = match Box::pin(enter(&gateway, &mut pipe, from)).await {
        Ok((who, place)) => Box::pin(serve(&gateway, &mut pipe, who, place)).await,
        Err(end) => end,
    };
    pipe.close(end).await;
}

/// Lets a client in.
async fn enter(gateway: &Gateway, pipe: &mut Pipe, from: IpAddr) -> Result<(Identity, Place), End> {
    let hello = timeout(gateway.limits.hello, first_frame(gateway, pipe));
    let login = hello.await.map_err(|_| End::NoLogin)??;
    let admitted = match login::identify(&gateway.ctx, &login).await {
        Ok(who) => admit(gateway, who, &login, from).await,
        Err(refused) => Err(refused),
    };
    let refusal = match admitted {
        Ok(admitted) => return Ok(admitted),
        Err(Refused::As(refusal)) => refusal,
        Err(Refused::Broken(error)) => {
            tracing::error!(%error, "a login failed");
            LoginRefusal::Other("server error")
        }
    };
    pipe.send(encode::provision_refused(refusal)).await?;
    pipe.linger().await;
    Err(End::Refused)
}

async fn first_frame(gateway: &Gateway, pipe: &mut Pipe) -> Result<frame::Login, End> {
    pipe.open().await?;
    let bytes = pipe.frame().await?;
    match frame::decode_within(&bytes, gateway.limits.frame_bytes).map_err(|_| End::Malformed)? {
        Frame::Provision(login) => Ok(*login),
        _ => Err(End::LoginDue),
    }
}

/// A connection's place in the registry and how it is reached there.
struct Place {
    registration: Registration,
    line: Arc<line::Sender>,
    notes: Notes,
    endings: Endings,
}

async fn admit(
    gateway: &Gateway,
    who: Identity,
    login: &frame::Login,
    from: IpAddr,
) -> Result<(Identity, Place), Refused> {
    let (app, user) = (who.app.id, who.user.user);
    messages::greet_device(&gateway.ctx, app, user, &who.device.resource).await?;
    let (line, notes, endings) = line::line(from, who.ends_ms);
    let line = Arc::new(line);
    let registered = gateway.registry.register((app, user), who.device.clone(), PLATFORM, line.clone());
    let registration = registered.map_err(|refused| {
        Refused::As(match refused {
            RegistryRefused::UserFull => LoginRefusal::TooManyDevices,
            RegistryRefused::ServerFull => LoginRefusal::OnlineLimit,
        })
    })?;
    // A ban between the look at the token and now would not have found this connection.
    login::still_good(&gateway.ctx, &who, login).await?;
    Ok((who, Place { registration, line, notes, endings }))
}

/// Serves a client that is in.
async fn serve(gateway: &Arc<Gateway>, pipe: &mut Pipe, who: Identity, place: Place) -> End {
    let Place { registration, line, notes, endings } = place;
    let welcome = encode::provision_ok(&who.device.resource, env!("CARGO_PKG_VERSION"), who.ends_ms);
    if let Err(end) = pipe.send(welcome).await {
        return end;
    }
    let (app, user, resource) = (who.app.id, Arc::clone(&who.user), who.device.resource.clone());
    let opened = Box::pin(hooks::open(&gateway.ctx, who.known())).await;
    announce(Box::pin(presence::arrived(&gateway.ctx, app, &user, &resource)).await);
    let session = Session::new(Arc::clone(&gateway.ctx), who);
    let mut exchange = Exchange { gateway, pipe, session, line: &line, notes, endings, answering: None };
    let Err(over) = exchange.run().await;
    let Exchange { pipe, session, .. } = exchange;
    // Offline from here on, whatever the socket still does.
    drop(registration);
    announce(Box::pin(presence::left(&gateway.ctx, app, &user, &resource)).await);
    Box::pin(hooks::end(&gateway.ctx, session.known(), opened, over.reason())).await;
    match over {
        Over::Here(end) => end,
        Over::Told(ending) => {
            if let Some(farewell) = session.farewell(&ending)
                && pipe.send(farewell).await.is_ok()
            {
                pipe.linger().await;
            }
            End::from(&ending)
        }
    }
}

/// Presence is best effort: what could not be told is asked for.
fn announce(told: yinxin_core::Result<()>) {
    if let Err(error) = told {
        tracing::warn!(%error, "a change of presence could not be told");
    }
}

/// Why an exchange is over.
enum Over {
    /// By what happened on the connection.
    Here(End),
    /// The connection was told to end, and the client is to be told.
    Told(Ending),
}

impl Over {
    /// As the app's backend is told of it.
    fn reason(&self) -> EndReason {
        match self {
            Self::Here(End::LoggedOut) => EndReason::Logout,
            Self::Here(End::TokenEnded) => EndReason::TokenEnded,
            Self::Here(_) => EndReason::Closed,
            Self::Told(Ending::Asked(reason)) => EndReason::Asked(*reason),
            Self::Told(Ending::Displaced(_)) => EndReason::Displaced,
            Self::Told(Ending::ServerStops) => EndReason::ServerStopped,
        }
    }
}

impl From<End> for Over {
    fn from(end: End) -> Self {
        Self::Here(end)
    }
}

impl From<yinxin_core::Error> for Over {
    fn from(error: yinxin_core::Error) -> Self {
        tracing::error!(%error, "a connection could not be served");
        Self::Here(End::Broken)
    }
}

/// What an exchange waits for.
enum Heard {
    Note(Note),
    Frame(Bytes),
    Answer(Vec<u8>),
}

/// The conversation itself. Once the connection is told to end, nothing is taken from the client and nothing is sent.
struct Exchange<'a> {
    gateway: &'a Gateway,
    pipe: &'a mut Pipe,
    session: Session,
    line: &'a line::Sender,
    notes: Notes,
    endings: Endings,
    /// The answer that the client waits for.
    answering: Option<Answering>,
}

impl Exchange<'_> {
    async fn run(&mut self) -> Result<Infallible, Over> {
        let mut token_ended = pin!(token_ended(self.gateway, self.line));
        loop {
            let heard = tokio::select! {
                biased;
                ending = self.endings.next() => return Err(Over::Told(ending)),
                () = &mut token_ended => return Err(End::TokenEnded.into()),
                heard = listen(&mut self.notes, self.pipe, &mut self.answering) => heard?,
            };
            let frames = match heard {
                Heard::Note(Note::Wake(queue)) => Box::pin(self.session.on_wake(&queue)).await?,
                Heard::Note(Note::News(news)) => vec![self.session.on_news(&news)],
                Heard::Frame(bytes) => Box::pin(self.answer(&bytes)).await?,
                Heard::Answer(frame) => {
                    self.answering = None;
                    vec![frame]
                }
            };
            self.say(frames).await?;
            if self.line.take_missed() {
                // A queue at a time, so that no more than a page is in memory.
                for queue in Box::pin(self.session.waiting_queues()).await? {
                    let frames = Box::pin(self.session.on_wake(&queue)).await?;
                    self.say(frames).await?;
                }
            }
        }
    }

    async fn answer(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, Over> {
        let frame = frame::decode_within(bytes, self.gateway.limits.frame_bytes).map_err(|_| End::Malformed)?;
        match self.session.on_frame(frame).await? {
            Next::Send(frames) => Ok(frames),
            Next::Wait(answering) => {
                self.answering = Some(answering);
                Ok(Vec::new())
            }
            Next::Close(end) => Err(end.into()),
        }
    }

    async fn say(&mut self, frames: Vec<Vec<u8>>) -> Result<(), Over> {
        for frame in frames {
            tokio::select! {
                biased;
                ending = self.endings.next() => return Err(Over::Told(ending)),
                sent = self.pipe.send(frame) => sent?,
            }
        }
        Ok(())
    }
}

/// The next of either; neither is kept waiting by the other. While an answer is under way it comes before other frames.
async fn listen(notes: &mut Notes, pipe: &mut Pipe, answering: &mut Option<Answering>) -> Result<Heard, End> {
    let frame = async {
        match answering {
            Some(answering) => Ok(Heard::Answer(answering.await)),
            None => pipe.frame().await.map(Heard::Frame),
        }
    };
    tokio::select! {
        note = notes.next() => Ok(Heard::Note(note)),
        heard = frame => heard,
    }
}

/// Waits until the connection's token has ended, however often it was renewed and whatever the clock does.
async fn token_ended(gateway: &Gateway, line: &line::Sender) {
    let limits = &gateway.limits;
    let grace_ms = i64::try_from(limits.token_grace.as_millis()).unwrap_or(i64::MAX);
    loop {
        let left_ms = line.token_ends_ms().saturating_add(grace_ms).saturating_sub(gateway.ctx.clock.now_ms());
        match u64::try_from(left_ms) {
            Ok(1..) => sleep(Duration::from_millis(left_ms.unsigned_abs()).min(limits.token_look)).await,
            _ => return,
        }
    }
}
