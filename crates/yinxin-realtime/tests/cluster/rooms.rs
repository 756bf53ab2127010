//! A room is on one node, whichever is asked; what another does to it reaches it there; when its node dies, another has it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::Notify;
use yinxin_core::rooms::doors::{self, Guest, Invitation, Knock, Request, Welcome};
use yinxin_core::rooms::live::{About, Departure, Ending, Line, Notice, Role};
use yinxin_core::rooms::records::{self, State, Which};
use yinxin_core::rooms::tokens;
use yinxin_core::rooms::{Room, RoomName, RoomUid, homes, kicks};
use yinxin_core::sessions::{self, CloseReason};
use yinxin_core::{Code, Ctx, Database, Db, Error, PostgresOptions, Result, apps, signed_calls, users};
use yinxin_testkit::postgres::Postgres;
use yinxin_testkit::storage;

use crate::bus::Faults;
use crate::world::{PACE, PATIENCE, World, eventually};

#[derive(Default)]
struct Ear {
    ending: Mutex<Option<Ending>>,
    notices: Mutex<Vec<Notice>>,
    bell: Notify,
}

impl Line for Ear {
    fn tell(&self, notice: &Arc<Notice>) {
        self.notices.lock().unwrap().push(Notice::clone(notice));
    }

    fn end(&self, ending: Ending) {
        self.ending.lock().unwrap().get_or_insert(ending);
        self.bell.notify_one();
    }
}

struct Someone {
    guest: Guest,
    welcome: Welcome,
    ear: Arc<Ear>,
}

impl Someone {
    async fn ending(&self) -> Ending {
        let told = async {
            loop {
                if let Some(ending) = *self.ear.ending.lock().unwrap() {
                    return ending;
                }
                self.ear.bell.notified().await;
            }
        };
        tokio::time::timeout(PATIENCE, told).await.expect("the connection is told")
    }

    fn hears_nothing(&self) -> bool {
        self.ear.ending.lock().unwrap().is_none()
    }
}

fn uid(number: u64) -> RoomUid {
    RoomUid::new(number).unwrap()
}

fn name() -> RoomName {
    RoomName::parse("room").unwrap()
}

fn code<T>(result: Result<T>) -> Code {
    result.err().expect("refused").code
}

fn node_at(url: &str) -> usize {
    url.strip_prefix("http://node-").unwrap().parse::<usize>().unwrap() - 1
}

impl World {
    async fn room_token(&self, node: usize, number: u64, repeat_use: bool) -> String {
        let request = tokens::Request { uid: uid(number), room: None, ttl_s: None, repeat_use: Some(repeat_use) };
        tokens::issue(self.ctx(node), &self.app, &request).await.unwrap()
    }

    async fn invite_with(&self, node: usize, number: u64, token: &str) -> Result<Invitation> {
        let request = Request { uid: uid(number), room: &name(), token: Some(token), permission_key: None };
        doors::invite(self.ctx(node), &self.app, &request).await
    }

    async fn invite(&self, node: usize, number: u64) -> Invitation {
        let token = self.room_token(node, number, true).await;
        self.invite_with(node, number, &token).await.unwrap()
    }

    async fn enter(&self, node: usize, pass: &str, role: Role) -> Result<Someone> {
        let ear = Arc::new(Ear::default());
        let knock = Knock { pass, permission_key: "", role, about: About::default() };
        let line: Arc<dyn Line> = Arc::clone(&ear) as _;
        let (welcome, guest) = doors::enter(self.ctx(node), knock, line).await?;
        Ok(Someone { guest, welcome, ear })
    }

    /// Asks at one node, and comes in where it is sent.
    async fn enter_room(&self, asked: usize, number: u64) -> (Someone, String, usize) {
        let invitation = self.invite(asked, number).await;
        let home = node_at(&invitation.at[0]);
        (self.enter(home, &invitation.pass, Role::Host).await.unwrap(), invitation.pass, home)
    }

    async fn room(&self, node: usize) -> Room {
        records::find(self.ctx(node), &self.app, &Which::Name(name())).await.unwrap()
    }

    async fn numbers(&self, node: usize) -> Vec<u64> {
        let room = self.room(node).await;
        let members = records::members(self.ctx(node), &self.app, &room).await.unwrap();
        assert_eq!(records::count(self.ctx(node), &self.app, &room).await.unwrap(), members.len());
        members.iter().map(|member| member.uid.get()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_wherever_is_sent_to_the_same_node() {
    let world = World::of(3).await;
    let (ann, _, home) = world.enter_room(1, 1).await;
    assert_eq!(home, 1, "it was nobody's");
    let (ben, _, home) = world.enter_room(2, 2).await;
    assert_eq!((home, ben.welcome.cid, ben.welcome.others.len()), (1, ann.welcome.cid, 1));
    let sent = world.invite(0, 3).await;
    assert_eq!(sent.at, ["http://node-2", "http://node-1", "http://node-3"], "and where to go should it die");
    assert!(homes::is_wrong_door(world.ctx(0), &world.app, sent.cid).await.unwrap());
    assert!(!homes::is_wrong_door(world.ctx(1), &world.app, sent.cid).await.unwrap());
    assert_eq!(code(world.enter(0, &sent.pass, Role::Host).await), Code::Busy, "the room is not here");
    let carl = world.enter(1, &sent.pass, Role::Audience).await.unwrap();
    for node in 0..3 {
        assert_eq!(world.numbers(node).await, [1, 2, 3]);
        let room = world.room(node).await;
        let members = records::members(world.ctx(node), &world.app, &room).await.unwrap();
        assert_eq!(members[2].role, Role::Audience);
    }
    carl.guest.change_role(world.ctx(1), Role::Host).await.unwrap();
    let room = world.room(0).await;
    assert_eq!(records::members(world.ctx(0), &world.app, &room).await.unwrap()[2].role, Role::Host);
    carl.guest.leave(world.ctx(1), Departure::Left).await.unwrap();
    assert_eq!(world.numbers(0).await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_come_at_once_at_all_nodes_meet() {
    let world = Arc::new(World::of(3).await);
    let mut coming = Vec::new();
    for number in 1..=12 {
        let world = Arc::clone(&world);
        coming.push(tokio::spawn(async move { world.enter_room(usize::try_from(number % 3).unwrap(), number).await }));
    }
    let mut met = Vec::new();
    for one in coming {
        met.push(one.await.unwrap());
    }
    let (first, _, home) = &met[0];
    assert!(met.iter().all(|(one, _, at)| (at, one.welcome.cid) == (home, first.welcome.cid)));
    for node in 0..3 {
        assert_eq!(world.numbers(node).await, (1..=12).collect::<Vec<_>>());
    }
}

async fn everything_reaches_the_room(world: &World) {
    let (ann, ann_pass, _) = world.enter_room(0, 1).await;
    let (ben, ben_pass, _) = world.enter_room(0, 2).await;
    let by = world.ctx(1);
    kicks::kick(by, &world.app, &world.room(1).await, uid(1), Some(1000)).await.unwrap();
    assert_eq!(ann.ending().await, Ending::Kicked);
    ann.guest.leave(world.ctx(0), Departure::Dismissed).await.unwrap();
    assert_eq!(world.numbers(2).await, [2]);
    assert_eq!(code(world.enter(0, &ann_pass, Role::Host).await), Code::RoomBarred);
    let token = world.room_token(2, 1, true).await;
    assert_eq!(code(world.invite_with(2, 1, &token).await), Code::RoomBarred);
    kicks::pardon(by, &world.app, &world.room(1).await, uid(1)).await.unwrap();
    assert_eq!(code(world.enter(0, &ann_pass, Role::Host).await), Code::RoomPassWrong, "the pass stays void");

    for (number, deletes) in [(3, false), (4, true)] {
        let name = number.to_string();
        world.register(&name).await;
        let (guest, pass, _) = world.enter_room(2, number).await;
        if deletes {
            users::delete(by, &world.app, &name).await.unwrap();
        } else {
            users::ban(by, &world.app, &name).await.unwrap();
        }
        assert_eq!(guest.ending().await, Ending::Kicked);
        if !deletes {
            assert_eq!(code(world.enter(0, &pass, Role::Host).await), Code::UserInactive);
        }
        guest.guest.leave(world.ctx(0), Departure::Dismissed).await.unwrap();
        assert_eq!(world.numbers(1).await, [2]);
    }
    assert!(ben.hears_nothing());

    records::end(by, &world.app, &Which::Name(name())).await.unwrap();
    assert_eq!(ben.ending().await, Ending::RoomEnded);
    assert_eq!(code(world.enter(0, &ben_pass, Role::Host).await), Code::RoomNotFound);
    ben.guest.leave(world.ctx(0), Departure::Dismissed).await.unwrap();

    let (ann, pass, home) = world.enter_room(2, 1).await;
    assert_eq!(home, 2, "the name's next life is wherever it begins");
    apps::delete(by, &world.app).await.unwrap();
    assert_eq!(ann.ending().await, Ending::RoomEnded);
    assert_eq!(code(world.enter(2, &pass, Role::Host).await), Code::RoomPassWrong);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_at_one_node_reaches_the_room_on_another() {
    everything_reaches_the_room(&World::of(3).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn also_when_nothing_arrives_over_the_bus() {
    let world = World::of(3).await;
    world.wire.treat(Faults { lost: 1, ..Faults::default() });
    everything_reaches_the_room(&world).await;
}

/// Whoever waits there waits for as long as it takes.
fn unhurried(file: &Path) -> Database {
    let long = Duration::from_mins(10);
    match storage::at(file) {
        Database::Postgres(options) => Database::Postgres(PostgresOptions { wait: long, statement: long, ..options }),
        embedded @ Database::Sqlite(_) => embedded,
    }
}

/// How many hold the lock of this test, and how many wait for it.
async fn locks(ctx: &Ctx) -> (i64, i64) {
    const SQL: &str = "SELECT COUNT(*) FILTER (WHERE granted), COUNT(*) FILTER (WHERE NOT granted) FROM pg_locks \
                       WHERE locktype = 'advisory' AND objid = 7 \
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let found = ctx.db.read((), |sql, ()| {
        Box::pin(async move {
            let mut row = sql.rows(SQL, &[]).await?.remove(0);
            Ok::<_, Error>((row.take(0)?, row.take(1)?))
        })
    });
    found.await.unwrap()
}

/// Has every connection of a node but the vital ones wait in the database until it is told to go on.
async fn occupy(busy: &Arc<Ctx>, other: &Arc<Ctx>) -> Arc<AtomicBool> {
    const WAIT: &str = "SELECT CAST(pg_advisory_xact_lock_shared(7) AS TEXT)";
    let goes_on = Arc::new(AtomicBool::new(false));
    let (holder, told) = (Arc::clone(other), Arc::clone(&goes_on));
    tokio::spawn(async move {
        let held = holder.db.write(told, |sql, told| {
            Box::pin(async move {
                sql.rows("SELECT CAST(pg_advisory_xact_lock(7) AS TEXT)", &[]).await?;
                while !told.load(Ordering::SeqCst) {
                    sql.rows("SELECT CAST(pg_sleep(0.01) AS TEXT)", &[]).await?;
                }
                Ok::<_, Error>(())
            })
        });
        held.await.unwrap();
    });
    eventually(async || locks(other).await.0 == 1).await;
    let options = storage::few_connections(String::new());
    for _ in 0..options.writers {
        let busy = Arc::clone(busy);
        tokio::spawn(async move {
            busy.db
                .write((), |sql, ()| Box::pin(async move { Ok::<_, Error>(sql.rows(WAIT, &[]).await.map(drop)?) }))
                .await
        });
    }
    for _ in 0..options.readers {
        let busy = Arc::clone(busy);
        tokio::spawn(async move {
            busy.db
                .read((), |sql, ()| Box::pin(async move { Ok::<_, Error>(sql.rows(WAIT, &[]).await.map(drop)?) }))
                .await
        });
    }
    let all = i64::try_from(options.writers + options.readers).unwrap();
    eventually(async || locks(other).await.1 == all).await;
    goes_on
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_end_ends_however_busy_its_node_is() {
    if !storage::on_postgres() {
        // The embedded engine has one line for all.
        return;
    }
    let world = World::of_on(2, unhurried).await;
    let ann = world.register("ann").await;
    let client = world.connect(0, &ann, "phone").await;
    let (guest, _, home) = world.enter_room(0, 1).await;
    assert_eq!(home, 0);
    let goes_on = occupy(world.ctx(0), world.ctx(1)).await;
    records::end(world.ctx(1), &world.app, &Which::Name(name())).await.unwrap();
    assert_eq!(guest.ending().await, Ending::RoomEnded);
    users::kick(world.ctx(1), &world.app, "ann", None).await.unwrap();
    assert_eq!(client.ending().await, sessions::Ending::Asked(CloseReason::Kicked));
    goes_on.store(true, Ordering::SeqCst);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_runs_out_only_when_its_node_says_that_it_is_empty() {
    let world = World::of(2).await;
    let (ann, _, _) = world.enter_room(0, 1).await;
    // Somebody who is not there is kicked by way of a node that has nobody in the room.
    kicks::kick(world.ctx(1), &world.app, &world.room(1).await, uid(9), None).await.unwrap();
    assert_eq!(world.room(1).await.open_until_ms, None);
    // Whoever was the last is kicked from elsewhere.
    kicks::kick(world.ctx(1), &world.app, &world.room(1).await, uid(1), None).await.unwrap();
    assert_eq!(ann.ending().await, Ending::Kicked);
    eventually(async || world.room(1).await.open_until_ms.is_some()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_its_node_dies_a_room_goes_on_where_its_guests_come_back() {
    let world = World::of(3).await;
    let (first, ann_pass, home) = world.enter_room(0, 1).await;
    let (_ben, ben_pass, _) = world.enter_room(1, 2).await;
    assert_eq!(home, 0);
    let cid = world.room(1).await.cid;
    world.nodes[0].kill();
    let back = Mutex::new(None);
    eventually(async || {
        let is_out = homes::is_wrong_door(world.ctx(1), &world.app, cid).await.unwrap();
        let entered = if is_out { None } else { world.enter(1, &ann_pass, Role::Host).await.ok() };
        let is_in = entered.is_some();
        *back.lock().unwrap() = entered;
        is_in
    })
    .await;
    let ann = back.into_inner().unwrap().unwrap();
    assert_eq!((ann.welcome.cid, ann.welcome.others.len()), (cid, 0));
    assert_eq!(code(world.enter(2, &ben_pass, Role::Host).await), Code::Busy, "the room is on one node");
    let sent = world.invite(2, 3).await;
    assert_eq!((sent.cid, node_at(&sent.at[0])), (cid, 1));
    let ben = world.enter(1, &ben_pass, Role::Host).await.unwrap();
    assert_eq!(ben.welcome.others.len(), 1);
    // The dead one is no spirit: whatever it still wants to write of its guests is not heeded.
    first.guest.leave(world.ctx(0), Departure::Lost).await.unwrap();
    assert_eq!(world.numbers(2).await, [1, 2]);
    assert_eq!(world.room(2).await.open_until_ms, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_node_left_is_over_when_nobody_comes_back() {
    let world = World::of(2).await;
    let (_ann, pass, _) = world.enter_room(0, 1).await;
    world.nodes[0].kill();
    eventually(async || world.room(1).await.node.is_none()).await;
    let room = world.room(1).await;
    assert!(room.abandoned && room.open_until_ms.is_some());
    assert_eq!(records::state(&room, room.open_until_ms.unwrap()), State::Abandoned);
    assert_eq!(world.numbers(1).await, Vec::<u64>::new());
    assert_eq!(code(world.enter(0, &pass, Role::Host).await), Code::Busy, "it is taken for dead, and lets nobody in");
    let ann = world.enter(1, &pass, Role::Host).await.unwrap();
    assert!(!world.room(1).await.abandoned);
    drop(ann);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_leaves_in_order_frees_its_rooms_at_once() {
    let world = World::of(2).await;
    let (ann, pass, _) = world.enter_room(0, 1).await;
    drop(ann);
    world.nodes[0].kill();
    let cluster = world.ctx(0).cluster.as_ref().unwrap();
    cluster.part(world.ctx(0)).await.unwrap();
    assert_eq!(world.room(1).await.node, None);
    let ann = world.enter(1, &pass, Role::Host).await.unwrap();
    assert!(ann.hears_nothing());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_admits_once_admits_once_in_all() {
    let world = Arc::new(World::of(3).await);
    for number in 1..=5 {
        let token = world.room_token(0, number, false).await;
        let mut trying = Vec::new();
        for node in 0..6 {
            let (world, token) = (Arc::clone(&world), token.clone());
            trying.push(tokio::spawn(async move { world.invite_with(node % 3, number, &token).await }));
        }
        let mut admitted = 0;
        for one in trying {
            match one.await.unwrap() {
                Ok(_) => admitted += 1,
                Err(error) => assert_eq!(error.code, Code::RoomTokenWrong),
            }
        }
        assert_eq!(admitted, 1);
        assert_ne!(world.room_token(2, number, false).await, token, "what is used up is over everywhere");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_names_itself_is_made_once_in_all() {
    let world = World::of(2).await;
    signed_calls::note(world.ctx(0), &world.app, "id").await.unwrap();
    for node in 0..2 {
        assert_eq!(code(signed_calls::note(world.ctx(node), &world.app, "id").await), Code::CallRepeated);
    }
    let noted = signed_calls::note(world.ctx(1), &world.app, "other").await.unwrap();
    signed_calls::forget(world.ctx(1), &world.app, &noted).await;
    signed_calls::note(world.ctx(0), &world.app, "other").await.unwrap();
}

/// The answer to the commit is lost: the note stands, though its call was refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_note_was_not_acknowledged_may_be_made_again() {
    if storage::server().is_none() {
        return;
    }
    let server = Postgres::start();
    let database = Database::Postgres(storage::few_connections(server.url()));
    let world = World::on(database.clone(), TempDir::new().unwrap(), PACE).await;
    let operator = Db::open(&database, |_| {}).await.unwrap();
    server.set("synchronous_standby_names=nobody");
    let noting = tokio::spawn({
        let (ctx, app) = (Arc::clone(world.ctx(0)), Arc::clone(&world.app));
        async move { signed_calls::note(&ctx, &app, "id").await.map(drop) }
    });
    eventually(async || {
        let cut = operator.read((), |sql, ()| {
            Box::pin(async move {
                let waiting = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
                sql.rows(waiting, &[]).await.map(drop)
            })
        });
        cut.await.unwrap();
        noting.is_finished()
    })
    .await;
    assert_eq!(code(noting.await.unwrap()), Code::StorageAway);
    server.set("synchronous_standby_names=");
    signed_calls::note(world.ctx(0), &world.app, "id").await.unwrap();
}
