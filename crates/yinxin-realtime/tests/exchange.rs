//! A database that has no time, or fails, costs a connection neither its line nor what it is to be sent.

use std::future::pending;
use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;
use tempfile::TempDir;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use yinxin_core::apps::{self, AppChanges};
use yinxin_core::clock::FakeClock;
use yinxin_core::ctx::Parts;
use yinxin_core::hooks::{self, Content, Known};
use yinxin_core::keys::MasterKey;
use yinxin_core::limits::{Limits, SocketLimits};
use yinxin_core::messages::{self, Act, Outgoing, Sender};
use yinxin_core::names::AppName;
use yinxin_core::presence::News;
use yinxin_core::rates::Preset;
use yinxin_core::rng::SystemRng;
use yinxin_core::sessions::{Device, LocalSessions as _, PARTS};
use yinxin_core::{App, Code, Ctx, Error, Result, User, files, tokens};
use yinxin_realtime::{Bounds, End, Ending, Inbox, Next, Pipe, Place, Refused, Registry, Session, Show, serve};
use yinxin_testkit::ground::{self, CHEAP, START_MS};

struct World {
    ctx: Arc<Ctx>,
    registry: Arc<Registry>,
    app: Arc<App>,
    _folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let (folder, registry) = (tempfile::tempdir().unwrap(), Registry::new(Bounds::default()));
        let parts = Parts {
            clock: Arc::new(FakeClock::at(START_MS)),
            rng: Arc::new(SystemRng),
            sessions: registry.clone(),
            courier: Arc::new(hooks::Nobody),
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
        Self { ctx, registry, app, _folder: folder }
    }

    /// A user and a token of its.
    async fn user(&self, name: &str) -> (String, Arc<User>) {
        let (grant, user) = tokens::issue_for_user(&self.ctx, &self.app, Some(name), true, None).await.unwrap();
        (grant.token, user)
    }

    async fn run(&self, statement: &'static str) {
        let done = self.ctx.db.write(statement, |sql, statement| {
            Box::pin(async move {
                sql.exec(statement, &[]).await?;
                Ok::<_, Error>(())
            })
        });
        done.await.unwrap();
    }
}

fn phone() -> Device {
    let same = || "phone".to_owned();
    Device { resource: same(), device_uuid: same(), device_name: same(), note: String::new(), since_ms: 0 }
}

/// A client that says what it is told to, and shows what it hears.
struct Client {
    says: mpsc::Receiver<Bytes>,
    hears: mpsc::UnboundedSender<Vec<u8>>,
}

impl Pipe for Client {
    async fn frame(&mut self) -> Result<Bytes, End> {
        self.says.recv().await.ok_or(End::HungUp)
    }

    async fn send(&mut self, frame: Vec<u8>) -> Result<(), End> {
        self.hears.send(frame).map_err(|_| End::Gone)
    }

    async fn linger(&mut self) {}

    async fn close(self, _end: End) {}
}

/// Finds the database busy so many times, and silent where the queue is called [`SILENT`].
struct Waiting {
    app: Arc<App>,
    user: Arc<User>,
    device: Device,
    busy: usize,
    asks_in_vain: Arc<Notify>,
}

const SILENT: &str = "silent";

impl Waiting {
    fn look(&mut self) -> Result<()> {
        if self.busy == 0 {
            return Ok(());
        }
        self.busy -= 1;
        Err(Code::Busy.into())
    }
}

impl Session for Waiting {
    fn known(&self) -> Known<'_> {
        Known { app: &self.app, user: &self.user, device: &self.device }
    }

    async fn on_frame(&mut self, bytes: &[u8]) -> Result<Next> {
        Ok(Next::Send(vec![bytes.to_vec()]))
    }

    async fn on_wake(&mut self, queue: &str) -> Result<Vec<Vec<u8>>> {
        if queue == SILENT {
            self.asks_in_vain.notify_one();
            return pending().await;
        }
        self.look()?;
        Ok(vec![queue.as_bytes().to_vec()])
    }

    fn on_news(&self, _news: &News) -> Vec<Vec<u8>> {
        Vec::new()
    }

    async fn waiting_queues(&self) -> Result<Vec<String>> {
        Ok(vec!["ben".to_owned(), "cat".to_owned()])
    }

    fn farewell(&self, _ending: &Ending) -> Option<Vec<u8>> {
        None
    }
}

#[derive(Debug)]
struct Fault;

impl From<Error> for Fault {
    fn from(_: Error) -> Self {
        Self
    }
}

impl From<Refused> for Fault {
    fn from(_: Refused) -> Self {
        Self
    }
}

/// A connection that is served.
struct Served {
    user: Arc<User>,
    say: mpsc::Sender<Bytes>,
    heard: mpsc::UnboundedReceiver<Vec<u8>>,
    asks_in_vain: Arc<Notify>,
    task: JoinHandle<()>,
}

impl World {
    async fn connect(&self, busy: usize) -> Served {
        let (token, user) = self.user("ann").await;
        let asks_in_vain = Arc::new(Notify::new());
        let session = Waiting {
            app: Arc::clone(&self.app),
            user: Arc::clone(&user),
            device: phone(),
            busy,
            asks_in_vain: Arc::clone(&asks_in_vain),
        };
        let from = Ipv4Addr::LOCALHOST.into();
        let place = Place::enter::<Fault>(&self.ctx, &self.registry, session.known(), "web", from, (&token, None));
        let place = place.await.unwrap();
        let ((say, says), (tells, mut heard)) = (mpsc::channel(1), mpsc::unbounded_channel());
        let ctx = Arc::clone(&self.ctx);
        let task = tokio::spawn(async move {
            let limits = SocketLimits::default();
            serve(&ctx, &limits, Client { says, hears: tells }, Box::new(session), place, b"welcome".to_vec()).await;
        });
        assert_eq!(heard.recv().await.unwrap(), b"welcome");
        Served { user, say, heard, asks_in_vain, task }
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_database_is_asked_again_and_the_line_stays() {
    let world = World::new().await;
    let Served { user, say, mut heard, task, .. } = world.connect(3).await;
    world.registry.wake(world.app.id, user.user, "ben", None);
    // Once for the wake-up, and then for each of the first two looks.
    assert_eq!(heard.recv().await.unwrap(), b"ben");
    assert_eq!(heard.recv().await.unwrap(), b"cat");
    say.send(Bytes::from_static(b"here")).await.unwrap();
    assert_eq!(heard.recv().await.unwrap(), b"here");
    drop(say);
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_has_to_go_does_not_wait_for_a_silent_database() {
    let world = World::new().await;
    let Served { user, say: _say, mut heard, asks_in_vain, task } = world.connect(0).await;
    world.registry.wake(world.app.id, user.user, SILENT, None);
    asks_in_vain.notified().await;
    (0..PARTS).for_each(|part| world.registry.send_away(part));
    assert_eq!(heard.recv().await, None);
    task.await.unwrap();
}

#[tokio::test]
async fn a_queue_that_could_not_be_read_does_not_stand_still() {
    let world = World::new().await;
    let ((_, ann), (_, ben)) = (world.user("ann").await, world.user("ben").await);
    messages::greet_device(&world.ctx, world.app.id, ben.user, "phone").await.unwrap();
    let mut inbox = Inbox::new(Arc::clone(&world.ctx), world.app.id, ben.user, "phone".to_owned());
    assert!(inbox.list().await.unwrap().is_empty());
    let outgoing = Outgoing {
        kind: messages::Kind::Chat,
        origin: "laptop".to_owned(),
        payload: b"hello".to_vec(),
        act: Act::Says,
        online_only: false,
        read: |_| Content::default(),
    };
    messages::send(&world.ctx, &world.app, Sender::User(&ann), "ben", outgoing).await.unwrap();
    // The embedded engine takes a word for a number, which then cannot be read.
    world.run("UPDATE inbox SET sent_ms = 'soon'").await;
    assert_eq!(inbox.wake("ann").await.unwrap_err().code, Code::Internal);
    world.run("UPDATE inbox SET sent_ms = 1700000000000").await;
    let shown = inbox.wake("ann").await.unwrap();
    assert!(matches!(&shown[..], [Show::Page { queue, entries, .. }] if queue == "ann" && entries.len() == 1));
    // The page was not sent after all.
    assert!(inbox.wake("ann").await.unwrap().is_empty());
    inbox.unsent("ann");
    assert!(matches!(&inbox.wake("ann").await.unwrap()[..], [Show::Page { .. }]));
}
