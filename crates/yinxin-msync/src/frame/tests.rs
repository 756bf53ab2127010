//! Where a token is found, what is not a frame, and that no token reaches a log. Captured frames: `tests/vectors.rs`.

use prost::Message as _;

use super::*;
use crate::wire::MSync;

fn frame(command: i32, payload: Vec<u8>) -> MSync {
    MSync { command: Some(command), payload: Some(payload), ..MSync::default() }
}

fn login(auth: Option<&str>, auth_token: Option<&str>) -> Login {
    let provision =
        Provision { resource: Some("r".into()), auth_token: auth_token.map(Into::into), ..Provision::default() };
    let frame = MSync {
        guid: Some(Jid::named("alice")),
        auth: auth.map(Into::into),
        ..frame(Command::Provision.into(), provision.encode_to_vec())
    };
    match decode(&frame.encode_to_vec()).unwrap() {
        Frame::Provision(login) => *login,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_is_found_in_either_place_with_or_without_its_prefix() {
    for (auth, json, token) in [
        (Some("$t$one"), Some(r#"{"token":"$t$two"}"#), Some("one")),
        (Some("one"), None, Some("one")),
        (None, Some(r#"{"token":"$t$two","more":[1]}"#), Some("two")),
        (Some(""), Some(r#"{"token":"two"}"#), Some("two")),
        (Some("$t$"), Some(r#"{"token":"two"}"#), Some("two")),
        (None, Some(r#"{"token":""}"#), None),
        (None, Some(r#"{"token":7}"#), None),
        (None, Some("$t$two"), None),
        (None, None, None),
    ] {
        let login = login(auth, json);
        assert_eq!(login.token.as_ref().map(Token::as_str), token, "{auth:?} {json:?}");
        assert_eq!((login.provision.auth_token, login.guid), (None, Jid::named("alice")));
    }
}

#[test]
fn no_token_is_printed() {
    let printed = format!("{:?}", login(Some("$t$secret"), Some(r#"{"token":"$t$secret"}"#)));
    assert!(printed.contains("alice") && !printed.contains("secret"), "{printed}");
    let provision = Provision { auth_token: Some("secret".into()), ..Provision::default() };
    let frame = MSync { auth: Some("secret".into()), ..frame(3, provision.encode_to_vec()) };
    assert!(!format!("{frame:?}{provision:?}").contains("secret"));
}

#[test]
fn commands_clients_do_not_send_are_handed_on_by_number() {
    assert_eq!(decode(&frame(2, vec![]).encode_to_vec()), Ok(Frame::Other(2)));
    assert_eq!(decode(&frame(77, b"\xff\xff".to_vec()).encode_to_vec()), Ok(Frame::Other(77)));
    assert_eq!(decode(&frame(-1, vec![]).encode_to_vec()), Ok(Frame::Other(-1)));
}

#[test]
fn enums_out_of_range_do_not_fail() {
    let meta = crate::wire::Meta { ns: Some(99), routetype: Some(-3), ..Default::default() };
    let sync = CommSyncUl { meta: Some(meta), ..CommSyncUl::default() };
    assert_eq!(decode(&frame(0, sync.encode_to_vec()).encode_to_vec()), Ok(Frame::Sync(Box::new(sync))));
}

#[test]
fn what_is_not_a_frame_is_refused() {
    assert!(decode(b"\xff").is_err());
    assert!(decode(&frame(0, b"\x0a\x05".to_vec()).encode_to_vec()).is_err(), "half a payload");
    assert_eq!(decode(&frame(3, vec![]).encode_to_vec()), Err(Malformed("a login of nobody")));
    let unread = frame(1, vec![]).encode_to_vec();
    assert_eq!(decode_within(&unread, unread.len()), Ok(Frame::Unread));
    assert_eq!(decode_within(&unread, unread.len() - 1), Err(Malformed("a frame beyond the limit")));
}
