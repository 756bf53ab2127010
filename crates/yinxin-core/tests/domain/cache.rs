//! What memory holds in front of the tables is never older than what was acknowledged.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use yinxin_core::apps::{self, AppChanges};
use yinxin_core::sessions::CloseReason;
use yinxin_core::users::{self, PushChanges, PushProfile};
use yinxin_core::{Ctx, Error, User};
use yinxin_testkit::storage;

use crate::kit::{Setup, Site, States};

const ROUNDS: usize = 2_000;

/// What a user looks like after a number of changes.
#[derive(Clone, PartialEq, Debug)]
struct Look {
    nickname: Option<String>,
    active: bool,
    token_epoch: i64,
}

impl Look {
    fn of(user: &User) -> Self {
        Self { nickname: user.push.nickname.clone(), active: user.active, token_epoch: user.token_epoch }
    }

    /// Nickname, ban, its end, password, and so on.
    fn next(&self, round: usize) -> Self {
        let changed = self.clone();
        match round % 4 {
            0 => Self { nickname: Some((round + 1).to_string()), ..changed },
            1 => Self { active: false, token_epoch: self.token_epoch + 1, ..changed },
            2 => Self { active: true, ..changed },
            _ => Self { token_epoch: self.token_epoch + 1, ..changed },
        }
    }
}

async fn change(site: &Site, from: &Look, to: &Look) {
    let (ctx, app) = (&site.ctx, &site.app);
    match (from.active, to.active) {
        _ if from.nickname != to.nickname => nickname(ctx, app, to.nickname.clone()).await.unwrap(),
        (true, false) => drop(users::ban(ctx, app, "ann").await.unwrap()),
        (false, true) => users::lift_ban(ctx, app, "ann").await.unwrap(),
        _ => site.set_password("ann", "another").await.unwrap(),
    }
}

async fn nickname(ctx: &Ctx, app: &yinxin_core::App, nickname: Option<String>) -> yinxin_core::Result<()> {
    let profile = PushProfile { nickname, ..PushProfile::default() };
    users::change_push(ctx, app, "ann", PushChanges { profile, ..PushChanges::default() }).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_user_is_never_seen_as_before_an_acknowledged_change() {
    let site = Arc::new(Site::new().await);
    let ann = site.register("ann").await;
    let mut looks = vec![Look::of(&ann)];
    (0..ROUNDS).for_each(|round| looks.push(looks[round].next(round)));
    let states = Arc::new(States::new(looks));
    let readers: [JoinHandle<()>; 3] = [
        tokio::spawn({
            let (site, states, id) = (Arc::clone(&site), Arc::clone(&states), ann.user);
            async move {
                let read = async || Look::of(&users::by_id(&site.ctx, site.app.id, id).await.unwrap().unwrap());
                while states.observe(read).await {
                    tokio::task::yield_now().await;
                }
            }
        }),
        look_for("ann", &site, &states),
        look_for("ANN", &site, &states),
    ];
    while states.advance(async |from, to| change(&site, from, to).await).await {}
    for reader in readers {
        reader.await.unwrap();
    }
}

/// Looks a user up by a name until all is over.
fn look_for(name: &'static str, site: &Arc<Site>, states: &Arc<States<Look>>) -> JoinHandle<()> {
    let (site, states) = (Arc::clone(site), Arc::clone(states));
    tokio::spawn(async move {
        let read = async || Look::of(&users::find(&site.ctx, &site.app, name).await.unwrap());
        while states.observe(read).await {
            tokio::task::yield_now().await;
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_app_is_never_seen_as_before_an_acknowledged_change() {
    let site = Arc::new(Site::new().await);
    let first = site.app.settings.contacts_max;
    let states = Arc::new(States::new((first..first + i64::try_from(ROUNDS).unwrap()).collect()));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (site, states) = (Arc::clone(&site), Arc::clone(&states));
            tokio::spawn(async move {
                let read = async || apps::find(&site.ctx, "org", "app").await.unwrap().settings.contacts_max;
                while states.observe(read).await {
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let write = async |_: &i64, next: &i64| {
        let wanted = AppChanges { contacts_max: Some(*next), ..AppChanges::default() };
        let changed = apps::change(&site.ctx, &site.app, wanted).await.unwrap();
        assert_eq!(changed.settings.contacts_max, *next);
    };
    while states.advance(write).await {}
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn a_name_that_is_taken_again_is_the_new_user() {
    let site = Site::new().await;
    let mut last = site.register("ann").await;
    for _ in 0..50 {
        assert_eq!(users::find(&site.ctx, &site.app, "ann").await.unwrap().user, last.user);
        users::delete(&site.ctx, &site.app, "Ann").await.unwrap();
        assert!(users::look_up(&site.ctx, site.app.id, "ann").await.unwrap().is_none());
        assert!(users::by_id(&site.ctx, site.app.id, last.user).await.unwrap().is_none());
        let next = site.register("ann").await;
        assert_ne!(next.user, last.user);
        last = next;
    }
}

/// A write that holds the writer: it says that it is there and ends when its sender is gone.
async fn hold(ctx: &Ctx, entered: UnboundedSender<()>, go_on: Receiver<()>) {
    ctx.db
        .write((entered, Mutex::new(go_on)), |_, (entered, go_on)| {
            Box::pin(async move {
                entered.send(()).unwrap();
                let _gone = go_on.lock().recv();
                Ok::<_, Error>(())
            })
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_change_whose_caller_goes_away_is_seen() {
    // A commit that several writes share is what makes the moment between a change and its commit one to stop at.
    let site = Site::of(Setup::embedded()).await;
    site.register("ann").await;
    let (entered, mut has_entered) = unbounded_channel();
    let queued = async |count| {
        while site.ctx.db.writer_gauge().queued != count {
            tokio::task::yield_now().await;
        }
    };
    let held = |go_on| {
        tokio::spawn({
            let (ctx, entered) = (Arc::clone(&site.ctx), entered.clone());
            async move { hold(&ctx, entered, go_on).await }
        })
    };
    let [(first, first_waits), (second, second_waits)] = [channel(), channel()];
    let before = held(first_waits);
    has_entered.recv().await.unwrap();
    let change = tokio::spawn({
        let (ctx, app) = (Arc::clone(&site.ctx), Arc::clone(&site.app));
        async move { nickname(&ctx, &app, Some("changed".to_owned())).await }
    });
    queued(1).await;
    let after = held(second_waits);
    queued(2).await;
    drop(first);
    // The change has been made and not committed: its caller goes away now, and a reader comes by.
    has_entered.recv().await.unwrap();
    change.abort();
    assert!(change.await.unwrap_err().is_cancelled());
    let old = users::find(&site.ctx, &site.app, "ann").await.unwrap();
    assert_eq!(old.push.nickname.as_deref(), Some("0"));
    drop(second);
    for hold in [before, after] {
        hold.await.unwrap();
    }
    let new = users::find(&site.ctx, &site.app, "ann").await.unwrap();
    assert_eq!(new.push.nickname.as_deref(), Some("changed"));
}

/// Runs a statement that tells memory nothing.
async fn run(ctx: &Ctx, statement: &'static str) {
    let ran = ctx
        .db
        .write(statement, |sql, statement| Box::pin(async move { Ok::<_, Error>(sql.exec(statement, &[]).await?) }));
    ran.await.unwrap();
}

#[tokio::test]
async fn what_shows_late_in_a_server_s_database_is_seen_soon() {
    if !storage::on_postgres() {
        // The embedded engine knows what became of every commit.
        return;
    }
    let site = Site::new().await;
    site.register("ann").await;
    let nickname = async || users::find(&site.ctx, &site.app, "ann").await.unwrap().push.nickname.clone();
    assert_eq!(nickname().await.as_deref(), Some("0"));
    run(&site.ctx, "UPDATE users SET push_nickname = 'late'").await;
    let seen = async {
        while nickname().await.as_deref() != Some("late") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), seen).await.expect("it is seen");
}

#[tokio::test]
async fn what_may_have_been_ended_ends() {
    if !storage::on_postgres() {
        return;
    }
    let site = Site::new().await;
    site.register("ann").await;
    run(
        &site.ctx,
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'",
    )
    .await;
    run(
        &site.ctx,
        "CREATE CONSTRAINT TRIGGER cut AFTER UPDATE OR DELETE ON users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW \
         EXECUTE FUNCTION cut()",
    )
    .await;
    let (ctx, app) = (&site.ctx, &site.app);
    let ended = [
        users::ban(ctx, app, "ann").await.err(),
        site.set_password("ann", "second").await.err(),
        users::delete(ctx, app, "ann").await.err(),
    ];
    assert!(ended.iter().flatten().all(Error::is_unsure) && ended.iter().all(Option::is_some), "{ended:?}");
    let closed = site.setup.sessions.closed.lock().unwrap().clone();
    assert_eq!(closed, [CloseReason::Banned, CloseReason::PasswordChanged, CloseReason::Deleted]);
}
