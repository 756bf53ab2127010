//! The admission key: what somebody's media server shows when it asks us whom to let in.
//!
//! 64 hexadecimal digits, HMAC-SHA256 of a fixed text under the app's secret. It is made of the secret, so that there is
//! nothing more to keep, and the secret cannot be found from it: a media server that is broken into gives away who may
//! come in, not the app.

use subtle::ConstantTimeEq as _;

use crate::netease::hmac_sha256;

const WHAT: &[u8] = b"yinxin admission key 1";

/// The key of the app with that secret.
pub fn key(app_secret: &str) -> String {
    hex::encode(hmac_sha256(app_secret.as_bytes(), &[WHAT]))
}

/// Whether the text is that key.
pub fn is(text: &str, app_secret: &str) -> bool {
    let mut found = [0; 32];
    let expected = hmac_sha256(app_secret.as_bytes(), &[WHAT]);
    hex::decode_to_slice(text, &mut found).is_ok() && expected.ct_eq(&found).into()
}
