//! One known answer, the leniencies, the refusals, and what the unseparated signature lets through.

use base64::engine::general_purpose;
use proptest::prelude::*;

use super::*;

const CLIENT_ID: &str = "YXA6i-Ak8Ol4Eei2l11ZjV-EAg";
const SECRET: &str = "YXA6VunqiNxoB7IwXHInk1cGiXOOJfc";
const APP_KEY: &str = "easemob-demo#testapp";
const NOW_S: i64 = 1_764_512_345;

/// Built with another SHA-256, JSON writer and base64 encoder, for `user1`, [`NOW_S`] and a ttl of 600.
const SAMPLE: &str = "ZHQteyJzaWduYXR1cmUiOiAiZTkxNzRhNTFhZTdmOTE4YmYwMzVjZGYyZGJlOTQxNzQ0ZjZiZDY0ZDljNGJiNjA4Y2RhZmIzODNkNmZjYWI1MCIsICJhcHBrZXkiOiAiZWFzZW1vYi1kZW1vI3Rlc3RhcHAiLCAidXNlcklkIjogInVzZXIxIiwgImN1clRpbWUiOiAxNzY0NTEyMzQ1LCAidHRsIjogNjAwfQ";
const SAMPLE_SIGNATURE: &str = "e9174a51ae7f918bf035cdf2dbe941744f6bd64d9c4bb608cdafb383d6fcab50";

fn text_of(body: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("dt-{body}"))
}

/// A token with these two values spelled as given.
fn with_times(cur_time: &str, ttl: &str) -> Result<Dynamic, Malformed> {
    open_dynamic(&text_of(&format!(
        r#"{{"signature":"00","appkey":"o#a","userId":"u","curTime":{cur_time},"ttl":{ttl}}}"#
    )))
}

fn sealed(user_id: &str) -> Dynamic {
    open_dynamic(&seal_dynamic(CLIENT_ID, SECRET, APP_KEY, user_id, NOW_S, 600)).unwrap()
}

#[test]
fn a_token_built_elsewhere_is_read_and_verifies() {
    let token = open_dynamic(SAMPLE).unwrap();
    assert_eq!(token, sealed("user1"));
    assert_eq!(token.signature, SAMPLE_SIGNATURE);
    assert_eq!((token.app_key.as_str(), token.user_id.as_str()), (APP_KEY, "user1"));
    assert_eq!((token.cur_time_s, token.ttl_s), (NOW_S, 600));
    assert!(token.verify(CLIENT_ID, SECRET));
}

#[test]
fn the_signature_may_be_of_either_case_and_must_be_whole() {
    let token = sealed("user1");
    for (signature, verifies) in [
        (SAMPLE_SIGNATURE.to_uppercase(), true),
        (String::new(), false),
        (SAMPLE_SIGNATURE[..62].to_owned(), false),
        (format!("{SAMPLE_SIGNATURE}00"), false),
        (SAMPLE_SIGNATURE.replace('e', "g"), false),
        (SAMPLE_SIGNATURE.replace('e', "f"), false),
    ] {
        assert_eq!(Dynamic { signature, ..token.clone() }.verify(CLIENT_ID, SECRET), verifies);
    }
}

#[test]
fn every_part_is_signed() {
    let token = sealed("user1");
    assert!(!token.verify("YXA6", SECRET));
    assert!(!token.verify(CLIENT_ID, "YXA6"));
    assert!(!Dynamic { app_key: "other#app".into(), ..token.clone() }.verify(CLIENT_ID, SECRET));
    assert!(!Dynamic { user_id: "user2".into(), ..token.clone() }.verify(CLIENT_ID, SECRET));
    assert!(!Dynamic { cur_time_s: NOW_S + 1, ..token.clone() }.verify(CLIENT_ID, SECRET));
    assert!(!Dynamic { ttl_s: 601, ..token }.verify(CLIENT_ID, SECRET));
}

#[test]
fn every_usual_base64_will_do() {
    // Chosen so that the encoding holds the characters in which the alphabets differ, and needs padding.
    let token = sealed("ÿþ?>~~üa");
    let raw = URL_SAFE_NO_PAD.decode(token.to_text()).unwrap();
    let spellings = [
        URL_SAFE_NO_PAD.encode(&raw),
        general_purpose::URL_SAFE.encode(&raw),
        general_purpose::STANDARD.encode(&raw),
        general_purpose::STANDARD_NO_PAD.encode(&raw),
    ];
    assert!(spellings[0].contains('_') && spellings[1].ends_with('=') && spellings[2].contains('/'), "{spellings:?}");
    for spelling in spellings {
        assert!(is_dynamic(&spelling));
        assert_eq!(open_dynamic(&spelling).as_ref(), Ok(&token), "{spelling}");
    }
}

#[test]
fn times_may_be_quoted() {
    let token = with_times("\"1764512345\"", "\"0\"").unwrap();
    assert_eq!((token.cur_time_s, token.ttl_s), (NOW_S, 0));
    assert_eq!(with_times("1764512345", "9223372036854775807").unwrap().ttl_s, i64::MAX);
}

#[test]
fn times_must_be_whole_non_negative_numbers() {
    for bad in ["-1", "\"-1\"", "1.5", "1e3", "\"\"", "\"+1\"", "\" 1\"", "\"1s\"", "null", "true", "[1]", "{}"] {
        assert_eq!(with_times("1764512345", bad), Err(Malformed), "{bad}");
        assert_eq!(with_times(bad, "600"), Err(Malformed), "{bad}");
    }
    assert_eq!(with_times("1764512345", "9223372036854775808"), Err(Malformed));
}

#[test]
fn the_time_must_have_ten_digits() {
    for (cur_time, accepted) in
        [("999999999", false), ("1000000000", true), ("9999999999", true), ("10000000000", false)]
    {
        assert_eq!(with_times(cur_time, "600").is_ok(), accepted, "{cur_time}");
    }
}

/// Why the time has ten digits: this cut would otherwise let `user1` in as `user11`, for ever.
#[test]
fn a_cut_with_a_short_time_is_malformed() {
    let cut = Dynamic { user_id: "user11".into(), cur_time_s: 7, ttl_s: 64_512_345_600, ..sealed("user1") };
    assert!(cut.verify(CLIENT_ID, SECRET), "the signature alone does not tell them apart");
    assert_eq!(open_dynamic(&cut.to_text()), Err(Malformed));
}

/// Why the caller must bound the times: these cuts keep the ten digits.
#[test]
fn a_cut_with_ten_digits_lies_in_the_future_or_has_a_long_ttl() {
    let genuine = open_dynamic(&seal_dynamic(CLIENT_ID, SECRET, APP_KEY, "user1", NOW_S, 60)).unwrap();
    let forward = Dynamic { user_id: "user11".into(), cur_time_s: 7_645_123_456, ttl_s: 0, ..genuine };
    assert!(open_dynamic(&forward.to_text()).unwrap().verify(CLIENT_ID, SECRET));
    assert!(forward.cur_time_s > NOW_S);

    let backward = Dynamic { user_id: "user".into(), cur_time_s: 1_717_645_123, ttl_s: 45_600, ..sealed("user17") };
    assert!(open_dynamic(&backward.to_text()).unwrap().verify(CLIENT_ID, SECRET));
    assert!(backward.cur_time_s + backward.ttl_s < NOW_S);
}

#[test]
fn unknown_keys_are_ignored_and_known_ones_required() {
    let full = r#"{"x":[1,{}],"signature":"s","appkey":"a","userId":"u","curTime":1764512345,"ttl":1}"#;
    assert!(open_dynamic(&text_of(full)).is_ok());
    for key in ["signature", "appkey", "userId", "curTime", "ttl"] {
        assert_eq!(open_dynamic(&text_of(&full.replace(key, "y"))), Err(Malformed), "{key}");
    }
    assert_eq!(open_dynamic(&text_of(&full.replace("\"s\"", "1"))), Err(Malformed));
}

#[test]
fn other_texts_are_malformed() {
    let too_long = text_of(&format!("{{}}{}", " ".repeat(2000)));
    let nested = text_of(&"[".repeat(1400));
    let array = text_of(r#"["s","a","u",1764512345,1]"#);
    let not_utf8 = URL_SAFE_NO_PAD.encode(b"dt-{\"\xff\":1}");
    let both_alphabets = "ZHQt-+AA";
    for text in ["", "ZHQt", "ZHQ", &too_long, &nested, &array, &not_utf8, both_alphabets, &SAMPLE[1..]] {
        assert_eq!(open_dynamic(text), Err(Malformed), "{text}");
    }
    assert!(!is_dynamic("YWMt"));
}

#[test]
fn debug_does_not_show_the_signature() {
    assert!(!format!("{:?}", sealed("user1")).contains(SAMPLE_SIGNATURE));
}

proptest! {
    #[test]
    fn sealed_opens(user in ".{0,64}", app in "[a-z]{1,9}#[a-z]{1,9}", cur in CUR_TIME_S, ttl in 0..=i64::MAX) {
        let text = seal_dynamic(CLIENT_ID, SECRET, &app, &user, cur, ttl);
        let token = open_dynamic(&text).unwrap();
        prop_assert!(token.verify(CLIENT_ID, SECRET));
        prop_assert_eq!(&token.user_id, &user);
        prop_assert_eq!(&token.app_key, &app);
        prop_assert_eq!((token.cur_time_s, token.ttl_s), (cur, ttl));
        prop_assert_eq!(token.to_text(), text);
    }

    #[test]
    fn another_secret_is_not_accepted(secret in "YXA6[A-Za-z0-9_-]{27}") {
        prop_assume!(secret != SECRET);
        prop_assert!(!sealed("user1").verify(CLIENT_ID, &secret));
    }

    #[test]
    fn any_text_is_survived(text in ".*", near in "ZHQt[A-Za-z0-9_+/-]{0,99}={0,3}") {
        for text in [text, near] {
            let _ = is_dynamic(&text);
            let _ = open_dynamic(&text);
        }
    }

    #[test]
    fn any_body_is_survived(signature in ".{0,70}", bytes: Vec<u8>) {
        let _ = open_dynamic(&URL_SAFE_NO_PAD.encode([PREFIX.as_slice(), &bytes].concat()));
        let token = Dynamic { signature, ..sealed("user1") };
        prop_assert!(!token.verify(CLIENT_ID, SECRET));
    }
}
