//! What one node does to a user reaches its connections everywhere, whatever the bus does.

use yinxin_core::cluster::Pace;
use yinxin_core::limits::MESSAGE_BYTES_MAX;
use yinxin_core::messages::{self, Act, Kind, Outgoing, Sender};
use yinxin_core::sessions::{CloseReason, Ending};
use yinxin_core::{apps, users};
use zeroize::Zeroizing;

use crate::bus::Faults;
use crate::world::{PACE, World, eventually};

const NOTHING_ARRIVES: Faults = Faults { lost: 1, twice: 0, late: 0, no_wakes: false };
const ROUGH: Faults = Faults { lost: 3, twice: 3, late: 3, no_wakes: false };

async fn everything_closes(world: &World) {
    let app = &world.app;
    for (name, reason) in [
        ("kicked", CloseReason::Kicked),
        ("banned", CloseReason::Banned),
        ("changed", CloseReason::PasswordChanged),
        ("deleted", CloseReason::Deleted),
    ] {
        let user = world.register(name).await;
        let clients = [world.connect(0, &user, "a").await, world.connect(1, &user, "b").await];
        let by = world.ctx(2);
        match reason {
            CloseReason::Kicked => users::kick(by, app, name, None).await.unwrap(),
            CloseReason::Banned => drop(users::ban(by, app, name).await.unwrap()),
            CloseReason::PasswordChanged => {
                users::set_password(by, app, name, Some(Zeroizing::new("second".to_owned()))).await.unwrap();
            }
            CloseReason::Deleted => drop(users::delete(by, app, name).await.unwrap()),
        }
        assert!(!by.sessions.is_online(app.id, user.user).await.unwrap(), "off the record at once");
        for client in clients {
            assert_eq!(client.ending().await, Ending::Asked(reason));
            client.leave().await;
        }
    }
    let user = world.register("one-device").await;
    let (stays, goes) = (world.connect(0, &user, "stays").await, world.connect(1, &user, "goes").await);
    users::kick(world.ctx(2), app, "one-device", Some("goes")).await.unwrap();
    assert_eq!(goes.ending().await, Ending::Asked(CloseReason::Kicked));
    assert!(stays.heard.endings.lock().unwrap().is_empty());
    apps::delete(world.ctx(2), app).await.unwrap();
    assert_eq!(stays.ending().await, Ending::Asked(CloseReason::Deleted));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_closes_connections_closes_them_on_every_node() {
    everything_closes(&World::of(3).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn also_when_nothing_arrives_over_the_bus() {
    let world = World::of(3).await;
    world.wire.treat(NOTHING_ARRIVES);
    everything_closes(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn also_when_the_bus_loses_repeats_and_delays() {
    let world = World::of(3).await;
    world.wire.treat(ROUGH);
    everything_closes(&world).await;
}

fn hello() -> Outgoing {
    Outgoing {
        kind: Kind::Chat,
        origin: String::new(),
        payload: vec![0; 10.min(MESSAGE_BYTES_MAX)],
        act: Act::Says,
        online_only: false,
        read: |_| unreachable!("there is no hook"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_wakes_the_devices_of_both_wherever_they_are() {
    let world = World::of(3).await;
    let (ann, ben) = (world.register("ann").await, world.register("ben").await);
    let (phone, tablet) = (world.connect(0, &ann, "phone").await, world.connect(1, &ann, "tablet").await);
    let bens = world.connect(2, &ben, "phone").await;
    let outgoing = Outgoing { origin: "phone".to_owned(), ..hello() };
    messages::send(world.ctx(0), &world.app, Sender::User(&ann), "ben", outgoing).await.unwrap();
    let woken = |queue: &'static str| {
        move |heard: &crate::world::Heard| heard.queues.lock().unwrap().iter().any(|one| one == queue).then_some(())
    };
    bens.until(woken("ann")).await;
    tablet.until(woken("ben")).await;
    assert!(phone.heard.queues.lock().unwrap().is_empty(), "who sent it knows");
    let kept = messages::next_for_device(world.ctx(2), world.app.id, ben.user, "phone", "ann", 10).await.unwrap();
    assert_eq!(kept.len(), 1);
}

async fn says_hello(world: &World, from: &yinxin_core::User, to: &str) {
    messages::send(world.ctx(0), &world.app, Sender::User(from), to, hello()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_on_a_node_that_has_just_come_is_woken() {
    let far = std::time::Duration::from_hours(1);
    let mut world = World::at(Pace { beat: far, dead_after: 3 * far, ..PACE }).await;
    world.join().await;
    assert_eq!(world.ctx(0).cluster.as_ref().unwrap().others(), 0, "the first will know of it in an hour");
    let (ann, ben) = (world.register("ann").await, world.register("ben").await);
    let client = world.connect(1, &ben, "phone").await;
    says_hello(&world, &ann, "ben").await;
    client.until(|heard| (!heard.queues.lock().unwrap().is_empty()).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wake_that_is_lost_shows_though_nothing_follows() {
    let world = World::of(2).await;
    let (ann, ben) = (world.register("ann").await, world.register("ben").await);
    let client = world.connect(1, &ben, "phone").await;
    world.wire.treat(Faults { no_wakes: true, ..Faults::default() });
    says_hello(&world, &ann, "ben").await;
    client.until(|heard| (*heard.looks.lock().unwrap() > 0).then_some(())).await;
    assert!(client.heard.queues.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_have_missed_something_looks_everywhere() {
    let world = World::of(2).await;
    let ann = world.register("ann").await;
    let client = world.connect(1, &ann, "phone").await;
    world.wire.say_missed(world.nodes[1].id);
    client.until(|heard| (*heard.looks.lock().unwrap() > 0).then_some(())).await;
    // What this one has told may be lost, too: the other looks, and its memory is empty.
    let other = world.connect(0, &ann, "tablet").await;
    world.wire.say_missed(world.nodes[1].id);
    other.until(|heard| (*heard.looks.lock().unwrap() > 0).then_some(())).await;
    eventually(async || *client.heard.looks.lock().unwrap() > 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_node_is_cut_off_all_look_by_themselves() {
    let world = World::of(3).await;
    let ann = world.register("ann").await;
    let (cut_off, other) = (world.connect(1, &ann, "phone").await, world.connect(0, &ann, "tablet").await);
    world.wire.cut_off(world.nodes[1].id);
    for client in [cut_off, other] {
        client.until(|heard| (*heard.looks.lock().unwrap() > 2).then_some(())).await;
    }
}
