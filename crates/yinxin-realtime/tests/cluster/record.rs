//! Who is connected where, as every node knows it.

use yinxin_core::limits::DEVICES_PER_PLATFORM;
use yinxin_core::sessions::Ending;
use yinxin_core::{Code, Error, NodeId, hooks, users};

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
async fn of_a_device_that_comes_twice_to_a_node_one_connection_stays_whichever_is_written_first() {
    let world = World::of(1).await;
    let ann = world.register("ann").await;
    let (earlier, later) = (world.come(0, &ann, "phone"), world.come(0, &ann, "phone"));
    let later = world.let_in(0, &ann, later).await.unwrap().expect("there is a place");
    let earlier = world.let_in(0, &ann, earlier).await.unwrap().expect("it is to hear why it has to go");
    assert_eq!(earlier.ending().await, Ending::Displaced("I am phone".to_owned()));
    earlier.leave().await;
    assert!(world.ctx(0).sessions.is_online(world.app.id, ann.user).await.unwrap());
    // A third one, elsewhere in the list of endings, shows that those before it were looked at.
    let third = world.connect(0, &ann, "tablet").await;
    users::kick(world.ctx(0), &world.app, "ann", Some("tablet")).await.unwrap();
    third.ending().await;
    assert!(later.heard.endings.lock().unwrap().is_empty());
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
async fn a_node_whose_database_says_nothing_sends_its_clients_away() {
    if yinxin_testkit::storage::on_postgres() {
        // There the database cannot be held up from within.
        return;
    }
    let world = World::of(1).await;
    let ann = world.register("ann").await;
    let client = world.connect(0, &ann, "phone").await;
    let (let_go, held) = std::sync::mpsc::channel::<()>();
    let holding = tokio::spawn({
        let db = world.ctx(0).db.clone();
        async move {
            db.write(std::sync::Mutex::new(held), |_, held| {
                Box::pin(async move {
                    assert!(held.lock().unwrap().recv().is_err());
                    Ok::<_, yinxin_core::Error>(())
                })
            })
            .await
        }
    });
    assert_eq!(client.ending().await, Ending::ServerStops);
    drop(let_go);
    holding.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_has_left_does_not_come_back() {
    let world = World::of(2).await;
    let leaving = world.ctx(1);
    leaving.cluster.as_ref().unwrap().part(leaving).await.unwrap();
    // It goes on as if it did not know, but says nothing any more.
    let ann = world.register("ann").await;
    assert!(world.try_connect(1, &ann, "phone").await.is_err(), "it may have no connections");
    eventually(async || world.ctx(0).cluster.as_ref().unwrap().others() == 0).await;
    assert!(world.try_connect(1, &ann, "phone").await.is_err());
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

/// Notes a session whose end hooks want to hear of, as that node would; of none, as a server by itself.
async fn note_session(world: &World, number: i64, node: Option<NodeId>) {
    let noted = world.ctx(0).db.write((world.app.id, number, node), |sql, (app, number, node)| {
        Box::pin(async move {
            const SQL: &str =
                "INSERT INTO hook_sessions (app_id, session_seq, lane, data, node) VALUES ($1, $2, 'ann', '{}', $3)";
            let node = node.as_ref().map(|node| node.0.as_slice());
            sql.exec(SQL, &[app.0.as_slice().into(), (*number).into(), node.into()]).await?;
            Ok::<_, Error>(())
        })
    });
    noted.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_starts_ends_the_sessions_of_no_node() {
    let world = World::of(2).await;
    let nodes = [None, Some(NodeId([99; 16])), Some(world.nodes[0].id), Some(world.nodes[1].id)];
    for (number, node) in (1..).zip(nodes) {
        note_session(&world, number, node).await;
    }
    assert_eq!(hooks::recover(world.ctx(1)).await.unwrap(), 2, "of a server by itself, and of a cluster that is gone");
    assert_eq!(hooks::recover(world.ctx(1)).await.unwrap(), 0);
}
