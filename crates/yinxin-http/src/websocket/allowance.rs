//! A socket of which only so much may be read before somebody is content with it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A peer may cut a message into pieces of nothing, and go on for ever without one being complete; the limit of a
/// message's size would never see it.
pub(super) struct Allowance<T> {
    io: T,
    left: usize,
    whole: usize,
}

/// Whether an error says that the allowance is used up.
pub(super) fn is_spent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::QuotaExceeded
}

impl<T> Allowance<T> {
    pub fn new(io: T, bytes: usize) -> Self {
        Self { io, left: bytes, whole: bytes }
    }

    /// As much as in the beginning may be read again.
    pub fn renew(&mut self) {
        self.left = self.whole;
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Allowance<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        self.left = self.left.saturating_sub(buf.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Allowance<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, data)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
