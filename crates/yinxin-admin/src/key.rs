//! [`AdminKey`]: the one secret that opens the admin API.

use subtle::ConstantTimeEq;
use yinxin_core::rng::{self, Rng};
use zeroize::Zeroizing;

/// Shorter keys are refused: nothing slows a guesser down but the key's length.
const KEY_CHARS_MIN: usize = 32;

/// The key that administrators show. It has no `Display` and no `Debug`.
#[derive(Clone)]
pub struct AdminKey(Zeroizing<String>);

impl AdminKey {
    /// A new one: 64 hexadecimal digits.
    pub fn generate(rng: &dyn Rng) -> Self {
        Self(Zeroizing::new(hex::encode(rng::bytes::<32>(rng))))
    }

    /// Reads a key file's text: at least 32 visible ASCII characters, with or without a line end.
    pub fn parse(text: &str) -> Option<Self> {
        let key = text.trim();
        let legal = key.len() >= KEY_CHARS_MIN && key.bytes().all(|b| b.is_ascii_graphic());
        legal.then(|| Self(Zeroizing::new(key.to_owned())))
    }

    /// The key, for its file and for the header of a call.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether an `Authorization` header carries this key as a bearer token. Takes as long for a wrong key as for the
    /// right one.
    pub fn opens(&self, authorization: Option<&[u8]>) -> bool {
        const SCHEME: &[u8] = b"bearer ";
        let Some((scheme, shown)) = authorization.and_then(|header| header.split_at_checked(SCHEME.len())) else {
            return false;
        };
        scheme.eq_ignore_ascii_case(SCHEME) && bool::from(shown.trim_ascii().ct_eq(self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_key_opens() {
        let key = AdminKey::parse("0123456789abcdef0123456789abcdef\n").unwrap();
        let right = format!("Bearer {}", key.reveal());
        assert!(key.opens(Some(right.as_bytes())));
        assert!(key.opens(Some(right.replace("Bearer", "bearer").as_bytes())));
        for wrong in ["", "Bearer", "Bearer ", "Basic 0123456789abcdef0123456789abcdef", &right[..right.len() - 1]] {
            assert!(!key.opens(Some(wrong.as_bytes())), "{wrong}");
        }
        assert!(!key.opens(Some(format!("{right}0").as_bytes())));
        assert!(!key.opens(None));
    }

    #[test]
    fn short_or_broken_keys_are_no_keys() {
        for text in ["", "short", "0123456789abcdef 0123456789abcdef", "0123456789abcdef0123456789abcde\0"] {
            assert!(AdminKey::parse(text).is_none(), "{text:?}");
        }
    }
}
