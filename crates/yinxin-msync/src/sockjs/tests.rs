//! The texts, and what a client may send.

use super::*;

#[test]
fn the_texts_are_those_of_the_protocol() {
    assert_eq!((open(), heartbeat()), ("o", "h"));
    assert_eq!(close(3000, "Go away!"), r#"c[3000,"Go away!"]"#);
    assert_eq!(close(1, "\"\n"), r#"c[1,"\"\n"]"#);
    assert_eq!(message(b"\x08\x00@\x01X\x00"), r#"a["CABAAVgA"]"#);
    assert_eq!(message(b""), r#"a[""]"#);
    let info: serde_json::Value = serde_json::from_str(&info(u32::MAX)).unwrap();
    assert_eq!((&info["websocket"], &info["entropy"]), (&true.into(), &u32::MAX.into()));
}

#[test]
fn frames_of_a_client_are_read() {
    let read = |text| parse_client(text, Limits::default());
    assert_eq!(read(r#"["CABAAVgA"]"#), Ok(vec![b"\x08\x00@\x01X\x00".to_vec()]));
    assert_eq!(read(r#" [ "CA==" , "CA", "" ] "#), Ok(vec![vec![8], vec![8], vec![]]));
    assert_eq!(read(r#"["\u0043A=="]"#), Ok(vec![vec![8]]));
    assert_eq!(read(""), Ok(vec![]));
    assert_eq!(read("[]"), Ok(vec![]));
    for wrong in ["[", r#""CA==""#, r#"["CA=="]x"#, r#"["C"]"#, r#"["$$$$"]"#, "[7]", "[[]]", "{}", "null", "[null]"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn limits_hold_to_the_last_byte() {
    let limits = Limits { text_bytes: 23, frames: 2, frame_bytes: 3 };
    assert!(parse_client(r#"["AAAA","AAAA"]"#, limits).is_ok());
    assert!(parse_client(r#"["AAAAAA"]"#, limits).is_err(), "a frame of four bytes");
    assert!(parse_client(r#"["","",""]"#, limits).is_err(), "three frames");
    assert!(parse_client(&format!("[{}]", " ".repeat(21)), limits).is_ok());
    assert!(parse_client(&format!("[{}]", " ".repeat(22)), limits).is_err(), "24 bytes");
    let largest = message(&vec![7; FRAME_BYTES]);
    assert_eq!(parse_client(&largest[1..], Limits::default()).unwrap()[0].len(), FRAME_BYTES);
}
