//! Every documented path, and those that are none.

use super::*;

fn asked(method: &str, uri: &str) -> Result<String> {
    read(&method.parse().unwrap(), &uri.parse().unwrap()).map(|call| format!("{call:?}"))
}

#[test]
fn every_call_has_its_paths() {
    for (method, uri, call) in [
        ("POST", "/v2/api/room", "Create"),
        ("GET", "/v2/api/rooms/62", "Find(Cid(62))"),
        ("GET", "/v3/api/rooms?cname=a+b%23", "Find(Name(RoomName(\"a b#\")))"),
        ("DELETE", "/v2/api/rooms/62", "End(Cid(62))"),
        ("DELETE", "/v3/api/rooms?cname=a", "End(Name(RoomName(\"a\")))"),
        ("GET", "/v2/api/rooms/62/members", "Members { which: Cid(62), uid: None, role: None }"),
        ("GET", "/v2/api/rooms/62/members?userRole=1", "Members { which: Cid(62), uid: None, role: Some(Audience) }"),
        ("GET", "/v2/api/rooms/62/members/7", "Members { which: Cid(62), uid: Some(RoomUid(7)), role: None }"),
        ("GET", "/v2/api/rooms/62/members7", "Members { which: Cid(62), uid: Some(RoomUid(7)), role: None }"),
        (
            "GET",
            "/v3/api/rooms/members?cname=a&uid=7&userRole=0",
            "Members { which: Name(RoomName(\"a\")), uid: Some(RoomUid(7)), role: Some(Host) }",
        ),
        ("POST", "/v2/api/kicklist/62/members/7", "Kick { which: Cid(62), uid: RoomUid(7), bar_s: None }"),
        ("POST", "/v2/api/kicklist/62/members/7/60", "Kick { which: Cid(62), uid: RoomUid(7), bar_s: Some(60) }"),
        ("POST", "/v2/api/kicklist/62/members/7/0", "Kick { which: Cid(62), uid: RoomUid(7), bar_s: None }"),
        (
            "POST",
            "/v3/api/kicklist/members?cname=a&uid=7&duration=60",
            "Kick { which: Name(RoomName(\"a\")), uid: RoomUid(7), bar_s: Some(60) }",
        ),
        ("DELETE", "/v2/api/kicklist/62/members/7", "Pardon { which: Cid(62), uid: RoomUid(7) }"),
        (
            "DELETE",
            "/v3/api/kicklist/members?cname=a&uid=7",
            "Pardon { which: Name(RoomName(\"a\")), uid: RoomUid(7) }",
        ),
        ("GET", "/v2/api/kicklist/62", "Barred(Cid(62))"),
        ("GET", "/v3/api/kicklist?cname=a", "Barred(Name(RoomName(\"a\")))"),
        ("POST", "/v2/api/room/history", "History(None)"),
        ("POST", "/v3/api/room/history?cname=a", "History(Some(Name(RoomName(\"a\"))))"),
    ] {
        assert_eq!(asked(method, uri).unwrap(), call, "{method} {uri}");
    }
}

#[test]
fn other_paths_and_parameters_are_refused() {
    for (method, uri, code) in [
        ("GET", "/v2/api/room", Code::MethodNotAllowed),
        ("PUT", "/v3/api/rooms?cname=a", Code::MethodNotAllowed),
        ("GET", "/v2/api/", Code::RouteNotFound),
        ("GET", "/v2/api/rooms/62/nothing", Code::RouteNotFound),
        ("POST", "/v3/api/room", Code::RouteNotFound),
        ("GET", "/v2/api/rooms/62/streams", Code::NotOffered),
        ("GET", "/v2/api/rooms/abc", Code::FieldIllegal),
        ("GET", "/v2/api/rooms/99999999999999999999", Code::FieldIllegal),
        ("GET", "/v2/api/rooms/62/members/x", Code::RoomUidIllegal),
        ("GET", "/v2/api/rooms/62/members?userRole=2", Code::FieldIllegal),
        ("POST", "/v2/api/kicklist/62/members/7/soon", Code::FieldIllegal),
        ("POST", "/v3/api/kicklist/members?cname=a", Code::RoomUidMissing),
        ("GET", "/v3/api/rooms", Code::RoomNameIllegal),
        ("GET", "/v3/api/rooms?cname=%ff", Code::BodyMalformed),
    ] {
        assert_eq!(asked(method, uri).unwrap_err().code, code, "{method} {uri}");
    }
}
