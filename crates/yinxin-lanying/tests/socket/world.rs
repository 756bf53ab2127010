//! [`World`]: an app with users on a server in this process, its clock standing still, and sockets to it.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;

use yinxin_core::apps::{App, AppChanges};
use yinxin_core::limits::SocketLimits;
use yinxin_core::{Ctx, tokens, users};
use yinxin_realtime::{Bounds, Registry};
pub use yinxin_testkit::ground::ended;
use yinxin_testkit::ground::{Ground, Listener, Setup, metrics};

use crate::peer::Peer;

/// How long the tokens of users are good.
pub const TOKEN_MS: i64 = TOKEN_S * 1000;
const TOKEN_S: i64 = 60;

pub struct World {
    ground: Ground,
    pub app: Arc<App>,
    pub registry: Arc<Registry>,
    pub address: SocketAddr,
    listeners: Vec<Listener>,
}

impl Deref for World {
    type Target = Ground;

    fn deref(&self) -> &Ground {
        &self.ground
    }
}

/// A user's number and token.
pub struct Somebody {
    pub number: u64,
    pub token: String,
}

impl World {
    pub async fn new() -> Self {
        Self::with(SocketLimits::default()).await
    }

    pub async fn with(limits: SocketLimits) -> Self {
        metrics();
        let registry = Registry::new(Bounds::default());
        let shared = registry.clone();
        let routes = move |ctx: &Arc<Ctx>| yinxin_lanying::socket(ctx.clone(), shared.clone(), limits);
        let ground = Ground::new(Setup::default(), registry.clone(), routes).await;
        let app = ground.create_app("acme/chat", AppChanges::default()).await;
        let listener = Listener::start(ground.router.clone()).await;
        Self { ground, app, registry, address: listener.address, listeners: vec![listener] }
    }

    /// One more listener of the same server, with limits of its own: what hits one that is connected there does not hit
    /// its neighbours.
    pub async fn listen(&mut self, limits: SocketLimits) -> SocketAddr {
        let router = yinxin_lanying::socket(self.ctx.clone(), self.registry.clone(), limits);
        let listener = Listener::start(router).await;
        let address = listener.address;
        self.listeners.push(listener);
        address
    }

    /// A user, who is made if there is none.
    pub async fn somebody(&self, name: &str) -> Somebody {
        let (grant, user) =
            tokens::issue_for_user(&self.ctx, &self.app, Some(name), true, Some(TOKEN_S)).await.unwrap();
        let number = users::number_of(&self.ctx, &self.app, &user).await.unwrap().cast_unsigned();
        Somebody { number, token: grant.token }
    }

    pub async fn is_online(&self, name: &str) -> bool {
        let user = users::find(&self.ctx, &self.app, name).await.unwrap();
        self.ctx.sessions.is_online(self.app.id, user.user).await.unwrap()
    }

    /// A client that has logged in, and has asked what waits: from then on it is sent what comes.
    pub async fn login(&self, name: &str) -> Peer {
        self.login_with(name, 1).await
    }

    /// The same with a device of that number.
    pub async fn login_with(&self, name: &str, device: u32) -> Peer {
        let who = self.somebody(name).await;
        let mut peer = Peer::open(self.address).await;
        peer.log_in_with(&who, device).await;
        peer.unread().await;
        peer
    }
}
