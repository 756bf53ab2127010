//! Round trips, forgeries, and texts that are no passes.

use proptest::prelude::*;

use super::*;

const KEY: [u8; 32] = [7; 32];

fn pass() -> Pass {
    Pass {
        app_key: "0123456789abcdef0123456789abcdef".to_owned(),
        cid: 6_207_760_637_435_905,
        uid: 10_000,
        pass_id: -42,
        made_ms: 1_795_278_907_363,
        until_ms: None,
        privileges: 63,
        assigned: false,
    }
}

#[test]
fn another_key_or_any_other_bit_is_a_forgery() {
    let text = seal(&pass(), &KEY);
    assert_eq!(open(&text).unwrap().verify(&KEY), Some(pass()));
    assert_eq!(open(&text).unwrap().verify(&[8; 32]), None);
    let raw = URL_SAFE_NO_PAD.decode(&text).unwrap();
    for at in 0..raw.len() * 8 {
        let mut forged = raw.clone();
        forged[at / 8] ^= 1 << (at % 8);
        let forged = open(&URL_SAFE_NO_PAD.encode(forged));
        assert!(forged.is_err() || forged.is_ok_and(|opened| opened.verify(&KEY).is_none()), "bit {at}");
    }
}

#[test]
fn other_texts_are_no_passes() {
    let good = seal(&pass(), &KEY);
    for text in ["", "sig-1", "====", "ä", &good[..82], &format!("{good}="), &"A".repeat(10_000)] {
        assert!(open(text).is_err(), "{text}");
    }
}

#[test]
fn a_pass_that_is_printed_cannot_be_used() {
    let text = seal(&pass(), &KEY);
    let opened = open(&text).unwrap();
    let printed = format!("{opened:?}");
    assert!(!printed.contains(&hex::encode(opened.mac)) && !printed.contains(&format!("{:?}", opened.mac)));
}

proptest! {
    #[test]
    fn what_is_sealed_is_what_is_opened(
        app_key in "[ -~]{0,64}", cid: i64, uid: u64, pass_id: i64, made_ms: i64,
        until_ms in proptest::option::of(0..i64::MAX), privileges: u8, assigned: bool,
    ) {
        let pass = Pass { app_key, cid, uid, pass_id, made_ms, until_ms, privileges, assigned };
        prop_assert_eq!(open(&seal(&pass, &KEY)).unwrap().verify(&KEY), Some(pass));
    }

    #[test]
    fn no_text_panics(text in ".{0,300}") {
        if let Ok(opened) = open(&text) {
            prop_assert!(opened.verify(&KEY).is_none());
        }
    }
}
