//! [`World`]: a server in this process with two apps and a clock that tests move.

use std::future::ready;
use std::ops::Deref;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use yinxin_core::Ctx;
use yinxin_core::apps::{self, App, AppChanges};
use yinxin_core::hooks::{Courier, Letter, Reply, Undelivered};
use yinxin_core::users::{self, Registration};
use yinxin_realtime::{Bounds, Registry};
use yinxin_testkit::asking::Ask;
use yinxin_testkit::ground::{self, Ground};
pub use yinxin_testkit::ground::{DAY, START_MS};
use zeroize::Zeroizing;

use crate::asking::Answer as _;

/// An app as its clients and its backend know it.
#[derive(Clone)]
pub struct Tenant {
    pub app_id: String,
    pub admin: String,
}

/// A user who has logged in.
#[derive(Clone)]
pub struct Somebody {
    pub name: String,
    pub id: i64,
    pub token: String,
}

pub struct World {
    ground: Ground,
    pub registry: Arc<Registry>,
    /// The app that tests are about, open for registration.
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

impl World {
    pub async fn new() -> Self {
        let registry = Registry::new(Bounds::default());
        let setup = ground::Setup { courier: Arc::new(Idle), ..ground::Setup::default() };
        let routes = |ctx: &Arc<Ctx>| yinxin_lanying::router(Arc::clone(ctx), yinxin_lanying::Options::default());
        let ground = Ground::new(setup, registry.clone(), routes).await;
        let changes = AppChanges { open_registration: Some(true), ..AppChanges::default() };
        let app = tenant(&ground, "acme/chat", changes).await;
        let other = tenant(&ground, "rival/chat", AppChanges::default()).await;
        Self { ground, registry, app, other }
    }

    pub async fn core_app(&self) -> Arc<App> {
        self.app_of("acme/chat").await
    }

    pub async fn change_app(&self, changes: AppChanges) {
        apps::change(&self.ctx, &*self.core_app().await, changes).await.unwrap();
    }

    pub fn get(&self, path: &str) -> Ask<'_> {
        Ask::new(self, "GET", path).header("app_id", &self.app.app_id)
    }

    pub fn post(&self, path: &str, body: &Value) -> Ask<'_> {
        Ask::new(self, "POST", path).header("app_id", &self.app.app_id).raw(body.to_string())
    }

    /// A call that says everything behind the question mark.
    pub fn tell(&self, path: &str) -> Ask<'_> {
        Ask::new(self, "POST", path).header("app_id", &self.app.app_id)
    }

    /// A user made and logged in by this dialect; the password is the name behind `pw-`.
    pub async fn user(&self, name: &str) -> Somebody {
        let password = format!("pw-{name}");
        let made = self.post("/user/register/v2", &json!({ "username": name, "password": password })).await.ok();
        let granted = self.log_in(name).await.ok();
        assert_eq!(made["user_id"], granted["user_id"]);
        Somebody {
            name: name.to_owned(),
            id: granted["user_id"].as_i64().unwrap(),
            token: granted["token"].as_str().unwrap().to_owned(),
        }
    }

    pub fn log_in(&self, name: &str) -> Ask<'_> {
        self.post("/token/user", &json!({ "name": name, "password": format!("pw-{name}") }))
    }

    /// A user as another dialect makes it.
    pub async fn foreign_user(&self, name: &str) {
        let password = Some(Zeroizing::new(format!("pw-{name}")));
        let registration = Registration { username: Some(name.to_owned()), password, ..Registration::default() };
        users::register(&self.ctx, &*self.core_app().await, registration).await.unwrap();
    }
}

/// Takes every address and carries nothing: what hooks would be told stays in the outbox.
struct Idle;

impl Courier for Idle {
    fn check(&self, _url: &str) -> Result<(), String> {
        Ok(())
    }

    fn post(&self, _letter: Letter) -> BoxFuture<'_, Result<Reply, Undelivered>> {
        Box::pin(ready(Err(Undelivered("nothing is carried".to_owned()))))
    }
}

/// An app with its backend.
pub async fn tenant(ground: &Ground, name: &str, changes: AppChanges) -> Tenant {
    let app = ground.create_app(name, changes).await;
    let admin = apps::create_admin_token(&ground.ctx, &app, "first".to_owned()).await.unwrap();
    Tenant { app_id: app.short_id.clone(), admin: admin.token.to_string() }
}
