//! The listening socket: binding it, and accepting from it whatever happens.

use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

use crate::metrics::ServerMetrics;

const BACK_OFF_FIRST: Duration = Duration::from_millis(10);
const BACK_OFF_MAX: Duration = Duration::from_secs(1);

/// A listening socket. `SO_REUSEADDR`, so that a restart need not wait; a long `backlog`, so that a storm of
/// reconnecting clients is not refused. `[::]` takes IPv4 too.
/// It awaits nothing; being async says that it must be called within a runtime.
pub async fn bind(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    TcpListener::from_std(socket.into())
}

/// The next connection. Out of descriptors or memory, it tries again a little later: connections that end give back
/// what is missing, and the ones that are open go on meanwhile.
pub(crate) async fn accept(listener: &TcpListener, metrics: &ServerMetrics) -> (TcpStream, SocketAddr) {
    let mut back_off = BACK_OFF_FIRST;
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_the_peers(&error) => tracing::debug!(%error, "a connection ended before it was accepted"),
            Err(error) => {
                metrics.accept_errors.increment(1);
                tracing::warn!(%error, retry_ms = back_off.as_millis(), "cannot accept connections");
                tokio::time::sleep(back_off).await;
                back_off = (back_off * 2).min(BACK_OFF_MAX);
            }
        }
    }
}

fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
