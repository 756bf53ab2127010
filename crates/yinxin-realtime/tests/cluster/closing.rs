//! What one node does to a user reaches its connections everywhere, whatever the bus does.

use yinxin_core::limits::MESSAGE_BYTES_MAX;
use yinxin_core::messages::{self, Act, Kind, Outgoing, Sender};
use yinxin_core::sessions::{CloseReason, Ending};
use yinxin_core::{apps, users};
use zeroize::Zeroizing;

use crate::bus::Faults;
use crate::world::{World, eventually};

const NOTHING_ARRIVES: Faults = Faults { lost: 1, twice: 0, late: 0 };
const ROUGH: Faults = Faults { lost: 3, twice: 3, late: 3 };

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
