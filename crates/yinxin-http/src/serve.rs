//! The accept loop and its end.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::connection::{self, Connection};
use crate::metrics::ServerMetrics;
use crate::registry::{Refused, Registry};
use crate::{ServeOptions, listen};

/// hyper's buffer per connection, which bounds a request's head: well above the kit's own limit, so that a head over
/// that still reaches the dialect and is refused in its shape. The number of headers stays at hyper's 100: a larger one
/// costs two allocations per request.
const BUFFER_BYTES_MAX: usize = 160 * 1024;
/// Refused connections that are being told so; beyond that they are just closed.
const REFUSING_MAX: usize = 128;
const REFUSING_TIMEOUT: Duration = Duration::from_secs(1);
const REFUSAL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\nretry-after: 1\r\n\r\n";

/// How serving ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Drained {
    /// Connections that were still open after the drain timeout and were cut.
    pub cut: usize,
}

/// What all connections of a listener share.
pub(crate) struct Shared {
    pub(crate) router: Router,
    pub(crate) options: ServeOptions,
    pub(crate) metrics: ServerMetrics,
    pub(crate) registry: Registry,
    draining: AtomicBool,
    refusing: Semaphore,
}

impl Shared {
    /// Whether the shutdown has begun.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

/// Serves the router until `shutdown`. Then nothing new is accepted, silent connections are closed, requests in flight
/// are answered, and it returns when no connection is left or the drain timeout has passed; those left are cut.
/// Websockets count as connections: who holds one closes it at the shutdown, or it is waited for.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> Drained {
    let shared = Arc::new(Shared {
        router: router.with_state(()),
        options,
        metrics: ServerMetrics::new(),
        registry: Registry::default(),
        draining: AtomicBool::new(false),
        refusing: Semaphore::new(REFUSING_MAX),
    });
    accept_until(&listener, &shared, shutdown).await;
    drop(listener);
    drain(&shared).await
}

async fn accept_until(listener: &TcpListener, shared: &Arc<Shared>, shutdown: impl Future<Output = ()>) {
    let mut http = http1::Builder::new();
    // The timeouts are ours, see `connection`.
    http.max_buf_size(BUFFER_BYTES_MAX).header_read_timeout(None);
    let mut shutdown = pin!(shutdown);
    for number in 0.. {
        let (stream, peer) = tokio::select! {
            accepted = listen::accept(listener, &shared.metrics) => accepted,
            () = &mut shutdown => return,
        };
        shared.metrics.accepted.increment(1);
        begin(stream, peer.ip().to_canonical(), number, shared, &http);
    }
}

fn begin(stream: TcpStream, peer: IpAddr, number: u64, shared: &Arc<Shared>, http: &http1::Builder) {
    let options = &shared.options;
    let is_proxy = crate::proxies::is_trusted(peer, &options.trusted_proxies);
    let per_client_max = if is_proxy { 0 } else { options.connections_per_client_max };
    if let Err(refused) = shared.registry.admit(peer, options.connections_max, per_client_max) {
        return refuse(stream, peer, refused, shared);
    }
    shared.metrics.open.increment(1);
    // Without it the kernel holds back the last packet of an answer. It fails only on a socket that is gone.
    let _ = stream.set_nodelay(true);
    let connection = Arc::new(Connection::new(Arc::clone(shared), number, peer));
    shared.registry.enter(Arc::clone(&connection));
    tokio::spawn(connection::run(stream, connection, http.clone()));
}

/// Answers 503 and closes, on a task of its own and for a short time only.
fn refuse(mut stream: TcpStream, peer: IpAddr, refused: Refused, shared: &Arc<Shared>) {
    match refused {
        Refused::Full => shared.metrics.refused_full.increment(1),
        Refused::ClientFull => shared.metrics.refused_client_full.increment(1),
    }
    tracing::debug!(%peer, ?refused, "a connection was refused");
    if shared.refusing.available_permits() == 0 {
        return;
    }
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let Ok(_place) = shared.refusing.try_acquire() else { return };
        let told = async {
            stream.write_all(REFUSAL).await?;
            stream.shutdown().await?;
            // Closing with something unread resets the connection, and the client would not see the answer.
            let mut away = [0; 1024];
            while stream.read(&mut away).await? > 0 {}
            std::io::Result::Ok(())
        };
        // Whether the client heard it is its own affair.
        let _ = tokio::time::timeout(REFUSING_TIMEOUT, told).await;
    });
}

async fn drain(shared: &Shared) -> Drained {
    shared.draining.store(true, Ordering::Release);
    shared.registry.wake_all();
    let cut = match tokio::time::timeout(shared.options.drain_timeout, shared.registry.emptied()).await {
        Ok(()) => 0,
        Err(_) => shared.registry.cut_all(),
    };
    if cut > 0 {
        tracing::warn!(cut, "connections were cut, the drain timeout has passed");
    }
    Drained { cut }
}
