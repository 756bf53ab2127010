//! The room token that an app's own server computes without calling us: standard base64 of
//!
//! ```json
//! {"signature": "…", "curTime": 1693968975000, "ttl": 1800}
//! ```
//!
//! with `signature` = hex of `SHA-1(appKey ‖ uid ‖ curTime ‖ ttl ‖ channelName ‖ appSecret)`, curTime in milliseconds, ttl in
//! seconds, channelName empty for any room. Source: the vendor's documentation and its published token servers.
//!
//! # What the signature does not say
//!
//! The signed text has no separators, so one signature fits every other way of cutting the same characters into fields.
//! [`open`] insists on the thirteen digits that milliseconds have from 2001 to 2286, so that digits can only move between
//! uid and curTime together with as many between curTime and ttl, which makes a curTime far off from now: whoever accepts
//! such a token must refuse one from the future. What remains is a digit moving between ttl and the room's name: the token
//! for room `1abc` with ttl 60 is also one for `abc` with ttl 601. The format cannot say otherwise; a bound on ttl limits it.

use std::fmt;
use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha1::{Digest as _, Sha1};

use crate::Malformed;

/// Far above any real token, in characters; bounds the work done for a stranger.
const MAX_TEXT_LEN: usize = 1024;
/// The milliseconds of thirteen decimal digits; the module says why.
const CUR_TIME_MS: RangeInclusive<i64> = 1_000_000_000_000..=9_999_999_999_999;

/// Whom and what a token should be for, as its maker and its checker know it.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The app's key.
    pub app_key: &'a str,
    /// The number of its bearer.
    pub uid: u64,
    /// The room it opens; empty for any.
    pub room: &'a str,
}

/// A computed token that has been read but not believed; see [`Local::verify`].
#[derive(Clone, PartialEq, Eq)]
pub struct Local {
    signature: String,
    /// When it was made, Unix milliseconds, thirteen digits.
    pub cur_time_ms: i64,
    /// Life in seconds from then, not negative.
    pub ttl_s: i64,
}

impl Local {
    /// Whether whoever computed the token knew the app's secret. Read in the module what the signature does not say.
    pub fn verify(&self, scope: &Scope<'_>, app_secret: &str) -> bool {
        super::is_sha1_hex(&self.signature, &sign(scope, self.cur_time_ms, self.ttl_s, app_secret))
    }
}

/// Leaves the signature out: with it, a log line would hold a working token.
impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local")
            .field("cur_time_ms", &self.cur_time_ms)
            .field("ttl_s", &self.ttl_s)
            .finish_non_exhaustive()
    }
}

/// Reads a computed token without checking its signature. Keys may stand in any order; unknown ones are ignored.
pub fn open(text: &str) -> Result<Local, Malformed> {
    if text.len() > MAX_TEXT_LEN {
        return Err(Malformed);
    }
    let raw = STANDARD.decode(text).map_err(|_| Malformed)?;
    let mut object: Map<String, Value> = serde_json::from_slice(&raw).map_err(|_| Malformed)?;
    let number = |object: &Map<String, Value>, key: &str| object.get(key).and_then(Value::as_i64).ok_or(Malformed);
    let cur_time_ms = number(&object, "curTime")?;
    let ttl_s = number(&object, "ttl")?;
    match object.remove("signature") {
        Some(Value::String(signature)) if CUR_TIME_MS.contains(&cur_time_ms) && ttl_s >= 0 => {
            Ok(Local { signature, cur_time_ms, ttl_s })
        }
        _ => Err(Malformed),
    }
}

/// Computes the token an app's server would compute; for tests and tools, since no server of ours issues one.
pub fn seal(scope: &Scope<'_>, cur_time_ms: i64, ttl_s: i64, app_secret: &str) -> String {
    let signature = hex::encode(sign(scope, cur_time_ms, ttl_s, app_secret));
    STANDARD.encode(json!({ "signature": signature, "curTime": cur_time_ms, "ttl": ttl_s }).to_string())
}

fn sign(scope: &Scope<'_>, cur_time_ms: i64, ttl_s: i64, app_secret: &str) -> [u8; 20] {
    Sha1::new()
        .chain_update(scope.app_key)
        .chain_update(scope.uid.to_string())
        .chain_update(cur_time_ms.to_string())
        .chain_update(ttl_s.to_string())
        .chain_update(scope.room)
        .chain_update(app_secret)
        .finalize()
        .into()
}
