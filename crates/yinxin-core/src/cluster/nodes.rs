//! [`Nodes`]: which nodes there are, as this one saw them last, who lives, and who does what only one should do.
//!
//! Clocks are not compared: a node lives as long as its row moves within a time of this node's own.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use parking_lot::RwLock;
use tokio::time::Instant;
use yinxin_store::NodeId;
use yinxin_store::tables::nodes::NodeRow;

use crate::limits::NODE_LONG_DEAD_MS;

/// Background work that one node does for all.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Piece {
    /// Deleted apps, old messages, outboxes of hooks.
    Chores,
    /// Objects of uploaded files that nobody needs.
    Files,
    /// Telling the hooks.
    Hooks,
}

impl Piece {
    /// Every piece.
    pub const ALL: [Self; 3] = [Self::Chores, Self::Files, Self::Hooks];

    /// The name in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chores => "chores",
            Self::Files => "files",
            Self::Hooks => "hooks",
        }
    }
}

/// See the module.
pub(super) struct Nodes {
    own: NodeId,
    dead_after: Duration,
    view: RwLock<View>,
}

#[derive(Default)]
struct View {
    known: HashMap<NodeId, Known>,
    leases: HashMap<String, NodeId>,
    /// The last time that this node could say that it lives.
    beat_at: Option<Instant>,
}

struct Known {
    row: NodeRow,
    moved_at: Instant,
    /// How often it was seen since, and had not moved.
    unmoved: u32,
    is_dead: bool,
}

/// A row that looks as if it was left long ago, and has not moved when it is looked at again so often, is nobody's: the
/// clock alone, which may be wrong, does not make a node dead.
const UNMOVED_MAX: u32 = 2;

impl Nodes {
    pub fn new(own: NodeId, dead_after: Duration) -> Self {
        Self { own, dead_after, view: RwLock::default() }
    }

    /// Takes in what the tables say, after this node has said there that it lives: it began to then.
    ///
    /// What was not looked at was not watched: after a while without a look, in which the others may have been kept from
    /// moving by the same that kept this one from looking, all are watched anew. One that is too slow then has sent its
    /// clients away by itself.
    pub fn see(&self, rows: Vec<NodeRow>, leases: Vec<(String, NodeId)>, now_ms: i64, began: Instant) {
        let now = Instant::now();
        let mut view = self.view.write();
        let has_watched = view.beat_at.is_some_and(|at| now - at <= self.dead_after / 2);
        let mut known = HashMap::with_capacity(rows.len());
        for row in rows {
            let (moved_at, unmoved) = match view.known.get(&row.node) {
                Some(before) if has_watched && before.row.seen_ms == row.seen_ms => {
                    (before.moved_at, before.unmoved.saturating_add(1))
                }
                _ => (now, 0),
            };
            let is_left = unmoved >= UNMOVED_MAX && now_ms - row.seen_ms > NODE_LONG_DEAD_MS;
            let is_silent = row.node != self.own && (is_left || now - moved_at >= self.dead_after);
            let is_dead = row.seen_ms == 0 || is_silent;
            known.insert(row.node, Known { row, moved_at, unmoved, is_dead });
        }
        view.known = known;
        view.leases = leases.into_iter().collect();
        view.beat_at = Some(began);
    }

    /// The others that are dead.
    pub fn dead(&self) -> Vec<NodeRow> {
        let view = self.view.read();
        let dead = view.known.values().filter(|known| known.is_dead && known.row.node != self.own);
        dead.map(|known| known.row.clone()).collect()
    }

    /// Whether connections of that node count. One that this node has not seen yet has just started; one whose row is gone
    /// has none on record.
    pub fn is_alive(&self, node: NodeId) -> bool {
        let view = self.view.read();
        view.known.get(&node).is_none_or(|known| !known.is_dead && known.moved_at.elapsed() < self.dead_after)
    }

    /// The others that live.
    pub fn others(&self) -> HashSet<NodeId> {
        let view = self.view.read();
        let lives =
            |known: &&Known| known.row.node != self.own && !known.is_dead && known.moved_at.elapsed() < self.dead_after;
        view.known.values().filter(lives).map(|known| known.row.node).collect()
    }

    /// Whether no other is on record, not even one that is being cleared away.
    pub fn is_only(&self) -> bool {
        self.view.read().known.keys().all(|node| *node == self.own)
    }

    /// Whether one of the others that live cannot be told anything, and tells nothing.
    pub fn is_one_deaf(&self) -> bool {
        let view = self.view.read();
        view.known.values().any(|known| known.row.node != self.own && !known.is_dead && !known.row.hears)
    }

    /// Whether there is another that lives.
    pub fn is_alone(&self) -> bool {
        self.others().is_empty()
    }

    /// Where clients reach a node and no other.
    pub fn url_of(&self, node: NodeId) -> Option<String> {
        let view = self.view.read();
        view.known.get(&node).filter(|known| !known.is_dead).map(|known| known.row.url.clone())
    }

    /// For how long this node could not say that it lives.
    pub fn silent_for(&self) -> Duration {
        self.view.read().beat_at.map_or(Duration::ZERO, |at| at.elapsed())
    }

    /// Whether that piece of work is this node's. One that could not say that it lives may have lost it.
    pub fn holds(&self, piece: Piece) -> bool {
        self.silent_for() < self.dead_after && self.view.read().leases.get(piece.name()) == Some(&self.own)
    }

    /// The pieces that nobody does, each with whom it is to be taken from.
    pub fn untended(&self) -> Vec<(Piece, Option<NodeId>)> {
        let view = self.view.read();
        let holder = |piece: Piece| view.leases.get(piece.name()).copied();
        let is_tended = |node: NodeId| view.known.get(&node).is_some_and(|known| !known.is_dead);
        let untended = Piece::ALL.into_iter().filter(|piece| holder(*piece).is_none_or(|node| !is_tended(node)));
        untended.map(|piece| (piece, holder(piece))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEAD_AFTER: Duration = Duration::from_secs(12);
    const ME: NodeId = NodeId([1; 16]);
    const OTHER: NodeId = NodeId([2; 16]);

    fn row(node: NodeId, seen_ms: i64) -> NodeRow {
        NodeRow { node, number: 0, name: String::new(), url: String::new(), seen_ms, hears: true }
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_lives_as_long_as_its_row_moves() {
        let nodes = Nodes::new(ME, DEAD_AFTER);
        assert!(nodes.is_alive(OTHER));
        for seen_ms in 1..10 {
            nodes.see(vec![row(ME, 5), row(OTHER, seen_ms)], Vec::new(), 10, Instant::now());
            assert!(nodes.dead().is_empty());
            tokio::time::advance(DEAD_AFTER / 2).await;
            assert_eq!(nodes.others().len(), 1);
        }
        tokio::time::advance(DEAD_AFTER / 2).await;
        assert!(!nodes.is_alive(OTHER), "also when the tables cannot be read");
        for _ in 0..3 {
            assert!(nodes.dead().is_empty(), "it is watched anew");
            nodes.see(vec![row(ME, 5), row(OTHER, 9)], Vec::new(), 10, Instant::now());
            tokio::time::advance(DEAD_AFTER / 2).await;
        }
        assert_eq!(nodes.dead(), [row(OTHER, 9)]);
        assert!(nodes.others().is_empty());
        nodes.see(vec![row(ME, 5), row(OTHER, 11)], Vec::new(), 10, Instant::now());
        assert!(nodes.dead().is_empty() && nodes.is_alive(OTHER), "it was only slow");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_could_not_look_takes_nobody_for_dead_whom_it_did_not_watch() {
        let nodes = Nodes::new(ME, DEAD_AFTER);
        // As the time of a clock that is far ahead, so that rows look as if they were left long ago.
        let now_ms = 10 * NODE_LONG_DEAD_MS;
        let see = || nodes.see(vec![row(ME, 5), row(OTHER, 9)], Vec::new(), now_ms, Instant::now());
        for _ in 0..UNMOVED_MAX {
            see();
        }
        // The database was away from all of them.
        tokio::time::advance(DEAD_AFTER * 2).await;
        for _ in 0..UNMOVED_MAX {
            see();
            assert!(nodes.dead().is_empty() && nodes.is_alive(OTHER), "it has had no time to say that it lives");
        }
        see();
        assert_eq!(nodes.dead().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_row_that_was_left_long_ago_is_nobody_s() {
        let nodes = Nodes::new(ME, DEAD_AFTER);
        let now_ms = 10 * NODE_LONG_DEAD_MS;
        let see = |seen_ms| nodes.see(vec![row(OTHER, seen_ms)], Vec::new(), now_ms, Instant::now());
        for seen_ms in [1, 1, 2, 2] {
            see(seen_ms);
            assert!(nodes.dead().is_empty(), "this node's clock may be ahead");
        }
        see(2);
        assert_eq!(nodes.dead().len(), 1, "it does not move");
        see(3);
        assert!(nodes.dead().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_taken_from_the_dead_and_lost_by_who_cannot_say_that_it_lives() {
        let nodes = Nodes::new(ME, DEAD_AFTER);
        let lease = |node| Piece::ALL.map(|piece| (piece.name().to_owned(), node)).to_vec();
        nodes.see(vec![row(ME, 1)], Vec::new(), 2, Instant::now());
        assert_eq!(nodes.untended().len(), Piece::ALL.len());
        nodes.see(vec![row(ME, 1), row(OTHER, 1)], lease(OTHER), 2, Instant::now());
        assert!(nodes.untended().is_empty() && !nodes.holds(Piece::Chores));
        nodes.see(vec![row(ME, 1)], lease(OTHER), 2, Instant::now());
        assert_eq!(nodes.untended()[0], (Piece::Chores, Some(OTHER)));
        nodes.see(vec![row(ME, 1)], lease(ME), 2, Instant::now());
        assert!(nodes.holds(Piece::Chores));
        tokio::time::advance(DEAD_AFTER).await;
        assert!(!nodes.holds(Piece::Chores));
    }

    #[tokio::test(start_paused = true)]
    async fn a_beat_that_took_long_counts_from_its_begin() {
        let nodes = Nodes::new(ME, DEAD_AFTER);
        let began = Instant::now();
        tokio::time::advance(DEAD_AFTER).await;
        nodes.see(vec![row(ME, 1)], Vec::new(), 2, began);
        assert!(nodes.silent_for() >= DEAD_AFTER);
    }
}
