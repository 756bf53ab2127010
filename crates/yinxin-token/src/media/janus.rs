//! Janus' signed tokens, as its release 1.1 reads them:
//!
//! ```text
//! <expiry, Unix seconds>,<realm>,<descriptor>,<descriptor>…:<base64 of HMAC-SHA1 over everything before the colon>
//! ```
//!
//! The realm `janus` with plug-ins for descriptors opens the server; the realm of a plug-in with `room=<id>` opens a room
//! of it. Nothing in it says who bears it, or what may be done in the room. (Some branches of Janus' source sign with
//! SHA-256; no release does.)

/// The realm of the token that opens the server.
pub const SERVER: &str = "janus";
/// The plug-in, and the realm of the tokens that open its rooms.
pub const VIDEO_ROOM: &str = "janus.plugin.videoroom";

/// Whether a text can stand in a token: there is no way to write a comma or a colon, and with one the token would say
/// something else.
pub fn can_say(text: &str) -> bool {
    !text.is_empty() && !text.contains([',', ':'])
}

/// The token that lets its bearer use these plug-ins; `None` if one of the names cannot be said.
pub fn seal_server(plugins: &[String], until_s: i64, secret: &str) -> Option<String> {
    let plugins: Vec<&str> = plugins.iter().map(String::as_str).collect();
    seal(SERVER, &plugins, until_s, secret)
}

/// The token that opens a video room; `None` if its name cannot be said.
pub fn seal_room(room: &str, until_s: i64, secret: &str) -> Option<String> {
    seal(VIDEO_ROOM, &[&format!("room={room}")], until_s, secret)
}

fn seal(realm: &str, descriptors: &[&str], until_s: i64, secret: &str) -> Option<String> {
    if !descriptors.iter().all(|descriptor| can_say(descriptor)) {
        return None;
    }
    let signed = format!("{until_s},{realm},{}", descriptors.join(","));
    let signature = super::sign(secret, &signed);
    Some(format!("{signed}:{signature}"))
}
