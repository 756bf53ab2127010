//! What a node does beside serving, each piece apart from the others: none may keep it from saying that it lives, nor its
//! clients here when it cannot.

use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep, timeout};

use super::{Cluster, touches, upkeep};
use crate::bus::Incoming;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::hooks;
use crate::limits::HOOK_RECOUNT_BEATS;
use crate::rooms::endings;

/// All of it: never ends.
pub async fn run(ctx: &Ctx) {
    let Some(cluster) = &ctx.cluster else { return std::future::pending().await };
    tokio::join!(
        keep_beating(ctx, cluster),
        keep_fencing(cluster),
        keep_burying(ctx, cluster),
        keep_counting(ctx, cluster),
        keep_ending(cluster),
        keep_ending_in_rooms(ctx, cluster),
        keep_passing_on(cluster),
        listen(cluster),
        keep_looking(cluster),
        keep_telling(cluster),
    );
}

async fn listen(cluster: &Cluster) {
    loop {
        match cluster.bus.next().await {
            Incoming::Hint { from, hint } => cluster.heed(from, hint),
            Incoming::Missed => {
                metrics::counter!("yinxin_cluster_resyncs_total").increment(1);
                tracing::info!("hints between nodes were lost: looking at everything");
                cluster.mind(touches::Gap::Yes);
                cluster.lost.notify_one();
            }
        }
    }
}

async fn keep_passing_on(cluster: &Cluster) {
    loop {
        cluster.pass_on().await;
    }
}

/// Connections look into their inboxes when something may have been missed, however often that is only once in a while; and
/// again and again while nothing is heard.
async fn keep_looking(cluster: &Cluster) {
    loop {
        let told = timeout(cluster.pace.look, cluster.missed.notified()).await.is_ok();
        if told || cluster.is_hard_of_hearing() {
            cluster.look_everywhere().await;
        }
        if told {
            sleep(cluster.pace.look).await;
        }
    }
}

/// The others are told to look, and that only once in a while, too.
async fn keep_telling(cluster: &Cluster) {
    loop {
        cluster.lost.notified().await;
        cluster.touches.resync();
        sleep(cluster.pace.beat).await;
    }
}

async fn keep_ending(cluster: &Cluster) {
    loop {
        let ended = cluster.end_some().await;
        until_more(cluster, &cluster.look, ended).await;
    }
}

/// Beside the other, so that neither waits for it.
async fn keep_ending_in_rooms(ctx: &Ctx, cluster: &Cluster) {
    loop {
        let ended = endings::heed_some(ctx, cluster).await;
        until_more(cluster, &cluster.look_at_rooms, ended).await;
    }
}

/// Waits for the next look at what is to end, unless there may be more of it now.
async fn until_more(cluster: &Cluster, look: &Notify, ended: Result<bool>) {
    match ended {
        Ok(true) => return,
        Ok(false) => {}
        Err(error) => tracing::error!(%error, "what is to end could not be read"),
    }
    // Either is a reason to look.
    let _told = timeout(cluster.pace.look, look.notified()).await;
}

/// The first tick comes after a period.
async fn every(period: Duration) -> Interval {
    let mut clock = interval(period);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    clock.tick().await;
    clock
}

async fn keep_beating(ctx: &Ctx, cluster: &Cluster) {
    // The first is done by joining.
    let mut clock = every(cluster.pace.beat).await;
    loop {
        clock.tick().await;
        match cluster.beat(ctx.clock.now_ms()).await {
            Ok(()) => ctx.mint.become_node(cluster.number()),
            Err(error) => {
                tracing::error!(%error, silent_ms = cluster.silent_ms(), "this node could not say that it lives");
            }
        }
    }
}

/// By its own time, whatever the database does or does not say.
async fn keep_fencing(cluster: &Cluster) {
    loop {
        let left = cluster.pace.dead_after.saturating_sub(cluster.nodes.silent_for());
        if left.is_zero() {
            cluster.fence();
            sleep(cluster.pace.beat).await;
        } else {
            sleep(left).await;
        }
    }
}

async fn keep_burying(ctx: &Ctx, cluster: &Cluster) {
    let mut clock = every(cluster.pace.beat).await;
    loop {
        clock.tick().await;
        if let Err(error) = upkeep::step(ctx, cluster).await {
            tracing::error!(%error, "what is to be kept in order between nodes could not be; it is tried again");
        }
    }
}

async fn keep_counting(ctx: &Ctx, cluster: &Cluster) {
    let mut clock = every(cluster.pace.beat * HOOK_RECOUNT_BEATS).await;
    loop {
        clock.tick().await;
        if let Err(error) = hooks::recount(ctx).await {
            tracing::warn!(%error, "what is kept for hooks could not be counted");
        }
    }
}
