//! The access token of before 2018: 63 characters, base64url without padding of 47 bytes.
//!
//! Owns recognising one. We neither issue nor accept them, but a well-formed token that nobody here made is answered
//! differently from a corrupt one, and such tokens still stand in the vendor's samples.
//!
//! Must not know the issuer's salt: the hash (`sha1(prefix + id + salt + expiry)` in Apache Usergrid, where the format
//! comes from) cannot be checked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::Malformed;

#[cfg(test)]
mod tests;

const PREFIX: &[u8; 3] = b"ac-";
const TEXT_LEN: usize = 63;
const RAW_LEN: usize = 47;

/// What an old token holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Legacy {
    /// The token's id, a UUIDv1 whose clock is the issue time.
    pub id: Uuid,
    /// End of its life, Unix milliseconds, never negative.
    pub expires_ms: i64,
    /// The issuer's hash; see the module.
    pub sha1: [u8; 20],
}

/// Whether the text is a well-formed old token.
pub fn is_legacy(text: &str) -> bool {
    open_legacy(text).is_ok()
}

/// Reads an old token. As strict as [`crate::access::open`]: one text per content.
pub fn open_legacy(text: &str) -> Result<Legacy, Malformed> {
    if text.len() != TEXT_LEN {
        return Err(Malformed);
    }
    let mut raw = [0; RAW_LEN];
    match URL_SAFE_NO_PAD.decode_slice(text, &mut raw) {
        Ok(RAW_LEN) => parse(&raw).ok_or(Malformed),
        _ => Err(Malformed),
    }
}

fn parse(raw: &[u8; RAW_LEN]) -> Option<Legacy> {
    let rest = raw.strip_prefix(PREFIX)?;
    let (id, rest) = rest.split_first_chunk()?;
    let (expires_ms, sha1) = rest.split_first_chunk()?;
    let expires_ms = i64::from_be_bytes(*expires_ms);
    (expires_ms >= 0).then_some(Legacy { id: Uuid::from_bytes(*id), expires_ms, sha1: sha1.try_into().ok()? })
}
