//! The reference: a bare axum server that answers every path with the same 300 bytes of JSON, and at [`ECHO`] sends
//! back each message of a websocket.
//!
//! Plain axum on hyper's HTTP/1 connection, no middleware, no limits, the allocator of the system: what the same
//! stack costs before it does anything. Runs as a child process so that its CPU time is its own.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use crate::problem::{Explain as _, Result};

/// Where it is a websocket that repeats what it hears, with axum's own buffers.
pub const ECHO: &str = "/echo";
/// Bytes of the reply's body.
const BODY_BYTES: usize = 300;

/// Serves on a free loopback port, prints it, and ends when standard input closes, so that it outlives no parent.
pub fn run() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .explain("cannot start the bare server's threads")?;
    runtime.block_on(async {
        let listener = listen()?;
        let address = listener.local_addr().explain("cannot read the bare server's port")?;
        println!("bare listening on http://{address}");
        let parent_gone = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        tokio::select! {
            done = serve(listener) => done,
            _ = parent_gone => Ok(()),
        }
    })
}

/// Binds with a backlog that holds a burst of connections.
fn listen() -> Result<TcpListener> {
    use socket2::{Domain, Socket, Type};
    let bound = || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        socket.listen(4096)?;
        socket.set_nonblocking(true)?;
        TcpListener::from_std(socket.into())
    };
    bound().explain("cannot listen on a loopback port")
}

async fn serve(listener: TcpListener) -> Result<()> {
    let body = body();
    let router = Router::new()
        .route(ECHO, get(async |upgrade: WebSocketUpgrade| upgrade.on_upgrade(echo)))
        .fallback(async move || ([(CONTENT_TYPE, "application/json")], body));
    loop {
        let (stream, _) = listener.accept().await.explain("the bare server cannot accept")?;
        stream.set_nodelay(true).explain("cannot set TCP_NODELAY")?;
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades());
    }
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

/// One JSON object of exactly [`BODY_BYTES`] bytes.
fn body() -> &'static str {
    const SHAPE: &str = r#"{"action":"get","entities":[{"filler":""}]}"#;
    let filler = "x".repeat(BODY_BYTES - SHAPE.len());
    SHAPE.replace("\"\"", &format!("\"{filler}\"")).leak()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_body_is_json_of_the_stated_size() {
        let body = super::body();
        assert_eq!(body.len(), super::BODY_BYTES);
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok());
    }
}
