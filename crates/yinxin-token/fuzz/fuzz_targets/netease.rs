//! No text panics, none unpacks into more than it may, and none that was not made with a secret verifies.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_token::netease::local::{self, Scope};
use yinxin_token::netease::{check_sum_is, permission};

fuzz_target!(|text: &str| {
    if let Ok(token) = local::open(text) {
        let scope = Scope { app_key: "key", uid: 1, room: "room" };
        assert!(!token.verify(&scope, "a secret the fuzzer does not know"));
    }
    if let Ok(key) = permission::open(text) {
        assert!(!key.verify("a secret the fuzzer does not know"));
    }
    assert!(!check_sum_is(text, "a secret the fuzzer does not know", "12345", "1443592222"));
});
