//! Every packet that the SDK sends is read as what it is, and what is none is refused.

use super::*;

#[test]
fn what_the_sdk_sends_is_read() {
    let frame = Packet::Announced { attachments: 1, is_frame: true };
    for (text, packet) in [
        (ANNOUNCEMENT, frame.clone()),
        (r#"451-7["frame",{"_placeholder":true,"num":0}]"#, frame),
        ("2", Packet::Ping("")),
        ("2probe", Packet::Ping("probe")),
        ("1", Packet::Close),
        ("41", Packet::Close),
        ("3", Packet::Nothing),
        ("40", Packet::Nothing),
        (r#"42["typing",1]"#, Packet::Nothing),
        ("6", Packet::Nothing),
    ] {
        assert_eq!(parse(text), Ok(packet), "{text}");
    }
}

#[test]
fn attachments_of_other_events_are_no_frames() {
    for text in [
        r#"451-["other",{"_placeholder":true,"num":0}]"#,
        r#"451-["frame",{"_placeholder":true,"num":1}]"#,
        r#"451-["frame",{"_placeholder":false,"num":0}]"#,
        r#"451-["frame",{"_placeholder":true,"num":0},1]"#,
        r#"451-/room,["frame",{"_placeholder":true,"num":0}]"#,
        r#"461-1["frame",{"_placeholder":true,"num":0}]"#,
        "451-",
        "451-[[[[[[[[[[[[",
    ] {
        assert_eq!(parse(text), Ok(Packet::Announced { attachments: 1, is_frame: false }), "{text}");
    }
    assert_eq!(parse("454-[]"), Ok(Packet::Announced { attachments: 4, is_frame: false }));
}

#[test]
fn what_is_no_packet_is_refused() {
    for text in ["", "x", "7", "4", "4x", "45", "451", "45-[]", "450-[]", "455-[]", "45999-[]", "45-1-[]", "é", "4é"]
    {
        assert!(parse(text).is_err(), "{text}");
    }
    assert!(parse(&format!("2{}", "x".repeat(TEXT_BYTES))).is_err());
    assert!(attachment(&[]).is_err());
    assert!(attachment(&[2, 8, 0]).is_err());
}

#[test]
fn a_frame_is_attached_as_it_is_taken_off() {
    assert_eq!(attachment(&attach(b"\x08\x00")), Ok(&b"\x08\x00"[..]));
    assert_eq!(open("a1", 25_000, 30_000), r#"0{"pingInterval":25000,"pingTimeout":30000,"sid":"a1","upgrades":[]}"#);
    assert_eq!(pong("probe"), "3probe");
}
