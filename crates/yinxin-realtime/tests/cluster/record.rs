//! Who is connected where, as every node knows it.

use yinxin_core::limits::DEVICES_PER_PLATFORM;
use yinxin_core::sessions::Ending;
use yinxin_core::{Code, users};

use crate::world::{World, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn who_is_connected_to_one_node_is_known_to_all() {
    let world = World::of(3).await;
    let (ann, ben) = (world.register("ann").await, world.register("ben").await);
    let phone = world.connect(0, &ann, "phone").await;
    let tablet = world.connect(1, &ann, "tablet").await;
    for node in 0..3 {
        let sessions = &world.ctx(node).sessions;
        assert!(sessions.is_online(world.app.id, ann.user).await.unwrap());
        let asked = [ben.user, ann.user, ben.user, ann.user];
        let online = sessions.are_online(world.app.id, &asked).await.unwrap();
        assert_eq!(online, [false, true, false, true]);
        let devices = sessions.devices_of(world.app.id, ann.user).await.unwrap();
        let names: Vec<_> = devices.iter().map(|device| device.resource.as_str()).collect();
        assert_eq!(names, ["tablet", "phone"], "newest first");
        assert_eq!(devices[1].device_name, "name of phone");
        let connections = sessions.connections_of_each(world.app.id, &[ben.user, ann.user]).await.unwrap();
        assert_eq!((connections[0].len(), connections[1].len()), (0, 2));
        assert_eq!(connections[1][0].platform, "web");
    }
    phone.leave().await;
    tablet.leave().await;
    for node in 0..3 {
        assert!(!world.ctx(node).sessions.is_online(world.app.id, ann.user).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_comes_to_another_node_takes_its_own_place() {
    let world = World::of(2).await;
    let ann = world.register("ann").await;
    let first = world.connect(0, &ann, "phone").await;
    let second = world.connect(1, &ann, "phone").await;
    assert_eq!(first.ending().await, Ending::Displaced("I am phone".to_owned()));
    first.leave().await;
    let here = async |node: usize| world.ctx(node).sessions.devices_of(world.app.id, ann.user).await.unwrap().len();
    assert_eq!((here(0).await, here(1).await), (1, 1), "the end of the first does not take the second off the record");
    let third = world.connect(0, &ann, "phone").await;
    second.ending().await;
    second.leave().await;
    // A connection whose task died is taken off the record soon.
    drop(third);
    eventually(async || here(1).await == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bounds_of_a_user_hold_over_all_nodes() {
    let world = World::of(2).await;
    let ann = world.register("ann").await;
    let mut clients = Vec::new();
    for number in 0..DEVICES_PER_PLATFORM {
        clients.push(world.connect(number % 2, &ann, &format!("phone {number}")).await);
    }
    let _one_more = world.connect(1, &ann, "one more").await;
    assert_eq!(clients[0].ending().await, Ending::Displaced("I am one more".to_owned()));
    assert!(clients[1..].iter().all(|client| client.heard.endings.lock().unwrap().is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_banned_since_it_was_read_is_not_let_in() {
    let world = World::of(2).await;
    let ann = world.register("ann").await;
    users::ban(world.ctx(0), &world.app, "ann").await.unwrap();
    let refused = world.try_connect(1, &ann, "phone").await.err().expect("the user is banned");
    assert_eq!(refused.code, Code::TokenUnknown);
    users::lift_ban(world.ctx(0), &world.app, "ann").await.unwrap();
    assert!(world.try_connect(1, &ann, "phone").await.is_err(), "tokens from before the ban are dead");
    let ann = users::find(world.ctx(1), &world.app, "ann").await.unwrap();
    world.connect(1, &ann, "phone").await.leave().await;
    users::delete(world.ctx(0), &world.app, "ann").await.unwrap();
    assert!(world.try_connect(1, &ann, "phone").await.is_err(), "no row outlives its user");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connections_of_a_node_that_dies_are_taken_off_the_record() {
    let world = World::of(3).await;
    let (ann, ben) = (world.register("ann").await, world.register("ben").await);
    let _lost = world.connect(2, &ann, "phone").await;
    let _here = world.connect(0, &ben, "phone").await;
    world.nodes[2].kill();
    let online =
        async |node: usize| world.ctx(node).sessions.are_online(world.app.id, &[ann.user, ben.user]).await.unwrap();
    for node in 0..2 {
        eventually(async || online(node).await == [false, true]).await;
        eventually(async || world.ctx(node).cluster.as_ref().unwrap().others() == 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_leaves_in_order_leaves_nothing() {
    let world = World::of(2).await;
    let ann = world.register("ann").await;
    let client = world.connect(1, &ann, "phone").await;
    let leaving = world.ctx(1);
    let cluster = leaving.cluster.as_ref().unwrap();
    cluster.send_away(std::time::Duration::ZERO).await;
    assert_eq!(client.ending().await, Ending::ServerStops);
    world.nodes[1].kill();
    cluster.part(leaving).await.unwrap();
    assert!(!world.ctx(0).sessions.is_online(world.app.id, ann.user).await.unwrap());
    eventually(async || world.ctx(0).cluster.as_ref().unwrap().others() == 0).await;
}
