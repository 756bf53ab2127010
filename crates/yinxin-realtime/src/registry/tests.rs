use std::sync::mpsc::{self, Receiver};

use super::*;

const APP: AppId = AppId([1; 16]);
const OTHER_APP: AppId = AppId([2; 16]);
const ANN: UserId = UserId([3; 16]);
const BOB: UserId = UserId([4; 16]);

fn device(resource: &str) -> Device {
    Device {
        resource: resource.into(),
        device_uuid: format!("uuid-{resource}"),
        device_name: String::new(),
        note: String::new(),
        since_ms: 7,
    }
}

/// What a connection was told.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Told {
    End(Ending),
    Wake(String),
}

struct Ear(mpsc::Sender<Told>);

impl Line for Ear {
    fn end(&self, ending: Ending) {
        // A test that no longer listens has heard what it wanted to.
        let _ = self.0.send(Told::End(ending));
    }

    fn wake(&self, queue: &str) {
        let _ = self.0.send(Told::Wake(queue.to_owned()));
    }

    fn announce(&self, _: &Arc<News>) {}
}

fn told() -> (Arc<dyn Line>, Receiver<Told>) {
    let (sender, receiver) = mpsc::channel();
    (Arc::new(Ear(sender)), receiver)
}

fn silent() -> Arc<dyn Line> {
    told().0
}

fn connect(
    registry: &Arc<Registry>,
    owner: (AppId, UserId),
    resource: &str,
    line: Arc<dyn Line>,
) -> Result<Registration, Refused> {
    registry.register(owner, device(resource), "web", line)
}

#[test]
fn a_user_is_online_while_a_registration_lives() {
    let registry = Registry::new(Bounds::default());
    assert!(!registry.is_online(APP, ANN));
    let phone = connect(&registry, (APP, ANN), "phone", silent()).unwrap();
    assert!(registry.is_online(APP, ANN));
    assert!(!registry.is_online(OTHER_APP, ANN));
    assert!(!registry.is_online(APP, BOB));
    drop(phone);
    assert!(!registry.is_online(APP, ANN));
    assert!(registry.is_empty());
    assert!(registry.shards.iter().all(|shard| shard.read().is_empty()));
}

#[test]
fn devices_stand_newest_first() {
    let registry = Registry::new(Bounds::default());
    let first = connect(&registry, (APP, ANN), "phone", silent()).unwrap();
    let second = connect(&registry, (APP, ANN), "web", silent()).unwrap();
    assert!(second.id() > first.id());
    assert_eq!(registry.devices_of(APP, ANN), [device("web"), device("phone")]);
    let connection = |resource: &str| Connection {
        resource: resource.to_owned(),
        device_name: device(resource).device_name,
        platform: "web".into(),
        since_ms: 7,
    };
    assert_eq!(registry.connections_of(APP, ANN), [connection("web"), connection("phone")]);
    drop(second);
    assert_eq!(registry.devices_of(APP, ANN), [device("phone")]);
}

#[test]
fn close_tells_all_connections_or_those_of_one_device() {
    let registry = Registry::new(Bounds::default());
    let ((phone, phone_told), (web, web_told)) = (told(), told());
    let _phone = connect(&registry, (APP, ANN), "phone", phone).unwrap();
    let _web = connect(&registry, (APP, ANN), "web", web).unwrap();
    registry.close(APP, ANN, Some("web"), CloseReason::Kicked);
    assert_eq!(web_told.try_iter().collect::<Vec<_>>(), [Told::End(Ending::Asked(CloseReason::Kicked))]);
    assert_eq!(phone_told.try_iter().count(), 0);
    registry.close(APP, ANN, None, CloseReason::Banned);
    registry.close(APP, BOB, None, CloseReason::Banned);
    registry.close(OTHER_APP, ANN, None, CloseReason::Banned);
    assert_eq!(web_told.try_iter().count(), 1);
    assert_eq!(phone_told.try_iter().collect::<Vec<_>>(), [Told::End(Ending::Asked(CloseReason::Banned))]);
}

#[test]
fn the_same_device_again_displaces_its_older_connection() {
    let registry = Registry::new(Bounds { per_user_max: 1, ..Bounds::default() });
    let (closer, was_told) = told();
    let old = connect(&registry, (APP, ANN), "phone", closer).unwrap();
    let new = connect(&registry, (APP, ANN), "phone", silent()).unwrap();
    assert_eq!(was_told.try_iter().collect::<Vec<_>>(), [Told::End(Ending::Displaced(String::new()))]);
    // The older connection ends later than the newer one began: the user stays online.
    drop(old);
    assert!(registry.is_online(APP, ANN));
    drop(new);
    assert!(registry.is_empty());
}

#[test]
fn both_bounds_refuse_and_leave_no_trace() {
    let registry = Registry::new(Bounds { sessions_max: 3, per_user_max: 2, per_platform_max: 9 });
    let _kept: Vec<_> =
        ["a", "b"].map(|name| connect(&registry, (APP, ANN), name, silent()).unwrap()).into_iter().collect();
    assert_eq!(connect(&registry, (APP, ANN), "c", silent()).err(), Some(Refused::UserFull));
    assert_eq!(registry.len(), 2);
    let bob = connect(&registry, (APP, BOB), "a", silent()).unwrap();
    assert_eq!(connect(&registry, (OTHER_APP, BOB), "b", silent()).err(), Some(Refused::ServerFull));
    assert_eq!(registry.len(), 3);
    drop(bob);
    assert!(connect(&registry, (OTHER_APP, BOB), "b", silent()).is_ok());
}

#[test]
fn one_too_many_of_a_platform_displaces_the_oldest() {
    let registry = Registry::new(Bounds { per_platform_max: 2, ..Bounds::default() });
    let (oldest, was_told) = told();
    let _oldest = connect(&registry, (APP, ANN), "a", oldest).unwrap();
    let _phone = registry.register((APP, ANN), device("phone"), "android", silent()).unwrap();
    let _second = connect(&registry, (APP, ANN), "b", silent()).unwrap();
    assert_eq!(was_told.try_iter().count(), 0);
    let _third = connect(&registry, (APP, ANN), "c", silent()).unwrap();
    assert_eq!(was_told.try_iter().collect::<Vec<_>>(), [Told::End(Ending::Displaced(String::new()))]);
    assert_eq!(registry.devices_of(APP, ANN), [device("c"), device("b"), device("phone")]);
}

#[test]
fn every_connection_is_told_that_the_server_stops() {
    let registry = Registry::new(Bounds::default());
    let ((ann, ann_told), (bob, bob_told)) = (told(), told());
    let _ann = connect(&registry, (APP, ANN), "web", ann).unwrap();
    let _bob = connect(&registry, (OTHER_APP, BOB), "web", bob).unwrap();
    registry.stop();
    for heard in [ann_told, bob_told] {
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), [Told::End(Ending::ServerStops)]);
    }
}

#[test]
fn all_connections_of_a_user_are_woken() {
    let registry = Registry::new(Bounds::default());
    let ((phone, phone_told), (web, web_told)) = (told(), told());
    let _phone = connect(&registry, (APP, ANN), "phone", phone).unwrap();
    let _web = connect(&registry, (APP, ANN), "web", web).unwrap();
    registry.wake(APP, ANN, "bob", None);
    registry.wake(APP, BOB, "ann", None);
    assert_eq!(phone_told.try_iter().collect::<Vec<_>>(), [Told::Wake("bob".into())]);
    assert_eq!(web_told.try_iter().count(), 1);
    registry.wake(APP, ANN, "bob", Some("phone"));
    assert_eq!((phone_told.try_iter().count(), web_told.try_iter().count()), (0, 1));
}

/// A line that gives its own place back when it is told to end.
struct Leaver(Arc<parking_lot::Mutex<Option<Registration>>>);

impl Line for Leaver {
    fn end(&self, _: Ending) {
        drop(self.0.lock().take());
    }

    fn wake(&self, _: &str) {}

    fn announce(&self, _: &Arc<News>) {}
}

#[test]
fn a_connection_may_deregister_while_it_is_told() {
    let registry = Registry::new(Bounds::default());
    let place: Arc<parking_lot::Mutex<Option<Registration>>> = Arc::default();
    let line = Arc::new(Leaver(Arc::clone(&place)));
    *place.lock() = Some(connect(&registry, (APP, ANN), "phone", line).unwrap());
    registry.close(APP, ANN, None, CloseReason::Deleted);
    assert!(registry.is_empty());
}

#[test]
fn all_connections_of_an_app_end_and_no_others() {
    let registry = Registry::new(Bounds::default());
    let (ann, ben, other) = (told(), told(), told());
    let _ann = connect(&registry, (APP, ANN), "phone", ann.0).unwrap();
    let _ben = connect(&registry, (APP, BOB), "web", ben.0).unwrap();
    let _other = connect(&registry, (OTHER_APP, ANN), "web", other.0).unwrap();
    registry.close_app(APP, CloseReason::Deleted);
    for heard in [ann.1, ben.1] {
        assert_eq!(heard.try_recv(), Ok(Told::End(Ending::Asked(CloseReason::Deleted))));
    }
    assert!(other.1.try_recv().is_err());
}
