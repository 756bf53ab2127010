//! [`World`]: a server in this process with two apps, a clock that tests move, and pretended connections.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use axum::Router;
use serde_json::{Value, json};
use yinxin_core::Ctx;
use yinxin_core::apps::{self, App, AppChanges, Profile};
use yinxin_testkit::asking::Ask;
use yinxin_testkit::ground::{self, Ground};
pub use yinxin_testkit::ground::{DAY, SECOND};

use crate::asking::{Answer as _, Bearer as _};
use crate::connections::Connections;

/// What a test wants of its world; the default is a server as installed.
#[derive(Clone, Default)]
pub struct Setup {
    pub profile: Profile,
    pub open_registration: bool,
    pub contacts_max: Option<i64>,
    pub server: ground::Setup,
}

/// An app and its backend's token, which never expires.
#[derive(Clone)]
pub struct Tenant {
    /// `/org/app`.
    pub path: String,
    pub token: String,
}

pub struct World {
    ground: Ground,
    pub connections: Arc<Connections>,
    /// The app that tests are about.
    pub app: Tenant,
    /// Somebody else's app on the same server.
    pub other: Tenant,
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
        Self::with(Setup::default()).await
    }

    pub async fn of_profile(profile: Profile) -> Self {
        Self::with(Setup { profile, ..Setup::default() }).await
    }

    pub async fn on(server: ground::Setup) -> Self {
        Self::with(Setup { server, ..Setup::default() }).await
    }

    pub async fn with(setup: Setup) -> Self {
        let connections = Arc::new(Connections::default());
        let routes = |ctx: &Arc<Ctx>| router(ctx, yinxin_easemob::Options::default());
        let ground = Ground::new(setup.server, connections.clone(), routes).await;
        let changes = AppChanges {
            open_registration: Some(setup.open_registration),
            profile: Some(setup.profile),
            contacts_max: setup.contacts_max,
            ..AppChanges::default()
        };
        let app = tenant(&ground, "acme/chat", changes).await;
        let changes = AppChanges { profile: Some(setup.profile), ..AppChanges::default() };
        let other = tenant(&ground, "rival/chat", changes).await;
        // Ids of users are later than those of their app.
        ground.clock.move_by(DAY);
        Self { ground, connections, app, other }
    }

    /// The same folder after the server was stopped and started again.
    pub async fn restarted(self) -> Self {
        Self { ground: self.ground.restarted().await, ..self }
    }

    /// A call as the app's backend makes it.
    pub fn call(&self, method: &str, path: &str) -> Ask<'_> {
        Ask::new(self, method, &format!("{}{path}", self.app.path)).by(&self.app.token)
    }

    pub fn get(&self, path: &str) -> Ask<'_> {
        self.call("GET", path)
    }

    #[expect(clippy::needless_pass_by_value, reason = "the body is written where the call is")]
    pub fn post(&self, path: &str, body: Value) -> Ask<'_> {
        self.call("POST", path).json(&body)
    }

    #[expect(clippy::needless_pass_by_value, reason = "the body is written where the call is")]
    pub fn put(&self, path: &str, body: Value) -> Ask<'_> {
        self.call("PUT", path).json(&body)
    }

    pub fn delete(&self, path: &str) -> Ask<'_> {
        self.call("DELETE", path)
    }

    /// The app's record, with its secrets.
    pub async fn app(&self) -> Arc<App> {
        self.app_of("acme/chat").await
    }

    pub async fn change_app(&self, changes: AppChanges) {
        apps::change(&self.ctx, &*self.app().await, changes).await.unwrap();
    }

    /// Registers users whose password is `pw-` and their name.
    pub async fn register(&self, names: &[&str]) {
        for names in names.chunks(60) {
            let new: Vec<Value> =
                names.iter().map(|name| json!({ "username": name, "password": format!("pw-{name}") })).collect();
            self.post("/users", new.into()).await.ok();
        }
    }

    /// A user's token, got by its password.
    pub async fn login(&self, name: &str) -> String {
        let granted = self.log_in(name, &format!("pw-{name}")).await.ok();
        granted["access_token"].as_str().unwrap().to_owned()
    }

    pub fn log_in(&self, name: &str, password: &str) -> Ask<'_> {
        let body = json!({ "grant_type": "password", "username": name, "password": password });
        self.post("/token", body).anonymous()
    }

    /// A user's token, got by the backend.
    pub async fn inherit(&self, name: &str) -> String {
        let body = json!({ "grant_type": "inherit", "username": name, "autoCreateUser": true });
        self.post("/token", body).await.ok()["access_token"].as_str().unwrap().to_owned()
    }

    /// A user's id as replies print it.
    pub async fn uuid(&self, name: &str) -> String {
        let found = self.get(&format!("/users/{name}")).await.ok();
        found["entities"][0]["uuid"].as_str().unwrap().to_owned()
    }

    /// All user names, oldest first.
    pub async fn names(&self) -> Vec<String> {
        let mut all = Vec::new();
        let mut path = "/users?limit=100".to_owned();
        loop {
            let page = self.get(&path).await.ok();
            all.extend(usernames(&page["entities"]));
            let Some(cursor) = page["cursor"].as_str() else { return all };
            path = format!("/users?limit=100&cursor={cursor}");
        }
    }
}

/// An app with a token for ever.
pub async fn tenant(ground: &Ground, name: &str, changes: AppChanges) -> Tenant {
    let app = ground.create_app(name, changes).await;
    let (id, secret) = (Some(&*app.client_id), Some(app.reveal_client_secret()));
    let grant = yinxin_core::tokens::issue_to_app(&ground.ctx, &app, id, secret, Some(0)).unwrap();
    Tenant { path: format!("/{name}"), token: grant.token }
}

/// The names in a reply's entities.
pub fn usernames(entities: &Value) -> Vec<String> {
    entities.as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap().to_owned()).collect()
}

/// `user1` to `user<count>`, as a backend would call them.
pub fn numbered(prefix: &str, count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("{prefix}{number}")).collect()
}

/// The dialect's router. Nobody connects in these tests: its socket has a registry of its own.
pub fn router(ctx: &Arc<Ctx>, options: yinxin_easemob::Options) -> Router {
    let registry = yinxin_realtime::Registry::new(yinxin_realtime::Bounds::default());
    yinxin_easemob::router(Arc::clone(ctx), registry, options)
}
