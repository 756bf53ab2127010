//! Credentials that media servers check by themselves, each from a secret it shares with us: LiveKit's token, Janus' signed
//! tokens, the passwords of a TURN server's REST API; and the key by which a media server shows itself to us.
//!
//! Owns the formats. Must not know who may have a credential, for what, or the time.

pub mod admission;
pub mod janus;
pub mod livekit;
pub mod turn;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

#[cfg(test)]
mod tests;

/// What Janus and TURN servers sign with: standard base64 of HMAC-SHA1.
fn sign(secret: &str, text: &str) -> String {
    // HMAC takes keys of any length; the error cannot happen.
    Hmac::<Sha1>::new_from_slice(secret.as_bytes())
        .map(|mac| STANDARD.encode(mac.chain_update(text).finalize().into_bytes()))
        .unwrap_or_default()
}
