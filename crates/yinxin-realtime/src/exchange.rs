//! A connection from its login to its end: what its client says, what it is told, and why it is over.
//!
//! A dialect gives the two ends: a [`Pipe`], which owns the socket with its limits and timers, and a [`Session`], which
//! answers frames. Nothing here knows what a frame says.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::SemaphorePermit;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use yinxin_core::hooks::{self, EndReason, Known};
use yinxin_core::limits::{LAST_WORK, LOOK_AGAIN_MS, SocketLimits};
use yinxin_core::presence::{self, News};
use yinxin_core::sessions::Entered;
use yinxin_core::{Code, Ctx, Error, Result, apps, messages, rng, tokens};

use crate::line::{self, Endings, Note, Notes};
use crate::{End, Ending, Line as _, Refused, Registration, Registry};

/// A connection's socket as frames in and frames out.
pub trait Pipe: Send {
    /// The next frame. May be dropped and asked again; nothing is lost.
    fn frame(&mut self) -> impl Future<Output = Result<Bytes, End>> + Send;
    /// Sends a frame; done when the system has taken it.
    fn send(&mut self, frame: Vec<u8>) -> impl Future<Output = Result<(), End>> + Send;
    /// Waits for the client to go, but not for long; what it still says is not listened to.
    fn linger(&mut self) -> impl Future<Output = ()> + Send;
    /// Says why and ends.
    fn close(self, end: End) -> impl Future<Output = ()> + Send;
}

/// A client that is in.
pub trait Session: Send {
    /// Whose connection it is.
    fn known(&self) -> Known<'_>;
    /// Answers a frame.
    fn on_frame(&mut self, bytes: &[u8]) -> impl Future<Output = Result<Next>> + Send;
    /// Looks into a queue that something was put into. After an error it may be asked to again.
    fn on_wake(&mut self, queue: &str) -> impl Future<Output = Result<Vec<Vec<u8>>>> + Send;
    /// Tells of somebody's presence. It is not kept: whoever misses it asks.
    fn on_news(&self, news: &News) -> Vec<Vec<u8>>;
    /// The queues to look into when wake-ups were lost.
    fn waiting_queues(&self) -> impl Future<Output = Result<Vec<String>>> + Send;
    /// The last frame of a connection that must end, if its client is to know.
    fn farewell(&self, ending: &Ending) -> Option<Vec<u8>>;
}

/// An answer that takes its time: a message is asked about and stored first.
pub type Answering = BoxFuture<'static, Vec<u8>>;

/// What a frame leads to.
pub enum Next {
    /// Send these frames.
    Send(Vec<Vec<u8>>),
    /// Send the answer when it is there. Meanwhile nothing is to be taken from the client, so that what it sends stays
    /// in order; what is sent to it need not wait.
    Wait(Answering),
    /// End, without another word.
    Close(End),
}

/// A connection's place in the registry and how it is reached there.
pub struct Place {
    registration: Registration,
    entered: Entered,
    line: Arc<line::Sender>,
    notes: Notes,
    endings: Endings,
}

impl Place {
    /// Lets somebody in who connects from that address, on a platform of that name, with a token that was good and ends
    /// then: its device is known from now on, it takes a place, in a cluster on record, too, and the token is looked at once
    /// more, since a ban between the first look and now would not have found this connection.
    pub async fn enter<E: From<Error> + From<Refused>>(
        ctx: &Ctx,
        registry: &Arc<Registry>,
        known: Known<'_>,
        platform: &'static str,
        from: IpAddr,
        (token, ends_ms): (&str, Option<i64>),
    ) -> Result<Self, E> {
        let Known { app, user, device } = known;
        messages::greet_device(ctx, app.id, user.user, &device.resource).await?;
        let (line, notes, endings) = line::line(from, ends_ms);
        let line = Arc::new(line);
        let registration = registry.register((app.id, user.user), device.clone(), platform, line.clone())?;
        let number = registration.id().number();
        let entered = ctx.sessions.enter(app.id, user, device, platform, number).await?.ok_or(Refused::UserFull)?;
        tokens::authenticate(ctx, &*apps::current(ctx, app).await?, token).await?;
        Ok(Self { registration, entered, line, notes, endings })
    }
}

/// Serves a client that is in, to its end. `welcome` is the answer to its login. The session is boxed, or the task would
/// keep room for it wherever it is moved to.
pub async fn serve(
    ctx: &Ctx,
    limits: &SocketLimits,
    mut pipe: impl Pipe,
    session: Box<impl Session>,
    place: Place,
    welcome: Vec<u8>,
) {
    let Place { registration, entered, line, notes, endings } = place;
    if let Err(end) = pipe.send(welcome).await {
        drop(registration);
        entered.leave().await;
        return pipe.close(end).await;
    }
    let Known { app, user, device } = session.known();
    let opened = Box::pin(hooks::open(ctx, session.known())).await;
    announce(Box::pin(presence::arrived(ctx, app.id, user, &device.resource)).await);
    let (answering, looks_later) = (None, None);
    let mut exchange =
        Exchange { ctx, limits, pipe: &mut pipe, session, line: &line, notes, endings, answering, looks_later };
    let Err(over) = exchange.run().await;
    let session = exchange.session;
    // Offline from here on, whatever the socket still does.
    drop(registration);
    let settling = Box::pin(settle(ctx, entered, session.known(), opened, over.reason()));
    // Whoever has to go goes now: the database may keep its own time.
    match over {
        Over::Here(End::LoggedOut) => {
            // But who asked to be logged out is it when the line closes.
            settling.await;
            pipe.close(End::LoggedOut).await;
        }
        Over::Here(end) => {
            tokio::join!(Box::pin(pipe.close(end)), settling);
        }
        Over::Told(ending) => {
            let farewell = session.farewell(&ending);
            tokio::join!(Box::pin(see_off(pipe, farewell, End::from(&ending))), settling);
        }
    }
}

/// Writes down that a connection is over.
async fn settle(ctx: &Ctx, entered: Entered, known: Known<'_>, opened: hooks::Opened, reason: EndReason) {
    entered.leave().await;
    announce(Box::pin(presence::left(ctx, known.app.id, known.user, &known.device.resource)).await);
    Box::pin(hooks::end(ctx, known, opened, reason)).await;
}

async fn see_off(mut pipe: impl Pipe, farewell: Option<Vec<u8>>, end: End) {
    if let Some(farewell) = farewell
        && pipe.send(farewell).await.is_ok()
    {
        pipe.linger().await;
    }
    pipe.close(end).await;
}

/// Presence is best effort: what could not be told is asked for.
fn announce(told: Result<()>) {
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
struct Exchange<'a, P, S> {
    ctx: &'a Ctx,
    limits: &'a SocketLimits,
    pipe: &'a mut P,
    session: Box<S>,
    line: &'a Arc<line::Sender>,
    notes: Notes,
    endings: Endings,
    /// The answer that the client waits for.
    answering: Option<Answering>,
    /// Has everything looked into in a moment.
    looks_later: Option<JoinHandle<()>>,
}

impl<'a, P: Pipe, S: Session> Exchange<'a, P, S> {
    async fn run(&mut self) -> Result<Infallible, Over> {
        let mut token_ended = pin!(self.line.token_ended(self.ctx.clock.as_ref(), self.limits));
        loop {
            let heard = tokio::select! {
                biased;
                ending = self.endings.next() => return Err(Over::Told(ending)),
                () = &mut token_ended => return Err(End::TokenEnded.into()),
                heard = listen(&mut self.notes, self.pipe, &mut self.answering) => heard?,
            };
            // Boxed are the parts that need much room for a short time: a connection is idle nearly always.
            let frames = match heard {
                Heard::Note(Note::Wake(queue)) => {
                    let frames = Box::pin(unless_told(&mut self.endings, self.session.on_wake(&queue))).await?;
                    self.unless_busy(frames)?.unwrap_or_default()
                }
                Heard::Note(Note::Look) => Vec::new(),
                Heard::Note(Note::News(news)) => self.session.on_news(&news),
                Heard::Frame(bytes) => Box::pin(self.answer(&bytes)).await?,
                Heard::Answer(frame) => {
                    self.answering = None;
                    vec![frame]
                }
            };
            self.say(frames).await?;
            if self.line.take_missed() {
                Box::pin(self.catch_up()).await?;
            }
        }
    }

    /// Looks everywhere: wake-ups were lost. A queue at a time, so that no more than a page is in memory.
    async fn catch_up(&mut self) -> Result<(), Over> {
        if let Some(looks_later) = self.looks_later.take() {
            looks_later.abort();
        }
        let place = self.place_to_look().await?;
        let waiting = unless_told(&mut self.endings, self.session.waiting_queues()).await?;
        drop(place);
        for queue in self.unless_busy(waiting)?.unwrap_or_default() {
            let place = self.place_to_look().await?;
            let frames = unless_told(&mut self.endings, self.session.on_wake(&queue)).await?;
            drop(place);
            let Some(frames) = self.unless_busy(frames)? else { return Ok(()) };
            self.say(frames).await?;
        }
        Ok(())
    }

    /// What was found. `None`: the database has no time now; a little later everything is looked into.
    fn unless_busy<T>(&mut self, found: Result<T>) -> Result<Option<T>, Over> {
        match found {
            Err(error) if error.code == Code::Busy => {
                self.look_later();
                Ok(None)
            }
            found => Ok(Some(found?)),
        }
    }

    /// Where many look at the same time, because one of many nodes has missed something, they take turns.
    async fn place_to_look(&mut self) -> Result<Option<SemaphorePermit<'a>>, Over> {
        let Some(cluster) = &self.ctx.cluster else { return Ok(None) };
        tokio::select! {
            biased;
            ending = self.endings.next() => Err(Over::Told(ending)),
            place = cluster.may_look() => Ok(place),
        }
    }

    /// Not at once, and not when all others do.
    fn look_later(&mut self) {
        if self.looks_later.is_some() {
            return;
        }
        let [random] = rng::bytes(self.ctx.rng.as_ref());
        let pause = Duration::from_millis(LOOK_AGAIN_MS + LOOK_AGAIN_MS * u64::from(random) / 255);
        let line = Arc::clone(self.line);
        self.looks_later = Some(tokio::spawn(async move {
            sleep(pause).await;
            line.look_again();
        }));
    }

    async fn answer(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, Over> {
        match unless_told(&mut self.endings, self.session.on_frame(bytes)).await?? {
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

/// What is done for a connection. Once that is told to end it has a moment left: the database may keep its own time, and
/// whether it was done nobody is told.
async fn unless_told<T>(endings: &mut Endings, work: impl Future<Output = T>) -> Result<T, Over> {
    let mut work = pin!(work);
    let ending = tokio::select! {
        biased;
        done = &mut work => return Ok(done),
        ending = endings.next() => ending,
    };
    timeout(LAST_WORK, work).await.map_err(|_| Over::Told(ending))
}

/// The next of either; neither is kept waiting by the other. While an answer is under way it comes before other frames.
async fn listen(notes: &mut Notes, pipe: &mut impl Pipe, answering: &mut Option<Answering>) -> Result<Heard, End> {
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
