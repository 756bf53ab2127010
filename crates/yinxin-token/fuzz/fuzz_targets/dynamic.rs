//! No text panics, and none that was not signed with the secret verifies.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_token::open_dynamic;

fuzz_target!(|text: &str| {
    if let Ok(token) = open_dynamic(text) {
        assert!(!token.verify("id", "a secret the fuzzer does not know"));
    }
});
