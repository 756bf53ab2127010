//! No text panics, and none that was not made here is believed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_token::pass;

fuzz_target!(|text: &str| {
    if let Ok(opened) = pass::open(text) {
        assert!(opened.verify(&[7; 32]).is_none());
    }
});
