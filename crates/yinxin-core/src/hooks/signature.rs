//! The signature of a call and the spelling of secrets. Source: the Standard Webhooks specification, version 1.0.0.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Hook;
use crate::rng::{self, Rng};

const SECRET_PREFIX: &str = "whsec_";
/// The specification asks for 24 to 64.
const SECRET_BYTES: usize = 32;

/// A new secret.
pub(super) fn new_secret(rng: &dyn Rng) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(rng::bytes::<SECRET_BYTES>(rng).to_vec())
}

/// A secret as receivers are configured with it.
pub(super) fn spell(secret: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(format!("{SECRET_PREFIX}{}", STANDARD.encode(secret)))
}

/// The header `webhook-signature`: one signature per secret that holds, the newest first.
pub(super) fn sign(hook: &Hook, id: &str, now_ms: i64, body: &str) -> String {
    let timestamp_s = now_ms.div_euclid(1000);
    let mut signatures = v1(&hook.secret, id, timestamp_s, body);
    if let Some((before, _)) = hook.secret_before.as_ref().filter(|(_, until_ms)| now_ms < *until_ms) {
        signatures.push(' ');
        signatures.push_str(&v1(before, id, timestamp_s, body));
    }
    signatures
}

fn v1(secret: &[u8], id: &str, timestamp_s: i64, body: &str) -> String {
    // HMAC takes keys of any length.
    let mac = Hmac::<Sha256>::new_from_slice(secret).map(|mac| {
        let signed = format!("{id}.{timestamp_s}.");
        STANDARD.encode(mac.chain_update(signed).chain_update(body).finalize().into_bytes())
    });
    format!("v1,{}", mac.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector that the specification's reference libraries test themselves with.
    #[test]
    fn a_known_body_has_its_known_signature() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(&*spell(&secret), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signature = v1(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
