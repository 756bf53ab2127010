//! The vendor's cursors, round trips, and the strictness of both spellings.

use proptest::prelude::*;
use uuid::uuid;

use super::*;

const USER_SAMPLES: [(&str, Uuid); 2] = [
    ("LTgzNDAxMjM3OTpfdmZ5VU9tREVlaTZPUV90ZmN3ODNR", uuid!("fef7f250-e983-11e8-ba39-0fed7dcc3cdd")),
    ("LTgzNDAxMjM3OToxTEFnNE9sNEVlaVQ0UEdhdmJNR2tB", uuid!("d4b020e0-e978-11e8-93e0-f19abdb30690")),
];
const ORDER_SAMPLE: (&str, i64) = ("MTA5OTAwMzMwNDUzNTA2ODY1NA==", 1_099_003_304_535_068_654);

fn user_cursor(number: &str, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{number}:{id}"))
}

#[test]
fn the_vendors_samples() {
    for (text, next) in USER_SAMPLES {
        assert_eq!(decode_user_cursor(text), Some(next));
        assert_eq!(encode_user_cursor(next), text);
    }
    let (text, order) = ORDER_SAMPLE;
    assert_eq!(decode_order_cursor(text), Some(order));
    assert_eq!(encode_order_cursor(order), text);
}

#[test]
fn the_number_of_a_user_cursor_may_be_any_of_32_bits_in_its_usual_spelling() {
    let id = "_vfyUOmDEei6OQ_tfcw83Q";
    for number in ["0", "1", "-1", "2147483647", "-2147483648"] {
        assert!(decode_user_cursor(&user_cursor(number, id)).is_some(), "{number}");
    }
    for number in ["", "-", "+1", "01", "-0", "2147483648", "-2147483649", "1 ", "x"] {
        assert_eq!(decode_user_cursor(&user_cursor(number, id)), None, "{number}");
    }
}

#[test]
fn other_texts_are_no_user_cursors() {
    let (good, _) = USER_SAMPLES[0];
    for id in
        ["", "_vfyUOmDEei6OQ_tfcw8", "_vfyUOmDEei6OQ_tfcw83R", "_vfyUOmDEei6OQ_tfcw83Qo", "/vfyUOmDEei6OQ/tfcw83Q"]
    {
        assert_eq!(decode_user_cursor(&user_cursor("-1", id)), None, "{id}");
    }
    for text in ["", "!", &good[1..], &format!("{good}A"), &format!("{good}===="), &"LTgz".repeat(1000)] {
        assert_eq!(decode_user_cursor(text), None, "{text}");
    }
}

#[test]
fn other_texts_are_no_order_cursors() {
    for number in ["", "-", "+1", "01", "-0", "9223372036854775808", "1.0", " 1", "12345678901234567890123"] {
        assert_eq!(decode_order_cursor(&STANDARD.encode(number)), None, "{number}");
    }
    for text in [
        "!",
        "MTA5OTAwMzMwNDUzNTA2ODY1NA",
        "MTA5OTAwMzMwNDUzNTA2ODY1NB==",
        "MTA5OTAwMzMwNDUzNTA2ODY1NA=="[1..].as_ref(),
    ] {
        assert_eq!(decode_order_cursor(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn a_user_cursor_round_trips(next: u128) {
        let next = Uuid::from_u128(next);
        let text = encode_user_cursor(next);
        prop_assert_eq!(text.len(), 44);
        prop_assert_eq!(decode_user_cursor(&text), Some(next));
    }

    #[test]
    fn an_order_cursor_round_trips(order: i64) {
        prop_assert_eq!(decode_order_cursor(&encode_order_cursor(order)), Some(order));
    }

    #[test]
    fn any_text_is_survived(text in ".*", near in "[A-Za-z0-9_+/-]{0,50}={0,3}") {
        for text in [text, near] {
            let _ = decode_user_cursor(&text);
            let _ = decode_order_cursor(&text);
        }
    }

    #[test]
    fn any_content_is_survived(number in "[-+0-9]{0,12}", id in ".{0,24}", digits in "[-+0-9]{0,22}") {
        let _ = decode_user_cursor(&user_cursor(&number, &id));
        let _ = decode_order_cursor(&STANDARD.encode(digits));
    }
}
