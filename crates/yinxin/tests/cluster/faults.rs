//! kill -9 of a node, of NATS, of PostgreSQL, a cut between a node and NATS, and nodes that are told to stop, all while
//! clients go on: nothing that was acknowledged is lost.

use std::env;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use yinxin_testkit::nats::Nats;

use crate::talk::Talk;
use crate::world::{BOUND_DEAD, PATIENCE, Setup, World, eventually, is_wanted, metric};

/// Acknowledged writes of each kind between two faults.
const MORE: usize = 60;

fn rounds() -> usize {
    env::var("YINXIN_CLUSTER_ROUNDS").map_or(1, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_node_left_is_found_elsewhere() {
    if !is_wanted() {
        return;
    }
    let mut world = World::of_three();
    world.register(0, "ann");
    world.register(1, "ben");
    let mut ann = world.connect(0, "ann", "phone").await;
    let mut ben = world.connect(1, "ben", "desk").await;
    ben.text("ann", "one").await;
    ben.stored().await;
    // Sent to the node that is about to die, and never confirmed.
    assert_eq!(ann.page().await.0, ["one"]);
    let talk = Talk::begin(&world);
    talk.goes_on(MORE).await;
    world.nodes[0].kill();
    let took = eventually(BOUND_DEAD, || !world.is_online(1, "ann") && !world.is_online(2, "ann"));
    println!("offline after {took:?}");
    assert!(world.is_online(1, "ben") && world.is_online(2, "ben"));
    for text in ["two", "three"] {
        ben.text("ann", text).await;
        ben.stored().await;
    }
    let mut ann = world.connect(2, "ann", "phone").await;
    ann.pull("ben", None).await;
    assert_eq!(ann.received("ben").await, ["one", "two", "three"]);
    talk.goes_on(MORE).await;
    world.nodes[0].restart();
    talk.nodes_are(&world);
    world.await_members(3);
    talk.goes_on(MORE).await;
    talk.end(&world).await;
}

/// A way to NATS that can be cut.
struct Wire {
    to: SocketAddr,
    at: SocketAddr,
    carrying: Arc<Mutex<JoinSet<()>>>,
}

impl Wire {
    async fn to(nats: &Nats) -> Self {
        let to = nats.url().strip_prefix("nats://").unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Self { to, at: listener.local_addr().unwrap(), carrying: Arc::default() };
        wire.carry(listener);
        wire
    }

    fn carry(&self, listener: TcpListener) {
        let (to, carrying) = (self.to, Arc::clone(&self.carrying));
        self.carrying.lock().unwrap().spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                carrying.lock().unwrap().spawn(async move {
                    if let Ok(mut there) = TcpStream::connect(to).await {
                        // However it ends.
                        let _ = copy_bidirectional(&mut from, &mut there).await;
                    }
                });
            }
        });
    }

    fn cut(&self) {
        self.carrying.lock().unwrap().abort_all();
    }

    async fn mend(&self) {
        self.carry(TcpListener::bind(self.at).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_with_nats_or_postgresql_or_a_wire() {
    if !is_wanted() {
        return;
    }
    let nats = Nats::start();
    let wire = Wire::to(&nats).await;
    let setup = Setup { own_database: true, by_way_of: Some(wire.at), ..Setup::default() };
    let mut world = World::start(nats, &setup);
    let talk = Talk::begin(&world);
    let is_connected = |world: &World, node: usize, word: &str| {
        let said = || metric(world.addr(node), "yinxin_bus_connected");
        eventually(PATIENCE, || said().as_deref() == Some(word));
    };
    for _ in 0..rounds() {
        talk.goes_on(MORE).await;
        wire.cut();
        is_connected(&world, 2, "0");
        talk.goes_on(MORE).await;
        wire.mend().await;
        is_connected(&world, 2, "1");
        talk.goes_on(MORE).await;
        world.nats.kill();
        talk.goes_on(MORE).await;
        world.nats.restart();
        (0..3).for_each(|node| is_connected(&world, node, "1"));
        talk.goes_on(MORE).await;
        let postgres = world.postgres.as_ref().unwrap();
        postgres.crash();
        postgres.restart();
        talk.goes_on(MORE).await;
    }
    talk.end(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_are_restarted_one_after_the_other() {
    if !is_wanted() {
        return;
    }
    let mut world = World::of_three();
    let talk = Talk::begin(&world);
    for _ in 0..rounds() {
        for node in 0..3 {
            talk.goes_on(MORE).await;
            world.nodes[node].stop();
            // It has said that it goes: nobody waits until it counts as dead.
            let others = (0..3).filter(|other| *other != node);
            others.for_each(|other| {
                eventually(PATIENCE, || metric(world.addr(other), "yinxin_cluster_nodes").as_deref() == Some("2"));
            });
            talk.goes_on(MORE).await;
            world.nodes[node].restart();
            talk.nodes_are(&world);
            world.await_members(3);
        }
    }
    talk.goes_on(MORE).await;
    talk.end(&world).await;
}
