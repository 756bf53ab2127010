//! The dynamic token: a user token that an app's own server builds without calling us, from the client secret.
//!
//! Owns its shape and its signature. Must not know the time, the app's credentials or who may log in. The text is
//! base64url of `dt-` and a JSON object:
//!
//! ```json
//! {"signature": "…", "appkey": "org#app", "userId": "…", "curTime": 1764512345, "ttl": 600}
//! ```
//!
//! with `signature` = hex of `SHA-256(clientId ‖ appkey ‖ userId ‖ curTime ‖ ttl ‖ clientSecret)`, times in decimal
//! seconds. Source: the vendor's documentation.
//!
//! # What the signature does not say
//!
//! The signed text has no separators, so one signature fits every other way of cutting the same characters into fields:
//! the user `bob1` at `7645…` might as well be `bob` at `17645…`. [`open_dynamic`] therefore insists on the ten digits
//! that the seconds have from 2001 to 2286, which leaves only cuts that move digits between the end of the user id and
//! the times. Those lead to a time in the future or to a very long `ttl` from an old one, so whoever accepts such a
//! token must, besides checking that it is not over, refuse a `curTime` later than now and bound `ttl`.

use std::fmt;
use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::Malformed;

#[cfg(test)]
mod tests;

const PREFIX: &[u8; 3] = b"dt-";
/// [`PREFIX`] in base64: three bytes are four whole characters, whatever follows.
const TEXT_PREFIX: &str = "ZHQt";
/// Far above any real token, in characters; bounds the work done for a stranger.
const MAX_TEXT_LEN: usize = 2048;
/// The seconds of ten decimal digits; the module says why.
const CUR_TIME_S: RangeInclusive<i64> = 1_000_000_000..=9_999_999_999;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

/// A dynamic token that has been read but not believed; see [`Dynamic::verify`].
#[derive(Clone, PartialEq, Eq)]
pub struct Dynamic {
    /// As carried; 64 hex digits if it is to verify.
    pub signature: String,
    /// `org#app`, unparsed. The caller must see to it that the credentials it verifies with are this app's.
    pub app_key: String,
    /// The user's name, unparsed.
    pub user_id: String,
    /// When it was built, Unix seconds, ten digits.
    pub cur_time_s: i64,
    /// Lifetime in seconds from `cur_time_s`, not negative.
    pub ttl_s: i64,
}

impl Dynamic {
    /// Whether whoever built the token knew the client secret. Constant time; the hex may be of either case.
    ///
    /// Read in the module what the signature does not say.
    pub fn verify(&self, client_id: &str, client_secret: &str) -> bool {
        let mut signature = [0; 32];
        hex::decode_to_slice(&self.signature, &mut signature).is_ok()
            && self.sign(client_id, client_secret).ct_eq(&signature).into()
    }

    fn sign(&self, client_id: &str, client_secret: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update(client_id)
            .chain_update(&self.app_key)
            .chain_update(&self.user_id)
            .chain_update(self.cur_time_s.to_string())
            .chain_update(self.ttl_s.to_string())
            .chain_update(client_secret)
            .finalize()
            .into()
    }

    fn from_json(mut object: Map<String, Value>) -> Option<Self> {
        Some(Self {
            signature: take_text(&mut object, "signature")?,
            app_key: take_text(&mut object, "appkey")?,
            user_id: take_text(&mut object, "userId")?,
            cur_time_s: seconds(object.get("curTime")?).filter(|seconds| CUR_TIME_S.contains(seconds))?,
            ttl_s: seconds(object.get("ttl")?)?,
        })
    }

    fn to_text(&self) -> String {
        let body = json!({
            "signature": self.signature,
            "appkey": self.app_key,
            "userId": self.user_id,
            "curTime": self.cur_time_s,
            "ttl": self.ttl_s,
        });
        URL_SAFE_NO_PAD.encode(format!("dt-{body}"))
    }
}

/// Leaves the signature out: with it, a log line would hold a working token.
impl fmt::Debug for Dynamic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dynamic")
            .field("app_key", &self.app_key)
            .field("user_id", &self.user_id)
            .field("cur_time_s", &self.cur_time_s)
            .field("ttl_s", &self.ttl_s)
            .finish_non_exhaustive()
    }
}

/// Whether the text means to be a dynamic token. Looks at the first four characters only.
pub fn is_dynamic(text: &str) -> bool {
    text.starts_with(TEXT_PREFIX)
}

/// Reads a dynamic token without checking its signature.
///
/// Since every app's server has its own idea of base64 and JSON, either alphabet will do (but not both in one text),
/// padding may be there or not, the times may be numbers or numbers in quotes, and unknown keys are ignored.
pub fn open_dynamic(text: &str) -> Result<Dynamic, Malformed> {
    if text.len() > MAX_TEXT_LEN || !is_dynamic(text) {
        return Err(Malformed);
    }
    let engine = if text.contains(['+', '/']) { &STANDARD } else { &URL_SAFE };
    let raw = engine.decode(text).map_err(|_| Malformed)?;
    let body = raw.strip_prefix(PREFIX).ok_or(Malformed)?;
    let object = serde_json::from_slice(body).map_err(|_| Malformed)?;
    Dynamic::from_json(object).ok_or(Malformed)
}

/// Builds the token an app's server would build; for tests and tools, since no server of ours issues one.
///
/// Times that [`open_dynamic`] refuses are not refused here.
pub fn seal_dynamic(
    client_id: &str,
    client_secret: &str,
    app_key: &str,
    user_id: &str,
    cur_time_s: i64,
    ttl_s: i64,
) -> String {
    let unsigned =
        Dynamic { signature: String::new(), app_key: app_key.into(), user_id: user_id.into(), cur_time_s, ttl_s };
    let signature = hex::encode(unsigned.sign(client_id, client_secret));
    Dynamic { signature, ..unsigned }.to_text()
}

fn take_text(object: &mut Map<String, Value>, key: &str) -> Option<String> {
    match object.remove(key)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// A non-negative whole number, bare or in quotes.
fn seconds(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().filter(|seconds| *seconds >= 0),
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}
