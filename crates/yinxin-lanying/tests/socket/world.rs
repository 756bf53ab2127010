//! [`World`]: an app with users on a server in this process, its clock standing still, and sockets to it.

use std::net::SocketAddr;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::oneshot;
use yinxin_core::apps::{self, App, AppChanges};
use yinxin_core::clock::FakeClock;
use yinxin_core::ctx::Parts;
use yinxin_core::files;
use yinxin_core::hooks::Nobody;
use yinxin_core::keys::MasterKey;
use yinxin_core::limits::{Limits, SocketLimits};
use yinxin_core::names::AppName;
use yinxin_core::passwords::HashCost;
use yinxin_core::rates::Preset;
use yinxin_core::rng::SystemRng;
use yinxin_core::{Ctx, tokens, users};
use yinxin_http::ServeOptions;
use yinxin_realtime::{Bounds, Registry};
use yinxin_testkit::storage;

use crate::peer::Peer;

pub struct World {
    pub ctx: Arc<Ctx>,
    pub app: Arc<App>,
    pub registry: Arc<Registry>,
    pub address: SocketAddr,
    _stop: oneshot::Sender<()>,
    _folder: TempDir,
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
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::new(Bounds::default());
        let parts = Parts {
            courier: Arc::new(Nobody),
            clock: Arc::new(FakeClock::at(1_700_000_000_000)),
            rng: Arc::new(SystemRng),
            sessions: registry.clone(),
            limits: Limits::default(),
            preset: Preset::default(),
            hash_cost: HashCost { memory_kib: 8, passes: 1, lanes: 1 },
            master: MasterKey::generate(&SystemRng),
            files: files::Setup::in_folder(folder.path().join("files")),
        };
        let ctx = Ctx::open(&storage::at(&folder.path().join("yinxin.db")), parts).await.unwrap();
        let app = apps::create(&ctx, AppName::parse("acme/chat").unwrap(), AppChanges::default()).await.unwrap();
        let options = ServeOptions::default();
        let listener = yinxin_http::bind(([127, 0, 0, 1], 0).into(), options.backlog).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = yinxin_lanying::socket(ctx.clone(), registry.clone(), limits);
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(yinxin_http::serve(listener, router, options, async {
            // An error says that the world is gone, which is a reason to stop as well.
            let _ = stopped.await;
        }));
        Self { ctx, app, registry, address, _stop: stop, _folder: folder }
    }

    /// A user, who is made if there is none.
    pub async fn somebody(&self, name: &str) -> Somebody {
        let (grant, user) = tokens::issue_for_user(&self.ctx, &self.app, Some(name), true, Some(60)).await.unwrap();
        let number = users::number_of(&self.ctx, &self.app, &user).await.unwrap().cast_unsigned();
        Somebody { number, token: grant.token }
    }

    /// A client that has logged in, and has asked what waits: from then on it is sent what comes.
    pub async fn login(&self, name: &str) -> Peer {
        let who = self.somebody(name).await;
        let mut peer = Peer::open(self.address).await;
        peer.log_in(&who).await;
        peer.unread().await;
        peer
    }
}
