//! The admission key: what somebody's media server shows when it asks us whom to let in.
//!
//! 64 hexadecimal digits, HMAC-SHA256 over the app and its secret. It is made of the secret so that there is nothing more to
//! keep and it changes with it, and under a key of our own so that a secret that is short (some are of twelve digits) cannot
//! be found by trying: a media server that is broken into gives away who may come in, not the app.

use subtle::ConstantTimeEq as _;

use crate::netease::hmac_sha256;

/// The key of the app with that secret.
pub fn key(app: &[u8; 16], app_secret: &str, server_key: &[u8; 32]) -> String {
    hex::encode(hmac_sha256(server_key, &[app, app_secret.as_bytes()]))
}

/// Whether the text is that key.
pub fn is(text: &str, key: &str) -> bool {
    text.as_bytes().ct_eq(key.as_bytes()).into()
}
