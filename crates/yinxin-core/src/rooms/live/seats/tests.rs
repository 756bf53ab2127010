//! Seats: who has one, who is told, and that what everybody was told is what is so.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const ROOM: RoomKey = (AppId([1; 16]), 7);

/// What a connection was told.
#[derive(Default)]
struct Ear {
    notices: Mutex<Vec<Notice>>,
    ending: Mutex<Option<Ending>>,
}

impl Ear {
    fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut self.notices.lock())
    }

    fn ending(&self) -> Option<Ending> {
        *self.ending.lock()
    }
}

impl Line for Ear {
    fn tell(&self, notice: &Arc<Notice>) {
        self.notices.lock().push(Notice::clone(notice));
    }

    fn end(&self, ending: Ending) {
        self.ending.lock().get_or_insert(ending);
    }
}

fn uid(number: u64) -> RoomUid {
    RoomUid::new(number).unwrap()
}

fn member(number: u64, role: Role) -> Member {
    Member { uid: uid(number), role, entered_ms: 0, about: Arc::default() }
}

fn live(seats_max: usize, members_max: usize) -> Arc<Live> {
    Live::new(Bounds { seats_max, members_max })
}

/// A connection that has a seat, who was there, and what it hears.
fn seated(live: &Arc<Live>, number: u64, pass_id: i64) -> (Seat, Vec<Member>, Arc<Ear>) {
    let ear = Arc::new(Ear::default());
    let seat = live.reserve(ROOM, pass_id, member(number, Role::Host), Arc::clone(&ear) as _).unwrap();
    let others = seat.take().unwrap();
    (seat, others, ear)
}

#[test]
fn those_who_are_there_are_told_who_comes_and_goes() {
    let live = live(10, 10);
    let (_ann, others, ann) = seated(&live, 1, 1);
    assert_eq!(others, []);
    let (ben, others, _) = seated(&live, 2, 2);
    assert_eq!(others, [member(1, Role::Host)]);
    assert_eq!(ann.take(), [Notice::Entered(member(2, Role::Host))]);
    assert!(ben.give_back(Departure::Left));
    assert_eq!(ann.take(), [Notice::Gone(uid(2), Departure::Left)]);
    let (carl, ..) = seated(&live, 3, 3);
    ann.take();
    drop(carl);
    assert_eq!(ann.take(), [Notice::Gone(uid(3), Departure::Lost)], "what is not given back was lost");
    assert_eq!((live.count(ROOM), live.taken()), (1, 1));
}

#[test]
fn somebody_whose_entry_is_being_written_is_seen_by_nobody_but_can_be_dismissed() {
    let live = live(10, 10);
    let (_ann, _, ann) = seated(&live, 1, 1);
    let ear = Arc::new(Ear::default());
    let seat = live.reserve(ROOM, 2, member(2, Role::Host), Arc::clone(&ear) as _).unwrap();
    assert_eq!((ann.take(), live.count(ROOM)), (vec![], 1));
    assert_eq!(live.rooms_of(ROOM.0, Some(uid(2))), [ROOM.1]);
    live.dismiss(ROOM, uid(2));
    assert_eq!(ear.ending(), Some(Ending::Kicked));
    assert_eq!(seat.take(), None);
    assert!(!seat.give_back(Departure::Left));
    assert_eq!(ann.take(), []);
}

#[test]
fn the_same_number_with_another_pass_displaces() {
    let live = live(10, 10);
    let (_ann, _, ann) = seated(&live, 1, 1);
    let (old, _, old_ear) = seated(&live, 2, 2);
    ann.take();
    let (_new, others, new_ear) = seated(&live, 2, 3);
    assert_eq!(others, [member(1, Role::Host)]);
    assert_eq!((old_ear.ending(), new_ear.ending()), (Some(Ending::Displaced), None));
    let told = [Notice::Gone(uid(2), Departure::Left), Notice::Entered(member(2, Role::Host))];
    assert_eq!(ann.take(), told);
    assert!(!old.give_back(Departure::Left), "it is not its place any more");
    assert_eq!((ann.take(), live.count(ROOM)), (vec![], 2));
}

#[test]
fn the_same_pass_again_is_no_news() {
    let live = live(10, 10);
    let (_ann, _, ann) = seated(&live, 1, 1);
    let (old, _, old_ear) = seated(&live, 2, 2);
    ann.take();
    let (new, others, _) = seated(&live, 2, 2);
    assert_eq!(others, [member(1, Role::Host)]);
    assert_eq!(old_ear.ending(), Some(Ending::Resumed));
    drop(old);
    assert_eq!((ann.take(), live.count(ROOM)), (vec![], 2));
    assert!(new.give_back(Departure::Left));
    assert_eq!(ann.take(), [Notice::Gone(uid(2), Departure::Left)]);
}

#[test]
fn two_connections_of_a_pass_at_once_are_one_member() {
    let live = live(10, 10);
    let (_ann, _, ann) = seated(&live, 1, 1);
    let [first_ear, second_ear] = [(); 2].map(|()| Arc::new(Ear::default()));
    let first = live.reserve(ROOM, 2, member(2, Role::Host), Arc::clone(&first_ear) as _).unwrap();
    let second = live.reserve(ROOM, 2, member(2, Role::Audience), Arc::clone(&second_ear) as _).unwrap();
    assert!(first.take().is_some());
    assert!(second.take().is_some());
    assert_eq!((first_ear.ending(), second_ear.ending()), (Some(Ending::Resumed), None));
    assert_eq!(ann.take(), [Notice::Entered(member(2, Role::Host))]);
    second.change_role(Role::Audience);
    assert_eq!(ann.take(), [Notice::Changed(member(2, Role::Audience))]);
}

#[test]
fn an_audience_is_not_seen_until_it_takes_part() {
    let live = live(10, 10);
    let (_ann, _, ann) = seated(&live, 1, 1);
    let seat = live.reserve(ROOM, 2, member(2, Role::Audience), Arc::new(Ear::default())).unwrap();
    assert_eq!(seat.take().unwrap(), [member(1, Role::Host)]);
    assert_eq!((ann.take(), live.count(ROOM)), (vec![], 2));
    assert_eq!(seated(&live, 3, 3).1, [member(1, Role::Host)], "an audience is not among those who are there");
    ann.take();
    seat.change_role(Role::Host);
    seat.change_role(Role::Host);
    assert_eq!(ann.take(), [Notice::Changed(member(2, Role::Host))]);
    seat.change_role(Role::Audience);
    assert_eq!(ann.take(), [Notice::Changed(member(2, Role::Audience))]);
    drop(seat);
    assert_eq!(ann.take(), []);
}

#[test]
fn an_ended_room_has_nobody() {
    let live = live(10, 10);
    let (ann, _, ear) = seated(&live, 1, 1);
    live.end(ROOM);
    assert_eq!((ear.ending(), live.is_occupied(ROOM)), (Some(Ending::RoomEnded), false));
    assert_eq!(ann.take(), None);
    assert!(!ann.give_back(Departure::Left));
    live.end(ROOM);
    assert_eq!(live.taken(), 0);
}

#[test]
fn there_are_so_many_seats() {
    let live = live(3, 2);
    let other_room = (ROOM.0, 8);
    let reserve =
        |key, number: u64| live.reserve(key, number.cast_signed(), member(number, Role::Host), Arc::<Ear>::default());
    let _seats = [reserve(ROOM, 1).unwrap(), reserve(ROOM, 2).unwrap()];
    assert_eq!(reserve(ROOM, 3).err(), Some(Full::Room));
    let third = reserve(other_room, 3).unwrap();
    assert_eq!(reserve(other_room, 4).err(), Some(Full::Server));
    drop(third);
    assert!(!live.is_occupied(other_room), "a room that nobody is in is not kept");
    assert!(reserve(other_room, 4).is_ok());
}

/// What may happen in a room of a few numbers, each with two passes.
#[derive(Clone, Copy, Debug)]
enum Step {
    Reserve { number: u64, pass_id: i64, role: Role },
    Take(usize),
    Change(usize, Role),
    Drop(usize),
    Dismiss(u64),
    End,
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Host), Just(Role::Audience)]
}

fn step() -> impl Strategy<Value = Step> {
    let reserve = (1..4_u64, 0..2_i64, role()).prop_map(|(number, pass, role)| Step::Reserve {
        number,
        pass_id: number.cast_signed() * 10 + pass,
        role,
    });
    prop_oneof![
        4 => reserve,
        6 => any::<usize>().prop_map(Step::Take),
        2 => (any::<usize>(), role()).prop_map(|(at, role)| Step::Change(at, role)),
        2 => any::<usize>().prop_map(Step::Drop),
        1 => (1..4_u64).prop_map(Step::Dismiss),
        1 => Just(Step::End),
    ]
}

/// A connection of the property below: its seat, what it hears, and whom it believes to be there.
struct Watcher {
    number: u64,
    seat: Seat,
    ear: Arc<Ear>,
    seen: Option<BTreeSet<RoomUid>>,
}

impl Watcher {
    /// Believes what it was told.
    fn listen(&mut self) {
        for notice in self.ear.take() {
            let Some(seen) = &mut self.seen else { panic!("told {notice:?} before it was in") };
            match notice {
                Notice::Entered(member) => assert!(seen.insert(member.uid), "{} was there", member.uid),
                Notice::Gone(uid, _) => assert!(seen.remove(&uid), "{uid} was not there"),
                Notice::Changed(Member { uid, role: Role::Host, .. }) => assert!(seen.insert(uid)),
                Notice::Changed(Member { uid, .. }) => assert!(seen.remove(&uid)),
            }
        }
    }
}

fn perform(live: &Arc<Live>, watchers: &mut Vec<Watcher>, step: Step) {
    let index = |at: usize, watchers: &[Watcher]| (!watchers.is_empty()).then(|| at % watchers.len());
    match step {
        Step::Reserve { number, pass_id, role } => {
            let ear = Arc::new(Ear::default());
            let seat = live.reserve(ROOM, pass_id, member(number, role), Arc::clone(&ear) as _).unwrap();
            watchers.push(Watcher { number, seat, ear, seen: None });
        }
        Step::Take(at) => {
            if let Some(watcher) = index(at, watchers).map(|at| &mut watchers[at])
                && watcher.seen.is_none()
            {
                watcher.seen = watcher.seat.take().map(|others| others.iter().map(|member| member.uid).collect());
            }
        }
        Step::Change(at, role) => {
            if let Some(at) = index(at, watchers) {
                watchers[at].seat.change_role(role);
            }
        }
        Step::Drop(at) => {
            if let Some(at) = index(at, watchers) {
                watchers.swap_remove(at);
            }
        }
        Step::Dismiss(number) => live.dismiss(ROOM, uid(number)),
        Step::End => live.end(ROOM),
    }
}

proptest! {
    #[test]
    fn everybody_who_is_in_knows_who_is_there(steps in proptest::collection::vec(step(), 0..60)) {
        let live = live(1000, 1000);
        let mut watchers = Vec::new();
        for step in steps {
            perform(&live, &mut watchers, step);
            let hosts = live.members(ROOM).into_iter().filter(|member| member.role == Role::Host);
            let hosts: BTreeSet<RoomUid> = hosts.map(|member| member.uid).collect();
            for watcher in watchers.iter_mut().filter(|watcher| watcher.ear.ending().is_none()) {
                watcher.listen();
                if let Some(seen) = &watcher.seen {
                    let others = hosts.iter().copied().filter(|host| *host != uid(watcher.number)).collect();
                    prop_assert_eq!(seen, &others);
                }
            }
            prop_assert_eq!(live.taken(), watchers.len());
        }
        drop(watchers);
        prop_assert!(!live.is_occupied(ROOM));
    }
}
