//! One connection from its first frame to its end: joins the socket, the conversation and the room.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use yinxin_core::Error;
use yinxin_core::rooms::doors::{self, Guest, Knock};
use yinxin_core::rooms::live::Departure;

use super::Gate;
use super::end::End;
use super::line::{self, Endings, Notices, Reason};
use super::pipe::Pipe;
use super::protoo::Join;
use super::session::{Act, Event, Session};
use crate::errors::{At, Wire, wire};

/// How often the clock is asked whether a permission has ended: it may be set meanwhile.
const LOOK: Duration = Duration::from_mins(1);

/// Holds the conversation, ends it, and keeps the seat of a client that may come back.
pub(super) async fn converse(gate: Arc<Gate>, pipe: Pipe) {
    let mut talk = Talk { gate: &gate, pipe, session: Session::new() };
    match talk.enter().await {
        // Boxed, so that a connection that is not in does not hold the room of one that is.
        Ok(place) => Box::pin(stay(talk, place)).await,
        Err(end) => talk.pipe.close(end).await,
    }
}

/// What a connection that is in has.
struct Place {
    guest: Guest,
    notices: Notices,
    endings: Endings,
    /// What is to be done first.
    welcome: Vec<Act>,
}

async fn stay(mut talk: Talk<'_>, mut place: Place) {
    let end = talk.exchange(&mut place).await;
    let Talk { gate, pipe, .. } = talk;
    let Place { guest, mut endings, .. } = place;
    let departure = match end.departure() {
        Some(departure) => departure,
        None if end == End::ServerStops => {
            // The database is left as it is: after the start everybody may come back.
            drop(guest);
            return pipe.close(end).await;
        }
        None => {
            pipe.close(end).await;
            // Whoever comes back, or is dismissed meanwhile, ends the wait.
            let _waited = timeout(gate.seat_kept, endings.next()).await;
            return leave(gate, guest, Departure::Lost).await;
        }
    };
    leave(gate, guest, departure).await;
    pipe.close(end).await;
}

async fn leave(gate: &Gate, guest: Guest, departure: Departure) {
    if let Err(error) = guest.leave(&gate.ctx, departure).await {
        tracing::warn!(%error, "the end of a stay in a room could not be written");
    }
}

struct Talk<'a> {
    gate: &'a Gate,
    pipe: Pipe,
    session: Session,
}

impl Talk<'_> {
    /// Lets a client in.
    async fn enter(&mut self) -> Result<Place, End> {
        let join = timeout(self.gate.limits.hello, self.join()).await.map_err(|_| End::NoJoin)??;
        let (line, notices, endings) = line::line();
        let knock =
            Knock { pass: &join.pass, permission_key: &join.permission_key, role: join.role, about: join.about };
        let entered = doors::enter(&self.gate.ctx, knock, line).await;
        match entered {
            Ok((found, guest)) => {
                let welcome = self.on(Event::Entered(Ok(&found)));
                Ok(Place { guest, notices, endings, welcome })
            }
            Err(error) => {
                let acts = self.on(Event::Entered(Err(refusal(&error))));
                self.perform(acts, None).await?;
                Err(End::Refused)
            }
        }
    }

    /// Waits until the client asks to come in.
    async fn join(&mut self) -> Result<Join, End> {
        loop {
            let text = self.pipe.text().await?;
            for act in self.on(Event::Frame(&text)) {
                match act {
                    Act::Enter(join) => return Ok(*join),
                    Act::Send(text) => self.pipe.send(text).await?,
                    Act::End(end) => return Err(end),
                    Act::Renew(_) | Act::ChangeRole(_) => {}
                }
            }
        }
    }

    /// The conversation of a client that is in, to its end.
    async fn exchange(&mut self, place: &mut Place) -> End {
        if let Err(end) = self.perform(std::mem::take(&mut place.welcome), Some(&place.guest)).await {
            return end;
        }
        loop {
            let acts = tokio::select! {
                biased;
                reason = place.endings.next() => match reason {
                    Reason::Room(ending) => self.on(Event::Ending(ending)),
                    Reason::TooSlow => return End::TooSlow,
                },
                notice = place.notices.next() => self.on(Event::Notice(&notice)),
                () = due(self.gate, &self.session) => self.on(Event::Due),
                text = self.pipe.text() => match text {
                    Ok(text) => self.on(Event::Frame(&text)),
                    Err(end) => return end,
                },
            };
            if let Err(end) = self.perform(acts, Some(&place.guest)).await {
                return end;
            }
        }
    }

    fn on(&mut self, event: Event<'_>) -> Vec<Act> {
        self.session.on(event, self.gate.ctx.clock.now_ms())
    }

    /// Does what is to be done, and what comes of that.
    async fn perform(&mut self, acts: Vec<Act>, guest: Option<&Guest>) -> Result<(), End> {
        for act in acts {
            match (act, guest) {
                (Act::Send(text), _) => self.pipe.send(text).await?,
                (Act::End(end), _) => return Err(end),
                (Act::ChangeRole(role), Some(guest)) => {
                    if let Err(error) = guest.change_role(&self.gate.ctx, role).await {
                        tracing::warn!(%error, "how somebody takes part in a room could not be written");
                    }
                }
                (Act::Renew(key), Some(guest)) => {
                    let renewed = guest.renew(&self.gate.ctx, &key).map_err(|error| refusal(&error));
                    for act in self.on(Event::Renewed(renewed)) {
                        if let Act::Send(text) = act {
                            self.pipe.send(text).await?;
                        }
                    }
                }
                (Act::Enter(_) | Act::ChangeRole(_) | Act::Renew(_), _) => {}
            }
        }
        Ok(())
    }
}

/// Until something is due, or the clock is to be looked at again.
async fn due(gate: &Gate, session: &Session) {
    let Some(due_ms) = session.due_ms() else { return std::future::pending().await };
    let left_ms = due_ms.saturating_sub(gate.ctx.clock.now_ms());
    sleep(Duration::from_millis(u64::try_from(left_ms).unwrap_or_default()).min(LOOK)).await;
}

fn refusal(error: &Error) -> Wire {
    if error.code.is_our_failure() {
        let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        tracing::error!(%error, source, "somebody could not be let into a room");
    }
    wire(At::Join, error)
}
