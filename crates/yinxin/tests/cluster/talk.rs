//! [`Talk`]: pairs of clients that write to each other all the time, and come back to any node when they lose theirs. Beside
//! them, backends that register users at all nodes. Each remembers what it was told is stored. Who goes on beside them is in
//! [`guests`](crate::guests).

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{interval, sleep, timeout};
use yinxin_testkit::chat::{self, Client, Heard};
use yinxin_testkit::server::{AppCredentials, Server};

use crate::guests::{go_on_banning, go_on_entering};
use crate::world::{PATIENCE, World, call_at, pause};

const TALKERS: usize = 6;
const BACKENDS: usize = 3;
/// A node that says nothing for so long is left.
const DEAF: Duration = Duration::from_secs(5);
/// What a client waits before it comes back, so that a node that is gone is not asked all the time.
const PAUSE: Duration = Duration::from_millis(50);

/// What all of them see.
pub struct Shared {
    nodes: Mutex<Vec<SocketAddr>>,
    pub app: AppCredentials,
    /// The backends'.
    pub token: String,
    /// No more is begun.
    pub is_over: AtomicBool,
    stored: Mutex<HashSet<String>>,
    received: Mutex<HashSet<String>>,
    users: Mutex<HashSet<String>>,
    refused: AtomicUsize,
    /// How often the guest was asked to try the room tokens of late once more, and has.
    pub tries_asked: AtomicUsize,
    pub tries_done: AtomicUsize,
    /// How often it was let in.
    pub admitted: AtomicUsize,
    /// People whose ban was acknowledged.
    pub banned: AtomicUsize,
}

impl Shared {
    fn of(world: &World) -> Self {
        Self {
            nodes: Mutex::default(),
            app: world.app.clone(),
            token: world.token.clone(),
            is_over: AtomicBool::default(),
            stored: Mutex::default(),
            received: Mutex::default(),
            users: Mutex::default(),
            refused: AtomicUsize::default(),
            tries_asked: AtomicUsize::default(),
            tries_done: AtomicUsize::default(),
            admitted: AtomicUsize::default(),
            banned: AtomicUsize::default(),
        }
    }

    /// Where the nodes are, or were when they were last there.
    pub fn nodes(&self) -> Vec<SocketAddr> {
        lock(&self.nodes).clone()
    }

    pub fn node(&self, choice: usize) -> SocketAddr {
        let nodes = lock(&self.nodes);
        nodes[choice % nodes.len()]
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub struct Talk {
    shared: Arc<Shared>,
    backends: Vec<thread::JoinHandle<()>>,
    talkers: Vec<tokio::task::JoinHandle<()>>,
}

impl Talk {
    pub fn begin(world: &World) -> Self {
        let shared = Arc::new(Shared::of(world));
        let mut talk = Self { shared, backends: Vec::new(), talkers: Vec::new() };
        talk.nodes_are(world);
        for number in 0..TALKERS {
            world.register(number % 3, &talker(number));
        }
        for number in 0..TALKERS {
            let token = world.token_of(number % 3, &talker(number), "first");
            talk.talkers.push(tokio::spawn(go_on_talking(Arc::clone(&talk.shared), number, token)));
        }
        for number in 0..BACKENDS {
            let shared = Arc::clone(&talk.shared);
            talk.backends.push(thread::spawn(move || go_on_registering(&shared, number)));
        }
        for go_on in [go_on_entering, go_on_banning] {
            let shared = Arc::clone(&talk.shared);
            talk.backends.push(thread::spawn(move || go_on(&shared)));
        }
        talk
    }

    /// Tells the clients where the nodes are now.
    pub fn nodes_are(&self, world: &World) {
        *lock(&self.shared.nodes) = world.nodes.iter().map(Server::addr).collect();
    }

    /// Waits until so much more was acknowledged of each kind, and then until the room tokens of late were tried once more.
    pub async fn goes_on(&self, more: usize) {
        let count = || (lock(&self.shared.stored).len(), lock(&self.shared.users).len());
        let (stored, users) = count();
        self.until(|| count().0 >= stored + more && count().1 >= users + more).await;
        let asked = self.shared.tries_asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.until(|| self.shared.tries_done.load(Ordering::SeqCst) >= asked).await;
    }

    async fn until(&self, is_so: impl Fn() -> bool) {
        let waiting = async {
            while !is_so() {
                assert!(!self.backends.iter().any(thread::JoinHandle::is_finished), "a backend has failed");
                sleep(Duration::from_millis(10)).await;
            }
        };
        let shared = &self.shared;
        let state = || (lock(&shared.stored).len(), lock(&shared.users).len(), &shared.tries_asked, &shared.tries_done);
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("it does not go on: {:?}", state()));
    }

    /// Ends it; fails unless everything that was acknowledged is there, at every node, and everybody who was banned is out.
    pub async fn end(self, world: &World) {
        let Self { shared, backends, talkers } = self;
        shared.is_over.store(true, Ordering::SeqCst);
        for backend in backends {
            backend.join().expect("a backend");
        }
        let missing = || -> Vec<String> {
            let (stored, received) = (lock(&shared.stored), lock(&shared.received));
            stored.difference(&received).cloned().collect()
        };
        let all = async {
            while !missing().is_empty() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = timeout(PATIENCE, all).await;
        assert!(waited.is_ok(), "acknowledged and never received: {:?}", missing());
        for talker in talkers {
            assert!(!talker.is_finished(), "a talker has failed: {:?}", talker.await);
            talker.abort();
        }
        let (users, refused) = (lock(&shared.users), shared.refused.load(Ordering::SeqCst));
        let (admitted, banned) = (shared.admitted.load(Ordering::SeqCst), shared.banned.load(Ordering::SeqCst));
        println!(
            "{} messages, {} users and {banned} bans acknowledged, {refused} refused; a guest was let in {admitted} times",
            lock(&shared.stored).len(),
            users.len(),
        );
        assert!(admitted > 0 && banned > 0, "nobody was let in, or banned: the test is blind");
        for (at, user) in users.iter().enumerate() {
            let found = world.try_call(at % world.nodes.len(), "GET", &format!("users/{user}"), &Value::Null);
            assert_eq!(found.expect("an answer").status, 200, "{user} was acknowledged");
        }
    }
}

fn talker(number: usize) -> String {
    format!("talker-{number}")
}

fn go_on_registering(shared: &Shared, backend: usize) {
    for number in 0.. {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        let name = format!("user-{backend}-{number}");
        let body = json!({ "username": name, "password": "first" });
        match call_at(shared.node(backend + number), &shared.token, "POST", "users", &body) {
            Ok(reply) if reply.status == 200 => {
                lock(&shared.users).insert(name);
            }
            Ok(reply) => {
                assert!([429, 503].contains(&reply.status), "{}: {}", reply.status, reply.text());
                shared.refused.fetch_add(1, Ordering::SeqCst);
                pause(PAUSE);
            }
            Err(_) => pause(PAUSE),
        }
    }
}

async fn go_on_talking(shared: Arc<Shared>, number: usize, token: String) {
    let mut said = 0;
    for visit in 0.. {
        let node = shared.node(number + visit);
        if let Ok(Ok(client)) = timeout(DEAF, Client::try_open(node, "/ws")).await {
            talk_at(&shared, client, number, &token, &mut said).await;
        }
        sleep(PAUSE).await;
    }
}

/// Until the connection is over.
async fn talk_at(shared: &Shared, mut client: Client, number: usize, token: &str, said: &mut usize) {
    let (own, peer) = (talker(number), talker(number ^ 1));
    client.frame(chat::BINARY, &chat::login_of(&own, "phone", token)).await;
    let mut clock = interval(Duration::from_millis(20));
    // What waits for its answer: its number and its text.
    let mut open: Option<(u64, String)> = None;
    let (mut is_in, mut silent) = (false, Duration::ZERO);
    loop {
        tokio::select! {
            heard = client.heard() => {
                silent = Duration::ZERO;
                match heard {
                    Heard::LoggedIn(true) => {
                        is_in = true;
                        client.msync(yinxin_msync::wire::Command::Unread, Vec::new()).await;
                    }
                    Heard::LoggedIn(false) | Heard::Gone => return,
                    Heard::Stored(sent, is_stored) => {
                        if let Some((_, text)) = open.take_if(|(number, _)| *number == sent) && is_stored {
                            lock(&shared.stored).insert(text);
                        }
                    }
                    Heard::Waiting(queues) => {
                        for queue in queues {
                            client.pull(&queue, None).await;
                        }
                    }
                    Heard::Page { queue, texts, key } => {
                        lock(&shared.received).extend(texts);
                        if key.is_some() {
                            client.pull(&queue, key).await;
                        }
                    }
                }
            }
            _ = clock.tick() => {
                silent += clock.period();
                if silent > DEAF && (open.is_some() || !is_in) {
                    return;
                }
                if is_in && open.is_none() && !shared.is_over.load(Ordering::SeqCst) {
                    let text = format!("{own} says {said}");
                    *said += 1;
                    client.text(&peer, &text).await;
                    open = Some((client.sent(), text));
                }
            }
        }
    }
}
