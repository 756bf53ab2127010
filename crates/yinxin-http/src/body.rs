//! Reading a request's body within a limit and a time, whole or as it comes, and noticing one that was not read to its
//! end.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming, SizeHint};

use crate::connection::Connection;
use crate::metrics;

/// Bytes that must come in each stretch of waiting for a [`PacedBody`].
const STRETCH_BYTES_MIN: usize = 16 * 1024;

/// Why a body could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BodyFault {
    /// Larger than the call takes, by its Content-Length or by what has come.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The bytes that are allowed.
        limit: usize,
    },
    /// The connection broke, or the chunks were malformed.
    #[error("the body did not arrive completely")]
    Incomplete,
    /// It did not arrive in time.
    #[error("the body did not arrive in time")]
    TimedOut,
}

/// The whole body, of at most `limit` bytes, if it arrives within that time. A body that is announced as larger is
/// refused before a byte of it is read (and before a `100 Continue` is sent).
pub async fn read_body(body: Body, limit: usize, within: Duration) -> Result<Bytes, BodyFault> {
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyFault::TooLarge { limit });
    }
    let mut read = pin!(collect(body, limit));
    // Most bodies are in the same packet as the headers: no timer for those.
    if let Poll::Ready(done) = poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx))).await {
        return done;
    }
    tokio::time::timeout(within, read).await.unwrap_or_else(|_| {
        metrics::body_timed_out();
        Err(BodyFault::TimedOut)
    })
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, BodyFault> {
    let Some(first) = next_data(&mut body).await? else { return Ok(Bytes::new()) };
    if first.len() > limit {
        return Err(BodyFault::TooLarge { limit });
    }
    if body.is_end_stream() {
        return Ok(first);
    }
    // Grown by what has come, never by what was announced: an announcement costs a caller nothing.
    let mut whole = Vec::new();
    let mut next = Some(first);
    while let Some(data) = next {
        let length = whole.len() + data.len();
        if length > limit {
            return Err(BodyFault::TooLarge { limit });
        }
        if length > whole.capacity() {
            whole.reserve_exact(length.max(whole.capacity() * 2).min(limit) - whole.len());
        }
        whole.extend_from_slice(&data);
        next = next_data(&mut body).await?;
    }
    Ok(Bytes::from(whole))
}

async fn next_data(body: &mut Body) -> Result<Option<Bytes>, BodyFault> {
    while let Some(frame) = body.frame().await {
        // Trailers are no data and are dropped.
        if let Ok(data) = frame.map_err(|_| BodyFault::Incomplete)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// A body that is read as it comes. Its pace is bounded, not its time: a slow sender of much is heard to the end, one
/// that only holds the line is not. What the reader does between two reads costs the sender nothing.
pub struct PacedBody {
    body: Body,
    limit: usize,
    read: usize,
    stretch: Duration,
    /// Time and bytes of the stretch that has begun.
    waited: Duration,
    came: usize,
}

impl PacedBody {
    /// A body of at most `limit` bytes, of which some must come in each `stretch` of waiting. One that is announced as
    /// larger is refused before a byte of it is read.
    pub fn new(body: Body, limit: usize, stretch: Duration) -> Result<Self, BodyFault> {
        if body.size_hint().lower() > limit as u64 {
            return Err(BodyFault::TooLarge { limit });
        }
        Ok(Self { body, limit, read: 0, stretch, waited: Duration::ZERO, came: 0 })
    }

    /// The next bytes; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyFault> {
        loop {
            let began = Instant::now();
            let left = self.stretch.saturating_sub(self.waited);
            let data = tokio::time::timeout(left, next_data(&mut self.body)).await;
            self.waited += began.elapsed();
            match data {
                Ok(Ok(Some(data))) => {
                    self.count(data.len())?;
                    return Ok(Some(data));
                }
                Ok(ended) => return ended,
                Err(_) => self.end_stretch()?,
            }
        }
    }

    fn count(&mut self, bytes: usize) -> Result<(), BodyFault> {
        self.read += bytes;
        self.came += bytes;
        if self.read > self.limit {
            return Err(BodyFault::TooLarge { limit: self.limit });
        }
        if self.waited >= self.stretch { self.end_stretch() } else { Ok(()) }
    }

    fn end_stretch(&mut self) -> Result<(), BodyFault> {
        if self.came < STRETCH_BYTES_MIN {
            metrics::body_timed_out();
            return Err(BodyFault::TimedOut);
        }
        (self.waited, self.came) = (Duration::ZERO, 0);
        Ok(())
    }
}

/// A body that tells its connection when it is dropped before its end, see [`Connection::leave_unread`].
pub(crate) struct Noticed {
    incoming: Incoming,
    ended: bool,
    connection: Arc<Connection>,
}

impl Noticed {
    /// The body as the router takes it; an empty one costs nothing.
    pub(crate) fn body(incoming: Incoming, connection: &Arc<Connection>) -> Body {
        if incoming.is_end_stream() {
            return Body::empty();
        }
        Body::new(Self { incoming, ended: false, connection: Arc::clone(connection) })
    }
}

impl HttpBody for Noticed {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.incoming).poll_frame(cx));
        self.ended |= frame.is_none();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for Noticed {
    fn drop(&mut self) {
        if !self.ended && !self.incoming.is_end_stream() {
            self.connection.leave_unread();
        }
    }
}
