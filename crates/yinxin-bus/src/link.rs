//! [`Link`]: this node's connection to NATS.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, ConnectOptions, Event, ServerAddr, Subscriber};
use futures_util::StreamExt as _;
use futures_util::stream::{SelectAll, select_all};
use tokio::sync::{Mutex, Notify, mpsc};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
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
/// A server that leaves two pings unanswered is gone when the next is due. Until then connections do not look for themselves,
/// and the promise for a silent server is that of one that is away.
const PING_EVERY: Duration = Duration::from_millis(500);
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
    telling: AbortHandle,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.telling.abort();
    }
}

/// Whether something may have been lost.
#[derive(Default)]
struct Missed {
    is_so: AtomicBool,
    bell: Notify,
    /// The connection was made.
    connected: Notify,
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
                self.connected.notify_one();
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
        let client =
            connecting.no_echo().retry_on_initial_connect().connect(servers).await.map_err(|error| unusable(&error))?;
        let Options { cluster, node, .. } = options;
        let own = client.subscribe(subject(&cluster, To::Node(node))).await.map_err(|error| unusable(&error))?;
        let all = client.subscribe(subject(&cluster, To::All)).await.map_err(|error| unusable(&error))?;
        let (outgoing, waiting) = mpsc::channel(OUTGOING_MAX);
        let incoming = Mutex::new(select_all([own, all]));
        let telling = tokio::spawn(tell_connected(client.clone(), cluster.clone(), Arc::clone(&missed))).abort_handle();
        let link = Arc::new(Self { cluster, node, client, outgoing, incoming, missed, telling });
        tokio::spawn(send_all(link.client.clone(), link.cluster.clone(), link.node, waiting, Arc::clone(&link.missed)));
        Ok(link)
    }
}

impl Bus for Link {
    fn is_there(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

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
                    // It ends with the link, or by a panic of its own: whoever watches over this task is to know.
                    () = self.outgoing.closed() => panic!("nothing sends hints any more"),
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

/// Each time the connection was made something may have been missed, until the server has heard what this node listens to: a
/// question that nobody answers comes back after that.
async fn tell_connected(client: Client, cluster: String, missed: Arc<Missed>) {
    loop {
        missed.connected.notified().await;
        let question = client.request(format!("yinxin.{cluster}.nobody"), "".into());
        let _nobody_answers = timeout(CONNECT_TIMEOUT, question).await;
        missed.set();
    }
}

/// Sends what waits until the link is gone. While NATS is away nothing is kept but one word that the others are to look at
/// everything: the client may have told of its connection already and not be ready yet, so that no other word follows.
async fn send_all(
    client: Client,
    cluster: String,
    node: NodeId,
    mut waiting: mpsc::Receiver<(To, Hint)>,
    missed: Arc<Missed>,
) {
    let mut is_resync_kept = false;
    while let Some((to, hint)) = waiting.recv().await {
        let is_away = client.connection_state() != State::Connected;
        let is_kept = is_away && !is_resync_kept && matches!(hint, Hint::Resync { .. });
        is_resync_kept = is_away && (is_resync_kept || is_kept);
        if is_away && !is_kept {
            metrics::counter!("yinxin_bus_dropped_total").increment(1);
            continue;
        }
        // What is published while NATS is away goes out when it is back.
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

/// Without what is only wanted by who stays.
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

/// What a NATS server is like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Survey {
    /// Its version.
    pub version: String,
    /// How long a hint takes to it and back.
    pub round_trip: Duration,
}

/// Sends a hint to a server, for nobody, and waits until it comes back.
pub async fn survey(options: &Options, server: &str, rng: Arc<dyn Rng>) -> Result<Survey, String> {
    let said = |fault: &dyn std::fmt::Display| fault.to_string();
    let server: ServerAddr = server.parse().map_err(|_| said(&Unusable::Address(server.to_owned())))?;
    let connecting = connect_options(options, Arc::default(), rng).map_err(|unusable| said(&unusable))?;
    let client = connecting.connect(server).await.map_err(|fault| said(&fault))?;
    let subject = subject(&options.cluster, To::Node(options.node));
    let mut back = client.subscribe(subject.clone()).await.map_err(|fault| said(&fault))?;
    let began = Instant::now();
    client.publish(subject.clone(), "doctor".into()).await.map_err(|fault| said(&fault))?;
    let version = client.server_info().version;
    match timeout(CONNECT_TIMEOUT, back.next()).await {
        Ok(Some(_)) => Ok(Survey { version, round_trip: began.elapsed() }),
        _ => Err(format!("NATS {version} does not carry what is sent to {subject}")),
    }
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
