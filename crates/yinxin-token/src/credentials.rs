//! Client credentials: the pair an app's server trades for an app token.
//!
//! Owns their spelling: base64url of `ap:` and the content, so both start with `YXA6`. Must not know how a secret is
//! drawn, stored or compared; a secret is an opaque text to everything but [`client_secret`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

#[cfg(test)]
mod tests;

const PREFIX: &[u8; 3] = b"ap:";
const ID_RAW_LEN: usize = 19;
const SECRET_RAW_LEN: usize = 23;

/// The `client_id` of an app, 26 characters. It is the app's id in another spelling, and public.
pub fn client_id(app: Uuid) -> String {
    let mut raw = [0; ID_RAW_LEN];
    raw[..3].copy_from_slice(PREFIX);
    raw[3..].copy_from_slice(app.as_bytes());
    URL_SAFE_NO_PAD.encode(raw)
}

/// The app a `client_id` names; `None` unless the text is exactly what [`client_id`] gives for some app.
pub fn parse_client_id(text: &str) -> Option<Uuid> {
    let mut raw = [0; ID_RAW_LEN];
    let len = URL_SAFE_NO_PAD.decode_slice(text, &mut raw).ok()?;
    let app = raw.get(..len)?.strip_prefix(PREFIX)?;
    Uuid::from_slice(app).ok()
}

/// A `client_secret` made of 160 random bits, 31 characters.
pub fn client_secret(random: &[u8; 20]) -> String {
    let mut raw = [0; SECRET_RAW_LEN];
    raw[..3].copy_from_slice(PREFIX);
    raw[3..].copy_from_slice(random);
    URL_SAFE_NO_PAD.encode(raw)
}
