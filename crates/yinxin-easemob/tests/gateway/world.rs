//! [`World`]: an app with users on a server in this process, its clock standing still, and sockets to it.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use yinxin_core::apps::{App, AppChanges};
use yinxin_core::conversations::{self, From};
use yinxin_core::limits::SocketLimits;
use yinxin_core::sessions::CloseReason;
use yinxin_core::{Ctx, tokens, users};
use yinxin_realtime::{Bounds, Registry};
pub use yinxin_testkit::ground::ended;
use yinxin_testkit::ground::{Ground, Listener, Setup, metrics};

use yinxin_testkit::chat::Client;

pub struct World {
    ground: Ground,
    pub app: Arc<App>,
    pub registry: Arc<Registry>,
    /// Where the neighbours are: a listener with the limits of a server as installed.
    calm: SocketAddr,
    listeners: Vec<Listener>,
}

impl Deref for World {
    type Target = Ground;

    fn deref(&self) -> &Ground {
        &self.ground
    }
}

impl World {
    pub async fn new() -> Self {
        metrics();
        let registry = Registry::new(Bounds::default());
        let shared = registry.clone();
        let routes = move |ctx: &Arc<Ctx>| router(ctx, &shared, SocketLimits::default());
        let ground = Ground::new(Setup::default(), registry.clone(), routes).await;
        let app = ground.create_app("acme/chat", AppChanges::default()).await;
        let calm = Listener::start(ground.router.clone()).await;
        Self { ground, app, registry, calm: calm.address, listeners: vec![calm] }
    }

    /// One more listener of the same server, with limits of its own: what hits one that is connected there does not hit
    /// its neighbours.
    pub async fn listen(&mut self, socket: SocketLimits) -> SocketAddr {
        let listener = Listener::start(router(&self.ctx, &self.registry, socket)).await;
        let address = listener.address;
        self.listeners.push(listener);
        address
    }

    /// A user's token, for so many seconds; the user is made if there is none.
    pub async fn token(&self, user: &str, ttl_s: i64) -> String {
        tokens::issue_for_user(&self.ctx, &self.app, Some(user), true, Some(ttl_s)).await.unwrap().0.token
    }

    /// A client that has logged in there.
    pub async fn login_at(&self, address: SocketAddr, user: &str) -> Client {
        let token = self.token(user, 3600).await;
        let mut client = Client::open(address, "/ws").await;
        client.log_in(user, &token).await;
        client
    }

    /// A client that has logged in where nothing strange goes on, and has asked what waits: from then on it is sent
    /// what comes.
    pub async fn login(&self, user: &str) -> Client {
        let mut client = self.login_at(self.calm, user).await;
        client.unread().await;
        client
    }

    /// Alice and Bob, who chat whatever others do.
    pub async fn neighbours(&self) -> Neighbours {
        Neighbours { alice: self.login("alice").await, bob: self.login("bob").await }
    }

    /// Closes the connections of a user as a backend would.
    pub async fn close(&self, user: &str, reason: CloseReason) {
        let user = users::find(&self.ctx, &self.app, user).await.unwrap();
        self.ctx.sessions.close(self.app.id, user.user, None, reason);
    }

    pub async fn is_online(&self, user: &str) -> bool {
        let user = users::find(&self.ctx, &self.app, user).await.unwrap();
        self.ctx.sessions.is_online(self.app.id, user.user).await.unwrap()
    }

    /// How many messages two users have exchanged.
    pub async fn exchanged(&self, one: &str, other: &str) -> usize {
        conversations::history(&self.ctx, &self.app, one, other, From::After(None), 50).await.unwrap().entries.len()
    }
}

/// Two who play by the rules.
pub struct Neighbours {
    alice: Client,
    bob: Client,
}

impl Neighbours {
    /// A message each way, delivered and confirmed.
    pub async fn chat(&mut self) {
        let Self { alice, bob } = self;
        say(alice, bob).await;
        say(bob, alice).await;
    }
}

async fn say(from: &mut Client, to: &mut Client) {
    from.text(&to.user, "how are you?").await;
    from.stored().await;
    assert_eq!(to.received(&from.user).await, ["how are you?"]);
}

fn router(ctx: &Arc<Ctx>, registry: &Arc<Registry>, socket: SocketLimits) -> Router {
    let dialect = yinxin_easemob::Options { socket, ..yinxin_easemob::Options::default() };
    yinxin_easemob::router(ctx.clone(), registry.clone(), dialect)
}
