//! The loop: order, bounds, another try. Time is tokio's, which stands still but for the timers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use yinxin_core::apps::{self, AppChanges};
use yinxin_core::clock::Clock;
use yinxin_core::ctx::Parts;
use yinxin_core::files;
use yinxin_core::hooks::{self, Changes, Content, Courier, Kind, Letter, NewHook, Reply, Undelivered};
use yinxin_core::keys::MasterKey;
use yinxin_core::limits::Limits;
use yinxin_core::messages::{self, Act, Outgoing, Sender};
use yinxin_core::names::AppName;
use yinxin_core::rates::Preset;
use yinxin_core::rng::SystemRng;
use yinxin_core::sessions::{CloseReason, Device, LocalSessions};
use yinxin_core::users::{self, Import};
use yinxin_core::{App, AppId, Ctx, UserId};
use yinxin_hooks::{Bounds, run};
use yinxin_testkit::ground::{self, CHEAP};

struct Nobody;

impl LocalSessions for Nobody {
    fn is_online(&self, _: AppId, _: UserId) -> bool {
        false
    }

    fn devices_of(&self, _: AppId, _: UserId) -> Vec<Device> {
        Vec::new()
    }

    fn close(&self, _: AppId, _: UserId, _: Option<&str>, _: CloseReason) {}
}

struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now_ms(&self) -> i64 {
        1_700_000_000_000 + i64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

/// A call that waits for its answer.
struct Call {
    url: String,
    said: Value,
    answer: oneshot::Sender<u16>,
}

impl Call {
    fn text(&self) -> &str {
        self.said["data"]["bodies"][0].as_str().unwrap()
    }

    fn answer(self, status: u16) {
        self.answer.send(status).unwrap();
    }
}

/// Gives every call to the test.
struct Exchange(mpsc::UnboundedSender<Call>);

impl Courier for Exchange {
    fn check(&self, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn post(&self, letter: Letter) -> BoxFuture<'_, Result<Reply, Undelivered>> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Call { url: letter.url, said: serde_json::from_str(&letter.body).unwrap(), answer }).unwrap();
        Box::pin(async move {
            let status = answered.await.map_err(|_| Undelivered("the test has ended".to_owned()))?;
            Ok(Reply { status, ..Reply::default() })
        })
    }
}

struct Place {
    ctx: Arc<Ctx>,
    app: Arc<App>,
    calls: mpsc::UnboundedReceiver<Call>,
    _folder: TempDir,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (told, calls) = mpsc::unbounded_channel();
        let parts = Parts {
            clock: Arc::new(TokioClock(Instant::now())),
            rng: Arc::new(SystemRng),
            sessions: Arc::new(Nobody),
            courier: Arc::new(Exchange(told)),
            files: files::Setup::in_folder(folder.path().join("files")),
            limits: Limits::default(),
            preset: Preset::default(),
            hash_cost: CHEAP,
            master: MasterKey::generate(&SystemRng),
            cluster: None,
        };
        // Time that stands still while nothing happens here does not stand still for a server elsewhere.
        let ctx = ground::open_embedded(folder.path(), parts).await;
        let app = apps::create(&ctx, AppName::parse("o/a").unwrap(), AppChanges::default()).await.unwrap();
        let names = ["ann", "ben", "cat", "dan", "eve"];
        let people = names.map(|name| Import::parse(name, None, None).unwrap());
        users::import(&ctx, &app, people.into()).await.unwrap();
        Self { ctx, app, calls, _folder: folder }
    }

    async fn hook(&self, url: &str) -> String {
        let events = Some(vec!["message.sent".to_owned()]);
        let settings = Changes { events, ..Changes::default() };
        let new = NewHook { url: url.to_owned(), kind: Kind::Events, settings };
        let hook = hooks::create(&self.ctx, &self.app, new).await.unwrap().hook.id;
        uuid::Uuid::from_bytes(hook.0).to_string()
    }

    async fn send(&self, from: &str, to: &str, text: &str) {
        let outgoing = Outgoing {
            kind: messages::Kind::Chat,
            origin: "phone".to_owned(),
            payload: text.as_bytes().to_vec(),
            act: Act::Says,
            online_only: false,
            read: |payload| Content { bodies: vec![String::from_utf8_lossy(payload).into()], ..Content::default() },
        };
        let from = users::find(&self.ctx, &self.app, from).await.unwrap();
        messages::send(&self.ctx, &self.app, Sender::User(&from), to, outgoing).await.unwrap();
    }

    /// Runs the loop until the answer is dropped.
    fn run(&self, in_all: usize, per_hook: usize) -> oneshot::Sender<()> {
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async {
            let _dropped = stopped.await;
        };
        tokio::spawn(run(Arc::clone(&self.ctx), Bounds { in_all, per_hook }, stopped));
        stop
    }

    async fn call(&mut self) -> Call {
        self.calls.recv().await.unwrap()
    }

    async fn waiting(&self) -> i64 {
        hooks::list(&self.ctx, &self.app).await.unwrap().iter().map(|standing| standing.waiting).sum()
    }
}

#[tokio::test(start_paused = true)]
async fn what_waited_before_the_start_and_what_comes_after_is_told() {
    let mut place = Place::new().await;
    place.hook("one").await;
    place.send("ann", "ben", "before").await;
    let _stop = place.run(8, 8);
    let call = place.call().await;
    assert_eq!(call.text(), "before");
    call.answer(200);
    place.send("ann", "ben", "after").await;
    let call = place.call().await;
    assert_eq!(call.text(), "after");
    call.answer(200);
}

#[tokio::test(start_paused = true)]
async fn each_conversation_is_told_in_order_and_within_the_bounds() {
    const EACH: usize = 25;
    let mut place = Place::new().await;
    place.hook("one").await;
    for n in 0..EACH {
        for to in ["ben", "cat", "dan", "eve"] {
            place.send("ann", to, &format!("{to} {n}")).await;
        }
    }
    let _stop = place.run(3, 8);
    let (mut under_way, mut told, mut most) = (Vec::<Call>::new(), HashMap::<String, Vec<usize>>::new(), 0);
    while told.values().map(Vec::len).sum::<usize>() < EACH * 4 {
        tokio::select! {
            biased;
            call = place.call() => under_way.push(call),
            // Nothing more comes until something is answered: that which came last.
            () = tokio::time::sleep(Duration::from_millis(1)) => {
                let Some(call) = under_way.pop() else { continue };
                let (lane, n) = call.text().split_once(' ').unwrap();
                assert!(under_way.iter().all(|other| !other.text().starts_with(lane)), "two of one conversation");
                told.entry(lane.to_owned()).or_default().push(n.parse().unwrap());
                call.answer(200);
            }
        }
        most = most.max(under_way.len());
    }
    assert!((2..=3).contains(&most), "{most} at a time");
    assert_eq!(told.len(), 4);
    assert!(told.values().all(|numbers| numbers.iter().copied().eq(0..EACH)), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_event_comes_back_and_holds_nothing_up() {
    let mut place = Place::new().await;
    place.hook("one").await;
    place.send("ann", "ben", "first").await;
    let _stop = place.run(8, 8);
    let call = place.call().await;
    // Before the answer: the clock runs ahead while the database is at work.
    place.send("ann", "ben", "second").await;
    call.answer(500);
    let refused_ms = place.ctx.clock.now_ms();
    let call = place.call().await;
    assert_eq!(call.text(), "second");
    call.answer(200);
    let call = place.call().await;
    assert_eq!(call.text(), "first");
    assert!(place.ctx.clock.now_ms() - refused_ms >= 4500);
    call.answer(200);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_hangs_holds_up_no_other() {
    let mut place = Place::new().await;
    place.hook("hangs").await;
    place.hook("lives").await;
    let _stop = place.run(4, 2);
    let hung = Mutex::new(Vec::new());
    let mut told = Vec::new();
    for (n, to) in ["ben", "cat", "dan", "eve"].into_iter().cycle().take(20).enumerate() {
        place.send("ann", to, &n.to_string()).await;
        loop {
            let call = place.call().await;
            if call.url == "hangs" {
                hung.lock().unwrap().push(call);
                continue;
            }
            told.push(call.text().parse::<usize>().unwrap());
            call.answer(200);
            break;
        }
    }
    assert!(told.into_iter().eq(0..20));
    assert_eq!(hung.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_is_waited_for_at_the_end() {
    let mut place = Place::new().await;
    place.hook("one").await;
    let stop = place.run(8, 8);
    place.send("ann", "ben", "last").await;
    let call = place.call().await;
    drop(stop);
    tokio::task::yield_now().await;
    call.answer(200);
    while place.waiting().await > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_may_be_removed_while_it_is_called() {
    let mut place = Place::new().await;
    let _stop = place.run(8, 1);
    for status in [200, 500, 410] {
        let id = place.hook("goes").await;
        place.send("ann", "ben", "first").await;
        place.send("ann", "ben", "second").await;
        let call = place.call().await;
        hooks::remove(&place.ctx, &place.app, &id).await.unwrap();
        call.answer(status);
        place.hook("stays").await;
        place.send("ann", "ben", "third").await;
        let call = place.call().await;
        assert_eq!((call.url.as_str(), call.text()), ("stays", "third"));
        call.answer(200);
        // Of what was kept for the one that went nothing is counted, nor taken off.
        while place.waiting().await > 0 || place.ctx.hooks.kept() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(place.ctx.hooks.kept(), 0);
        let stays = hooks::list(&place.ctx, &place.app).await.unwrap().remove(0).hook.id;
        let stays = uuid::Uuid::from_bytes(stays.0).to_string();
        assert_eq!(hooks::log(&place.ctx, &place.app, &stays, None, 10).await.unwrap().entries.len(), 1);
        hooks::remove(&place.ctx, &place.app, &stays).await.unwrap();
    }
}
