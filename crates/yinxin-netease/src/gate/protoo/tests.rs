//! Frames as the SDK sends them, and texts that are no frames.

use proptest::prelude::*;

use super::*;

/// As nertc-web-sdk 5.8.34 sends it.
const JOIN: &str = r#"{"request":true,"id":2676824,"method":"Join","data":{"method":"Join","permKeySecret":"","requestId":"419072935",
"supportStdRed":true,"supportTurn":true,"externData":{"requestStunServers":false,"userName":"10000","token":"sig-1","cname":"room1",
"subType":"select","role":"part","version":"2.0","sessionMode":"meeting","engineVersion":"5.8.33","userRole":0,"userType":3,
"platformType":16,"rtmp":{"support":false},"record":{"host":false,"supportVideo":false,"supportAuido":false,"recordType":0},
"mediaCapabilitySet":"{\"256\":[0,2]}","browser":{"name":"Chrome","version":"156.0.0.0"},"customData":"hi","gmEnable":false,
"gmMode":-1,"gmKey":"","customEncryption":false,"userPriority":{"priority":100,"preemtiveMode":false},"supportTmmbrFeedback":true}}}"#;

fn asked(method: &str, data: &str) -> Result<Request, Malformed> {
    match decode(&format!(r#"{{"request":true,"id":7,"method":"{method}","data":{data}}}"#))? {
        Frame::Request { id: 7, request } => Ok(request),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_join_of_the_sdk() {
    let about = About { user_name: "10000".to_owned(), platform: 16, custom: "hi".to_owned() };
    let join = Join {
        request_id: "419072935".to_owned(),
        pass: "sig-1".to_owned(),
        permission_key: String::new(),
        role: Role::Host,
        about,
    };
    assert_eq!(decode(JOIN), Ok(Frame::Request { id: 2_676_824, request: Request::Join(Box::new(join)) }));
}

#[test]
fn the_other_requests_of_the_sdk() {
    assert_eq!(asked("Heartbeat", "{}"), Ok(Request::Heartbeat));
    assert_eq!(
        asked("PermKeyUpdate", r#"{"requestId":"1","permKeySecret":"PK2"}"#),
        Ok(Request::RenewPermission { request_id: "1".to_owned(), key: "PK2".to_owned() })
    );
    let role = r#"{"externData":{"type":"UserRole","cid":6207760637435905,"uid":10000,"data":{"userRole":1}}}"#;
    assert_eq!(asked("SendUserData", role), Ok(Request::ChangeRole(Role::Audience)));
    let mute =
        r#"{"externData":{"type":"Mute","cid":1,"uid":"9007199254740993","data":{"producerId":null,"mute":true}}}"#;
    assert_eq!(asked("SendUserData", mute), Ok(Request::TellOthers));
    assert_eq!(asked("Produce", r#"{"kind":"audio","rtpParameters":{"codecs":[]}}"#), Ok(Request::Produce));
    assert_eq!(asked("Consume", "[]"), Ok(Request::Other("Consume".to_owned())));
    let leave = r#"{"notification":true,"method":"Leave","data":{"requestId":"51179948","externData":{"reason":0}}}"#;
    assert_eq!(decode(leave), Ok(Frame::Leave));
    assert_eq!(decode(r#"{"response":true,"id":1,"ok":true,"data":{}}"#), Ok(Frame::Other));
}

#[test]
fn what_is_missing_or_null_is_empty() {
    for data in ["{}", "null", r#"{"externData":null}"#, r#"{"externData":{"token":null,"userRole":null}}"#] {
        let Ok(Request::Join(join)) = asked("Join", data) else { panic!("{data}") };
        assert_eq!((join.pass.as_str(), join.role, join.about), ("", Role::Host, About::default()), "{data}");
    }
}

#[test]
fn what_somebody_says_about_itself_is_cut() {
    let long = "é".repeat(5000);
    let Ok(Request::Join(join)) = asked("Join", &format!(r#"{{"externData":{{"customData":"x{long}"}}}}"#)) else {
        panic!()
    };
    assert_eq!(join.about.custom.len(), ABOUT_BYTES_MAX - 1);
}

#[test]
fn other_texts_are_no_frames() {
    let deep = format!(r#"{{"request":true,"id":1,"method":"Join","data":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    for text in [
        "",
        "\n",
        "[]",
        "{}",
        "null",
        r#"{"request":true,"method":"Heartbeat"}"#,
        r#"{"request":true,"id":-1,"method":"Heartbeat"}"#,
        r#"{"request":true,"id":"1","method":"Heartbeat"}"#,
        r#"{"request":true,"response":true,"id":1,"method":"Heartbeat"}"#,
        r#"{"request":true,"id":1,"id":2,"method":"Heartbeat"}"#,
        r#"{"request":true,"id":1,"method":"Join","data":{"externData":{"token":1}}}"#,
        r#"{"request":true,"id":1,"method":"SendUserData","data":{"externData":{"type":"UserRole","data":{}}}}"#,
        &deep,
    ] {
        assert_eq!(decode(text), Err(Malformed), "{text:.80}");
    }
}

#[test]
fn frames_of_the_server() {
    assert_eq!(answer(7, &[1]), r#"{"response":true,"id":7,"ok":true,"data":[1]}"#);
    assert_eq!(refusal(7, 501, "no"), r#"{"response":true,"id":7,"ok":false,"errorCode":501,"errorReason":"no"}"#);
    assert_eq!(notification(1, "On", &()), r#"{"notification":true,"id":1,"method":"On","data":null}"#);
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = decode(&text);
    }

    #[test]
    fn no_data_panics(method in "Join|PermKeyUpdate|SendUserData|Produce|X", data in r#"[\[\]{}":,a-z0-9]{0,60}"#) {
        let _ = decode(&format!(r#"{{"request":true,"id":1,"method":"{method}","data":{data}}}"#));
    }
}
