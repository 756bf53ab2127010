//! [`Link`]: this node's connection to NATS.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, ConnectOptions, Event, ServerAddr, Subscriber};
use futures_util::StreamExt as _;
use futures_util::stream::{SelectAll, select_all};
use tokio::sync::{Mutex, Notify, mpsc};
use yinxin_core::NodeId;
use yinxin_core::bus::{BoxFuture, Bus, Hint, Incoming, To};
use yinxin_core::rng::{self, Rng};
use zeroize::Zeroizing;

use crate::wire;

/// Hints that wait to be sent. With more, the others are told to look at everything.
const OUTGOING_MAX: usize = 16_384;
/// Hints that wait to be heeded, of each of the two subjects. With more, this node looks at everything.
const INCOMING_MAX: usize = 16_384;
const RECONNECT_MIN: Duration = Duration::from_millis(100);
const RECONNECT_MAX: Duration = Duration::from_secs(4);
/// A server that does not answer a ping for so long is gone.
const PING_EVERY: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How NATS is reached.
#[derive(Clone)]
pub struct Options {
    /// What the nodes of one cluster have in common.
    pub cluster: String,
    /// This node.
    pub node: NodeId,
    /// Its name, for those who look at NATS.
    pub node_name: String,
    /// `nats://host:4222` or `tls://host:4222`, one or more of one NATS cluster.
    pub servers: Vec<String>,
    /// Who this node is to NATS.
    pub access: Access,
    /// Whom to believe besides the system's authorities, as PEM.
    pub ca_file: Option<PathBuf>,
}

/// Who a node is to NATS.
#[derive(Clone)]
pub enum Access {
    /// Nobody in particular.
    Anybody,
    /// The holder of a credentials file, by its text.
    Credentials(Zeroizing<String>),
    /// Somebody with a password.
    Password {
        /// Its name.
        user: String,
        /// The password.
        password: Zeroizing<String>,
    },
}

/// Why a link cannot be made, whatever NATS says.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// An address is none.
    #[error("{0:?} is not the address of a NATS server: nats://host:4222")]
    Address(String),
    /// The credentials cannot be read.
    #[error("the credentials file has no key and token of NATS in it")]
    Credentials,
    /// The client could not be made.
    #[error("the NATS client cannot be started: {0}")]
    Client(String),
}

/// See the module.
pub struct Link {
    cluster: String,
    node: NodeId,
    client: Client,
    outgoing: mpsc::Sender<(To, Hint)>,
    incoming: Mutex<SelectAll<Subscriber>>,
    missed: Arc<Missed>,
}

/// Whether something may have been lost.
#[derive(Default)]
struct Missed {
    is_so: AtomicBool,
    bell: Notify,
    /// Times that the connection was made.
    connects: AtomicU64,
}

impl Missed {
    fn set(&self) {
        self.is_so.store(true, Ordering::SeqCst);
        self.bell.notify_one();
    }

    async fn next(&self) {
        while !self.is_so.swap(false, Ordering::SeqCst) {
            self.bell.notified().await;
        }
    }

    fn on(&self, event: &Event) {
        match event {
            Event::Connected => {
                tracing::info!("connected to NATS");
                metrics::gauge!("yinxin_bus_connected").set(1.0);
                // Nothing was sent before the first time but what nobody waited for; tell all the same.
                self.connects.fetch_add(1, Ordering::SeqCst);
                self.set();
            }
            Event::Disconnected | Event::Closed => {
                tracing::warn!("the connection to NATS is lost; what it would carry is found in the database, later");
                metrics::gauge!("yinxin_bus_connected").set(0.0);
            }
            Event::SlowConsumer(_) => {
                tracing::warn!("more comes over NATS than can be heeded");
                self.set();
            }
            Event::ServerError(error) => tracing::warn!(%error, "NATS complains"),
            Event::ClientError(error) => tracing::warn!(%error, "NATS cannot be reached as it should be"),
            Event::LameDuckMode | Event::Draining => tracing::info!(event = %event, "NATS is about to stop"),
        }
    }
}

impl Link {
    /// Starts to connect, and goes on until it is dropped. A server that is away is no reason not to start.
    pub async fn start(options: Options, rng: Arc<dyn Rng>) -> Result<Arc<Self>, Unusable> {
        let missed = Arc::new(Missed::default());
        let servers = addresses(&options.servers)?;
        let connecting = connect_options(&options, Arc::clone(&missed), rng)?;
        let unusable = |error: &dyn std::fmt::Display| Unusable::Client(error.to_string());
        let client = connecting.connect(servers).await.map_err(|error| unusable(&error))?;
        let Options { cluster, node, .. } = options;
        let own = client.subscribe(subject(&cluster, To::Node(node))).await.map_err(|error| unusable(&error))?;
        let all = client.subscribe(subject(&cluster, To::All)).await.map_err(|error| unusable(&error))?;
        let (outgoing, waiting) = mpsc::channel(OUTGOING_MAX);
        let incoming = Mutex::new(select_all([own, all]));
        let link = Arc::new(Self { cluster, node, client, outgoing, incoming, missed });
        tokio::spawn(send_all(link.client.clone(), link.cluster.clone(), link.node, waiting, Arc::clone(&link.missed)));
        Ok(link)
    }

    /// Whether NATS is connected now.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }
}

impl Bus for Link {
    fn send(&self, to: To, hint: Hint) {
        if self.outgoing.try_send((to, hint)).is_err() {
            metrics::counter!("yinxin_bus_dropped_total").increment(1);
            self.missed.set();
        }
    }

    fn next(&self) -> BoxFuture<'_, Incoming> {
        Box::pin(async move {
            let mut incoming = self.incoming.lock().await;
            loop {
                let message = tokio::select! {
                    biased;
                    () = self.missed.next() => return Incoming::Missed,
                    message = incoming.next() => message,
                };
                let Some(message) = message else {
                    // The client has gone for good: nothing comes any more.
                    drop(incoming);
                    return std::future::pending().await;
                };
                match wire::decode(&message.payload) {
                    Ok((from, Some(hint))) if from != self.node => {
                        metrics::counter!("yinxin_bus_heard_total").increment(1);
                        return Incoming::Hint { from, hint };
                    }
                    Ok(_) => {}
                    Err(error) => {
                        metrics::counter!("yinxin_bus_malformed_total").increment(1);
                        tracing::debug!(%error, "something else speaks on the subjects of this cluster");
                    }
                }
            }
        })
    }
}

/// Sends what waits until the link is gone. While NATS is away nothing is kept: those who come back look at everything.
async fn send_all(
    client: Client,
    cluster: String,
    node: NodeId,
    mut waiting: mpsc::Receiver<(To, Hint)>,
    missed: Arc<Missed>,
) {
    while let Some((to, hint)) = waiting.recv().await {
        if client.connection_state() != State::Connected {
            metrics::counter!("yinxin_bus_dropped_total").increment(1);
            continue;
        }
        let payload = wire::encode(node, &hint).into();
        match client.publish(subject(&cluster, to), payload).await {
            Ok(()) => metrics::counter!("yinxin_bus_told_total").increment(1),
            Err(error) => {
                tracing::warn!(%error, "a hint could not be sent");
                missed.set();
            }
        }
    }
}

fn subject(cluster: &str, to: To) -> String {
    match to {
        To::All => format!("yinxin.{cluster}.all"),
        To::Node(node) => format!("yinxin.{cluster}.node.{}", hex::encode(node.0)),
    }
}

fn addresses(servers: &[String]) -> Result<Vec<ServerAddr>, Unusable> {
    servers.iter().map(|server| server.parse().map_err(|_| Unusable::Address(server.clone()))).collect()
}

fn connect_options(options: &Options, missed: Arc<Missed>, rng: Arc<dyn Rng>) -> Result<ConnectOptions, Unusable> {
    let mut connecting = match &options.access {
        Access::Anybody => ConnectOptions::new(),
        Access::Credentials(text) => ConnectOptions::with_credentials(text).map_err(|_| Unusable::Credentials)?,
        Access::Password { user, password } => {
            ConnectOptions::with_user_and_password(user.clone(), password.as_str().to_owned())
        }
    };
    if let Some(file) = &options.ca_file {
        connecting = connecting.add_root_certificates(file.clone());
    }
    Ok(connecting
        .name(format!("yinxin {}", options.node_name))
        .no_echo()
        .retry_on_initial_connect()
        .subscription_capacity(INCOMING_MAX)
        .ping_interval(PING_EVERY)
        .connection_timeout(CONNECT_TIMEOUT)
        .reconnect_delay_callback(move |attempts| delay(attempts, rng.as_ref()))
        .event_callback(move |event| {
            let missed = Arc::clone(&missed);
            async move { missed.on(&event) }
        }))
}

/// How long to wait before another attempt: longer each time, and not for all nodes the same.
fn delay(attempts: usize, rng: &dyn Rng) -> Duration {
    let doublings = u32::try_from(attempts).unwrap_or(u32::MAX).min(6);
    let longest = RECONNECT_MIN.saturating_mul(1 << doublings).min(RECONNECT_MAX);
    let [random] = rng::bytes(rng);
    longest / 2 + longest * u32::from(random) / 510
}

#[cfg(test)]
mod tests {
    use yinxin_core::rng::SystemRng;

    use super::*;

    #[test]
    fn attempts_become_rarer_and_do_not_meet() {
        let delays = |attempts| (0..64).map(|_| delay(attempts, &SystemRng)).collect::<std::collections::HashSet<_>>();
        for attempts in [0, 1, 5, 6, 100, usize::MAX] {
            let delays = delays(attempts);
            assert!(delays.iter().all(|delay| *delay >= RECONNECT_MIN / 2 && *delay <= RECONNECT_MAX), "{delays:?}");
            assert!(delays.len() > 8);
        }
        assert!(delays(6).iter().min() > delays(0).iter().max());
    }

    #[test]
    fn what_is_not_an_address_is_said() {
        assert!(addresses(&["nats://127.0.0.1:4222".to_owned(), "tls://nats.example:4222".to_owned()]).is_ok());
        let error = addresses(&["nats://[".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("nats://["), "{error}");
    }
}
