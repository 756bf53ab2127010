//! The seats of the rooms of this server: kept, taken, given back, taken away.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};
use yinxin_store::AppId;

use super::{Departure, Ending, Line, Member, Notice, Role, RoomKey};
use crate::limits::{ROOM_MEMBERS_MAX, ROOM_SEATS_MAX};
use crate::rooms::names::RoomUid;

#[cfg(test)]
mod tests;

const SHARDS: usize = 64;

/// Why there is no seat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Full {
    /// The room has as many members as it may.
    Room,
    /// The server has as many seats taken as it may.
    Server,
}

/// How many seats there may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// On this server.
    pub seats_max: usize,
    /// In one room.
    pub members_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { seats_max: ROOM_SEATS_MAX, members_max: ROOM_MEMBERS_MAX }
    }
}

/// A seat that is taken, or about to be.
struct Place {
    seat_id: u64,
    pass_id: i64,
    member: Member,
    line: Arc<dyn Line>,
    /// Whether its connection has been told who is here, and hears what changes.
    hears: bool,
}

#[derive(Default)]
struct Room {
    members: BTreeMap<RoomUid, Place>,
    /// Those whose entry is being written: not shown to anybody, but found by whoever dismisses them.
    entering: Vec<Place>,
}

impl Room {
    fn is_empty(&self) -> bool {
        self.members.is_empty() && self.entering.is_empty()
    }

    /// Makes somebody a member. Who was there under the same number has to go.
    fn seat(&mut self, mut place: Place) {
        let old = self.members.remove(&place.member.uid);
        if let Some(old) = old.as_ref().filter(|old| old.pass_id == place.pass_id) {
            // Two connections of one pass at once: the others have not noticed anything.
            old.line.end(Ending::Resumed);
            place.member = old.member.clone();
            self.members.insert(place.member.uid, place);
            return;
        }
        if let Some(old) = &old {
            old.line.end(Ending::Displaced);
            self.tell_gone(&old.member, Departure::Left);
        }
        let member = place.member.clone();
        self.members.insert(member.uid, place);
        self.tell(&member, Notice::Entered(member.clone()));
    }

    /// Tells all but one. Of an audience nobody is told.
    fn tell(&self, about: &Member, notice: Notice) {
        if about.role == Role::Audience && !matches!(notice, Notice::Changed(_)) {
            return;
        }
        let notice = Arc::new(notice);
        for (uid, place) in &self.members {
            if *uid != about.uid && place.hears {
                place.line.tell(&notice);
            }
        }
    }

    fn tell_gone(&self, member: &Member, departure: Departure) {
        self.tell(member, Notice::Gone(member.uid, departure));
    }
}

/// The rooms of this server that somebody is in.
pub struct Live {
    bounds: Bounds,
    shards: [Mutex<HashMap<RoomKey, Room>>; SHARDS],
    scatter: RandomState,
    last_seat: AtomicU64,
    taken: AtomicUsize,
}

impl Live {
    /// Empty rooms.
    pub fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            bounds,
            shards: std::array::from_fn(|_| Mutex::default()),
            scatter: RandomState::new(),
            last_seat: AtomicU64::new(0),
            taken: AtomicUsize::new(0),
        })
    }

    /// Keeps a seat for somebody who may come in if the database says so. If the pass has a seat already, it is that one,
    /// and the connection that had it loses it.
    pub fn reserve(
        self: &Arc<Self>,
        key: RoomKey,
        pass_id: i64,
        member: Member,
        line: Arc<dyn Line>,
    ) -> Result<Seat, Full> {
        self.take_place()?;
        let seat_id = self.last_seat.fetch_add(1, Ordering::Relaxed) + 1;
        // Given back when dropped, wherever this ends.
        let seat = Seat { live: Arc::clone(self), key, id: seat_id, uid: member.uid };
        let mut shard = self.shard(key);
        let room = shard.entry(key).or_default();
        let place = Place { seat_id, pass_id, member, line, hears: false };
        if let Some(old) = room.members.get_mut(&seat.uid).filter(|old| old.pass_id == pass_id) {
            // It has been in all the time: the others have not noticed anything.
            let old = std::mem::replace(old, Place { member: old.member.clone(), ..place });
            old.line.end(Ending::Resumed);
            return Ok(seat);
        }
        if room.members.len() + room.entering.len() >= self.bounds.members_max {
            if room.is_empty() {
                shard.remove(&key);
            }
            // The lock goes first: dropping the seat takes it again.
            drop(shard);
            return Err(Full::Room);
        }
        room.entering.push(place);
        Ok(seat)
    }

    /// Who is in a room, by number.
    pub fn members(&self, key: RoomKey) -> Vec<Member> {
        let shard = self.shard(key);
        shard.get(&key).map_or_else(Vec::new, |room| room.members.values().map(|place| place.member.clone()).collect())
    }

    /// Whether somebody is in a room, or about to be.
    pub fn is_occupied(&self, key: RoomKey) -> bool {
        self.shard(key).contains_key(&key)
    }

    /// Whether a seat is still its bearer's.
    pub fn is_kept(&self, key: RoomKey, seat_id: u64) -> bool {
        let shard = self.shard(key);
        let mut places = shard.get(&key).into_iter().flat_map(|room| room.members.values().chain(&room.entering));
        places.any(|place| place.seat_id == seat_id)
    }

    /// Whether the bearer of a pass is in a room, or about to be.
    pub fn has_pass(&self, key: RoomKey, pass_id: i64) -> bool {
        let shard = self.shard(key);
        let mut places = shard.get(&key).into_iter().flat_map(|room| room.members.values().chain(&room.entering));
        places.any(|place| place.pass_id == pass_id)
    }

    /// How many are in a room.
    pub fn count(&self, key: RoomKey) -> usize {
        self.shard(key).get(&key).map_or(0, |room| room.members.len())
    }

    /// Takes the seat of somebody away, and that of its connection that is about to come in.
    pub fn dismiss(&self, key: RoomKey, uid: RoomUid) {
        let mut shard = self.shard(key);
        let Some(room) = shard.get_mut(&key) else { return };
        room.entering.retain(|place| {
            let stays = place.member.uid != uid;
            if !stays {
                place.line.end(Ending::Kicked);
            }
            stays
        });
        if let Some(place) = room.members.remove(&uid) {
            place.line.end(Ending::Kicked);
            room.tell_gone(&place.member, Departure::Dismissed);
        }
        if room.is_empty() {
            shard.remove(&key);
        }
    }

    /// Takes the seat away that belongs to a pass, likewise.
    pub fn dismiss_pass(&self, key: RoomKey, pass_id: i64) {
        let mut shard = self.shard(key);
        let Some(room) = shard.get_mut(&key) else { return };
        for place in room.entering.extract_if(.., |place| place.pass_id == pass_id) {
            place.line.end(Ending::Kicked);
        }
        let seated = room.members.values().find(|place| place.pass_id == pass_id).map(|place| place.member.uid);
        if let Some(place) = seated.and_then(|uid| room.members.remove(&uid)) {
            place.line.end(Ending::Kicked);
            room.tell_gone(&place.member, Departure::Dismissed);
        }
        if room.is_empty() {
            shard.remove(&key);
        }
    }

    /// Takes all seats of an app's rooms away.
    pub fn end_app(&self, app: AppId) {
        for cid in self.rooms_of(app, None) {
            self.end((app, cid));
        }
    }

    /// Takes all seats of a room away.
    pub fn end(&self, key: RoomKey) {
        let room = self.shard(key).remove(&key);
        if let Some(room) = room {
            for place in room.members.values().chain(&room.entering) {
                place.line.end(Ending::RoomEnded);
            }
        }
    }

    /// The rooms of an app that somebody is in, or about to be; of all numbers or of one.
    pub fn rooms_of(&self, app: AppId, uid: Option<RoomUid>) -> Vec<i64> {
        let is_in = |room: &Room, uid: RoomUid| {
            room.members.contains_key(&uid) || room.entering.iter().any(|place| place.member.uid == uid)
        };
        let mut found = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock();
            let rooms = shard.iter().filter(|((of, _), room)| *of == app && uid.is_none_or(|uid| is_in(room, uid)));
            found.extend(rooms.map(|((_, cid), _)| *cid));
        }
        found
    }

    /// Tells every connection that the server stops.
    pub fn stop(&self) {
        self.end_all(Ending::ServerStops);
    }

    /// Tells every connection that another server may have its room by now.
    pub fn send_away(&self) {
        self.end_all(Ending::SentAway);
    }

    fn end_all(&self, ending: Ending) {
        for shard in &self.shards {
            for room in shard.lock().values() {
                for place in room.members.values().chain(&room.entering) {
                    place.line.end(ending);
                }
            }
        }
    }

    /// Seats that are taken, those of connections that are about to lose theirs included.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    fn take_place(&self) -> Result<(), Full> {
        let room = |taken: usize| (taken < self.bounds.seats_max).then_some(taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).map(|_| ()).map_err(|_| Full::Server)
    }

    fn shard(&self, key: RoomKey) -> MutexGuard<'_, HashMap<RoomKey, Room>> {
        let hash = self.scatter.hash_one(key);
        self.shards[usize::try_from(hash % SHARDS as u64).unwrap_or_default()].lock()
    }
}

/// A place in a room, from the moment it is kept until it is given back, which dropping it does, however its connection
/// ended. What happened to the place meanwhile, its connection was told.
#[must_use = "dropping it gives the place back"]
pub struct Seat {
    live: Arc<Live>,
    key: RoomKey,
    id: u64,
    uid: RoomUid,
}

impl Seat {
    /// Sits down: the others are told, and who was there under the same number has to go. Gives who else is here;
    /// `None` when the seat was taken away before.
    pub fn take(&self) -> Option<Vec<Member>> {
        let mut shard = self.live.shard(self.key);
        let room = shard.get_mut(&self.key)?;
        if let Some(at) = room.entering.iter().position(|place| place.seat_id == self.id) {
            let place = room.entering.swap_remove(at);
            room.seat(place);
        }
        room.members.get_mut(&self.uid).filter(|place| place.seat_id == self.id)?.hears = true;
        let others = room.members.values().map(|place| &place.member);
        Some(others.filter(|other| other.uid != self.uid && other.role == Role::Host).cloned().collect())
    }

    /// Takes part in another way; `false` when it did before, or has lost the seat.
    pub fn change_role(&self, role: Role) -> bool {
        let mut shard = self.live.shard(self.key);
        let Some(room) = shard.get_mut(&self.key) else { return false };
        let Some(place) = room.members.get_mut(&self.uid).filter(|place| place.seat_id == self.id) else {
            return false;
        };
        let changes = place.member.role != role;
        if changes {
            place.member.role = role;
            let member = place.member.clone();
            room.tell(&member, Notice::Changed(member.clone()));
        }
        changes
    }

    /// Gives the place back; the others are told how its bearer went. `false` when it was not in, or the place was lost
    /// before.
    pub fn give_back(self, departure: Departure) -> bool {
        self.remove(departure)
    }

    fn remove(&self, departure: Departure) -> bool {
        let mut shard = self.live.shard(self.key);
        let Some(room) = shard.get_mut(&self.key) else { return false };
        room.entering.retain(|place| place.seat_id != self.id);
        let is_mine = room.members.get(&self.uid).is_some_and(|place| place.seat_id == self.id);
        let place = is_mine.then(|| room.members.remove(&self.uid)).flatten();
        if let Some(place) = &place {
            room.tell_gone(&place.member, departure);
        }
        if room.is_empty() {
            shard.remove(&self.key);
        }
        place.is_some()
    }

    /// Its number on this server.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Its room.
    pub fn key(&self) -> RoomKey {
        self.key
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // Whatever was not given back was lost.
        self.remove(Departure::Lost);
        self.live.taken.fetch_sub(1, Ordering::Relaxed);
    }
}
