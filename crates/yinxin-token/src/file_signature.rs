//! The signature of a request for a file: lower-case hexadecimal of HMAC-SHA256, by the secret that came with a token for
//! files, over three lines: the app, the file, the token.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// Signs.
pub fn make(secret: &str, app: &str, file: &str, token: &str) -> String {
    // HMAC takes keys of any length.
    Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .map(|mac| hex::encode(mac.chain_update(format!("{app}\n{file}\n{token}")).finalize().into_bytes()))
        .unwrap_or_default()
}

/// Whether the signature is of that request. In any case; compared in constant time.
pub fn is_of(signature: &str, secret: &str, app: &str, file: &str, token: &str) -> bool {
    make(secret, app, file, token).as_bytes().ct_eq(signature.to_ascii_lowercase().as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's `hmac`.
    #[test]
    fn a_request_is_signed_as_documented() {
        let signature = make("secret", "dpbdvekfecbo", "0a1b", "YWMt");
        assert_eq!(signature, "91643452173ecfef2ec499c418adf6b0108d97947c3e07090d81225641be01d5");
        assert!(is_of(&signature.to_uppercase(), "secret", "dpbdvekfecbo", "0a1b", "YWMt"));
        for other in ["", "x", &signature[1..]] {
            assert!(!is_of(other, "secret", "dpbdvekfecbo", "0a1b", "YWMt"));
        }
        assert!(!is_of(&signature, "secret", "dpbdvekfecbo", "0a1c", "YWMt"));
    }
}
