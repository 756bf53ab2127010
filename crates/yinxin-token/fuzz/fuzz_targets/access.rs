//! No text panics, and none that was not sealed with the key verifies.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_token::{MacKey, is_legacy, open, parse_client_id};

fuzz_target!(|text: &str| {
    if let Ok(opened) = open(text) {
        assert!(!opened.verify(&MacKey::new(opened.key_id(), &[0x5a; 32]), 0));
    }
    is_legacy(text);
    parse_client_id(text);
});
