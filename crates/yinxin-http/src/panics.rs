//! The last net under a handler that panics, and what is said about a panic.
//!
//! Says where it happened, and its text only if that is a literal: a text that was put together may hold what a user
//! sent.

use std::any::Any;
use std::cell::Cell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook};
use std::pin::pin;
use std::task::Poll;

thread_local! {
    /// Whether this thread is within a net, which logs the panic itself.
    static NETTED: Cell<bool> = const { Cell::new(false) };
    /// Where the panic that is being unwound happened.
    static WHERE: Cell<Option<String>> = const { Cell::new(None) };
}

/// Replaces the process's panic hook: a panic within a request is left to the net, which logs it with the request's id;
/// any other is logged at once.
pub fn install_hook() {
    set_hook(Box::new(|info| {
        if NETTED.get() {
            WHERE.set(Some(place_of(info)));
        } else {
            tracing::error!(at = %place_of(info), text = literal(info.payload()), "a panic");
        }
    }));
}

/// What is known about a panic.
#[derive(Debug)]
pub struct Panicked {
    /// File and line; empty without the hook.
    pub at: String,
    /// The text, if it is a literal.
    pub text: &'static str,
}

/// Drives a future; a panic of it ends it and is reported, without reaching the task.
pub async fn netted<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let outer = NETTED.replace(true);
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
        NETTED.set(outer);
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(payload) => {
                Poll::Ready(Err(Panicked { at: WHERE.take().unwrap_or_default(), text: literal(&*payload) }))
            }
        }
    })
    .await
}

fn place_of(info: &PanicHookInfo<'_>) -> String {
    info.location().map(ToString::to_string).unwrap_or_default()
}

fn literal(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or_default()
}
