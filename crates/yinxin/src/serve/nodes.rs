//! This server as one of many: how it comes, what it does meanwhile, how it goes.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinHandle;
use yinxin_bus::{Link, Options};
use yinxin_core::cluster::{self, Pace, Setup};
use yinxin_core::rng::{self, Rng};
use yinxin_core::{Ctx, NodeId};

use crate::config::Config;
use crate::exit::{Failure, Outcome};

/// What makes this server one of many, if it is.
pub(super) async fn setup(config: &Config, listens: SocketAddr, rng: &Arc<dyn Rng>) -> Outcome<Option<Setup>> {
    let Some(cluster) = config.cluster()? else { return Ok(None) };
    let node = NodeId(rng::bytes(rng.as_ref()));
    let name = Some(config.cluster_node_name.0.clone()).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| listens.to_string());
    let options = Options {
        cluster: cluster.name,
        node,
        node_name: name.clone(),
        servers: cluster.nats,
        access: cluster.access,
        ca_file: config.cluster_ca_file.0.clone(),
    };
    let link = Link::start(options, Arc::clone(rng));
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

    /// Leaves, once nobody is connected any more.
    pub async fn stop(self) {
        self.running.abort();
        // Whatever it was about is over before the node's row is removed.
        let _ended = self.running.await;
        if let Some(cluster) = &self.ctx.cluster
            && let Err(error) = cluster.part(&self.ctx).await
        {
            tracing::error!(%error, "this node could not leave in order: the others will find that it is gone");
        }
    }
}
