//! What the modules share: a server's core in a temporary folder with one app, and states that a reader may see while a
//! writer goes through them.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use yinxin_core::apps::{self, AppChanges};
use yinxin_core::clock::FakeClock;
use yinxin_core::ctx::Parts;
use yinxin_core::files::{self, Place};
use yinxin_core::hooks::{self, Courier};
use yinxin_core::keys::MasterKey;
use yinxin_core::limits::Limits;
use yinxin_core::names::AppName;
use yinxin_core::passwords::HashCost;
use yinxin_core::rates::Preset;
use yinxin_core::rng::{Rng, SystemRng};
use yinxin_core::sessions::{CloseReason, Device, LocalSessions};
use yinxin_core::tokens::{Grant, Login, log_in};
use yinxin_core::users::{self, LoginName, Registration};
use yinxin_core::{App, AppId, Ctx, Error, Result, User, UserId};
use yinxin_testkit::ground;
pub use yinxin_testkit::ground::CHEAP;
use zeroize::Zeroizing;

/// Where the calls of tests come from.
pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Whoever a test says, and how often somebody was told that something came.
#[derive(Default)]
pub struct Connected {
    /// Users and their devices.
    pub devices: Mutex<Vec<(UserId, Device)>>,
    /// Names of devices that everybody has.
    everybody: &'static [&'static str],
    pub woken: AtomicUsize,
    /// Why connections were closed.
    pub closed: Mutex<Vec<CloseReason>>,
}

impl Connected {
    /// Everybody, with these devices.
    pub fn everybody(everybody: &'static [&'static str]) -> Arc<Self> {
        Arc::new(Self { everybody, ..Self::default() })
    }
}

impl LocalSessions for Connected {
    fn is_online(&self, app: AppId, user: UserId) -> bool {
        !self.devices_of(app, user).is_empty()
    }

    fn devices_of(&self, _: AppId, user: UserId) -> Vec<Device> {
        let connected = self.devices.lock().unwrap();
        let own = connected.iter().filter(|(of, _)| *of == user).map(|(_, device)| device.clone());
        own.chain(self.everybody.iter().map(|name| device(name))).collect()
    }

    fn wake(&self, _: AppId, _: UserId, _: &str, but: Option<&str>) {
        // A sender's other devices are told, too.
        self.woken.fetch_add(usize::from(but.is_none()), Ordering::SeqCst);
    }

    fn close(&self, _: AppId, _: UserId, _: Option<&str>, reason: CloseReason) {
        self.closed.lock().unwrap().push(reason);
    }
}

fn device(name: &str) -> Device {
    let same = || name.to_owned();
    Device { resource: same(), device_uuid: same(), device_name: same(), note: String::new(), since_ms: 0 }
}

/// How a core is opened; tests change what they are about.
pub struct Setup {
    pub cost: HashCost,
    pub limits: Limits,
    pub rng: Arc<dyn Rng>,
    pub clock: Arc<FakeClock>,
    /// Where files are, when not in the folder.
    pub place: Option<Place>,
    /// Whether a file's secret opens it without a token.
    pub secret_is_enough: bool,
    pub courier: Arc<dyn Courier>,
    pub sessions: Arc<Connected>,
    /// Whatever engine the suite runs on, here it is the embedded one.
    pub is_embedded: bool,
    pub folder: TempDir,
}

impl Setup {
    pub fn new() -> Self {
        Self {
            cost: CHEAP,
            limits: Limits { password_failures: 1_000_000, password_threads: 2, ..Limits::default() },
            rng: Arc::new(SystemRng),
            clock: Arc::new(FakeClock::at(1_700_000_000_000)),
            place: None,
            secret_is_enough: false,
            courier: Arc::new(hooks::Nobody),
            sessions: Arc::default(),
            is_embedded: false,
            folder: TempDir::new().unwrap(),
        }
    }

    /// On the embedded engine, whichever the suite runs on.
    pub fn embedded() -> Self {
        Self { is_embedded: true, ..Self::new() }
    }

    /// The folder of the files' bytes.
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    /// Opens the core; more than once on the same database if asked.
    pub async fn open(&self) -> Arc<Ctx> {
        let parts = Parts {
            clock: self.clock.clone(),
            rng: Arc::clone(&self.rng),
            sessions: self.sessions.clone(),
            courier: Arc::clone(&self.courier),
            limits: self.limits.clone(),
            preset: Preset::SelfHosted,
            hash_cost: self.cost,
            files: files::Setup {
                place: self.place.clone().unwrap_or_else(|| Place::Folder(self.files())),
                secret_is_enough: self.secret_is_enough,
            },
            master: MasterKey::from_hex(&"5a".repeat(32)).unwrap(),
            cluster: None,
        };
        if self.is_embedded {
            return ground::open_embedded(self.folder.path(), parts).await;
        }
        ground::open(self.folder.path(), parts).await
    }
}

/// A core with one app.
pub struct Site {
    pub setup: Setup,
    pub ctx: Arc<Ctx>,
    pub app: Arc<App>,
}

impl Site {
    pub async fn new() -> Self {
        Self::of(Setup::new()).await
    }

    pub async fn of(setup: Setup) -> Self {
        let ctx = setup.open().await;
        let app = apps::create(&ctx, AppName::parse("org/app").unwrap(), AppChanges::default()).await.unwrap();
        Self { setup, ctx, app }
    }

    pub async fn register(&self, name: &str) -> Arc<User> {
        let registration = Registration {
            username: Some(name.to_owned()),
            password: Some(secret("first")),
            nickname: Some("0".to_owned()),
            ..Registration::default()
        };
        users::register(&self.ctx, &self.app, registration).await.unwrap()
    }

    /// Does something to the database that no use case does.
    pub async fn run(&self, statement: &'static str) {
        let done = self.ctx.db.write(statement, |sql, statement| {
            Box::pin(async move {
                sql.exec(statement, &[]).await?;
                Ok::<_, Error>(())
            })
        });
        done.await.unwrap();
    }

    pub async fn log_in(&self, name: &str, password: &str) -> Result<Grant> {
        log_in_to(&self.ctx, &self.app, name, password).await
    }

    pub async fn set_password(&self, name: &str, password: &str) -> Result<()> {
        users::set_password(&self.ctx, &self.app, name, Some(secret(password))).await
    }
}

pub async fn log_in_to(ctx: &Ctx, app: &App, name: &str, password: &str) -> Result<Grant> {
    let login = Login {
        name: Some(LoginName::Name(name)),
        password: Some(secret(password)),
        ttl_s: None,
        tells_unknown: false,
        from: HERE,
    };
    Ok(log_in(ctx, app, login).await?.0)
}

pub fn secret(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

/// States that one writer goes through in order while readers look. A reader that begins after a state was acknowledged
/// must see it or a later one that has been begun.
pub struct States<T> {
    all: Vec<T>,
    begun: AtomicUsize,
    acknowledged: AtomicUsize,
}

impl<T: PartialEq + std::fmt::Debug> States<T> {
    /// The first is there already.
    pub fn new(all: Vec<T>) -> Self {
        Self { all, begun: AtomicUsize::new(0), acknowledged: AtomicUsize::new(0) }
    }

    /// Goes on to the next state by `write`; `false` after the last.
    pub async fn advance(&self, write: impl AsyncFnOnce(&T, &T)) -> bool {
        let now = self.acknowledged.load(Ordering::SeqCst);
        let Some(next) = self.all.get(now + 1) else { return false };
        self.begun.store(now + 1, Ordering::SeqCst);
        write(&self.all[now], next).await;
        self.acknowledged.store(now + 1, Ordering::SeqCst);
        true
    }

    /// Checks what a reader sees; `false` when the last state has been acknowledged.
    pub async fn observe(&self, read: impl AsyncFnOnce() -> T) -> bool {
        let from = self.acknowledged.load(Ordering::SeqCst);
        let seen = read().await;
        let to = self.begun.load(Ordering::SeqCst);
        assert!(
            self.all[from..=to].contains(&seen),
            "{seen:?} is none of states {from}..={to}: {:?}",
            &self.all[from..=to]
        );
        from + 1 < self.all.len()
    }
}
