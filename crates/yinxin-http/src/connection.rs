//! One connection: the phase it is in, the time it may spend there, and its end.
//!
//! hyper's own header timeout runs from the moment it begins to wait for a request, so it covers the silence between
//! requests too, and it makes a timer for each request. Here the phases are told apart, and one timer per connection
//! is moved only when it rings too early: a request costs no timer at all. What is pipelined behind a request is read
//! with it and noticed late: a head of which a part came that way has the idle time until its next byte.

mod io;

use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::proxies;
use crate::serve::Shared;
use crate::service::answer;
use io::Watched;

/// How long a caller may go on sending a body that nobody reads, so that it sees the answer. Closing at once would make
/// the kernel reset the connection, and the answer would be lost on the way.
const LINGER: Duration = Duration::from_secs(2);

/// What a connection is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Phase {
    /// Waiting for the first byte of a request, or for the client to take an answer.
    Silent = 0,
    /// The head of a request has begun and is not complete.
    Head = 1,
    /// A handler is at work; its time is its own affair.
    Busy = 2,
    /// Everything is said; waiting for the client to notice.
    Lingering = 3,
}

/// Set when the phase began, or something moved in it, since the clock was last looked at.
const MOVED: u8 = 0x80;

/// What the parts of one connection share. All but the waker, `unread` and `cut` is touched by its own task only.
pub(crate) struct Connection {
    pub(crate) shared: Arc<Shared>,
    /// Its number in the registry.
    pub(crate) number: u64,
    pub(crate) peer: IpAddr,
    pub(crate) peer_is_trusted: bool,
    seed: u64,
    requests: AtomicU64,
    phase: AtomicU8,
    unread: AtomicBool,
    cut: AtomicBool,
    waker: AtomicWaker,
}

impl Connection {
    pub(crate) fn new(shared: Arc<Shared>, number: u64, peer: IpAddr) -> Self {
        Self {
            peer_is_trusted: proxies::is_trusted(peer, &shared.options.trusted_proxies),
            shared,
            number,
            peer,
            seed: RandomState::new().hash_one(number),
            requests: AtomicU64::new(0),
            phase: AtomicU8::new(Phase::Silent as u8 | MOVED),
            unread: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        }
    }

    /// The bits of the next request's id.
    pub(crate) fn next_id_bits(&self) -> u64 {
        crate::arrival::mix(self.seed, self.requests.fetch_add(1, Ordering::Relaxed))
    }

    /// A request is handed to the router.
    pub(crate) fn begin_answer(&self) {
        self.unread.store(false, Ordering::Relaxed);
        self.enter(Phase::Busy);
    }

    /// The router has answered; the answer is still to be sent.
    pub(crate) fn end_answer(&self) {
        self.enter(Phase::Silent);
    }

    /// A body was dropped before its end: the connection cannot be used again, and is to linger.
    pub(crate) fn leave_unread(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    /// Has the connection look at the shutdown.
    pub(crate) fn wake(&self) {
        self.waker.wake();
    }

    /// Ends the connection, whatever it is doing.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::Release);
        self.waker.wake();
    }

    fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8 | MOVED, Ordering::Relaxed);
    }

    /// Bytes came in.
    fn has_read(&self) {
        if self.phase.load(Ordering::Relaxed) & !MOVED == Phase::Silent as u8 {
            self.enter(Phase::Head);
        }
    }

    /// Bytes went out.
    fn has_written(&self) {
        self.phase.store(self.phase.load(Ordering::Relaxed) | MOVED, Ordering::Relaxed);
    }

    /// Begins to linger, if there may be something to read that nobody wants.
    fn linger(&self) -> bool {
        let phase = self.phase();
        let lingers = self.unread.load(Ordering::Relaxed) || matches!(phase, Phase::Head | Phase::Lingering);
        if lingers && phase != Phase::Lingering {
            self.enter(Phase::Lingering);
        }
        lingers
    }

    fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) & !MOVED {
            0 => Phase::Silent,
            1 => Phase::Head,
            2 => Phase::Busy,
            _ => Phase::Lingering,
        }
    }

    /// Whether something moved since the last time this was asked.
    fn take_moved(&self) -> bool {
        let phase = self.phase.load(Ordering::Relaxed);
        self.phase.store(phase & !MOVED, Ordering::Relaxed);
        phase & MOVED != 0
    }

    /// How long this phase may last without anything moving; a handler's has no bound here.
    fn allowance(&self) -> Option<Duration> {
        match self.phase() {
            Phase::Silent => Some(self.shared.options.idle_timeout),
            Phase::Head => Some(self.shared.options.header_timeout),
            Phase::Busy => None,
            Phase::Lingering => Some(LINGER),
        }
    }

    fn count_timeout(&self) {
        match self.phase() {
            Phase::Silent => self.shared.metrics.timeouts_idle.increment(1),
            Phase::Head => self.shared.metrics.timeouts_head.increment(1),
            Phase::Busy | Phase::Lingering => {}
        }
    }
}

/// Serves a connection to its end, or until it is upgraded.
pub(crate) async fn run(stream: TcpStream, connection: Arc<Connection>, http: http1::Builder) {
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&connection)));
    let service = {
        let connection = Arc::clone(&connection);
        service_fn(move |request| answer(&connection, request))
    };
    let mut served = pin!(http.serve_connection(io, service).with_upgrades());
    let mut timer = pin!(tokio::time::sleep(connection.shared.options.idle_timeout));
    let mut since = Instant::now();
    let mut told = false;
    poll_fn(|cx| {
        connection.waker.register(cx.waker());
        if connection.cut.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        if !told && connection.shared.is_draining() {
            told = true;
            served.as_mut().graceful_shutdown();
        }
        if let Poll::Ready(ended) = served.as_mut().poll(cx) {
            // What went wrong is nearly always that the client went away.
            if let Err(error) = ended {
                tracing::debug!(peer = %connection.peer, %error, "a connection broke");
            }
            return Poll::Ready(());
        }
        if connection.take_moved() {
            since = Instant::now();
        }
        let Some(allowance) = connection.allowance() else { return Poll::Pending };
        let due = tokio::time::Instant::from_std(since + allowance);
        // A timer that rings too early is left to ring: moving it at each request would cost more.
        loop {
            if timer.is_elapsed() || timer.deadline() > due {
                if tokio::time::Instant::now() >= due {
                    connection.count_timeout();
                    tracing::debug!(peer = %connection.peer, phase = ?connection.phase(), "a connection timed out");
                    return Poll::Ready(());
                }
                timer.as_mut().reset(due);
            }
            ready!(timer.as_mut().poll(cx));
        }
    })
    .await;
    // What was upgraded lives on and holds the connection; its waker would hold this task's memory.
    drop(connection.waker.take());
}
