//! The conversation without a socket: what is answered, what ends it, and that nothing comes after an end.

use std::sync::Arc;

use proptest::prelude::*;
use yinxin_core::rooms::live::About;
use yinxin_core::rooms::{RoomName, RoomUid};

use super::*;

const NOW_MS: i64 = 1_700_000_000_000;

fn uid(number: u64) -> RoomUid {
    RoomUid::new(number).unwrap()
}

fn member(number: u64) -> Member {
    let about = About { user_name: "n".to_owned(), platform: 16, custom: "hi".to_owned() };
    Member { uid: uid(number), role: Role::Host, entered_ms: 0, about: Arc::new(about) }
}

fn welcome_with(permission: Permission) -> Welcome {
    let room = RoomName::parse("room1").unwrap();
    Welcome { cid: 6_207_760_637_435_905, room, uid: uid(10_000), permission, others: vec![member(7)] }
}

fn found() -> Welcome {
    welcome_with(Permission { privileges: Privileges::ALL, until_ms: None })
}

fn wire(code: u16) -> Wire {
    Wire { code, status: 403, desc: "why".into() }
}

/// A conversation of a client that is in.
fn inside(permission: Permission) -> Session {
    let mut session = Session::new();
    let join = r#"{"request":true,"id":5,"method":"Join","data":{"requestId":"r","externData":{"token":"pass"}}}"#;
    assert!(matches!(session.on(Event::Frame(join), NOW_MS)[..], [Act::Enter(_)]));
    let acts = session.on(Event::Entered(Ok(&welcome_with(permission))), NOW_MS);
    assert!(matches!(acts[..], [Act::Send(_)]));
    session
}

fn in_for_ever() -> Session {
    inside(Permission { privileges: Privileges::ALL, until_ms: None })
}

fn sent(act: &Act) -> Value {
    let Act::Send(text) = act else { panic!("{act:?} is nothing to send") };
    serde_json::from_str(text).unwrap()
}

fn request(session: &mut Session, method: &str, data: &str) -> Vec<Act> {
    let frame = format!(r#"{{"request":true,"id":9,"method":"{method}","data":{data}}}"#);
    session.on(Event::Frame(&frame), NOW_MS)
}

#[test]
fn a_client_is_welcomed_with_who_is_there() {
    let mut session = Session::new();
    let join = r#"{"request":true,"id":5,"method":"Join","data":{"requestId":"r","externData":{"token":"pass"}}}"#;
    session.on(Event::Frame(join), NOW_MS);
    let acts = session.on(Event::Entered(Ok(&found())), NOW_MS);
    let frame = sent(&acts[0]);
    assert_eq!((&frame["response"], &frame["id"], &frame["ok"]), (&json!(true), &json!(5), &json!(true)));
    let data = &frame["data"];
    assert_eq!((&data["code"], &data["requestId"], &data["uid"]), (&json!(200), &json!("r"), &json!(10_000)));
    let peer = json!({ "uid": 7, "userName": "n", "userRole": 0, "platformType": 16, "customData": "hi" });
    assert_eq!(data["externData"]["userList"], json!([peer]));
    assert!(data["externData"]["roomCapability"].is_object());
    assert!(data.get("PermKey").is_none(), "without a permission key everything is allowed");
}

#[test]
fn a_client_that_is_refused_is_told_and_goes() {
    let mut session = Session::new();
    let join = r#"{"request":true,"id":5,"method":"Join","data":{"externData":{"token":"pass"}}}"#;
    session.on(Event::Frame(join), NOW_MS);
    let acts = session.on(Event::Entered(Err(wire(901))), NOW_MS);
    let frame = sent(&acts[0]);
    // As an answer, not as an error: of an error the SDK shows no code.
    assert_eq!(frame["ok"], json!(true));
    assert_eq!(frame["data"]["code"], json!(901));
    assert_eq!(frame["data"]["externData"]["errMsg"], json!("why"));
    assert_eq!(acts[1], Act::End(End::Refused));
    assert_eq!(session.on(Event::Frame(join), NOW_MS), []);
}

#[test]
fn whoever_is_not_in_must_join_first() {
    for (frame, end) in [
        (r#"{"request":true,"id":1,"method":"Heartbeat","data":{}}"#, End::JoinDue),
        (r#"{"request":true,"id":1,"method":"Produce","data":{}}"#, End::JoinDue),
        (r#"{"notification":true,"method":"Leave","data":{}}"#, End::Left),
        ("no frame", End::Malformed),
    ] {
        assert_eq!(Session::new().on(Event::Frame(frame), NOW_MS), [Act::End(end)], "{frame}");
    }
    let mut session = in_for_ever();
    assert_eq!(request(&mut session, "Join", "{}"), [Act::End(End::JoinedAlready)]);
}

#[test]
fn peers_are_told_of_in_the_words_of_the_sdk() {
    let mut session = in_for_ever();
    let mut told = |notice: Notice| {
        let frame = sent(&session.on(Event::Notice(&notice), NOW_MS)[0]);
        assert_eq!(frame["notification"], json!(true));
        (frame["id"].clone(), frame["method"].clone(), frame["data"]["externData"].clone())
    };
    let (id, method, data) = told(Notice::Entered(member(u64::MAX >> 1)));
    assert_eq!((id, method, &data["uid"]), (json!(1), json!("OnPeerJoin"), &json!(u64::MAX >> 1)));
    for (departure, reason) in [(Departure::Left, 0), (Departure::Dismissed, 2), (Departure::Lost, 3)] {
        let (_, method, data) = told(Notice::Gone(uid(7), departure));
        assert_eq!((method, data), (json!("OnPeerLeave"), json!({ "userList": [{ "uid": 7, "reason": reason }] })));
    }
    let (id, method, data) = told(Notice::Changed(Member { role: Role::Audience, ..member(7) }));
    assert_eq!((id, method), (json!(5), json!("OnUserData")));
    assert_eq!(data, json!({ "type": "UserRole", "uid": 7, "data": { "userRole": 1 } }));
}

#[test]
fn an_end_is_told_unless_the_client_is_to_come_back() {
    for (ending, method, reason) in [
        (Ending::Kicked, "OnKickOff", json!(2)),
        (Ending::RoomEnded, "OnKickOff", json!(1)),
        (Ending::Displaced, "OnPeerClose", Value::Null),
    ] {
        let acts = in_for_ever().on(Event::Ending(ending), NOW_MS);
        let frame = sent(&acts[0]);
        assert_eq!((&frame["method"], &frame["data"]["externData"]["reason"]), (&json!(method), &reason));
        assert_eq!(acts[1], Act::End(ending.into()));
    }
    for ending in [Ending::Resumed, Ending::ServerStops] {
        assert_eq!(in_for_ever().on(Event::Ending(ending), NOW_MS), [Act::End(ending.into())]);
    }
}

#[test]
fn a_permission_warns_and_ends_and_can_be_renewed() {
    let privileges = Privileges(32 + 4);
    let mut session = inside(Permission { privileges, until_ms: Some(NOW_MS + 60_000) });
    assert_eq!(session.due_ms(), Some(NOW_MS + 30_000));
    assert_eq!(session.on(Event::Due, NOW_MS + 29_999), [], "the clock was set back");
    let warned = session.on(Event::Due, NOW_MS + 30_000);
    assert_eq!(sent(&warned[0])["method"], json!("OnPermKeyTimeout"));
    assert_eq!(session.due_ms(), Some(NOW_MS + 60_000));
    assert_eq!(session.on(Event::Due, NOW_MS + 31_000), [], "once");

    let key = r#"{"requestId":"q","permKeySecret":"key"}"#;
    assert_eq!(request(&mut session, "PermKeyUpdate", key), [Act::Renew("key".to_owned())]);
    let refused = session.on(Event::Renewed(Err(wire(902))), NOW_MS);
    assert_eq!(sent(&refused[0])["data"]["code"], json!(902));
    assert_eq!(session.due_ms(), Some(NOW_MS + 60_000), "what it had it keeps");
    request(&mut session, "PermKeyUpdate", key);
    let longer = Permission { privileges, until_ms: Some(NOW_MS + 120_000) };
    let renewed = sent(&session.on(Event::Renewed(Ok(longer)), NOW_MS)[0]);
    assert_eq!((&renewed["id"], &renewed["data"]["requestId"]), (&json!(9), &json!("q")));
    assert_eq!(
        (&renewed["data"]["PermKey"]["subAudioRight"], &renewed["data"]["PermKey"]["pubAudioRight"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(session.due_ms(), Some(NOW_MS + 90_000), "it is warned again");

    session.on(Event::Due, NOW_MS + 90_000);
    let acts = session.on(Event::Due, NOW_MS + 120_000);
    assert_eq!(sent(&acts[0])["data"]["externData"]["reason"], json!(5));
    assert_eq!(acts[1], Act::End(End::PermissionEnded));
    assert_eq!(session.due_ms(), None);
}

#[test]
fn media_is_refused_with_a_text_that_an_app_can_show() {
    let mut session = in_for_ever();
    let acts = request(&mut session, "Produce", r#"{"kind":"audio"}"#);
    let warning = sent(&acts[0]);
    assert_eq!(warning["method"], json!("OnUserData"));
    assert_eq!(warning["data"]["externData"]["type"], json!("Ability"));
    assert_eq!(warning["data"]["externData"]["data"], json!({ "code": 501, "msg": NO_MEDIA }));
    let refusal = sent(&acts[1]);
    assert_eq!(
        (&refusal["ok"], &refusal["errorCode"], &refusal["errorReason"]),
        (&json!(false), &json!(501), &json!(NO_MEDIA))
    );
    for method in ["Consume", "CloseProducer", "SetConsumerPreferredLayer"] {
        assert_eq!(sent(&request(&mut session, method, "{}")[0])["errorCode"], json!(501), "{method}");
    }
    let mut listener = inside(Permission { privileges: Privileges(32 + 12), until_ms: Some(NOW_MS + 60_000) });
    assert_eq!(sent(&request(&mut listener, "Produce", "{}")[0])["errorCode"], json!(1620));
}

#[test]
fn beats_and_roles_are_answered() {
    let mut session = in_for_ever();
    let [Act::Send(beat)] = &request(&mut session, "Heartbeat", "{}")[..] else { panic!() };
    assert_eq!(beat, r#"{"response":true,"id":9,"ok":true,"data":{"code":200}}"#);
    let role = r#"{"externData":{"type":"UserRole","data":{"userRole":1}}}"#;
    assert_eq!(request(&mut session, "SendUserData", role)[0], Act::ChangeRole(Role::Audience));
}

/// What may happen to a conversation, in any order.
#[derive(Clone, Debug)]
enum Step {
    Frame(String),
    Entered(bool),
    Renewed(bool),
    Notice,
    Ending(Ending),
    Due(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let methods = "Join|Heartbeat|PermKeyUpdate|SendUserData|Produce|Consume";
    let frame = (methods, r#"\{\}|\[\]|null|\{"externData":\{"type":"UserRole","data":\{"userRole":[01]\}\}\}"#)
        .prop_map(|(method, data)| format!(r#"{{"request":true,"id":1,"method":"{method}","data":{data}}}"#));
    let endings = prop_oneof![
        Just(Ending::Kicked),
        Just(Ending::RoomEnded),
        Just(Ending::Displaced),
        Just(Ending::Resumed),
        Just(Ending::ServerStops),
    ];
    prop_oneof![
        6 => frame.prop_map(Step::Frame),
        1 => ".{0,40}".prop_map(Step::Frame),
        1 => Just(Step::Frame(r#"{"notification":true,"method":"Leave"}"#.to_owned())),
        4 => any::<bool>().prop_map(Step::Entered),
        2 => any::<bool>().prop_map(Step::Renewed),
        2 => Just(Step::Notice),
        1 => endings.prop_map(Step::Ending),
        2 => (0..200_000_i64).prop_map(Step::Due),
    ]
}

proptest! {
    #[test]
    fn nothing_comes_after_an_end(steps in proptest::collection::vec(step(), 0..40)) {
        let mut session = Session::new();
        let mut over = false;
        let (mut in_room, mut told) = (false, 0);
        for step in steps {
            let permission = Permission { privileges: Privileges::ALL, until_ms: Some(NOW_MS + 100_000) };
            let (welcome, notice) = (welcome_with(permission), Notice::Entered(member(7)));
            let mut now_ms = NOW_MS;
            let event = match &step {
                Step::Frame(text) => Event::Frame(text),
                Step::Entered(true) => Event::Entered(Ok(&welcome)),
                Step::Entered(false) => Event::Entered(Err(wire(414))),
                Step::Renewed(true) => Event::Renewed(Ok(permission)),
                Step::Renewed(false) => Event::Renewed(Err(wire(901))),
                Step::Notice => Event::Notice(&notice),
                Step::Ending(ending) => Event::Ending(*ending),
                Step::Due(after_ms) => { now_ms += after_ms; Event::Due }
            };
            let acts = session.on(event, now_ms);
            prop_assert!(!over || acts.is_empty(), "{step:?} led to {acts:?} after the end");
            prop_assert!(acts.len() <= 2);
            for (at, act) in acts.iter().enumerate() {
                match act {
                    Act::End(_) => {
                        prop_assert_eq!(at, acts.len() - 1, "nothing follows an end");
                        over = true;
                    }
                    Act::Send(text) => {
                        let frame: Value = serde_json::from_str(text).unwrap();
                        in_room |= frame["data"]["edgeRtpCapabilities"].is_object();
                        if frame["notification"] == json!(true) {
                            prop_assert!(in_room, "{text} to a client that is not in");
                            told += 1;
                            prop_assert_eq!(&frame["id"], &json!(told));
                        }
                    }
                    Act::Enter(_) => prop_assert!(!in_room),
                    Act::Renew(_) | Act::ChangeRole(_) => prop_assert!(in_room),
                }
            }
            prop_assert!(!over || session.due_ms().is_none());
        }
    }
}
