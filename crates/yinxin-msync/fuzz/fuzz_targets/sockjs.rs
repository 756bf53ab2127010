//! No text panics, and what passes keeps to the limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_msync::sockjs::{Limits, parse_client};

fuzz_target!(|text: &str| {
    let limits = Limits { text_bytes: 4096, frames: 3, frame_bytes: 100 };
    if let Ok(frames) = parse_client(text, limits) {
        assert!(frames.len() <= 3 && frames.iter().all(|frame| frame.len() <= 100));
    }
});
