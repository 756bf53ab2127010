//! Wounded tokens, credentials and cursors: nothing panics, little is held, what is read is what is written, and nothing
//! verifies that was not sealed.

use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use peak_alloc::PeakAlloc;
use proptest::strategy::Strategy as _;
use uuid::Uuid;
use yinxin_testkit::fuzz::{cost, fuzz, wounded_text};
use yinxin_token::{
    Claims, Dynamic, Kind, MacKey, client_id, decode_order_cursor, decode_user_cursor, encode_order_cursor,
    encode_user_cursor, is_legacy, open, open_dynamic, open_legacy, parse_client_id, seal, seal_dynamic,
};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// One test at a time: what a call holds is counted for the whole process.
static ALONE: Mutex<()> = Mutex::new(());

/// Far above any token.
const TEXT_BYTES: usize = 4096;
const EPOCH: i64 = 3;

fn held_little(text: &str, held: usize) {
    assert!(held <= 4 * text.len() + 4096, "{held} bytes held for {}", text.len());
}

fn key(id: u8) -> MacKey {
    MacKey::new(id, &[0x5a; 32])
}

fn claims(kind: Kind, ttl_s: u32) -> Claims {
    let [app, principal] = [1, 2].map(|id| Uuid::from_bytes([id; 16]));
    Claims { id: Uuid::from_bytes([7; 16]), app, principal, kind, issued_ms: 1_700_000_000_000, ttl_s }
}

#[test]
fn no_access_token_panics_and_none_verifies_that_was_not_sealed() {
    let _alone = ALONE.lock();
    let sealed = [(Kind::User, 60), (Kind::App, 0)].map(|(kind, ttl_s)| seal(&claims(kind, ttl_s), &key(7), EPOCH));
    fuzz(&wounded_text(&sealed.each_ref().map(String::as_str), TEXT_BYTES), |text| {
        let (opened, held) = cost(&MEMORY, || open(text));
        held_little(text, held);
        let Ok(opened) = opened else { return };
        let key = key(opened.key_id());
        let again = seal(&opened.claims, &key, EPOCH);
        assert_eq!(open(&again).unwrap().claims, opened.claims);
        // Who knows the key makes this very text; nobody else has made it.
        assert_eq!(opened.verify(&key, EPOCH), again == *text);
        assert_eq!(opened.verify(&key, EPOCH), sealed.contains(text));
        assert!(!opened.verify(&key, EPOCH + 1));
    });
}

/// What a dynamic token's signature is about: the texts one after another, nothing between them.
fn signed(token: &Dynamic) -> String {
    format!("{}{}{}{}", token.app_key, token.user_id, token.cur_time_s, token.ttl_s)
}

fn check_dynamic(text: &str, original: &str) {
    let (opened, held) = cost(&MEMORY, || open_dynamic(text));
    // Many small values of JSON take many times their text, which may have 2 KB.
    assert!(held <= 256 * 1024, "{held} bytes held for {}", text.len());
    let Ok(token) = opened else { return };
    assert!(!token.verify("id", "secret") || signed(&token) == original);
    let Dynamic { app_key, user_id, cur_time_s, ttl_s, signature } = &token;
    let again = seal_dynamic("id", "secret", app_key, user_id, *cur_time_s, *ttl_s);
    // Written with a whole signature it may be too long.
    let Ok(again) = open_dynamic(&again) else { return assert!(again.len() > 2048) };
    assert!(again.verify("id", "secret"));
    assert_eq!(Dynamic { signature: signature.clone(), ..again }, token);
}

#[test]
fn no_dynamic_token_panics_and_none_verifies_that_was_not_signed() {
    let _alone = ALONE.lock();
    let sealed = seal_dynamic("id", "secret", "o#a", "alice", 1_700_000_000, 3600);
    let original = signed(&open_dynamic(&sealed).unwrap());
    fuzz(&wounded_text(&[&sealed], TEXT_BYTES), |text| check_dynamic(text, &original));
    // The JSON, too: wounds in base64 hit three characters at a time.
    let bodies = [
        r#"dt-{"signature":"00","appkey":"o#a","userId":"alice","curTime":1700000000,"ttl":3600}"#,
        r#"dt-{"signature":"00","appkey":"o#a","userId":"a","curTime":"1700000000","ttl":"0","more":[{}]}"#,
    ];
    let texts = wounded_text(&bodies, 1600).prop_map(|body| URL_SAFE_NO_PAD.encode(body));
    fuzz(&texts, |text| check_dynamic(text, &original));
}

#[test]
fn no_credential_or_cursor_panics_and_none_has_two_spellings() {
    let _alone = ALONE.lock();
    let uuid = Uuid::from_bytes([9; 16]);
    let legacy = "YWMtSozP9jHNEeSQegV9EKeAQAAAUlmBR2bTGr-GP2xNh8GhUCdKViBFDSEF2EA";
    let seeds = [&*client_id(uuid), &*encode_user_cursor(uuid), &*encode_order_cursor(1_700_000_000_000), legacy];
    fuzz(&wounded_text(&seeds, TEXT_BYTES), |text| {
        let ((app, user, order, old), held) = cost(&MEMORY, || {
            (parse_client_id(text), decode_user_cursor(text), decode_order_cursor(text), open_legacy(text))
        });
        held_little(text, held);
        assert_eq!(old.is_ok(), is_legacy(text));
        // One spelling each, so that nothing has two names.
        assert!(app.is_none_or(|app| client_id(app) == *text));
        assert!(order.is_none_or(|order| encode_order_cursor(order) == *text));
        assert!(user.is_none_or(|user| decode_user_cursor(&encode_user_cursor(user)) == Some(user)));
    });
}
