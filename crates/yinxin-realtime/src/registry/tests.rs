use std::sync::mpsc::{self, Receiver};

use super::*;

const APP: AppId = AppId([1; 16]);
const OTHER_APP: AppId = AppId([2; 16]);
const ANN: UserId = UserId([3; 16]);
const BOB: UserId = UserId([4; 16]);

fn device(resource: &str) -> Device {
    Device { resource: resource.into(), device_uuid: format!("uuid-{resource}"), device_name: String::new() }
}

fn told() -> (Closer, Receiver<Ending>) {
    let (sender, receiver) = mpsc::channel();
    let closer = Box::new(move |ending| {
        // A test that no longer listens has heard what it wanted to.
        let _ = sender.send(ending);
    });
    (closer, receiver)
}

fn silent() -> Closer {
    Box::new(|_| {})
}

#[test]
fn a_user_is_online_while_a_registration_lives() {
    let registry = Registry::new(Bounds::default());
    assert!(!registry.is_online(APP, ANN));
    let phone = registry.register(APP, ANN, device("phone"), silent()).unwrap();
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
    let first = registry.register(APP, ANN, device("phone"), silent()).unwrap();
    let second = registry.register(APP, ANN, device("web"), silent()).unwrap();
    assert!(second.id() > first.id());
    assert_eq!(registry.devices_of(APP, ANN), [device("web"), device("phone")]);
    drop(second);
    assert_eq!(registry.devices_of(APP, ANN), [device("phone")]);
}

#[test]
fn close_tells_all_connections_or_those_of_one_device() {
    let registry = Registry::new(Bounds::default());
    let ((phone, phone_told), (web, web_told)) = (told(), told());
    let _phone = registry.register(APP, ANN, device("phone"), phone).unwrap();
    let _web = registry.register(APP, ANN, device("web"), web).unwrap();
    registry.close(APP, ANN, Some("web"), CloseReason::Kicked);
    assert_eq!(web_told.try_iter().collect::<Vec<_>>(), [Ending::Asked(CloseReason::Kicked)]);
    assert_eq!(phone_told.try_iter().count(), 0);
    registry.close(APP, ANN, None, CloseReason::Banned);
    registry.close(APP, BOB, None, CloseReason::Banned);
    registry.close(OTHER_APP, ANN, None, CloseReason::Banned);
    assert_eq!(web_told.try_iter().count(), 1);
    assert_eq!(phone_told.try_iter().collect::<Vec<_>>(), [Ending::Asked(CloseReason::Banned)]);
}

#[test]
fn the_same_device_again_displaces_its_older_connection() {
    let registry = Registry::new(Bounds { per_user_max: 1, ..Bounds::default() });
    let (closer, was_told) = told();
    let old = registry.register(APP, ANN, device("phone"), closer).unwrap();
    let new = registry.register(APP, ANN, device("phone"), silent()).unwrap();
    assert_eq!(was_told.try_iter().collect::<Vec<_>>(), [Ending::Displaced]);
    // The older connection ends later than the newer one began: the user stays online.
    drop(old);
    assert!(registry.is_online(APP, ANN));
    drop(new);
    assert!(registry.is_empty());
}

#[test]
fn both_bounds_refuse_and_leave_no_trace() {
    let registry = Registry::new(Bounds { sessions_max: 3, per_user_max: 2 });
    let _kept: Vec<_> =
        ["a", "b"].map(|name| registry.register(APP, ANN, device(name), silent()).unwrap()).into_iter().collect();
    assert_eq!(registry.register(APP, ANN, device("c"), silent()).err(), Some(Refused::UserFull));
    assert_eq!(registry.len(), 2);
    let bob = registry.register(APP, BOB, device("a"), silent()).unwrap();
    assert_eq!(registry.register(OTHER_APP, BOB, device("b"), silent()).err(), Some(Refused::ServerFull));
    assert_eq!(registry.len(), 3);
    drop(bob);
    assert!(registry.register(OTHER_APP, BOB, device("b"), silent()).is_ok());
}

#[test]
fn a_connection_may_deregister_while_it_is_told() {
    let registry = Registry::new(Bounds::default());
    let place: Arc<parking_lot::Mutex<Option<Registration>>> = Arc::default();
    let mine = Arc::clone(&place);
    let closer: Closer = Box::new(move |_| drop(mine.lock().take()));
    *place.lock() = Some(registry.register(APP, ANN, device("phone"), closer).unwrap());
    registry.close(APP, ANN, None, CloseReason::Deleted);
    assert!(registry.is_empty());
}
