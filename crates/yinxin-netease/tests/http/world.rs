//! [`World`]: a server in this process with two apps and a clock that tests move.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use yinxin_core::apps::{self, App, AppChanges};
use yinxin_core::rates::Preset;
use yinxin_core::rooms::tokens::{self, Admission};
use yinxin_core::rooms::{RoomName, RoomUid};
use yinxin_core::{Code, Ctx};
use yinxin_realtime::{Bounds, Registry};
use yinxin_testkit::asking::Ask;
use yinxin_testkit::ground::{self, Ground};
pub use yinxin_testkit::ground::{SECOND, START_MS};

use crate::asking::{Answer as _, Signed as _};

pub struct World {
    ground: Ground,
    pub registry: Arc<Registry>,
}

impl Deref for World {
    type Target = Ground;

    fn deref(&self) -> &Ground {
        &self.ground
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Ground {
        &mut self.ground
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with(Preset::default()).await
    }

    pub async fn with(preset: Preset) -> Self {
        let registry = Registry::new(Bounds::default());
        let routes = |ctx: &Arc<Ctx>| yinxin_netease::router(Arc::clone(ctx), yinxin_netease::Options::default());
        let setup = ground::Setup { preset, ..ground::Setup::default() };
        let ground = Ground::new(setup, registry.clone(), routes).await;
        for name in ["acme/chat", "rival/chat"] {
            ground.create_app(name, AppChanges::default()).await;
        }
        Self { ground, registry }
    }

    /// The same folder after the server was stopped and started again.
    pub async fn restarted(self) -> Self {
        Self { ground: self.ground.restarted().await, ..self }
    }

    /// The app that tests are about.
    pub async fn app(&self) -> Arc<App> {
        self.app_of("acme/chat").await
    }

    /// Somebody else's app on the same server.
    pub async fn other(&self) -> Arc<App> {
        self.app_of("rival/chat").await
    }

    pub async fn change_app(&self, changes: AppChanges) {
        apps::change(&self.ctx, &*self.app().await, changes).await.unwrap();
    }

    /// A call as the app's backend makes it; `action` is below `/nimserver/`.
    pub async fn post(&self, action: &str, form: &[(&str, &str)]) -> Ask<'_> {
        Ask::new(self, "POST", &format!("/nimserver/{action}")).form(form).signed_by(&*self.app().await)
    }

    /// The same by the backend of the other app.
    pub async fn post_as_other(&self, action: &str, form: &[(&str, &str)]) -> Ask<'_> {
        Ask::new(self, "POST", &format!("/nimserver/{action}")).form(form).signed_by(&*self.other().await)
    }

    /// A room token.
    pub async fn token(&self, form: &[(&str, &str)]) -> String {
        self.post("user/getToken.action", form).await.await.ok()["token"].as_str().unwrap().to_owned()
    }

    /// A join as the gate decides it.
    pub async fn join(&self, uid: u64, room: &str, token: Option<&str>, key: Option<&str>) -> Result<Admission, Code> {
        let (uid, room) = (RoomUid::new(uid).unwrap(), RoomName::parse(room).unwrap());
        let admitted = tokens::admit(&self.ctx, &*self.app().await, uid, &room, token, key).await;
        admitted.map_err(|error| error.code)
    }

    /// Makes a user.
    pub async fn create(&self, accid: &str) -> String {
        let made = self.post("user/create.action", &[("accid", accid)]).await.await.ok();
        made["info"]["token"].as_str().unwrap().to_owned()
    }
}
