//! The vendor's published pair, round trips, and that a client id has one spelling.

use proptest::prelude::*;
use uuid::uuid;

use super::*;

const SAMPLE_APP: Uuid = uuid!("8be024f0-e978-11e8-b697-5d598d5f8402");
const SAMPLE_ID: &str = "YXA6i-Ak8Ol4Eei2l11ZjV-EAg";
const SAMPLE_SECRET: &str = "YXA6VunqiNxoB7IwXHInk1cGiXOOJfc";

#[test]
fn the_vendors_pair() {
    assert_eq!(client_id(SAMPLE_APP), SAMPLE_ID);
    assert_eq!(parse_client_id(SAMPLE_ID), Some(SAMPLE_APP));
    let raw = URL_SAFE_NO_PAD.decode(SAMPLE_SECRET).unwrap();
    let random = raw.strip_prefix(PREFIX).unwrap().try_into().unwrap();
    assert_eq!(client_secret(random), SAMPLE_SECRET);
}

#[test]
fn other_texts_are_no_client_ids() {
    let too_short = URL_SAFE_NO_PAD.encode([PREFIX.as_slice(), &[0; 15]].concat());
    let too_long = URL_SAFE_NO_PAD.encode([PREFIX.as_slice(), &[0; 17]].concat());
    let other_prefix = URL_SAFE_NO_PAD.encode([b"ac-".as_slice(), &[0; 16]].concat());
    let unused_bit_set = SAMPLE_ID.replace("EAg", "EAh");
    let padded = format!("{SAMPLE_ID}==");
    for text in ["", SAMPLE_SECRET, &too_short, &too_long, &other_prefix, &unused_bit_set, &padded] {
        assert_eq!(parse_client_id(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn an_id_round_trips(app: u128) {
        let app = Uuid::from_u128(app);
        let text = client_id(app);
        prop_assert_eq!(text.len(), 26);
        prop_assert!(text.starts_with("YXA6"));
        prop_assert_eq!(parse_client_id(&text), Some(app));
    }

    #[test]
    fn a_secret_has_its_shape(random: [u8; 20]) {
        let text = client_secret(&random);
        prop_assert_eq!(text.len(), 31);
        prop_assert!(text.starts_with("YXA6"));
    }

    #[test]
    fn any_text_is_survived(text in ".*", near in "YXA6[A-Za-z0-9_-]{0,40}") {
        for text in [text, near] {
            if let Some(app) = parse_client_id(&text) {
                prop_assert_eq!(client_id(app), text);
            }
        }
    }
}
