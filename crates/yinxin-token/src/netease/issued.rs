//! The room token that this server issues: 40 hexadecimal digits, a MAC over whom and what it is for.
//!
//! It carries nothing that can be read, and cannot be taken for a login token (32 digits) or a computed room token. Must
//! not know when it ends: that can be changed, so it is kept elsewhere.

use subtle::ConstantTimeEq as _;

/// Bytes of the MAC that the token shows.
const SHOWN: usize = 20;

/// Whom and what a token is for.
#[derive(Clone, Copy, Debug)]
pub struct Issue<'a> {
    /// The app.
    pub app: &'a [u8; 16],
    /// The number of its bearer.
    pub uid: u64,
    /// The room it opens; empty for any.
    pub room: &'a str,
    /// What makes it another token than the one before it.
    pub salt: i64,
}

/// The token.
pub fn seal(issue: &Issue<'_>, key: &[u8; 32]) -> String {
    hex::encode(mac(issue, key))
}

/// Whether the text is that token.
pub fn is(text: &str, issue: &Issue<'_>, key: &[u8; 32]) -> bool {
    let mut found = [0; SHOWN];
    hex::decode_to_slice(text, &mut found).is_ok() && mac(issue, key).ct_eq(&found).into()
}

/// Whether the text has the form of such a token.
pub fn has_form(text: &str) -> bool {
    text.len() == 2 * SHOWN && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn mac(issue: &Issue<'_>, key: &[u8; 32]) -> [u8; SHOWN] {
    // Every part but the last has a fixed length: no two issues are the same bytes.
    let (uid, salt) = (issue.uid.to_be_bytes(), issue.salt.to_be_bytes());
    let whole = super::hmac_sha256(key, &[issue.app, &uid, &salt, issue.room.as_bytes()]);
    let mut shown = [0; SHOWN];
    shown.copy_from_slice(&whole[..SHOWN]);
    shown
}
