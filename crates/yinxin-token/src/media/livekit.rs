//! LiveKit's access token: a JWT signed with the API secret (HS256), whose claim `video` says what its bearer may do.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::netease::hmac_sha256;

/// Who may do what where.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// Its name in the room.
    pub identity: &'a str,
    /// The room; no other can be joined.
    pub room: &'a str,
    /// May send sound.
    pub sends_audio: bool,
    /// May send pictures.
    pub sends_video: bool,
    /// May receive sound and pictures: the format cannot tell one from the other.
    pub receives: bool,
    /// Not good before, Unix seconds.
    pub from_s: i64,
    /// Not good after, Unix seconds.
    pub until_s: i64,
}

/// The token, under the API key and its secret.
pub fn seal(grant: &Grant<'_>, api_key: &str, api_secret: &str) -> String {
    let mut video = json!({
        "roomJoin": true,
        "room": grant.room,
        // What is left out counts as permitted, so a denial is written down.
        "canPublish": grant.sends_audio || grant.sends_video,
        "canPublishData": grant.sends_audio || grant.sends_video,
        "canSubscribe": grant.receives,
    });
    if let Some(sources) = sources(grant) {
        video["canPublishSources"] = sources;
    }
    let claims = json!({
        "iss": api_key,
        "sub": grant.identity,
        "nbf": grant.from_s,
        "exp": grant.until_s,
        "video": video,
    });
    let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(&claims));
    let signature = URL_SAFE_NO_PAD.encode(hmac_sha256(api_secret.as_bytes(), &[signed.as_bytes()]));
    format!("{signed}.{signature}")
}

/// Which sources may be sent from, if not all.
fn sources(grant: &Grant<'_>) -> Option<Value> {
    match (grant.sends_audio, grant.sends_video) {
        (true, false) => Some(json!(["microphone", "screen_share_audio"])),
        (false, true) => Some(json!(["camera", "screen_share"])),
        _ => None,
    }
}
