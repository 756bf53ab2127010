//! What can be said about a value that is never the same twice: ids, times, tokens, cursors. Which key has which shape
//! is a vendor's matter ([`easemob`]); the checks return what they wanted instead.

use base64::Engine;
use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use super::compare::Difference;

/// A time may be this far from now: the sample has just been replayed.
const TIME_SLACK_MS: i64 = 60_000;
/// The longest plausible `duration`.
const DURATION_MAX_MS: u64 = 60_000;
/// Length of an access token in characters; it holds 97 bytes.
const ACCESS_TOKEN_LEN: usize = 130;
/// What a bad cursor should have been.
pub const CURSOR: &str = "a cursor: base64url(number:base64url(uuid))";

/// A way to compare a value other than by equality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// An id: a lower-case uuid that stands for one of the sample.
    Uuid,
    /// A time in ms, about now.
    Millis,
    /// An elapsed time in ms.
    Duration,
    /// An access token in the vendor's form.
    AccessToken,
    /// A cursor in the vendor's form.
    Cursor,
    /// A token that says nothing: hexadecimal digits.
    HexToken,
    /// A user's number: 13 digits, a multiple of 16.
    Number,
}

/// The shapes of a Lanying reply, by key.
pub fn lanying(key: &str) -> Option<Shape> {
    match key {
        "user_id" => Some(Shape::Number),
        "token" | "store_token" => Some(Shape::AccessToken),
        _ => None,
    }
}

/// The shapes of a NetEase reply, by key.
pub fn netease(key: &str) -> Option<Shape> {
    (key == "token").then_some(Shape::HexToken)
}

/// The shapes of an Easemob reply, by key.
pub fn easemob(key: &str) -> Option<Shape> {
    match key {
        "uuid" | "application" => Some(Shape::Uuid),
        "timestamp" | "created" | "modified" => Some(Shape::Millis),
        "duration" => Some(Shape::Duration),
        "access_token" => Some(Shape::AccessToken),
        "cursor" => Some(Shape::Cursor),
        _ => None,
    }
}

/// A uuid in its usual form, lower case, and not all zero.
pub fn is_uuid(text: &str) -> bool {
    let hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    let fits = |(n, c): (usize, u8)| if matches!(n, 8 | 13 | 18 | 23) { c == b'-' } else { hex(c) };
    text.len() == 36 && text.bytes().enumerate().all(fits) && text.bytes().any(|c| hex(c) && c != b'0')
}

/// Splits text at the uuids inside: literal, uuid, literal, …, literal.
pub fn split_uuids(text: &str) -> Vec<&str> {
    let (mut parts, mut from, mut at) = (Vec::new(), 0, 0);
    while at < text.len() {
        if text.get(at..at + 36).is_some_and(is_uuid) {
            parts.extend([&text[from..at], &text[at..at + 36]]);
            at += 36;
            from = at;
        } else {
            at += 1;
        }
    }
    parts.push(&text[from..]);
    parts
}

/// An integer within a minute of `now_ms`.
pub fn millis(value: &Value, now_ms: i64) -> Result<(), String> {
    let plausible = value.as_i64().is_some_and(|ms| (ms - now_ms).abs() <= TIME_SLACK_MS);
    plausible.then_some(()).ok_or_else(|| format!("ms within a minute of {now_ms}"))
}

/// A user's number of the form the vendor's have.
pub fn number(value: &Value) -> Result<(), String> {
    let fits =
        value.as_i64().is_some_and(|number| (10_i64.pow(12)..10_i64.pow(13)).contains(&number) && number % 16 == 0);
    fits.then_some(()).ok_or_else(|| "13 digits, a multiple of 16".to_owned())
}

/// An integer of at most a minute.
pub fn duration(value: &Value) -> Result<(), String> {
    let plausible = value.as_u64().is_some_and(|ms| ms <= DURATION_MAX_MS);
    plausible.then_some(()).ok_or_else(|| format!("ms, 0..={DURATION_MAX_MS}"))
}

/// At least 128 bits in hexadecimal digits. Where the sample's token has that form, it is one that was learned here: it
/// must be the same. So must one that is empty.
pub fn hex_token(expected: &Value, actual: &Value) -> Result<(), String> {
    let is_hex =
        |text: &str| text.len() >= 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if expected.as_str().is_some_and(|text| text.is_empty() || is_hex(text)) {
        return if expected == actual { Ok(()) } else { Err(expected.to_string()) };
    }
    let fits = actual.as_str().is_some_and(is_hex);
    fits.then_some(()).ok_or_else(|| "at least 32 hexadecimal digits".to_owned())
}

/// A token of the vendor's length and alphabet with the vendor's prefix.
pub fn access_token(value: &Value) -> Result<(), String> {
    let fits = value.as_str().and_then(Token::read).is_some();
    fits.then_some(()).ok_or_else(|| format!("{ACCESS_TOKEN_LEN} characters of base64url that begin with YWMt"))
}

/// The uuid inside a cursor of a user list, `base64url(i32 ":" base64url(16 bytes))`.
pub fn cursor(text: &str) -> Option<String> {
    // The inner text has 33 to 34 characters, so the outer one may be padded.
    let inner = BASE64_URL_SAFE_NO_PAD.decode(text).or_else(|_| BASE64_URL_SAFE.decode(text)).ok()?;
    let (number, id) = std::str::from_utf8(&inner).ok()?.split_once(':')?;
    number.parse::<i32>().ok()?;
    uuid_text(&BASE64_URL_SAFE_NO_PAD.decode(id).ok()?)
}

/// A reply that hands out a token must say about it what the token itself says: whose it is and how long it lives.
pub fn token_differences(reply: &Value, now_ms: i64) -> Vec<Difference> {
    let Some(token) = reply["access_token"].as_str().and_then(Token::read) else { return Vec::new() };
    let holder = if reply["application"].is_string() { &reply["application"] } else { &reply["user"]["uuid"] };
    let inside = [
        ("expires_in", reply["expires_in"] == token.ttl_s, token.ttl_s.to_string()),
        ("holder", *holder == token.holder.as_str(), token.holder.clone()),
        ("issued", (token.issued_ms - now_ms).abs() <= TIME_SLACK_MS, token.issued_ms.to_string()),
    ];
    let wrong = inside.into_iter().filter(|(_, agrees, _)| !agrees);
    let differ = |(what, _, actual)| Difference {
        at: format!("/access_token ({what} inside the token)"),
        expected: "what the reply says, issued now".to_owned(),
        actual,
    };
    wrong.map(differ).collect()
}

/// What an Easemob access token says in clear: after `ac-` a token id, the app, the holder (16 bytes each), two type
/// bytes, the issue time (8), the ttl (4) and a MAC (32).
struct Token {
    holder: String,
    issued_ms: i64,
    ttl_s: u32,
}

impl Token {
    fn read(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let body = bytes.strip_prefix(b"ac-").filter(|_| text.len() == ACCESS_TOKEN_LEN)?;
        Some(Self {
            holder: uuid_text(&body[32..48])?,
            issued_ms: i64::from_be_bytes(body[50..58].try_into().ok()?),
            ttl_s: u32::from_be_bytes(body[58..62].try_into().ok()?),
        })
    }
}

fn uuid_text(bytes: &[u8]) -> Option<String> {
    let id: [u8; 16] = bytes.try_into().ok()?;
    let hex = format!("{:032x}", u128::from_be_bytes(id));
    Some([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TOKEN: &str = "YWMte3bGuOukEeiTkNP4grL7iwAAAAAAAAAAAAAAAAAAAAGL4CTw6XgR6LaXXVmNX4QCAgMAAAFnKdc-ZgBPGgBFTrLhhyK8woMEI005emtrLJFJV6aoxsZSioSIZkr5kw";
    const APP: &str = "8be024f0-e978-11e8-b697-5d598d5f8402";
    const ISSUED: i64 = 1_542_595_231_334;

    #[test]
    fn splits_text_at_uuids() {
        let text = format!("[applications:get:{APP}:/users/{APP}]");
        assert_eq!(split_uuids(&text), ["[applications:get:", APP, ":/users/", APP, "]"]);
        assert_eq!(split_uuids("获取单个用户 user1"), ["获取单个用户 user1"]);
        assert_eq!(split_uuids(APP), ["", APP, ""]);
    }

    #[test]
    fn reads_the_cursors_the_vendor_prints() {
        let inside = |text| cursor(text).unwrap_or_default();
        assert_eq!(inside("LTgzNDAxMjM3OTpfdmZ5VU9tREVlaTZPUV90ZmN3ODNR"), "fef7f250-e983-11e8-ba39-0fed7dcc3cdd");
        assert_eq!(inside("LTgzNDAxMjM3OToxTEFnNE9sNEVlaVQ0UEdhdmJNR2tB"), "d4b020e0-e978-11e8-93e0-f19abdb30690");
        assert_eq!(inside("MTIzOmFiYw"), "");
    }

    #[test]
    fn a_token_has_the_vendors_form() {
        assert!(access_token(&json!(TOKEN)).is_ok());
        for bad in [&TOKEN[1..], &TOKEN[..129], &format!("{TOKEN}A"), &TOKEN.replace("YWMt", "YWMu")] {
            assert!(access_token(&json!(bad)).is_err(), "{bad}");
        }
        assert!(access_token(&json!(null)).is_err());
    }

    #[test]
    fn a_token_agrees_with_its_reply() {
        let reply = |ttl: u32, app: &str| json!({ "access_token": TOKEN, "expires_in": ttl, "application": app });
        let count = |reply, now| token_differences(&reply, now).len();
        assert_eq!(token_differences(&reply(5_184_000, APP), ISSUED), []);
        assert_eq!(count(reply(1_024_000, APP), ISSUED), 1);
        assert_eq!(count(reply(5_184_000, "other"), ISSUED), 1);
        assert_eq!(count(reply(5_184_000, APP), 0), 1);
        assert_eq!(count(json!({}), 0), 0);
    }
}
