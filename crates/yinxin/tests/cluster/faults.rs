//! kill -9 of a node, of NATS, of PostgreSQL, a cut between a node and NATS, and nodes that are told to stop, all while
//! clients go on: nothing that was acknowledged is lost, and nothing that is over comes back. A node that does not hear of
//! PostgreSQL any more sends its clients away.

use std::env;
use std::time::Instant;

use yinxin_testkit::nats::Nats;

use crate::talk::Talk;
use crate::wire::Wire;
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
    let talk = Talk::begin(&world);
    for round in 0..rounds() {
        a_node_dies(&mut world, &talk, round).await;
    }
    talk.end(&world).await;
}

async fn a_node_dies(world: &mut World, talk: &Talk, round: usize) {
    let [dead, near, far] = [0, 1, 2].map(|place| (round + place) % 3);
    let (ann_name, ben_name) = (&format!("ann-{round}"), &format!("ben-{round}"));
    world.register(dead, ann_name);
    world.register(near, ben_name);
    let mut ann = world.connect(dead, ann_name, "phone").await;
    let mut ben = world.connect(near, ben_name, "desk").await;
    ben.text(ann_name, "one").await;
    ben.stored().await;
    // Sent to the node that is about to die, and never confirmed.
    assert_eq!(ann.page().await.0, ["one"]);
    talk.goes_on(MORE).await;
    world.nodes[dead].kill();
    let took = eventually(BOUND_DEAD, || !world.is_online(near, ann_name) && !world.is_online(far, ann_name));
    println!("offline after {took:?}");
    assert!(world.is_online(near, ben_name) && world.is_online(far, ben_name));
    for text in ["two", "three"] {
        ben.text(ann_name, text).await;
        ben.stored().await;
    }
    let mut ann = world.connect(far, ann_name, "phone").await;
    ann.pull(ben_name, None).await;
    assert_eq!(ann.received(ben_name).await, ["one", "two", "three"]);
    talk.goes_on(MORE).await;
    world.nodes[dead].restart();
    talk.nodes_are(world);
    world.await_members(3);
    talk.goes_on(MORE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_with_nats_or_postgresql_or_a_wire() {
    if !is_wanted() {
        return;
    }
    let nats = Nats::start();
    let wire = Wire::to(nats.url().strip_prefix("nats://").unwrap().parse().unwrap());
    let setup = Setup { own_database: true, nats_by: Some(wire.at), ..Setup::default() };
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
        wire.mend();
        is_connected(&world, 2, "1");
        talk.goes_on(MORE).await;
        world.nats.kill();
        talk.goes_on(MORE).await;
        world.nats.restart();
        (0..3).for_each(|node| is_connected(&world, node, "1"));
        talk.goes_on(MORE).await;
        let postgres = world.postgres.as_ref().unwrap();
        postgres.crash();
        postgres.start_again();
        talk.goes_on(MORE).await;
    }
    talk.end(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hears_nothing_of_postgresql_sends_its_clients_away() {
    if !is_wanted() {
        return;
    }
    let setup = Setup { own_database: true, database_by_wire: true, ..Setup::default() };
    let mut world = World::start(Nats::start(), &setup);
    world.register(0, "ann");
    world.register(1, "ben");
    let mut ben = world.connect(1, "ben", "desk").await;
    for round in 0..rounds() {
        if round > 0 {
            // So that no connection to the database is left that is frozen for ever.
            world.nodes[2].kill();
            world.nodes[2].restart();
            world.await_members(3);
        }
        let mut ann = world.connect(2, "ann", "phone").await;
        world.wire.as_ref().unwrap().freeze();
        let frozen = Instant::now();
        let closing = tokio::spawn(async move {
            ann.until_closed().await;
            frozen.elapsed()
        });
        let offline = eventually(BOUND_DEAD, || !world.is_online(0, "ann") && !world.is_online(1, "ann"));
        let closed = closing.await.unwrap();
        println!("sent away after {closed:?}, offline after {offline:?}");
        assert!(closed <= BOUND_DEAD, "{closed:?}");
        ben.text("ann", &format!("hello {round}")).await;
        ben.stored().await;
        let mut ann = world.connect(0, "ann", "phone").await;
        ann.pull("ben", None).await;
        assert_eq!(ann.received("ben").await, [format!("hello {round}")]);
        world.wire.as_ref().unwrap().thaw();
        // It comes back by itself.
        world.await_members(3);
    }
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
