//! The vendor's tokens byte by byte, one known answer for our own MAC, and that nothing but what was sealed verifies.

use proptest::prelude::*;
use uuid::uuid;

use super::*;

/// What the fact sheet says about one published token.
struct Vector {
    text: &'static str,
    claims: Claims,
    mac: &'static str,
}

const DEMO_APP: Uuid = uuid!("8be024f0-e978-11e8-b697-5d598d5f8402");
const GUIDE_APP: Uuid = uuid!("bb0cac57-a9dd-4e81-bd58-fb2929cda275");

const VECTORS: [Vector; 4] = [
    Vector {
        text: "YWMte3bGuOukEeiTkNP4grL7iwAAAAAAAAAAAAAAAAAAAAGL4CTw6XgR6LaXXVmNX4QCAgMAAAFnKdc-ZgBPGgBFTrLhhyK8woMEI005emtrLJFJV6aoxsZSioSIZkr5kw",
        claims: Claims {
            id: uuid!("7b76c6b8-eba4-11e8-9390-d3f882b2fb8b"),
            app: MANAGEMENT_APP,
            principal: DEMO_APP,
            kind: Kind::App,
            issued_ms: 1_542_595_231_334,
            ttl_s: 5_184_000,
        },
        mac: "454eb2e18722bcc28304234d397a6b6b2c914957a6a8c6c6528a8488664af993",
    },
    Vector {
        text: "YWMt7CoyjusbEeixOi3iod4eDAAAAAAAAAAAAAAAAAAAAAGL4CTw6XgR6LaXXVmNX4QCAgMAAAFnJlhJIwBPGgCqtjiyVnR209iyr8kNbhJhhanNQDdP9CMmpK2G-NIUOQ",
        claims: Claims {
            id: uuid!("ec2a328e-eb1b-11e8-b13a-2de2a1de1e0c"),
            app: MANAGEMENT_APP,
            principal: DEMO_APP,
            kind: Kind::App,
            issued_ms: 1_542_536_579_363,
            ttl_s: 5_184_000,
        },
        mac: "aab638b2567476d3d8b2afc90d6e126185a9cd40374ff42326a4ad86f8d21439",
    },
    Vector {
        text: "YWMtrR6ECkz8Eeyx6Y9j1eX9kbsMrFep3U6BvVj7KSnNonWqRx7gTPwR7Kzl-Q_xISNOAwMAAAF9UPZqbQAPoAAtYK9fWgaTNyuWoB3-6nGf_TXBx3Nt3XRZST-elU0x2A",
        claims: Claims {
            id: uuid!("ad1e840a-4cfc-11ec-b1e9-8f63d5e5fd91"),
            app: GUIDE_APP,
            principal: uuid!("aa471ee0-4cfc-11ec-ace5-f90ff121234e"),
            kind: Kind::User,
            issued_ms: 1_637_740_866_157,
            ttl_s: 1_024_000,
        },
        mac: "2d60af5f5a0693372b96a01dfeea719ffd35c1c7736ddd7459493f9e954d31d8",
    },
    Vector {
        text: "YWMthyeiFhbyEe2eMGeYZSLlT7sMrFep3U6BvVj7KSnNonUiDB-wFvIR7a5Ttx2-01MYAwMAAAGCfIeryQAPoAAsuveDfkUrePkEM2Hgy6SaOTeTx3ETgh5cnXcP_HfBPg",
        claims: Claims {
            id: uuid!("8727a216-16f2-11ed-9e30-67986522e54f"),
            app: GUIDE_APP,
            principal: uuid!("220c1fb0-16f2-11ed-ae53-b71dbed35318"),
            kind: Kind::User,
            issued_ms: 1_659_946_642_377,
            ttl_s: 1_024_000,
        },
        mac: "2cbaf7837e452b78f9043361e0cba49a393793c77113821e5c9d770ffc77c13e",
    },
];

/// Printed in the vendor's pages, but damaged there: one character lost; the first lost and two appended.
const DAMAGED: [&str; 2] = [
    "YWMtSozP9jHNEeSQegV9EKeAQAAAUlmBR2bTGr-GP2xNh8GhUCdKViBFDSEF2E",
    "WMte3bGuOukEeiTkNP4grL7iwAAAAAAAAAAAAAAAAAAAAGL4CTw6XgR6LaXXVmNX4QCAgMAAAFnKdc-ZgBPGgBFTrLhhyK8woMEI005emtrLJFJV6aoxsZSioSIZkr5kw12",
];

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn key() -> MacKey {
    MacKey::new(7, &std::array::from_fn(|i| u8::try_from(i).unwrap()))
}

fn sample() -> Claims {
    Claims {
        id: uuid!("7b76c6b8-eba4-11e8-9390-d3f882b2fb8b"),
        app: DEMO_APP,
        principal: uuid!("fef7f250-e983-11e8-ba39-0fed7dcc3cdd"),
        kind: Kind::User,
        issued_ms: 1_542_595_231_334,
        ttl_s: 5_184_000,
    }
}

fn raw(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn opens_with(text: &str, key: &MacKey, epoch: i64) -> bool {
    open(text).is_ok_and(|opened| opened.verify(key, epoch))
}

#[test]
fn the_vendors_tokens_are_read_field_by_field() {
    for vector in VECTORS {
        let opened = open(vector.text).unwrap();
        assert_eq!(opened.claims, vector.claims);
        assert_eq!(hex::encode(opened.mac), vector.mac);
        assert_eq!(opened.key_id(), *vector.claims.id.as_bytes().last().unwrap());
    }
}

#[test]
fn the_vendors_tokens_are_written_character_by_character() {
    for vector in VECTORS {
        let mac = <[u8; MAC_LEN]>::try_from(hex::decode(vector.mac).unwrap()).unwrap();
        assert_eq!(encode(&vector.claims.header(), &mac), vector.text);
    }
}

#[test]
fn the_vendors_tokens_are_not_ours() {
    for vector in VECTORS {
        let key = MacKey::new(*vector.claims.id.as_bytes().last().unwrap(), &[0; 32]);
        assert!(!opens_with(vector.text, &key, 0));
    }
}

#[test]
fn damaged_tokens_are_malformed() {
    for text in DAMAGED {
        assert_eq!(open(text), Err(Malformed));
    }
    assert_eq!(open(""), Err(Malformed));
}

/// Computed with another HMAC implementation: secret 00 01 … 1f, key id 7, epoch 42.
#[test]
fn the_mac_is_what_the_module_says() {
    assert_eq!(
        seal(&sample(), &key(), 42),
        "YWMte3bGuOukEeiTkNP4grL7B4vgJPDpeBHotpddWY1fhAL-9_JQ6YMR6Lo5D-19zDzdAwMAAAFnKdc-ZgBPGgB1VW6na8cVNwdv0nsmg2xhRQhQqm5hbNW8VYKJpMuNXg"
    );
}

#[test]
fn a_token_names_its_key() {
    let opened = open(&seal(&sample(), &key(), 0)).unwrap();
    assert_eq!(opened.key_id(), 7);
    assert_eq!(opened.claims, Claims { id: uuid!("7b76c6b8-eba4-11e8-9390-d3f882b2fb07"), ..sample() });
}

#[test]
fn a_key_of_another_id_does_not_verify_even_with_the_same_secret() {
    let same_secret = MacKey { id: 8, ..key() };
    assert!(!opens_with(&seal(&sample(), &key(), 0), &same_secret, 0));
}

#[test]
fn changed_claims_do_not_verify() {
    let mut opened = open(&seal(&sample(), &key(), 0)).unwrap();
    assert!(opened.verify(&key(), 0));
    opened.claims.ttl_s = 0;
    assert!(!opened.verify(&key(), 0));
}

#[test]
fn every_constant_byte_is_checked() {
    let good = raw(&seal(&sample(), &key(), 0));
    for (at, byte) in [(0, b'A'), (1, b'b'), (2, b'_'), (51, 0), (51, 4), (52, 2), (53, 0x80)] {
        let mut bad = good.clone();
        bad[at] = byte;
        assert_eq!(open(&URL_SAFE_NO_PAD.encode(bad)), Err(Malformed), "byte {at} = {byte}");
    }
}

#[test]
fn unused_low_bits_and_foreign_spellings_are_refused() {
    let good = VECTORS[0].text;
    assert!(good.ends_with('w'), "w is 48 = 0b110000: four low bits unused and clear");
    for last in ["x", "/", "=", " "] {
        assert_eq!(open(&format!("{}{last}", &good[..129])), Err(Malformed));
    }
    assert_eq!(open(&good.replace('-', "+")), Err(Malformed));
    assert_eq!(open(&format!("{good}==")), Err(Malformed));
    assert_eq!(open(&format!("{}ä", &good[..128])), Err(Malformed));
}

#[test]
fn a_lifetime_ends_at_its_last_millisecond() {
    let claims = Claims { issued_ms: 1_000, ttl_s: 2, ..sample() };
    assert_eq!(claims.expires_ms(), Some(3_000));
    assert!(!claims.is_expired(2_999));
    assert!(claims.is_expired(3_000));
}

#[test]
fn no_lifetime_is_for_ever_and_a_long_one_saturates() {
    let for_ever = Claims { ttl_s: 0, ..sample() };
    assert_eq!(for_ever.expires_ms(), None);
    assert!(!for_ever.is_expired(i64::MAX));
    let long = Claims { issued_ms: i64::MAX - 1, ttl_s: u32::MAX, ..sample() };
    assert_eq!(long.expires_ms(), Some(i64::MAX));
}

#[test]
fn debug_shows_neither_the_secret_nor_the_mac() {
    assert_eq!(format!("{:?}", key()), "MacKey { id: 7, .. }");
    assert!(!format!("{:?}", open(VECTORS[0].text).unwrap()).contains("mac"));
}

prop_compose! {
    fn any_claims()(
        id: u128,
        app: u128,
        principal: u128,
        kind in prop_oneof![Just(Kind::Admin), Just(Kind::App), Just(Kind::User)],
        issued_ms in 0..=i64::MAX,
        ttl_s: u32,
    ) -> Claims {
        let [id, app, principal] = [id, app, principal].map(Uuid::from_u128);
        Claims { id, app, principal, kind, issued_ms, ttl_s }
    }
}

proptest! {
    #[test]
    fn sealed_opens(claims in any_claims(), key_id: u8, secret: [u8; 32], epoch: i64) {
        let key = MacKey::new(key_id, &secret);
        let text = seal(&claims, &key, epoch);
        prop_assert_eq!(text.len(), TEXT_LEN);
        let opened = open(&text).unwrap();
        prop_assert_eq!(opened.claims, Claims { id: with_key_id(claims.id, key_id), ..claims });
        prop_assert_eq!(opened.key_id(), key_id);
        prop_assert!(opened.verify(&key, epoch));
        prop_assert_eq!(seal(&opened.claims, &key, epoch), text);
    }

    #[test]
    fn a_flipped_bit_is_not_accepted(claims in any_claims(), epoch: i64, bit in 0..RAW_LEN * 8) {
        let mut bytes = raw(&seal(&claims, &key(), epoch));
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!opens_with(&URL_SAFE_NO_PAD.encode(bytes), &key(), epoch));
    }

    #[test]
    fn another_character_is_not_accepted(claims in any_claims(), at in 0..TEXT_LEN, by in 1..64_usize) {
        let mut text = seal(&claims, &key(), 0).into_bytes();
        let was = ALPHABET.iter().position(|c| *c == text[at]).unwrap();
        text[at] = ALPHABET[(was + by) % 64];
        prop_assert!(!opens_with(str::from_utf8(&text).unwrap(), &key(), 0));
    }

    #[test]
    fn a_part_is_not_accepted(claims in any_claims(), len in 0..TEXT_LEN) {
        let text = seal(&claims, &key(), 0);
        prop_assert_eq!(open(&text[..len]), Err(Malformed));
        prop_assert_eq!(open(&text[TEXT_LEN - len..]), Err(Malformed));
    }

    #[test]
    fn an_extension_is_not_accepted(claims in any_claims(), more in "[A-Za-z0-9_=-]{1,9}") {
        let text = seal(&claims, &key(), 0);
        prop_assert_eq!(open(&format!("{text}{more}")), Err(Malformed));
        prop_assert_eq!(open(&format!("{more}{text}")), Err(Malformed));
    }

    #[test]
    fn another_epoch_is_not_accepted(claims in any_claims(), epoch: i64, other: i64) {
        prop_assume!(epoch != other);
        prop_assert!(!opens_with(&seal(&claims, &key(), epoch), &key(), other));
    }

    #[test]
    fn another_key_is_not_accepted(claims in any_claims(), id: u8, secret: [u8; 32], other: [u8; 32]) {
        prop_assume!(secret != other);
        let text = seal(&claims, &MacKey::new(id, &secret), 0);
        prop_assert!(!opens_with(&text, &MacKey::new(id, &other), 0));
        prop_assert!(!opens_with(&text, &MacKey::new(id.wrapping_add(1), &secret), 0));
    }

    #[test]
    fn any_text_is_survived(text in ".*", near in "YWMt[A-Za-z0-9_-]{126}") {
        let _ = open(&text);
        let _ = open(&near);
    }

    #[test]
    fn whatever_opens_has_only_that_text(bytes: [u8; 92], kind in 1..=3_u8) {
        let bytes = [PREFIX, &bytes[..48], &[kind, LAYOUT], &bytes[48..]].concat();
        let text = URL_SAFE_NO_PAD.encode(&bytes);
        match open(&text) {
            Ok(opened) => prop_assert_eq!(encode(&opened.claims.header(), &opened.mac), text),
            Err(Malformed) => prop_assert!(bytes[53] >= 0x80),
        }
    }
}
