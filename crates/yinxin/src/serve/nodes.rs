//! This server as one of many: how it comes, what it does meanwhile, how it goes; and as the only one of its database.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use yinxin_bus::Link;
use yinxin_core::cluster::{self, Pace, Setup};
use yinxin_core::rng::{self, Rng};
use yinxin_core::{Ctx, NodeId, Tenancy};

use crate::config::{self, Config};
use crate::exit::{Failure, Outcome};
use crate::hold::Held;

/// How long a server that starts waits for its database to be free: longer than a database takes to notice that the machine
/// of the server before is gone.
const PATIENCE: Duration = Duration::from_secs(15);

/// Takes this server's place on its database.
pub(super) async fn hold(config: &Config, listens: SocketAddr) -> Outcome<Held> {
    let server = config.postgres().map_err(|faults| config::commands::faulty(&faults))?;
    let Some(server) = server else { return Ok(Held::nothing()) };
    let (tenancy, who) = match &config.cluster_name.0 {
        None => (Tenancy::Alone, format!("yinxin server at {listens}")),
        Some(_) => (Tenancy::Shared, format!("yinxin node {}", name(config, listens))),
    };
    let advice = "stop them first, or set cluster.name and cluster.nats on all of them to share it (docs/scaling.md)";
    Held::take(&server, tenancy, who, PATIENCE, advice).await
}

fn name(config: &Config, listens: SocketAddr) -> String {
    let name = Some(config.cluster_node_name.0.clone()).filter(|name| !name.is_empty());
    name.unwrap_or_else(|| listens.to_string())
}

/// What makes this server one of many, if it is.
pub(super) async fn setup(config: &Config, listens: SocketAddr, rng: &Arc<dyn Rng>) -> Outcome<Option<Setup>> {
    let cluster = config.cluster().map_err(|faults| config::commands::faulty(&faults))?;
    let Some(cluster) = cluster else { return Ok(None) };
    let node = NodeId(rng::bytes(rng.as_ref()));
    let name = name(config, listens);
    let link = Link::start(cluster.link(node, name.clone()), Arc::clone(rng));
    let bus = link.await.map_err(|unusable| Failure::failed(format!("the cluster cannot be joined: {unusable}")))?;
    let url = config.cluster_node_url.0.clone().unwrap_or_else(|| format!("http://{listens}"));
    Ok(Some(Setup { node, name, url, bus, pace: Pace::default() }))
}

/// What a node does beside serving.
pub(super) struct Node {
    ctx: Arc<Ctx>,
    running: JoinHandle<()>,
}

impl Node {
    /// Starts it. A server by itself has nothing to do.
    pub fn start(ctx: &Arc<Ctx>) -> Self {
        let running = tokio::spawn({
            let ctx = Arc::clone(ctx);
            async move { cluster::run(&ctx).await }
        });
        Self { ctx: Arc::clone(ctx), running }
    }

    /// Waits for the end of what it does: there is none but by a panic.
    pub async fn fall(&mut self) {
        let _panicked = (&mut self.running).await;
    }

    /// Leaves, once nobody is connected any more.
    pub async fn stop(self) {
        if let Some(cluster) = &self.ctx.cluster
            && let Err(error) = cluster.part(&self.ctx).await
        {
            tracing::error!(%error, "this node could not leave in order: the others will find that it is gone");
        }
        // Until here, so that a beat that was under way has ended before the node's row was removed.
        self.running.abort();
    }
}
