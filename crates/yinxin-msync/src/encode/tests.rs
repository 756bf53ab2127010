//! The fields whose absence or presence the SDK makes a server pay for. Captured frames: `tests/vectors.rs`.

use serde_json::json;

use super::*;
use crate::wire::{ErrorCode, MSync};

const APP_KEY: &str = "o#a";

fn payload<T: Message + Default>(frame: &[u8]) -> T {
    let envelope = MSync::decode(frame).unwrap();
    assert_eq!(envelope.version, Some(0));
    T::decode(envelope.payload.unwrap().as_slice()).unwrap()
}

fn status_of(frame: &[u8]) -> (i32, String) {
    let status = match MSync::decode(frame).unwrap().command {
        Some(3) => payload::<Provision>(frame).status,
        _ => payload::<CommSyncDl>(frame).status,
    }
    .unwrap();
    (status.error_code.unwrap(), status.reason.unwrap())
}

#[test]
fn a_page_is_never_the_last_and_an_empty_one_is_the_end() {
    let bob = Jid::user(APP_KEY, "bob");
    let page_of = |metas| payload::<CommSyncDl>(&page(bob.clone(), metas, 7, 1));
    let full = page_of(vec![Meta::default()]);
    assert_eq!((full.is_last, full.next_key, full.metas.len()), (Some(false), Some(7), 1));
    let end = page_of(vec![]);
    assert_eq!((end.is_last, end.next_key, end.metas.len()), (Some(true), None, 0));
    for frame in [full, end] {
        assert_eq!((frame.status, frame.queue), (Some(Status::ok()), Some(bob.clone())));
    }
}

#[test]
fn every_answer_has_an_explicit_status() {
    let bob = Jid::device(APP_KEY, "bob", "r");
    for frame in [
        send_ok(1, 2, 3),
        end_of_queue(bob.clone(), 1),
        kick(Kick::UserRemoved, None, bob.clone(), 1, 1),
        notify(bob, 1, 2, &json!({}), 1),
    ] {
        assert_eq!(payload::<CommSyncDl>(&frame).status, Some(Status::ok()));
    }
    assert_eq!(payload::<CommUnreadDl>(&unread([], 0)).status, Some(Status::ok()));
    let login = payload::<Provision>(&provision_ok("r", "4.21.1", None));
    assert_eq!((login.status, login.resource.as_deref(), login.auth_token), (Some(Status::ok()), Some("r"), None));
}

#[test]
fn a_kick_is_addressed_to_the_device_and_lies_in_the_nameless_queue() {
    let device = Jid::device(APP_KEY, "bob", "r");
    for (given, operation) in
        [(Kick::UserRemoved, 1), (Kick::ReplacedByLogin, 2), (Kick::PasswordChanged, 3), (Kick::Dismissed, 4)]
    {
        let frame: CommSyncDl = payload(&kick(given, Some("why"), device.clone(), 5, 6));
        assert_eq!((frame.queue, frame.is_last), (Some(Jid::server(APP_KEY)), Some(true)));
        assert_eq!((frame.metas[0].to.as_ref(), frame.metas[0].ns), (Some(&device), Some(0)));
        assert_eq!(frame.metas[0].from, Some(Jid::server(APP_KEY)), "SDK 4.8 fails without a sender");
        let body = StatisticsBody::decode(frame.metas[0].payload.as_deref().unwrap()).unwrap();
        assert_eq!((body.operation, body.reason.as_deref()), (Some(operation), Some("why")));
    }
}

#[test]
fn the_json_of_a_notice_has_no_byte_below_0x10() {
    let json = json!({"type": "presence", "data": {"ext": "a\nb\tc\u{1}", "status": {"r": "0"}}});
    let frame: CommSyncDl = payload(&notify(Jid::user(APP_KEY, "bob"), 1, 2, &json, 3));
    let text = frame.metas[0].payload.as_deref().unwrap();
    assert!(text.iter().all(|byte| *byte >= 0x10));
    assert_eq!(serde_json::from_slice::<serde_json::Value>(text).unwrap(), json);
    assert_eq!((frame.next_key, frame.is_last), (Some(2), Some(false)));
    assert_eq!(frame.metas[0].from, Some(Jid::server(APP_KEY)), "SDK 4.8 fails without a sender");
}

#[test]
fn refusals_are_the_numbers_and_the_exact_words() {
    let login = |refusal| status_of(&provision_refused(refusal));
    assert_eq!(login(LoginRefusal::TokenExpired), (1, "Sorry, token expired".into()));
    assert_eq!(login(LoginRefusal::InvalidToken), (1, "Sorry, token or password does not match login info".into()));
    assert_eq!(login(LoginRefusal::Disabled).0, 12);
    assert_eq!(login(LoginRefusal::Other("no")), (1, "no".into()));
    let send = |refusal| status_of(&send_refused(1, refusal));
    assert_eq!(send(SendRefusal::Blocked), (1, "blocked".into()));
    assert_eq!(send(SendRefusal::UserNotFound("bob")), (1, "username bob doesn't exist!".into()));
    assert_eq!(send(SendRefusal::Vetoed("no")), (19, "no".into()));
    assert_eq!(send(SendRefusal::MutedInGroup).0, i32::from(ErrorCode::UserMuted));
    assert_eq!(payload::<CommSyncDl>(&send_refused(9, SendRefusal::TooFast)).meta_id, Some(9));
}

#[test]
fn a_time_before_1970_is_0() {
    assert_eq!(payload::<CommUnreadDl>(&unread([], -1)).timestamp, Some(0));
}
