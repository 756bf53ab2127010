//! What NetEase Yunxin's servers and its customers' servers make of an app's secrets: the signature of a call, room tokens
//! (issued by us, or computed by a backend), permission keys.
//!
//! Owns the formats and the comparisons, which take the same time wherever the texts differ. Must not know the time, where
//! secrets are stored, or which room there is.

pub mod issued;
pub mod local;
pub mod permission;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

#[cfg(test)]
mod tests;

/// The signature of a call, `CheckSum`: the hex of `SHA-1(secret ‖ nonce ‖ curTime)`, all as they stand in the headers.
pub fn check_sum(secret: &str, nonce: &str, cur_time: &str) -> String {
    hex::encode(sign(secret, nonce, cur_time))
}

/// Whether a call's signature is right. The hex may be of either case.
pub fn check_sum_is(check_sum: &str, secret: &str, nonce: &str, cur_time: &str) -> bool {
    is_sha1_hex(check_sum, &sign(secret, nonce, cur_time))
}

fn sign(secret: &str, nonce: &str, cur_time: &str) -> [u8; 20] {
    Sha1::new().chain_update(secret).chain_update(nonce).chain_update(cur_time).finalize().into()
}

fn is_sha1_hex(text: &str, expected: &[u8; 20]) -> bool {
    let mut found = [0; 20];
    hex::decode_to_slice(text, &mut found).is_ok() && expected.ct_eq(&found).into()
}

pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length; the error cannot happen.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| parts.iter().fold(mac, Hmac::chain_update).finalize().into_bytes().into())
        .unwrap_or_default()
}
