//! Messages over the chat socket: how many are stored in a second, how soon they arrive.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval_at, timeout_at};
use tokio_tungstenite::tungstenite::Message;

use super::Bench;
use crate::bare::ECHO;
use crate::chat::{self, Heard};
use crate::load::{Outcome, Tally, Window, cpu_share, together};
use crate::problem::{Explain as _, Problem, Result};
use crate::report::{Rate, Report, Target};
use crate::rounds::alternate;
use crate::seed;
use crate::server::Server;

/// Messages sent in a second by all pairs together.
const PACE: u32 = 1_000;
/// Users who talk to each other, two by two.
const PAIRS: u32 = 50;
/// How long the last messages of a round may be on their way.
const GRACE: Duration = Duration::from_secs(10);
/// What an echo carries: about what a short text does.
const ECHO_BYTES: usize = 120;

/// From when to when a round counts.
#[derive(Clone, Copy)]
struct Span {
    from: Instant,
    until: Instant,
}

impl Span {
    fn of(window: Window) -> Self {
        let from = Instant::now() + window.warm;
        Self { from, until: from + window.measured }
    }

    fn counts(self, at: Instant) -> bool {
        (self.from..self.until).contains(&at)
    }
}

impl Bench<'_> {
    /// Everybody sends to somebody who is away and waits until the message is on disk.
    pub(super) async fn message_send(&mut self, report: &mut Report) -> Result<()> {
        let senders = self.settings.connections;
        let (window, rounds, site) = (self.window(), self.settings.rounds, self.site()?);
        let server = site.start_with(2 * senders).await?;
        let tokens = site.user_tokens(&server, 2 * senders).await?;
        let subject = async || {
            let mut open = Vec::new();
            for (number, token) in (0..senders).zip(tokens.iter()) {
                let client = chat::login(server.address(), &seed::name(number), token).await?;
                open.push((client, seed::name(senders + number)));
            }
            let span = Span::of(window);
            let mut callers = JoinSet::new();
            for ((speaker, hearer), to) in open {
                callers.spawn(send_and_wait(speaker, hearer, to, span));
            }
            outcome(&server, window, span, callers).await
        };
        let reference = async || {
            let mut open = Vec::new();
            for _ in 0..senders {
                open.push(chat::open(self.bare.address(), ECHO).await?);
            }
            let span = Span::of(window);
            let mut callers = JoinSet::new();
            for socket in open {
                callers.spawn(echo_and_wait(socket, span));
            }
            outcome(&self.bare, window, span, callers).await
        };
        let rounds = alternate(rounds, subject, reference).await?;
        let rate = Rate::new("message-send", senders, &rounds, "echo").resident(server.resident_mib()?);
        report.rate(rate.aiming(Target::PerSecond(10_000.0)));
        server.stop().await
    }

    /// Pairs talk at a steady pace; a message counts from its sending until it is read.
    pub(super) async fn message_latency(&mut self, report: &mut Report) -> Result<()> {
        let (window, rounds, site) = (self.window(), self.settings.rounds, self.site()?);
        let server = site.start_with(2 * PAIRS).await?;
        let tokens = site.user_tokens(&server, 2 * PAIRS).await?;
        let subject = async || {
            let talk = async |pair, span| talk(server.address(), &tokens, pair, span).await;
            in_pairs(&server, window, talk).await
        };
        let reference = async || {
            let talk = async |pair, span| echo_at_pace(self.bare.address(), pair, span).await;
            in_pairs(&self.bare, window, talk).await
        };
        let rounds = alternate(rounds, subject, reference).await?;
        let rate = Rate::new("message-latency", 2 * PAIRS, &rounds, "echo").resident(server.resident_mib()?);
        let echo = rate.reference.p50_ms.zip(rate.reference.p99_ms);
        let note = echo.map_or_else(String::new, |(p50, p99)| format!("the echo's p50 {p50:.2} ms, p99 {p99:.2} ms"));
        report.rate(rate.aiming(Target::LatencyMs(1.0, 10.0)).noting(note));
        server.stop().await
    }
}

async fn outcome(server: &Server, window: Window, span: Span, callers: JoinSet<Tally>) -> Result<Outcome> {
    let cpu = cpu_share(server, span.from, span.until).await?;
    let tally = tokio::time::timeout(GRACE, together(callers)).await;
    let tally = tally.map_err(|_| Problem::new(format!("{} left a message unanswered", server.name())))??;
    tally.outcome(window.measured, cpu)
}

async fn send_and_wait(mut speaker: chat::Speaker, mut hearer: chat::Hearer, to: String, span: Span) -> Tally {
    let mut tally = Tally::new();
    loop {
        let began = Instant::now();
        if began >= span.until {
            return tally;
        }
        let stored = async {
            let number = speaker.send(&to, "a message of the bench, as long as people write".into()).await?;
            while !matches!(hearer.hear().await?, Heard::Stored(stored) if stored == number) {}
            Ok(())
        };
        match stored.await {
            Ok(()) if span.counts(Instant::now()) => tally.answer(began.elapsed()),
            Ok(()) => {}
            Err(problem) => {
                tally.fail(problem);
                return tally;
            }
        }
    }
}

async fn echo_and_wait(mut socket: chat::Socket, span: Span) -> Tally {
    let mut tally = Tally::new();
    loop {
        let began = Instant::now();
        if began >= span.until {
            return tally;
        }
        let sent = socket.send(Message::Binary(vec![7; ECHO_BYTES].into())).await;
        if sent.is_err() || !matches!(socket.next().await, Some(Ok(_))) {
            tally.fail(Problem::new("the echo broke off"));
            return tally;
        }
        if span.counts(Instant::now()) {
            tally.answer(began.elapsed());
        }
    }
}

/// Runs a conversation for each pair, evenly spread over the time between two messages of one.
async fn in_pairs(
    server: &Server,
    window: Window,
    talk: impl AsyncFn(u32, Span) -> Result<JoinHandle<Tally>>,
) -> Result<Outcome> {
    // What it takes to connect everybody is not part of the round.
    let mut span = Span::of(window);
    let settling = Duration::from_secs(1);
    span = Span { from: span.from + settling, until: span.until + settling };
    let mut callers = JoinSet::new();
    for pair in 0..PAIRS {
        let tally = talk(pair, span).await?;
        callers.spawn(async move {
            tally.await.unwrap_or_else(|error| {
                let mut tally = Tally::new();
                tally.fail(Problem::new(format!("a conversation failed: {error}")));
                tally
            })
        });
    }
    outcome(server, window, span, callers).await
}

/// The ticks of a pair.
fn pace(pair: u32, span: Span) -> tokio::time::Interval {
    let period = Duration::from_secs(1) * PAIRS / PACE;
    let mut ticks = interval_at((span.from + period * pair / PAIRS).into(), period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    ticks
}

fn due_in(span: Span) -> u64 {
    u64::try_from((span.until - span.from).as_millis()).unwrap_or(0) * u64::from(PACE / PAIRS) / 1000
}

async fn talk(address: SocketAddr, tokens: &Arc<[String]>, pair: u32, span: Span) -> Result<JoinHandle<Tally>> {
    let names = [seed::name(2 * pair), seed::name(2 * pair + 1)];
    let of = |number: u32| tokens[number as usize].as_str();
    let (mut speaker, mut answers) = chat::login(address, &names[0], of(2 * pair)).await?;
    let (mut confirmer, mut arrivals) = chat::login(address, &names[1], of(2 * pair + 1)).await?;
    let to = names[1].clone();
    let (epoch, wanted) = (span.from, due_in(span));
    // The sender must take its answers, or the server would think it gone.
    let listening = tokio::spawn(async move { while answers.hear().await.is_ok() {} });
    let sending = tokio::spawn(async move {
        let mut ticks = pace(pair, span);
        for _ in 0..wanted {
            ticks.tick().await;
            speaker.send(&to, epoch.elapsed().as_micros().to_string()).await?;
        }
        // The connection stays until the last message has arrived.
        Ok::<_, Problem>(speaker)
    });
    Ok(tokio::spawn(async move {
        let mut tally = Tally::new();
        let mut read = 0;
        while read < wanted {
            match arrival(&mut arrivals, &mut confirmer, span).await {
                Ok(sent_us) => {
                    for sent in &sent_us {
                        tally.answer((epoch + Duration::from_micros(*sent)).elapsed());
                    }
                    read += sent_us.len() as u64;
                }
                Err(problem) => {
                    tally.fail(problem);
                    break;
                }
            }
        }
        drop(sending.await);
        listening.abort();
        tally
    }))
}

/// The next page: when its messages were sent, in microseconds of the round.
async fn arrival(arrivals: &mut chat::Hearer, confirmer: &mut chat::Speaker, span: Span) -> Result<Vec<u64>> {
    loop {
        let heard = timeout_at((span.until + GRACE / 2).into(), arrivals.hear()).await;
        let heard = heard.map_err(|_| Problem::new("a message did not arrive"))??;
        if let Heard::Page { peer, key, texts } = heard {
            let sent: std::result::Result<_, _> = texts.iter().map(|text| text.parse()).collect();
            confirmer.confirm(&peer, key).await?;
            return sent.explain("a message is not what was sent");
        }
    }
}

async fn echo_at_pace(address: SocketAddr, pair: u32, span: Span) -> Result<JoinHandle<Tally>> {
    let mut socket = chat::open(address, ECHO).await?;
    Ok(tokio::spawn(async move {
        let mut tally = Tally::new();
        let mut ticks = pace(pair, span);
        for _ in 0..due_in(span) {
            ticks.tick().await;
            let began = Instant::now();
            let sent = socket.send(Message::Binary(vec![7; ECHO_BYTES].into())).await;
            if sent.is_err() || !matches!(socket.next().await, Some(Ok(_))) {
                tally.fail(Problem::new("the echo broke off"));
                break;
            }
            tally.answer(began.elapsed());
        }
        tally
    }))
}
