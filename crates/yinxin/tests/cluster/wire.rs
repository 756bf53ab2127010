//! [`Wire`]: a way to a server that can be cut, and frozen.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// See the module.
pub struct Wire {
    to: SocketAddr,
    /// Where it begins.
    pub at: SocketAddr,
    carrying: Arc<Mutex<JoinSet<()>>>,
    is_frozen: watch::Sender<bool>,
}

impl Wire {
    pub fn to(to: SocketAddr) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut wire = Self { to, at: any, carrying: Arc::default(), is_frozen: watch::Sender::new(false) };
        wire.at = wire.listen();
        wire
    }

    /// Where it begins from now on.
    fn listen(&self) -> SocketAddr {
        let listener = std::net::TcpListener::bind(self.at).unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let at = listener.local_addr().unwrap();
        self.carry(listener);
        at
    }

    fn carry(&self, listener: TcpListener) {
        let (to, carrying, is_frozen) = (self.to, Arc::clone(&self.carrying), self.is_frozen.subscribe());
        self.carrying.lock().unwrap().spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                carrying.lock().unwrap().spawn(carry_one(from, to, is_frozen.clone()));
            }
        });
    }

    /// Ends all connections; new ones are refused.
    pub fn cut(&self) {
        self.carrying.lock().unwrap().abort_all();
    }

    pub fn mend(&self) {
        self.listen();
    }

    /// Nothing comes through any more, without a word; connections stay.
    pub fn freeze(&self) {
        self.is_frozen.send_replace(true);
    }

    /// New connections come through. Those that were there stay silent for ever.
    pub fn thaw(&self) {
        self.is_frozen.send_replace(false);
    }
}

async fn carry_one(mut from: TcpStream, to: SocketAddr, mut is_frozen: watch::Receiver<bool>) {
    let Ok(mut there) = TcpStream::connect(to).await else { return };
    let freezes = async { is_frozen.wait_for(|is_frozen| *is_frozen).await.is_ok() };
    tokio::select! {
        biased;
        true = freezes => pending().await,
        // However it ends.
        _ = copy_bidirectional(&mut from, &mut there) => {}
    }
}
