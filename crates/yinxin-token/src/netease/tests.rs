use proptest::prelude::*;
use serde_json::Value;

use super::local::{self, Scope};
use super::permission::{self, Grant};
use super::*;
use crate::Malformed;

/// The vendor's published vectors all use this app.
const APP_KEY: &str = "c37bf7a8758a4ed00000000000000000";
const APP_SECRET: &str = "c00000000000";
const PERMISSION_SECRET: &str = "45eaeb3c2757c57c1b8e0a25a1f246a476c36ca5ba0cd20da38a154c2adebdab";
const SCOPE: Scope<'_> = Scope { app_key: APP_KEY, uid: 10000, room: "room1" };

#[test]
fn the_signature_of_a_call_is_the_documents() {
    let sum = check_sum("123456789012", "12345", "1443592222");
    assert_eq!(sum, "06f0def1a9e83ef48c9564044c4068c8834b4ae8");
    assert!(check_sum_is(&sum, "123456789012", "12345", "1443592222"));
    assert!(check_sum_is(&sum.to_uppercase(), "123456789012", "12345", "1443592222"));
    for wrong in ["", "06f0", "zz", &sum[1..], &format!("{sum}0"), &"0".repeat(40)] {
        assert!(!check_sum_is(wrong, "123456789012", "12345", "1443592222"), "{wrong}");
    }
}

#[test]
fn computed_tokens_are_the_vendors() {
    for (ttl_s, signature, token) in [
        (
            1800,
            "ef4f4a08c56fb9b9047916b6ebfadf95acd768eb",
            "eyJzaWduYXR1cmUiOiJlZjRmNGEwOGM1NmZiOWI5MDQ3OTE2YjZlYmZhZGY5NWFjZDc2OGViIiwiY3VyVGltZSI6MTY5Mzk2ODk3NTAwMCwidHRsIjoxODAwfQ==",
        ),
        (
            3600,
            "d26fc1ef98ea16c7a939af06f8a819612dcd3d59",
            "eyJzaWduYXR1cmUiOiJkMjZmYzFlZjk4ZWExNmM3YTkzOWFmMDZmOGE4MTk2MTJkY2QzZDU5IiwiY3VyVGltZSI6MTY5Mzk2ODk3NTAwMCwidHRsIjozNjAwfQ==",
        ),
    ] {
        let opened = local::open(token).unwrap();
        assert_eq!((opened.cur_time_ms, opened.ttl_s), (1_693_968_975_000, ttl_s));
        assert!(opened.verify(&SCOPE, APP_SECRET));
        let ours = local::seal(&SCOPE, 1_693_968_975_000, ttl_s, APP_SECRET);
        let body: Value = serde_json::from_slice(&base64_std(&ours)).unwrap();
        assert_eq!(body["signature"], signature);
        assert!(local::open(&ours).unwrap().verify(&SCOPE, APP_SECRET));
    }
}

fn base64_std(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

#[test]
fn a_computed_token_is_for_one_number_and_room_of_one_app() {
    let opened = local::open(&local::seal(&SCOPE, 1_693_968_975_000, 600, APP_SECRET)).unwrap();
    assert!(!opened.verify(&Scope { uid: 10001, ..SCOPE }, APP_SECRET));
    assert!(!opened.verify(&Scope { room: "room2", ..SCOPE }, APP_SECRET));
    assert!(!opened.verify(&Scope { room: "", ..SCOPE }, APP_SECRET));
    assert!(!opened.verify(&Scope { app_key: "other", ..SCOPE }, APP_SECRET));
    assert!(!opened.verify(&SCOPE, "c00000000001"));
}

#[test]
fn what_is_no_computed_token_is_refused() {
    use base64::Engine as _;
    let text = |json: &str| base64::engine::general_purpose::STANDARD.encode(json);
    for wrong in [
        String::new(),
        "room".into(),
        text("{}"),
        text("[]"),
        text(r#"{"signature":"a","curTime":1693968975,"ttl":600}"#),
        text(r#"{"signature":"a","curTime":"1693968975000","ttl":600}"#),
        text(r#"{"signature":"a","curTime":1693968975000,"ttl":-1}"#),
        text(r#"{"signature":"a","curTime":1693968975000.5,"ttl":1}"#),
        text(r#"{"signature":1,"curTime":1693968975000,"ttl":1}"#),
        text(&format!(r#"{{"signature":"{}","curTime":1693968975000,"ttl":1}}"#, "a".repeat(2000))),
    ] {
        assert_eq!(local::open(&wrong).unwrap_err(), Malformed, "{wrong}");
    }
}

fn grant() -> Grant<'static> {
    Grant { app_key: APP_KEY, uid: 10000, room: "room1", cur_time_s: 1_696_662_104, ttl_s: 1000, privilege: 1 }
}

#[test]
fn permission_keys_are_the_vendors() {
    let opened = permission::open(&permission::seal(&grant(), PERMISSION_SECRET)).unwrap();
    assert!(opened.verify(PERMISSION_SECRET));
    assert_eq!(
        (opened.app_key.as_str(), opened.uid, opened.room.as_str(), opened.cur_time_s, opened.ttl_s, opened.privilege),
        (APP_KEY, 10000, "room1", 1_696_662_104, 1000, 1)
    );
    let body = unpacked(&permission::seal(&grant(), PERMISSION_SECRET));
    assert_eq!(body["checksum"], "v4jxY8C5zZodLymoBq7GqbcTbDgueLhVXIWOQX3akZc=");
    assert!(!opened.verify("45"));
    let other = permission::open(&permission::seal(&Grant { privilege: 63, ..grant() }, "other")).unwrap();
    assert!(!other.verify(PERMISSION_SECRET));
}

fn unpacked(key: &str) -> Value {
    let standard = key.replace('*', "+").replace('-', "/").replace('_', "=");
    let json = miniz_oxide::inflate::decompress_to_vec_zlib(&base64_std(&standard)).unwrap();
    serde_json::from_slice(&json).unwrap()
}

#[test]
fn what_is_no_permission_key_is_refused() {
    use base64::Engine as _;
    let pack = |json: &[u8]| {
        base64::engine::general_purpose::STANDARD.encode(miniz_oxide::deflate::compress_to_vec_zlib(json, 6))
    };
    let bomb = pack(&vec![b' '; 1_000_000]);
    assert!(bomb.len() < 2048, "small enough to be unpacked: {}", bomb.len());
    for wrong in ["", "a", "!!!!", &pack(b"{}"), &pack(b"[]"), &pack(b"\xff"), &bomb, &"A".repeat(3000)] {
        assert_eq!(permission::open(wrong).unwrap_err(), Malformed, "{wrong:.40}");
    }
}

#[test]
fn an_issued_token_is_of_one_issue() {
    let key = [7; 32];
    let issue = issued::Issue { app: &[1; 16], uid: 10000, room: "room1", salt: 5 };
    let token = issued::seal(&issue, &key);
    assert!(issued::has_form(&token) && issued::is(&token, &issue, &key));
    for other in [
        issued::Issue { app: &[2; 16], ..issue },
        issued::Issue { uid: 10001, ..issue },
        issued::Issue { room: "", ..issue },
        issued::Issue { salt: 6, ..issue },
    ] {
        assert!(!issued::is(&token, &other, &key));
    }
    assert!(!issued::is(&token, &issue, &[8; 32]));
    assert!(!issued::has_form(&token[1..]) && !issued::has_form(&"g".repeat(40)));
}

/// The text with one character replaced by another.
fn spoilt(text: &str, at: usize) -> String {
    let at = at % text.len();
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

proptest! {
    #[test]
    fn what_was_computed_is_read_and_what_was_changed_is_not_believed(
        uid in any::<u64>(), room in "[ -~]{0,64}", ms in 1_000_000_000_000_i64..=9_999_999_999_999, ttl in 0..=i64::MAX,
        secret in "[!-~]{1,32}", at in any::<usize>(),
    ) {
        let scope = Scope { app_key: APP_KEY, uid, room: &room };
        let token = local::seal(&scope, ms, ttl, &secret);
        let opened = local::open(&token).unwrap();
        prop_assert_eq!((opened.cur_time_ms, opened.ttl_s), (ms, ttl));
        prop_assert!(opened.verify(&scope, &secret));
        let changed = local::open(&spoilt(&token, at));
        // Some characters are part of no value: a space more or less, or the case of the signature's hex.
        prop_assert!(changed.is_err() || changed.as_ref().is_ok_and(|token| !token.verify(&scope, &secret) || *token == opened
            || (token.cur_time_ms, token.ttl_s) == (ms, ttl)));
    }

    #[test]
    fn permission_keys_open_as_they_were_made(
        uid in any::<u64>(), room in "\\PC{0,64}", cur_time_s in any::<i64>(), ttl_s in any::<i64>(), privilege in any::<u8>(),
        secret in "[!-~]{1,64}", at in any::<usize>(),
    ) {
        let grant = Grant { app_key: APP_KEY, uid, room: &room, cur_time_s, ttl_s, privilege };
        let key = permission::seal(&grant, &secret);
        let opened = permission::open(&key).unwrap();
        prop_assert!(opened.verify(&secret));
        prop_assert_eq!((opened.uid, opened.cur_time_s, opened.ttl_s, opened.privilege), (uid, cur_time_s, ttl_s, privilege));
        prop_assert_eq!(&opened.room, &room);
        // A key that was damaged is refused, or still says the same.
        let damaged = permission::open(&spoilt(&key, at));
        prop_assert!(damaged.is_err() || damaged.is_ok_and(|damaged| !damaged.verify(&secret) || damaged == opened));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,200}", json in "[{}\\[\\]\":,a-zA-Z0-9.+-]{0,200}") {
        use base64::Engine as _;
        let packed = base64::engine::general_purpose::STANDARD.encode(&json);
        for text in [&text, &json, &packed] {
            let _ = (local::open(text), permission::open(text), issued::has_form(text));
            prop_assert!(!check_sum_is(text, "secret", "nonce", "1"));
        }
    }

    #[test]
    fn a_signature_is_of_its_parts(secret in "[!-~]{1,32}", nonce in "[ -~]{1,128}", time in "[0-9]{10}", at in any::<usize>()) {
        let sum = check_sum(&secret, &nonce, &time);
        prop_assert!(check_sum_is(&sum, &secret, &nonce, &time));
        let spoilt = spoilt(&sum, at);
        prop_assert!(spoilt.eq_ignore_ascii_case(&sum) || !check_sum_is(&spoilt, &secret, &nonce, &time));
    }
}
