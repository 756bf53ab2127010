//! Coming into rooms, leaving them and coming back: who may, for how long, and who is told.

use std::sync::{Arc, Mutex};

use yinxin_core::rooms::doors::{self, Guest, Invitation, Knock, Request, Welcome};
use yinxin_core::rooms::live::{About, Departure, Ending, Line, Notice, Role};
use yinxin_core::rooms::records::{self, State, Which};
use yinxin_core::rooms::tokens::{self, Privileges};
use yinxin_core::rooms::{Room, RoomName, RoomUid, kicks};
use yinxin_core::{Code, Result, apps, users};
use yinxin_testkit::storage;
use yinxin_token::netease::permission::{self, Grant};

use crate::kit::{Setup, Site};

#[derive(Default)]
struct Ear {
    notices: Mutex<Vec<Notice>>,
    ending: Mutex<Option<Ending>>,
}

impl Ear {
    fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut self.notices.lock().unwrap())
    }

    fn ending(&self) -> Option<Ending> {
        *self.ending.lock().unwrap()
    }
}

impl Line for Ear {
    fn tell(&self, notice: &Arc<Notice>) {
        self.notices.lock().unwrap().push(Notice::clone(notice));
    }

    fn end(&self, ending: Ending) {
        self.ending.lock().unwrap().get_or_insert(ending);
    }
}

fn uid(number: u64) -> RoomUid {
    RoomUid::new(number).unwrap()
}

fn name() -> RoomName {
    RoomName::parse("room1").unwrap()
}

/// Somebody in a room.
struct Someone {
    guest: Guest,
    welcome: Welcome,
    ear: Arc<Ear>,
}

impl Site {
    async fn token(&self, number: u64, repeat_use: bool) -> String {
        let request = tokens::Request { uid: uid(number), room: None, ttl_s: None, repeat_use: Some(repeat_use) };
        tokens::issue(&self.ctx, &self.app, &request).await.unwrap()
    }

    async fn invite_with(&self, number: u64, token: &str, key: Option<&str>) -> Result<Invitation> {
        let request = Request { uid: uid(number), room: &name(), token: Some(token), permission_key: key };
        doors::invite(&self.ctx, &self.app, &request).await
    }

    async fn invite(&self, number: u64) -> Result<Invitation> {
        let token = self.token(number, true).await;
        self.invite_with(number, &token, None).await
    }

    async fn enter_with(&self, pass: &str, permission_key: &str) -> Result<Someone> {
        let ear = Arc::new(Ear::default());
        let knock = Knock { pass, permission_key, role: Role::Host, about: About::default() };
        let line: Arc<dyn Line> = Arc::clone(&ear) as _;
        let (welcome, guest) = doors::enter(&self.ctx, knock, line).await?;
        Ok(Someone { guest, welcome, ear })
    }

    async fn enter(&self, pass: &str) -> Result<Someone> {
        self.enter_with(pass, "").await
    }

    /// Comes in with a pass of its own.
    async fn come(&self, number: u64) -> (Someone, String) {
        let pass = self.invite(number).await.unwrap().pass;
        (self.enter(&pass).await.unwrap(), pass)
    }

    async fn leave(&self, someone: Someone, departure: Departure) {
        someone.guest.leave(&self.ctx, departure).await.unwrap();
    }

    async fn room(&self) -> Room {
        records::find(&self.ctx, &self.app, &Which::Name(name())).await.unwrap()
    }

    async fn state(&self) -> State {
        records::state(&self.room().await, self.setup.clock_ms())
    }

    fn permission_key(&self, number: u64, ttl_s: i64, privileges: u8) -> String {
        let grant = Grant {
            app_key: &self.app.signing.key,
            uid: number,
            room: "room1",
            cur_time_s: self.setup.clock_ms() / 1000,
            ttl_s,
            privilege: privileges,
        };
        permission::seal(&grant, self.app.signing.reveal_permission_secret())
    }

    /// The same server started again on the same database.
    async fn restart(self) -> Self {
        let Self { setup, ctx, app } = self;
        ctx.db.close().await;
        drop((ctx, app));
        let ctx = setup.open().await;
        let app = apps::find(&ctx, "org", "app").await.unwrap();
        Self { setup, ctx, app }
    }
}

fn code<T>(result: Result<T>) -> Code {
    result.err().expect("refused").code
}

impl Setup {
    fn clock_ms(&self) -> i64 {
        use yinxin_core::clock::Clock as _;
        self.clock.now_ms()
    }
}

#[tokio::test]
async fn a_pass_is_used_within_a_minute() {
    let site = Site::new().await;
    let pass = site.invite(1).await.unwrap().pass;
    site.setup.clock.move_by(60_001);
    assert_eq!(code(site.enter(&pass).await), Code::RoomNotFound, "the room that nobody came to is over");
    let pass = site.invite(1).await.unwrap().pass;
    let (_ben, _) = site.come(2).await;
    site.setup.clock.move_by(60_001);
    assert_eq!(code(site.enter(&pass).await), Code::RoomPassWrong);
    assert_eq!(code(site.enter("sig-1").await), Code::RoomPassWrong);
    assert_eq!(code(site.enter("").await), Code::RoomPassWrong);
}

#[tokio::test]
async fn a_pass_is_of_no_use_to_who_has_left() {
    let site = Site::new().await;
    let (ann, pass) = site.come(1).await;
    assert_eq!(ann.welcome.others, []);
    site.leave(ann, Departure::Left).await;
    assert_eq!(code(site.enter(&pass).await), Code::RoomPassWrong);
}

#[tokio::test]
async fn who_was_lost_may_come_back_for_a_minute() {
    let site = Site::new().await;
    let (ann, pass) = site.come(1).await;
    let (_ben, _) = site.come(2).await;
    site.setup.clock.move_by(3_600_000);
    let again = site.enter(&pass).await.unwrap();
    assert_eq!(ann.ear.ending(), Some(Ending::Resumed), "its older connection may still be open");
    drop(ann);
    site.leave(again, Departure::Lost).await;
    site.setup.clock.move_by(59_999);
    let again = site.enter(&pass).await.unwrap();
    assert_eq!(again.welcome.others.len(), 1);
    site.leave(again, Departure::Lost).await;
    site.setup.clock.move_by(60_000);
    assert_eq!(code(site.enter(&pass).await), Code::RoomPassWrong);
}

#[tokio::test]
async fn a_failure_of_ours_does_not_cost_a_guest_its_seat() {
    // The embedded engine takes a word for a number, which then cannot be read.
    let site = Site::of(Setup::embedded()).await;
    let (_ann, pass) = site.come(1).await;
    let (ben, _) = site.come(2).await;
    site.run("INSERT INTO room_bars (app_id, name, uid, until_ms) SELECT app_id, 'room1', 1, 'soon' FROM apps").await;
    assert_eq!(code(site.enter(&pass).await), Code::Internal);
    assert_eq!(ben.ear.take(), [Notice::Gone(uid(1), Departure::Lost)]);
    site.run("DELETE FROM room_bars").await;
    let again = site.enter(&pass).await.unwrap();
    assert_eq!(again.welcome.others.len(), 1);
    assert!(matches!(ben.ear.take()[..], [Notice::Entered(_)]));
}

#[tokio::test]
async fn who_is_displaced_stays_out() {
    let site = Site::new().await;
    let (older, older_pass) = site.come(1).await;
    let (ben, _) = site.come(2).await;
    let (newer, _) = site.come(1).await;
    assert_eq!(older.ear.ending(), Some(Ending::Displaced));
    assert!(matches!(ben.ear.take()[..], [Notice::Gone(_, Departure::Left), Notice::Entered(_)]));
    site.leave(older, Departure::Lost).await;
    assert_eq!(
        code(site.enter(&older_pass).await),
        Code::RoomPassWrong,
        "or the two would displace each other for ever"
    );
    assert_eq!(newer.ear.ending(), None);
    site.leave(newer, Departure::Left).await;
    assert_eq!(code(site.enter(&older_pass).await), Code::RoomPassWrong);
}

#[tokio::test]
async fn a_server_that_starts_again_lets_everybody_come_back() {
    let site = Site::new().await;
    let (ann, ann_pass) = site.come(1).await;
    let (ben, ben_pass) = site.come(2).await;
    let cid = ann.welcome.cid;
    site.setup.clock.move_by(3_600_000);
    drop((ann, ben));
    let site = site.restart().await;
    site.setup.clock.move_by(50_000);
    assert_eq!(site.state().await, State::Running);
    let ann = site.enter(&ann_pass).await.unwrap();
    assert_eq!((ann.welcome.cid, ann.welcome.others.len()), (cid, 0));
    let ben = site.enter(&ben_pass).await.unwrap();
    assert_eq!(ben.welcome.others.len(), 1);
    assert!(matches!(ann.ear.take()[..], [Notice::Entered(_)]));
    let site = site.restart().await;
    site.setup.clock.move_by(60_000);
    assert_eq!(site.state().await, State::Abandoned);
    assert_eq!(code(site.enter(&ann_pass).await), Code::RoomNotFound);
}

#[tokio::test]
async fn a_token_that_admits_once_admits_once_whatever_the_connection_does() {
    let site = Site::new().await;
    let token = site.token(1, false).await;
    let pass = site.invite_with(1, &token, None).await.unwrap().pass;
    assert_eq!(code(site.invite_with(1, &token, None).await), Code::RoomTokenWrong);
    let ann = site.enter(&pass).await.unwrap();
    let again = site.enter(&pass).await.unwrap();
    drop(ann);
    site.leave(again, Departure::Left).await;
    assert_eq!(code(site.enter(&pass).await), Code::RoomPassWrong);
}

#[tokio::test]
async fn a_name_has_one_life_after_the_other() {
    let site = Site::new().await;
    assert_eq!(code(records::find(&site.ctx, &site.app, &Which::Name(name())).await), Code::RoomNotFound);
    let (ann, _) = site.come(1).await;
    let first = ann.welcome.cid;
    assert!((1 << 52..1 << 53).contains(&first));
    assert_eq!(site.state().await, State::Running);
    let made = records::create(&site.ctx, &site.app, &name(), uid(9)).await;
    let refused = made.unwrap_err();
    assert_eq!((refused.code, refused.subject), (Code::RoomExists, first.to_string()));
    site.leave(ann, Departure::Left).await;
    site.setup.clock.move_by(59_999);
    let (ann, _) = site.come(1).await;
    assert_eq!(ann.welcome.cid, first, "a room stays open for a minute");
    site.leave(ann, Departure::Left).await;
    site.setup.clock.move_by(60_000);
    assert_eq!(site.state().await, State::Ended);
    let made = records::create(&site.ctx, &site.app, &name(), uid(9)).await.unwrap();
    assert_ne!(made.cid, first);
    site.setup.clock.move_by(80_000_000);
    assert_eq!(site.state().await, State::Waiting, "a backend's room waits for a day");
    let (ann, _) = site.come(1).await;
    assert_eq!((ann.welcome.cid, site.room().await.creator_uid), (made.cid, 9));
    let old = records::find(&site.ctx, &site.app, &Which::Cid(first)).await.unwrap();
    assert_eq!(records::state(&old, site.setup.clock_ms()), State::Ended);
}

#[tokio::test]
async fn a_room_does_not_end_under_who_is_about_to_come() {
    let site = Site::new().await;
    let (ann, _) = site.come(1).await;
    let cid = ann.welcome.cid;
    site.leave(ann, Departure::Left).await;
    site.setup.clock.move_by(59_000);
    let pass = site.invite(2).await.unwrap().pass;
    site.setup.clock.move_by(59_000);
    assert_eq!(site.enter(&pass).await.unwrap().welcome.cid, cid);
}

#[tokio::test]
async fn who_is_kicked_is_out_and_stays_out() {
    let site = Site::new().await;
    let (ann, ann_pass) = site.come(1).await;
    let (ben, _) = site.come(2).await;
    let spare = site.invite(1).await.unwrap().pass;
    let room = site.room().await;
    kicks::kick(&site.ctx, &site.app, &room, uid(1), Some(100)).await.unwrap();
    assert_eq!(ann.ear.ending(), Some(Ending::Kicked));
    assert_eq!(ben.ear.take(), [Notice::Gone(uid(1), Departure::Dismissed)]);
    site.leave(ann, Departure::Lost).await;
    assert_eq!(kicks::barred(&site.ctx, &site.app, &room).await.unwrap(), [1]);
    for pass in [&ann_pass, &spare] {
        assert_eq!(code(site.enter(pass).await), Code::RoomBarred);
    }
    assert_eq!(code(site.invite(1).await), Code::RoomBarred);
    let site = site.restart().await;
    assert_eq!(code(site.invite(1).await), Code::RoomBarred, "a bar is on disk");
    kicks::pardon(&site.ctx, &site.app, &room, uid(1)).await.unwrap();
    assert_eq!(code(site.enter(&ann_pass).await), Code::RoomPassWrong, "the pass stays void");
    site.come(1).await;
}

#[tokio::test]
async fn a_bar_ends() {
    let site = Site::new().await;
    site.come(2).await;
    let room = site.room().await;
    kicks::kick(&site.ctx, &site.app, &room, uid(1), Some(100)).await.unwrap();
    kicks::kick(&site.ctx, &site.app, &room, uid(3), None).await.unwrap();
    let once = site.token(1, false).await;
    assert_eq!(code(site.invite_with(1, &once, None).await), Code::RoomBarred);
    assert_eq!(code(site.invite_with(1, "x", None).await), Code::RoomTokenWrong, "a stranger learns nothing");
    site.setup.clock.move_by(100_000);
    site.invite_with(1, &once, None).await.unwrap_or_else(|_| panic!("who is barred does not lose its token"));
    site.setup.clock.move_by(86_299_999);
    assert_eq!(code(site.invite(3).await), Code::RoomBarred);
    site.setup.clock.move_by(1);
    site.invite(3).await.unwrap();
    for seconds in [0, -1, i64::MAX] {
        let kicked = kicks::kick(&site.ctx, &site.app, &room, uid(1), Some(seconds)).await;
        assert_eq!(code(kicked), Code::FieldIllegal, "{seconds}");
    }
}

#[tokio::test]
async fn who_asks_for_number_0_is_kept_out_by_a_kick_of_0() {
    let site = Site::new().await;
    let (guest, pass) = site.come(0).await;
    let room = site.room().await;
    kicks::kick(&site.ctx, &site.app, &room, guest.welcome.uid, None).await.unwrap();
    assert_eq!(guest.ear.ending(), Some(Ending::Kicked));
    assert_eq!(code(site.enter(&pass).await), Code::RoomBarred);
    let (again, _) = site.come(0).await;
    assert_ne!(again.welcome.uid, guest.welcome.uid, "it has another number now");
    kicks::kick(&site.ctx, &site.app, &room, RoomUid::NOBODY, None).await.unwrap();
    assert_eq!(code(site.invite(0).await), Code::RoomBarred);
    assert_eq!(again.ear.ending(), None, "who is in stays");
    site.come(1).await;
}

#[tokio::test]
async fn an_ended_room_is_left_by_all_and_its_name_is_free() {
    let site = Site::new().await;
    let (ann, pass) = site.come(1).await;
    let which = Which::Cid(ann.welcome.cid);
    let ended = records::end(&site.ctx, &site.app, &which).await.unwrap();
    assert_eq!(ann.ear.ending(), Some(Ending::RoomEnded));
    site.leave(ann, Departure::Lost).await;
    assert_eq!(site.state().await, State::Ended);
    assert_eq!(code(site.enter(&pass).await), Code::RoomNotFound);
    assert_eq!(code(records::end(&site.ctx, &site.app, &which).await), Code::RoomNotFound);
    assert_ne!(site.come(1).await.0.welcome.cid, ended.cid);
}

#[tokio::test]
async fn who_is_banned_is_out_of_every_room() {
    let site = Site::new().await;
    site.register("10000").await;
    let (ann, pass) = site.come(10_000).await;
    let (ben, _) = site.come(2).await;
    users::ban(&site.ctx, &site.app, "10000").await.unwrap();
    assert_eq!(ann.ear.ending(), Some(Ending::Kicked));
    assert_eq!(ben.ear.take(), [Notice::Gone(uid(10_000), Departure::Dismissed)]);
    site.leave(ann, Departure::Lost).await;
    assert_eq!(code(site.enter(&pass).await), Code::UserInactive);
    assert_eq!(code(site.invite(10_000).await), Code::UserInactive);
    users::lift_ban(&site.ctx, &site.app, "10000").await.unwrap();
    assert_eq!(code(site.enter(&pass).await), Code::RoomPassWrong, "the pass stays void");
    let (ann, _) = site.come(10_000).await;
    users::delete(&site.ctx, &site.app, "10000").await.unwrap();
    assert_eq!(ann.ear.ending(), Some(Ending::Kicked));
}

#[tokio::test]
async fn a_deleted_app_has_nobody_in_its_rooms() {
    let site = Site::new().await;
    let (ann, pass) = site.come(1).await;
    apps::delete(&site.ctx, &site.app).await.unwrap();
    assert_eq!(ann.ear.ending(), Some(Ending::RoomEnded));
    assert_eq!(code(site.enter(&pass).await), Code::RoomPassWrong);
}

#[tokio::test]
async fn a_permission_goes_with_its_bearer_and_can_be_renewed() {
    let site = Site::new().await;
    let token = site.token(1, true).await;
    let key = site.permission_key(1, 100, 32 + 16 + 1);
    let pass = site.invite_with(1, &token, Some(&key)).await.unwrap().pass;
    let ann = site.enter(&pass).await.unwrap();
    let until_ms = Some(site.setup.clock_ms() + 100_000);
    assert_eq!(ann.welcome.permission.until_ms, until_ms, "though the connection did not show the key again");
    assert_eq!(ann.welcome.permission.privileges, Privileges(49));
    let longer = site.permission_key(1, 200, 63);
    assert_eq!(ann.guest.renew(&site.ctx, &longer).unwrap().privileges, Privileges::ALL);
    for (key, refusal) in [
        ("", Code::PermissionKeyWrong),
        ("no key", Code::PermissionKeyWrong),
        (&site.permission_key(2, 200, 63), Code::PermissionKeyWrong),
        (&site.permission_key(1, 200, 31), Code::PermissionKeyWrong),
    ] {
        assert_eq!(code(ann.guest.renew(&site.ctx, key)), refusal, "{key}");
    }
    site.setup.clock.move_by(100_000);
    assert_eq!(code(ann.guest.renew(&site.ctx, &key)), Code::PermissionKeyExpired);
    assert_eq!(code(site.enter(&pass).await), Code::PermissionKeyExpired);
    assert!(site.enter_with(&pass, &longer).await.is_ok(), "a connection that comes back shows the newer key");
}

#[tokio::test]
async fn a_permission_may_be_to_join_but_not_to_create() {
    let site = Site::new().await;
    let token = site.token(1, false).await;
    let join_only = site.permission_key(1, 100, 32);
    assert_eq!(code(site.invite_with(1, &token, Some(&join_only)).await), Code::PermissionKeyWrong);
    let create_only = site.permission_key(1, 100, 16);
    assert_eq!(code(site.invite_with(1, &token, Some(&create_only)).await), Code::PermissionKeyWrong);
    let (_ben, _) = site.come(2).await;
    site.invite_with(1, &token, Some(&join_only)).await.unwrap_or_else(|_| panic!("the token was not lost"));
}

#[tokio::test]
async fn who_asks_for_number_0_is_given_one() {
    let site = Site::new().await;
    let token = site.token(0, true).await;
    let key = site.permission_key(0, 100, 63);
    let mut seen = std::collections::HashSet::new();
    for _ in 0..3 {
        let invitation = site.invite_with(0, &token, Some(&key)).await.unwrap();
        let ann = site.enter_with(&invitation.pass, &key).await.unwrap();
        assert_eq!(ann.welcome.uid, invitation.uid);
        assert!(ann.guest.renew(&site.ctx, &key).is_ok());
        assert!(seen.insert(invitation.uid) && invitation.uid.get() < 1 << 53);
    }
}

#[tokio::test]
async fn a_pass_of_another_app_or_server_opens_nothing() {
    let site = Site::new().await;
    let other = Site::new().await;
    let pass = site.invite(1).await.unwrap().pass;
    other.invite(1).await.unwrap();
    // Both servers have the same master key: what differs is the app.
    assert_eq!(code(other.enter(&pass).await), Code::RoomPassWrong);
    assert!(site.enter(&pass).await.is_ok());
}

#[tokio::test]
async fn the_history_tells_who_was_there_when() {
    let site = Site::new().await;
    let start_ms = site.setup.clock_ms();
    let (ann, _) = site.come(1).await;
    let (_ben, _) = site.come(2).await;
    site.setup.clock.move_by(1000);
    site.leave(ann, Departure::Left).await;
    let (_ann, _) = site.come(1).await;
    let room = site.room().await;
    let page = async |number, size| {
        let stays = records::history(&site.ctx, &site.app, &room, number, size).await?;
        Ok(stays.iter().map(|stay| (stay.uid, stay.entered_ms - start_ms, stay.left_ms)).collect::<Vec<_>>())
    };
    let mut all = page(1, None).await.unwrap();
    assert_eq!(all.len(), 3);
    assert_eq!(all.pop(), Some((1, 1000, None)));
    all.sort_unstable();
    assert_eq!(all, [(1, 0, Some(start_ms + 1000)), (2, 0, None)]);
    assert_eq!(page(2, Some(2)).await.unwrap(), [(1, 1000, None)]);
    assert_eq!(page(3, Some(2)).await.unwrap(), []);
    assert_eq!(page(1_000_000, Some(1)).await.unwrap(), []);
    for (number, size) in [(0, None), (-1, None), (1, Some(0)), (1, Some(501))] {
        assert_eq!(code(page(number, size).await), Code::FieldIllegal);
    }
    // What is over is forgotten after three days, a little with each room and stay that begins.
    site.setup.clock.move_by(72 * 3_600_000 + 1001);
    let is_kept = async || page(1, None).await.unwrap().iter().any(|(.., left_ms)| *left_ms == Some(start_ms + 1000));
    for _ in 0..storage::writes_until_swept(2) {
        let (again, _) = site.come(1).await;
        site.leave(again, Departure::Left).await;
        site.setup.clock.move_by(60_000);
        if !is_kept().await {
            break;
        }
    }
    assert!(!is_kept().await);
}

/// A token that admits once, many that try, and the room kept full of comings and goings: nobody is in it twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_joins_at_once_with_a_token_that_admits_once_one_is_let_in() {
    let site = Arc::new(Site::new().await);
    let token = site.token(1, false).await;
    let tries = (0..32).map(|_| {
        let (site, token) = (Arc::clone(&site), token.clone());
        tokio::spawn(async move {
            match site.invite_with(1, &token, None).await {
                Ok(invitation) => usize::from(site.enter(&invitation.pass).await.is_ok()),
                Err(error) => {
                    assert_eq!(error.code, Code::RoomTokenWrong);
                    0
                }
            }
        })
    });
    let mut admitted = 0;
    for one in tries {
        admitted += one.await.unwrap();
    }
    assert_eq!(admitted, 1);
}

/// Kicks race with comings and comings back: once a kick is acknowledged, its victim is not in the room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kick_that_was_acknowledged_has_worked() {
    let site = Arc::new(Site::new().await);
    for _ in 0..50 {
        let pass = site.invite(1).await.unwrap().pass;
        let room = site.room().await;
        let comer = {
            let (site, pass) = (Arc::clone(&site), pass.clone());
            tokio::spawn(async move { (site.enter(&pass).await, site.enter(&pass).await) })
        };
        kicks::kick(&site.ctx, &site.app, &room, uid(1), Some(1000)).await.unwrap();
        assert!(records::members(&site.ctx, &site.app, &room).await.unwrap().is_empty());
        let kept = comer.await.unwrap();
        assert!(records::members(&site.ctx, &site.app, &room).await.unwrap().is_empty());
        assert_eq!(code(site.enter(&pass).await), Code::RoomBarred);
        drop(kept);
        kicks::pardon(&site.ctx, &site.app, &room, uid(1)).await.unwrap();
    }
}
