//! [`Cluster`]: this server as one of many on one database. Who is connected where is on record; hints go over a [`Bus`];
//! a node that is silent for a while is dead, and the others clear away what it left.
//!
//! Owns what is done for all of it in the background. Must not know how a hint travels or a connection looks. The
//! database alone is believed: with the bus away everything still holds, only later.

mod nodes;
mod record;
mod rooms;
mod touches;
mod upkeep;
mod wakes;
mod work;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, Notify, Semaphore, SemaphorePermit};
use tokio::time::sleep;
use yinxin_store::tables::nodes::NodeRow;
use yinxin_store::tables::sessions;
use yinxin_store::{AppId, Db, HookId, NodeId, UserId};

use crate::bus::{Bus, Hint, To};
use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::hooks::Live;
use crate::limits::{
    CACHE_TRUST_MS, ENDINGS_LOOK_MS, ENDINGS_PAGE, LOOKS_PER_S, LOOKS_UNDER_WAY, NODE_BEAT_MS, NODE_DEAD_MS,
    PART_PAUSE_MS, TOUCH_WAIT_MS, WHEREABOUTS_PAUSE_MS,
};
use crate::mint::NODES_MAX;
use crate::rooms::live::Live as Rooms;
use crate::sessions::{Ending, LocalSessions, PARTS};

pub use nodes::Piece;
pub(crate) use record::Recorded;
pub(crate) use touches::Touches;
pub use work::run;

/// How fast a cluster finds out.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How often a node says that it lives.
    pub beat: Duration,
    /// How long it may be silent before it is dead.
    pub dead_after: Duration,
    /// How often a node looks for connections of its own that are to end, whether or not it is told.
    pub look: Duration,
    /// How long what was read is believed.
    pub trust: Duration,
    /// How long a write waits for the others to forget what it changed.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            beat: Duration::from_millis(NODE_BEAT_MS),
            dead_after: Duration::from_millis(NODE_DEAD_MS),
            look: Duration::from_millis(ENDINGS_LOOK_MS),
            trust: Duration::from_millis(CACHE_TRUST_MS),
            patience: Duration::from_millis(TOUCH_WAIT_MS),
        }
    }
}

/// What makes a server one of many.
pub struct Setup {
    /// This node: made anew by each start.
    pub node: NodeId,
    /// As the operator calls it.
    pub name: String,
    /// Where clients reach this node and no other.
    pub url: String,
    /// How it reaches the others.
    pub bus: Arc<dyn Bus>,
    /// How fast it finds out.
    pub pace: Pace,
}

/// See the module.
pub struct Cluster {
    node: NodeId,
    /// As it stands in the table of nodes, with the number that it asks for.
    row: NodeRow,
    /// The number that it has got.
    number: AtomicI64,
    pace: Pace,
    db: Db,
    /// The same for what must go on however busy the server is.
    pub(crate) vital: Db,
    local: Arc<dyn LocalSessions>,
    bus: Arc<dyn Bus>,
    nodes: nodes::Nodes,
    touches: Arc<Touches>,
    cache: Arc<Cache>,
    hooks: Arc<Live>,
    rooms: Arc<Rooms>,
    /// Who has gone from rooms, where that is still to be written.
    pub(crate) gone: rooms::Leftovers,
    wakes: wakes::Wakes,
    tally: wakes::Tally,
    /// Hints from here were lost: the others are to look at everything.
    lost: Notify,
    /// Hints to here were lost: the connections are to look at everything.
    missed: Notify,
    /// For connections that do.
    looks: Semaphore,
    /// Whose the connections of this node are, by their numbers.
    owners: Mutex<HashMap<i64, (AppId, UserId)>>,
    /// Connections that are gone and still on record.
    leftovers: Mutex<Vec<record::Entry>>,
    /// There are endings of connections to look at.
    look: Notify,
    /// There are endings in rooms.
    look_at_rooms: Notify,
    beats: AtomicU32,
    /// Held while the node says that it lives. It says nothing after it has left.
    has_left: AsyncMutex<bool>,
}

/// What a cluster is put together from.
pub(crate) struct Parts {
    pub setup: Setup,
    pub touches: Arc<Touches>,
    pub db: Db,
    pub local: Arc<dyn LocalSessions>,
    pub cache: Arc<Cache>,
    pub hooks: Arc<Live>,
    pub rooms: Arc<Rooms>,
    pub now_ms: i64,
    /// The node's number if nobody has it: any, so that it is not that of a node that has just died.
    pub number: i64,
}

impl Cluster {
    /// Joins: from here on the others count with this node.
    pub(crate) async fn join(parts: Parts) -> Result<Arc<Self>> {
        let Setup { node, name, url, bus, pace } = parts.setup;
        let number = parts.number.rem_euclid(NODES_MAX);
        let row = NodeRow { node, number, name, url, seen_ms: parts.now_ms, hears: false };
        let cluster = Arc::new(Self {
            node,
            row,
            number: AtomicI64::new(number),
            vital: parts.db.vital(),
            db: parts.db,
            local: parts.local,
            bus,
            nodes: nodes::Nodes::new(node, pace.dead_after),
            pace,
            touches: parts.touches,
            cache: parts.cache,
            hooks: parts.hooks,
            rooms: parts.rooms,
            gone: rooms::Leftovers::default(),
            wakes: wakes::Wakes::default(),
            tally: wakes::Tally::default(),
            lost: Notify::new(),
            missed: Notify::new(),
            looks: Semaphore::new(LOOKS_UNDER_WAY as usize),
            owners: Mutex::default(),
            leftovers: Mutex::default(),
            look: Notify::new(),
            look_at_rooms: Notify::new(),
            beats: AtomicU32::new(0),
            has_left: AsyncMutex::default(),
        });
        cluster.beat(parts.now_ms).await?;
        Ok(cluster)
    }

    /// This node.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The number in this node's ids.
    pub(crate) fn number(&self) -> i64 {
        self.number.load(Ordering::Relaxed)
    }

    /// Whether that piece of background work is this node's.
    pub fn holds(&self, piece: Piece) -> bool {
        self.nodes.holds(piece)
    }

    /// How many other nodes live.
    pub fn others(&self) -> usize {
        self.nodes.others().len()
    }

    /// Where clients reach a node and no other, if it lives.
    pub fn url_of(&self, node: NodeId) -> Option<String> {
        self.nodes.url_of(node)
    }

    /// Has the other nodes look for connections that are to end.
    pub(crate) fn tell_endings(&self) {
        self.bus.send(To::All, Hint::Endings);
        self.hurry();
    }

    /// Has this node look for what is to end.
    fn hurry(&self) {
        self.look.notify_one();
        self.look_at_rooms.notify_one();
    }

    /// Has the node that tells hooks hurry with one.
    pub(crate) fn tell_hurry(&self, (app, hook): (AppId, HookId)) {
        self.bus.send(To::All, Hint::Hurry { app, hook });
    }

    /// Takes in a hint.
    fn heed(&self, sender: NodeId, hint: Hint) {
        if hint.is_for_somebody() {
            self.tally.came(sender);
        }
        match hint {
            Hint::Wake { app, user, queue, but } => self.local.wake(app, user, &queue, but.as_deref()),
            Hint::News { app, user, news } => self.local.announce(app, user, &news),
            Hint::Renew { app, user, from, token_ends_ms } => self.local.renew(app, user, from, token_ends_ms),
            Hint::Endings => self.hurry(),
            Hint::Touches { number, touched } => {
                self.cache.forget(&touched);
                self.mind(self.touches.came(sender, number));
                self.touches.answer(sender);
            }
            Hint::LastTouches { number } => self.mind(self.touches.are_up_to(sender, number)),
            Hint::Told { number } => {
                if self.tally.lacks(sender, number) {
                    self.missed.notify_one();
                }
            }
            Hint::Heard { number } => self.touches.heard_by(sender, number),
            Hint::Outbox(keys) => keys.into_iter().for_each(|key| self.hooks.note_elsewhere(key)),
            Hint::Hurry { app, hook } => self.hooks.hurry((app, hook)),
            Hint::Resync { number } => {
                let _gap = self.touches.came(sender, number);
                self.mind(touches::Gap::Yes);
                self.touches.answer(sender);
            }
        }
    }

    /// Looks at what may have been missed.
    fn mind(&self, gap: touches::Gap) {
        if gap != touches::Gap::No {
            self.cache.flush();
        }
        if gap == touches::Gap::Yes {
            self.hurry();
            self.missed.notify_one();
        }
    }

    /// Says how much was told: a hint that was lost shows, though nothing comes after it.
    fn say_numbers(&self) {
        self.touches.say_last();
        for (node, number) in self.tally.told() {
            self.bus.send(To::Node(node), Hint::Told { number });
        }
    }

    /// Tells where they are what waits to be told to connections elsewhere.
    async fn pass_on(&self) {
        let (parcels, is_lost) = self.wakes.next().await;
        let mut by_app: HashMap<AppId, Vec<UserId>> = HashMap::new();
        for (app, user) in parcels.keys() {
            by_app.entry(*app).or_default().push(*user);
        }
        for (app, users) in by_app {
            let places = loop {
                match self.whereabouts(app, &users).await {
                    Ok(places) => break places,
                    Err(error) => tracing::warn!(%error, "where users are connected could not be read"),
                }
                // Meanwhile what comes waits, as much as may.
                sleep(Duration::from_millis(WHEREABOUTS_PAUSE_MS)).await;
            };
            for (user, node) in places {
                let parcel = parcels.get(&(app, user)).into_iter();
                for hint in parcel.flat_map(|parcel| parcel.hints(app, user)) {
                    self.tally.tells(node);
                    self.bus.send(To::Node(node), hint);
                }
            }
        }
        if is_lost {
            metrics::counter!("yinxin_cluster_wakes_lost_total").increment(1);
            self.lost.notify_one();
        }
    }

    /// The other nodes that users are connected to, each once: also those that this one does not know yet, or takes for
    /// dead.
    async fn whereabouts(&self, app: AppId, users: &[UserId]) -> Result<HashSet<(UserId, NodeId)>> {
        let mut places = HashSet::new();
        for some in users.chunks(sessions::USERS_MAX) {
            for (user, row) in self.rows_on_record(app, some).await? {
                if row.node != self.node {
                    places.insert((user, row.node));
                }
            }
        }
        Ok(places)
    }

    /// Tells connections of this node that the record says are to end. Gives whether there may be more.
    async fn end_some(&self) -> Result<bool> {
        let rows = self
            .vital
            .read(self.node, |sql, node| {
                Box::pin(async move { Ok::<_, Error>(sessions::endings(sql, *node, ENDINGS_PAGE).await?) })
            })
            .await?;
        if rows.is_empty() {
            return Ok(false);
        }
        let mut told = Vec::with_capacity(rows.len());
        for row in rows {
            let owner = self.owners.lock().get(&row.number).copied();
            if let Some((app, user)) = owner {
                self.local.end(app, user, row.number, Ending::read(&row.why, row.note));
            }
            told.push(row.number);
        }
        let is_full = told.len() >= usize::try_from(ENDINGS_PAGE).unwrap_or(usize::MAX);
        self.vital
            .write((self.node, told), |sql, (node, told)| {
                Box::pin(async move {
                    for number in told {
                        sessions::forget_ending(sql, *node, *number).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .await?;
        Ok(is_full)
    }

    /// Has all connections of this node look into their inboxes, a part at a time, so that not all look at once.
    async fn look_everywhere(&self) {
        let at_pace = self.local.count() as u64 * 1000 / (LOOKS_PER_S * PARTS as u64);
        for part in 0..PARTS {
            self.local.look_again(part);
            sleep(Duration::from_millis(at_pace.max(PART_PAUSE_MS))).await;
            // Those who wait now have looked before the next are told.
            drop(self.looks.acquire_many(LOOKS_UNDER_WAY).await);
        }
    }

    /// Waits until a connection may look for what it has missed: not all at once.
    pub async fn may_look(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.looks.acquire().await.ok()
    }

    /// Whether connections of this node may be told nothing of what happens to them elsewhere.
    fn is_hard_of_hearing(&self) -> bool {
        (!self.bus.is_there() && !self.nodes.is_alone()) || self.nodes.is_one_deaf()
    }

    /// Has the clients of this node go and come back to another, spread over so long.
    pub async fn send_away(&self, over: Duration) {
        for part in 0..PARTS {
            self.local.send_away(part);
            sleep(over / u32::try_from(PARTS).unwrap_or(u32::MAX)).await;
        }
    }
}
