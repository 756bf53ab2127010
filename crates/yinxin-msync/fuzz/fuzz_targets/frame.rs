//! No bytes panic as a frame.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_msync::decode;

fuzz_target!(|bytes: &[u8]| {
    let _ = decode(bytes);
});
