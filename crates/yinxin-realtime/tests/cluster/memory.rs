//! What one node has acknowledged every node reads.

use std::sync::Arc;

use yinxin_core::users::{self, PushChanges, PushProfile};
use yinxin_core::{Ctx, User};

use crate::bus::Faults;
use crate::world::{PACE, World, eventually};

async fn rename(ctx: &Ctx, world: &World, nickname: &str) {
    let profile = PushProfile { nickname: Some(nickname.to_owned()), ..PushProfile::default() };
    let changes = PushChanges { profile, ..PushChanges::default() };
    users::change_push(ctx, &world.app, "ann", changes).await.unwrap();
}

async fn nickname(ctx: &Ctx, world: &World) -> String {
    let user: Arc<User> = users::find(ctx, &world.app, "ann").await.unwrap();
    user.push.nickname.clone().unwrap_or_default()
}

/// Waits until what is read twice comes from memory.
async fn until_kept(world: &World) {
    for node in &world.nodes {
        eventually(async || {
            nickname(&node.ctx, world).await;
            node.ctx.cached_users() > 0
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_on_one_node_is_read_on_all() {
    let world = World::of(3).await;
    world.register("ann").await;
    until_kept(&world).await;
    for round in 0..300 {
        let name = format!("{round}");
        rename(world.ctx(round % 3), &world, &name).await;
        for node in 0..3 {
            assert_eq!(nickname(world.ctx(node), &world).await, name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_never_rest_do_not_keep_what_is_old() {
    let world = Arc::new(World::of(2).await);
    world.register("ann").await;
    until_kept(&world).await;
    let reading = tokio::spawn({
        let world = Arc::clone(&world);
        async move {
            loop {
                nickname(world.ctx(1), &world).await;
                tokio::task::yield_now().await;
            }
        }
    });
    for round in 0..300 {
        let name = format!("{round}");
        rename(world.ctx(0), &world, &name).await;
        assert_eq!(nickname(world.ctx(1), &world).await, name);
    }
    reading.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn hints_that_come_twice_or_late_do_no_harm() {
    let world = World::of(3).await;
    world.register("ann").await;
    until_kept(&world).await;
    world.wire.treat(Faults { twice: 2, ..Faults::default() });
    for round in 0..100 {
        let name = format!("{round}");
        rename(world.ctx(round % 3), &world, &name).await;
        assert_eq!(nickname(world.ctx((round + 1) % 3), &world).await, name);
    }
    world.wire.treat(Faults { late: 2, ..Faults::default() });
    for round in 0..20 {
        rename(world.ctx(round % 3), &world, &format!("late {round}")).await;
    }
    for node in 0..3 {
        eventually(async || nickname(world.ctx(node), &world).await == "late 19").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_bus_what_is_old_is_believed_for_a_short_time_only() {
    let world = World::of(2).await;
    world.register("ann").await;
    until_kept(&world).await;
    world.wire.treat(Faults { lost: 1, ..Faults::default() });
    rename(world.ctx(0), &world, "new").await;
    // Not a matter of waiting for somebody: of the time that memory is believed.
    tokio::time::sleep(PACE.trust).await;
    assert_eq!(nickname(world.ctx(1), &world).await, "new");
    // The other did not answer, and is not waited for again: writes go on.
    for round in 0..50 {
        rename(world.ctx(0), &world, &format!("{round}")).await;
    }
    // When it is back, it hears that it has missed something with whatever comes next.
    world.wire.treat(Faults::default());
    rename(world.ctx(0), &world, "back").await;
    eventually(async || nickname(world.ctx(1), &world).await == "back").await;
    for round in 0..50 {
        let name = format!("again {round}");
        rename(world.ctx(0), &world, &name).await;
        assert_eq!(nickname(world.ctx(1), &world).await, name);
    }
}
