//! The permission key, sent next to a room token: what its bearer may do in the room, computed by the app's own server.
//!
//! JSON of `appkey`, `checksum`, `cname`, `curTime`, `expireTime`, `privilege` and `uid`, compressed by zlib, in base64 with
//! `*`, `-` and `_` for `+`, `/` and `=`. `checksum` = base64 of HMAC-SHA256 under the permission secret over
//!
//! ```text
//! appkey:A\nuid:U\ncurTime:T\nexpireTime:E\ncname:C\nprivilege:P\n
//! ```
//!
//! with times in seconds. Source: the vendor's documentation and its published token servers.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq as _;

use crate::Malformed;

/// Far above any real key, in characters; bounds the work done for a stranger.
const MAX_TEXT_LEN: usize = 2048;
/// Bytes that a key may unpack to: a few kilobytes can hold megabytes of zeros.
const MAX_JSON_LEN: usize = 4096;
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

/// A permission key that has been read but not believed; see [`Permission::verify`].
#[derive(Clone, PartialEq, Eq)]
pub struct Permission {
    checksum: String,
    /// The app's key.
    pub app_key: String,
    /// The number of its bearer.
    pub uid: u64,
    /// The room.
    pub room: String,
    /// When it was made, Unix seconds.
    pub cur_time_s: i64,
    /// Life in seconds from then.
    pub ttl_s: i64,
    /// What its bearer may do, one bit each.
    pub privilege: u8,
}

impl Permission {
    /// Whether whoever computed the key knew the app's permission secret.
    pub fn verify(&self, permission_secret: &str) -> bool {
        let expected = self.sign(permission_secret);
        STANDARD.decode(&self.checksum).is_ok_and(|found| expected.as_slice().ct_eq(&found).into())
    }

    fn sign(&self, permission_secret: &str) -> [u8; 32] {
        let signed = format!(
            "appkey:{}\nuid:{}\ncurTime:{}\nexpireTime:{}\ncname:{}\nprivilege:{}\n",
            self.app_key, self.uid, self.cur_time_s, self.ttl_s, self.room, self.privilege
        );
        super::hmac_sha256(permission_secret.as_bytes(), &[signed.as_bytes()])
    }

    fn from_json(mut object: Map<String, Value>) -> Option<Self> {
        Some(Self {
            checksum: take_text(&mut object, "checksum")?,
            app_key: take_text(&mut object, "appkey")?,
            room: take_text(&mut object, "cname")?,
            uid: object.get("uid")?.as_u64()?,
            cur_time_s: object.get("curTime")?.as_i64()?,
            ttl_s: object.get("expireTime")?.as_i64()?,
            privilege: u8::try_from(object.get("privilege")?.as_u64()?).ok()?,
        })
    }
}

/// Leaves the checksum out: with it, a log line would hold a working key.
impl fmt::Debug for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permission")
            .field("app_key", &self.app_key)
            .field("uid", &self.uid)
            .field("room", &self.room)
            .field("cur_time_s", &self.cur_time_s)
            .field("ttl_s", &self.ttl_s)
            .field("privilege", &self.privilege)
            .finish_non_exhaustive()
    }
}

/// Reads a permission key without checking it. Keys may stand in any order; unknown ones are ignored.
pub fn open(text: &str) -> Result<Permission, Malformed> {
    if text.len() > MAX_TEXT_LEN {
        return Err(Malformed);
    }
    let standard: String = text.chars().map(|sign| swap(sign, ['*', '-', '_'], ['+', '/', '='])).collect();
    let packed = ANY_PADDING.decode(standard).map_err(|_| Malformed)?;
    let json = decompress_to_vec_zlib_with_limit(&packed, MAX_JSON_LEN).map_err(|_| Malformed)?;
    let object = serde_json::from_slice(&json).map_err(|_| Malformed)?;
    Permission::from_json(object).ok_or(Malformed)
}

/// What a key is to say.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// The app's key.
    pub app_key: &'a str,
    /// The number of its bearer.
    pub uid: u64,
    /// The room.
    pub room: &'a str,
    /// When it was made, Unix seconds.
    pub cur_time_s: i64,
    /// Life in seconds from then.
    pub ttl_s: i64,
    /// What its bearer may do, one bit each.
    pub privilege: u8,
}

/// Computes the key an app's server would compute; for tests and tools, since no server of ours issues one.
pub fn seal(grant: &Grant<'_>, permission_secret: &str) -> String {
    let unsigned = Permission {
        checksum: String::new(),
        app_key: grant.app_key.to_owned(),
        uid: grant.uid,
        room: grant.room.to_owned(),
        cur_time_s: grant.cur_time_s,
        ttl_s: grant.ttl_s,
        privilege: grant.privilege,
    };
    let body = json!({
        "appkey": grant.app_key,
        "checksum": STANDARD.encode(unsigned.sign(permission_secret)),
        "cname": grant.room,
        "curTime": grant.cur_time_s,
        "expireTime": grant.ttl_s,
        "privilege": grant.privilege,
        "uid": grant.uid,
    });
    let packed = STANDARD.encode(compress_to_vec_zlib(body.to_string().as_bytes(), 6));
    packed.chars().map(|sign| swap(sign, ['+', '/', '='], ['*', '-', '_'])).collect()
}

fn swap(sign: char, from: [char; 3], to: [char; 3]) -> char {
    from.iter().position(|known| *known == sign).map_or(sign, |at| to[at])
}

fn take_text(object: &mut Map<String, Value>, key: &str) -> Option<String> {
    match object.remove(key)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}
