//! Calls to hooks: the client they are made with, and the loop that makes them, from the start of a server to its end.

use std::fs;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use yinxin_core::Ctx;
use yinxin_core::hooks::{self, Courier};
use yinxin_hooks::{Client, ClientOptions};

use crate::config::Config;
use crate::exit::{Failure, Outcome};

/// The client, as configured.
pub(super) fn courier(config: &Config) -> Outcome<Arc<dyn Courier>> {
    let authorities_pem = match &config.hook_ca_file.0 {
        None => Vec::new(),
        Some(file) => fs::read(file)
            .map_err(|fault| Failure::failed(format!("cannot read hooks.ca_file {}: {fault}", file.display())))?,
    };
    let options = ClientOptions { private_addresses: config.hook_private_addresses, authorities_pem };
    let client = Client::new(&options).map_err(|unusable| Failure::failed(format!("hooks.ca_file: {unusable}")))?;
    Ok(Arc::new(client))
}

/// The loop.
pub(super) struct Calls {
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Calls {
    /// Tells what the end of the server before has cut off, then starts.
    pub async fn start(ctx: &Arc<Ctx>, config: &Config) -> Self {
        match hooks::recover(ctx).await {
            Ok(0) => {}
            Ok(sessions) => tracing::info!(sessions, "sessions were cut off by the end of the server before"),
            Err(error) => tracing::error!(%error, "sessions that were cut off could not be ended for hooks"),
        }
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            // Dropped unsent, it is an end, too.
            let _stop = stopped.await;
        };
        let running = tokio::spawn(yinxin_hooks::run(Arc::clone(ctx), config.hook_bounds(), stopped));
        Self { stop, running }
    }

    /// Waits for the loop's end before it is told to: there is none but by a panic.
    pub async fn fall(&mut self) {
        let _panicked = (&mut self.running).await;
    }

    /// Ends the loop and waits for what is under way, for a short time.
    pub async fn stop(self) {
        drop(self.stop);
        if self.running.is_finished() {
            return;
        }
        if self.running.await.is_err() {
            tracing::error!("the loop that calls hooks had panicked");
        }
    }
}
