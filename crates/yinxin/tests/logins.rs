//! Whether a failed login tells who there is: in every dialect that takes passwords, however the user is named, it says
//! the same and does the same work for a user, for nobody, for a banned user and for one without a password.
//!
//! The work is counted: passwords are hashed by equal parameters, and the database is asked equally often. Time is
//! measured on request only (`YINXIN_TIMING_SAMPLES=2000`, some minutes), for a clock on a busy machine proves nothing.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use serde_json::{Value, json};
use yinxin_core::apps::{App, AppChanges};
use yinxin_core::limits::Limits;
use yinxin_core::passwords::HashCost;
use yinxin_core::users::{self, Registration};
use yinxin_core::{Ctx, User};
use yinxin_realtime::{Bounds, Registry};
use yinxin_testkit::asking::{Ask, Reply};
use yinxin_testkit::ground::{CHEAP, Ground, Setup};
use zeroize::Zeroizing;

/// Whom a login may be for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Known,
    Unknown,
    Banned,
    WithoutPassword,
}

const KINDS: [Kind; 4] = [Kind::Known, Kind::Unknown, Kind::Banned, Kind::WithoutPassword];

/// The same length for all, and different first letters.
const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Known => "ann",
        Kind::Unknown => "bob",
        Kind::Banned => "cat",
        Kind::WithoutPassword => "dan",
    }
}

const fn mobile(kind: Kind) -> &'static str {
    match kind {
        Kind::Known => "13800000001",
        Kind::Unknown => "13800000002",
        Kind::Banned => "13800000003",
        Kind::WithoutPassword => "13800000004",
    }
}

type Body = fn(&Site, Kind) -> Value;

/// The calls that take passwords, each with a body that names a user in its way.
const LOGINS: [(&str, Body); 8] = [
    ("/acme/chat/token", |_, kind| json!({ "grant_type": "password", "username": name(kind), "password": "wrong" })),
    (
        "/acme/chat/token",
        |site, kind| json!({ "grant_type": "password", "username": site.id(kind), "password": "wrong" }),
    ),
    ("/token/user", |_, kind| json!({ "name": name(kind), "password": "wrong" })),
    ("/token/user", |_, kind| json!({ "mobile": mobile(kind), "password": "wrong" })),
    ("/token/id", |site, kind| json!({ "user_id": site.number(kind), "password": "wrong" })),
    ("/token/login", |_, kind| json!({ "login_name": name(kind), "password": "wrong" })),
    ("/token/login", |_, kind| json!({ "login_name": mobile(kind), "password": "wrong" })),
    ("/token/login", |_, kind| json!({ "login_name": format!("{}@mail.test", name(kind)), "password": "wrong" })),
];

/// A server with an app in which there are three users of the four.
struct Site {
    ground: Ground,
    app: Arc<App>,
    lanying: Router,
    /// In the order of [`KINDS`]; nobody's are made up.
    people: Vec<(String, i64)>,
}

impl Site {
    async fn new(hash_cost: HashCost) -> Self {
        let limits = Limits { password_failures: 1_000_000, token_calls_per_s: 1_000_000, ..Limits::default() };
        let registry = Registry::new(Bounds::default());
        let shared = Arc::clone(&registry);
        let routes = move |ctx: &Arc<Ctx>| {
            yinxin_easemob::router(Arc::clone(ctx), Arc::clone(&shared), yinxin_easemob::Options::default())
        };
        let ground = Ground::new(Setup { limits, hash_cost, ..Setup::default() }, registry, routes).await;
        let lanying = yinxin_lanying::router(Arc::clone(&ground.ctx), yinxin_lanying::Options::default());
        let app = ground.create_app("acme/chat", AppChanges::default()).await;
        let mut site = Self { ground, app, lanying, people: Vec::new() };
        for kind in KINDS {
            let person = site.make(kind).await;
            site.people.push(person);
        }
        site
    }

    async fn make(&self, kind: Kind) -> (String, i64) {
        let (ctx, app) = (&self.ground.ctx, &*self.app);
        if kind == Kind::Unknown {
            return ("00000000-0000-1000-8000-00000000b0b0".to_owned(), 16);
        }
        let user = self.register(kind).await;
        users::bind_mobile(ctx, app, &user, mobile(kind)).await.unwrap();
        users::bind_email(ctx, app, &user, &format!("{}@mail.test", name(kind))).await.unwrap();
        let number = users::number_of(ctx, app, &user).await.unwrap();
        if kind == Kind::Banned {
            users::ban(ctx, app, name(kind)).await.unwrap();
        }
        (spelled(&user), number)
    }

    async fn register(&self, kind: Kind) -> Arc<User> {
        let (ctx, app) = (&self.ground.ctx, &*self.app);
        if kind == Kind::WithoutPassword {
            users::register_without_password(ctx, app, name(kind)).await.unwrap();
        } else {
            let (username, password) = (Some(name(kind).to_owned()), Some(Zeroizing::new("right".to_owned())));
            let registration = Registration { username, password, ..Registration::default() };
            users::register(ctx, app, registration).await.unwrap();
        }
        users::find(ctx, app, name(kind)).await.unwrap()
    }

    fn id(&self, kind: Kind) -> &str {
        &self.people[kind as usize].0
    }

    fn number(&self, kind: Kind) -> i64 {
        self.people[kind as usize].1
    }

    /// Tries to log in, from an address of its own.
    async fn try_in(&self, login: usize, kind: Kind) -> Reply {
        let (path, body) = LOGINS[login];
        let router = if path.starts_with("/token") { &self.lanying } else { &self.ground.router };
        let from = IpAddr::from([10, 0, 0, u8::try_from(login * 4 + kind as usize).unwrap()]);
        let ask = Ask::to(&self.ground, router, "POST", path).header("app_id", &self.app.short_id);
        ask.from(&from.to_string()).json(&body(self, kind)).await
    }
}

/// A user's id as the Easemob dialect spells it.
fn spelled(user: &User) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(user.user.0));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// What a reply says, but for when.
fn said(reply: &Reply) -> (u16, Value) {
    let mut body = reply.json();
    for changing in ["timestamp", "duration"] {
        body.as_object_mut().unwrap().remove(changing);
    }
    (reply.status, body)
}

#[tokio::test]
async fn a_failed_login_says_and_does_the_same_whoever_it_is_for() {
    let site = Site::new(CHEAP).await;
    for (login, (path, _)) in LOGINS.iter().enumerate() {
        let mut answers = Vec::new();
        // The second time, whatever could be remembered is.
        for kind in KINDS.into_iter().chain(KINDS) {
            let ctx = &site.ground.ctx;
            let work = || (ctx.passwords.filled_kib(), ctx.db.reads(), ctx.db.writer_gauge().statements);
            let before = work();
            let reply = site.try_in(login, kind).await;
            let after = work();
            answers.push((said(&reply), after.0 - before.0, after.1 - before.1, after.2 - before.2));
        }
        for answer in &answers {
            assert_eq!(answer, &answers[0], "{login}: {path}");
        }
        let (_, hashed_kib, reads, written) = answers[0];
        assert_eq!((hashed_kib, written), (8, 0));
        assert!(reads > 0);
    }
}

/// Welch's t of two samples.
#[expect(clippy::cast_precision_loss, reason = "counts of samples and nanoseconds are exact in a float")]
fn welch(one: &[u64], other: &[u64]) -> f64 {
    let moments = |sample: &[u64]| {
        let count = sample.len() as f64;
        let mean = sample.iter().map(|value| *value as f64).sum::<f64>() / count;
        let variance = sample.iter().map(|value| (*value as f64 - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    };
    let ((mean, error), (other_mean, other_error)) = (moments(one), moments(other));
    (mean - other_mean) / (error + other_error).sqrt()
}

#[test]
fn welch_tells_samples_apart() {
    let sample = |shift: u64| (0..1000).map(|number| number % 10 + shift).collect::<Vec<u64>>();
    assert!(welch(&sample(0), &sample(0)).abs() < f64::EPSILON);
    assert!(welch(&sample(0), &sample(1)) < -4.5);
}

/// Interleaved, in another order each round, so that what slows the machine slows all alike. What is slower than nine of
/// ten of all samples is left out of each: the scheduler, not the server.
#[tokio::test]
async fn the_time_of_a_failed_login_tells_nothing() {
    let Some(count) = std::env::var("YINXIN_TIMING_SAMPLES").ok().map(|count| count.parse::<usize>().unwrap()) else {
        return;
    };
    let site = Site::new(HashCost::default()).await;
    for login in [0, 4] {
        let mut samples = [const { Vec::new() }; 4];
        for round in 0..count {
            for turn in 0..4 {
                let kind = KINDS[(turn * (1 + round % 2 * 2) + round / 2) % 4];
                let began = Instant::now();
                site.try_in(login, kind).await;
                samples[kind as usize].push(u64::try_from(began.elapsed().as_nanos()).unwrap());
            }
        }
        let mut all = samples.concat();
        all.sort_unstable();
        let slowest = all[all.len() / 10 * 9];
        let samples = samples.map(|sample| sample.into_iter().filter(|took| *took < slowest).collect::<Vec<_>>());
        for (one, sample) in KINDS.iter().zip(&samples) {
            for (other, beside) in KINDS.iter().zip(&samples) {
                let t = welch(sample, beside);
                println!("{} {one:?} {other:?} t = {t:.2} of {}", LOGINS[login].0, sample.len());
                assert!(t.abs() < 4.5, "{}: {one:?} and {other:?} differ, t = {t}", LOGINS[login].0);
            }
        }
    }
}
