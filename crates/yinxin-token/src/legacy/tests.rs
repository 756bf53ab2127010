//! The one old token of the vendor's current pages, and the ways not to be one.

use proptest::prelude::*;
use uuid::uuid;

use super::*;

const SAMPLE: &str = "YWMtP_8IisA-EeK-a5cNq4Jt3QAAAT7fI10IbPuKdRxUTjA9CNiZMnQIgk0LEUE";
/// Printed in the vendor's pages with one character lost.
const DAMAGED: &str = "YWMtSozP9jHNEeSQegV9EKeAQAAAUlmBR2bTGr-GP2xNh8GhUCdKViBFDSEF2E";

#[test]
fn the_vendors_sample_is_read_field_by_field() {
    let token = open_legacy(SAMPLE).unwrap();
    assert_eq!(token.id, uuid!("3fff088a-c03e-11e2-be6b-970dab826ddd"));
    assert_eq!(token.expires_ms, 1_369_543_236_872);
    assert_eq!(hex::encode(token.sha1), "6cfb8a751c544e303d08d899327408824d0b1141");
    assert!(is_legacy(SAMPLE));
}

#[test]
fn the_vendors_sample_is_written_character_by_character() {
    let token = open_legacy(SAMPLE).unwrap();
    let raw = [PREFIX, token.id.as_bytes().as_slice(), &token.expires_ms.to_be_bytes(), &token.sha1].concat();
    assert_eq!(URL_SAFE_NO_PAD.encode(raw), SAMPLE);
}

#[test]
fn other_texts_are_malformed() {
    let unused_bit_set = SAMPLE.replace("LEUE", "LEUF");
    let other_category = SAMPLE.replace("YWMt", "cmUt");
    let negative_expiry = SAMPLE.replace("t3QAAAT7", "t3YAAAT7");
    for text in ["", DAMAGED, &unused_bit_set, &other_category, &negative_expiry, &format!("{SAMPLE}=")] {
        assert_eq!(open_legacy(text), Err(Malformed), "{text}");
        assert!(!is_legacy(text));
    }
}

#[test]
fn old_and_new_tokens_are_never_mistaken_for_each_other() {
    assert_eq!(crate::open(SAMPLE), Err(Malformed));
    let new = crate::seal(
        &crate::Claims {
            id: Uuid::nil(),
            app: Uuid::nil(),
            principal: Uuid::nil(),
            kind: crate::Kind::User,
            issued_ms: 0,
            ttl_s: 0,
        },
        &crate::MacKey::new(0, &[0; 32]),
        0,
    );
    assert!(!is_legacy(&new));
}

proptest! {
    #[test]
    fn any_text_is_survived(text in ".*", near in "YWMt[A-Za-z0-9_-]{59}") {
        let _ = open_legacy(&text);
        let _ = open_legacy(&near);
    }
}
