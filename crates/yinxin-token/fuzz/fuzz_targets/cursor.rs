//! No text panics, and an order cursor has one spelling.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_token::{decode_order_cursor, decode_user_cursor, encode_order_cursor};

fuzz_target!(|text: &str| {
    decode_user_cursor(text);
    if let Some(order) = decode_order_cursor(text) {
        assert_eq!(encode_order_cursor(order), text);
    }
});
