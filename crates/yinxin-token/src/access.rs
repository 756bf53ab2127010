//! The access token: 130 characters, base64url without padding of 97 bytes.
//!
//! Owns the layout, the MAC and their checks. Must not know whether the principal still exists, what its epoch is or
//! where keys come from: a token is opened first, its claims say what to look up, and only then is it verified.
//!
//! | Bytes | Content |
//! |---|---|
//! | 0..3 | `ac-`, which makes every token start with `YWMt` |
//! | 3..19 | token id, UUIDv1; its last byte names the MAC key |
//! | 19..35 | app, or [`MANAGEMENT_APP`] for app and admin tokens |
//! | 35..51 | principal: the admin, app or user the token speaks for |
//! | 51 | [`Kind`] |
//! | 52 | always 3 |
//! | 53..61 | issue time, Unix milliseconds, big endian |
//! | 61..65 | time to live in seconds, big endian |
//! | 65..97 | HMAC-SHA256 |
//!
//! Source: the vendor's tokens as published in its documentation, all of which have this layout. The vendor's MAC is
//! not known and nobody but the issuer checks it, so its input is ours: bytes 0..65, then the principal's epoch (eight
//! bytes, big endian), then a byte 1 that keeps the MACs of tokens apart from whatever else a key may come to sign.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::digest::zeroize::Zeroizing;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::Malformed;

#[cfg(test)]
mod tests;

/// The `app` field of tokens that no app's user holds: those of apps themselves and of admins.
pub const MANAGEMENT_APP: Uuid = Uuid::from_u128(1);

const PREFIX: &[u8; 3] = b"ac-";
/// Byte 52 of every token seen; probably the version of the layout.
const LAYOUT: u8 = 3;
/// Ends the MAC input, so that a key which comes to sign something else cannot be made to sign a token.
const DOMAIN: u8 = 1;

const TEXT_LEN: usize = 130;
const HEADER_LEN: usize = 65;
const MAC_LEN: usize = 32;
const RAW_LEN: usize = HEADER_LEN + MAC_LEN;
/// The block of SHA-256, to which HMAC pads a key with zeros.
const BLOCK_LEN: usize = 64;

/// Whom a token speaks for. The numbers are the wire's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// An administrator of the organisation.
    Admin = 1,
    /// An app: what its own server holds.
    App = 2,
    /// A user of an app.
    User = 3,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Admin),
            2 => Some(Self::App),
            3 => Some(Self::User),
            _ => None,
        }
    }
}

/// What a token says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The token's own id, a UUIDv1. [`seal`] replaces its last byte by the id of the key.
    pub id: Uuid,
    /// The app of a user token, [`MANAGEMENT_APP`] for every other kind.
    pub app: Uuid,
    /// The id of the admin, app or user, as `kind` says.
    pub principal: Uuid,
    /// What `principal` is.
    pub kind: Kind,
    /// Issue time, Unix milliseconds, never negative: [`open`] refuses a token sealed with a negative one.
    pub issued_ms: i64,
    /// Lifetime in seconds; 0 is for ever.
    pub ttl_s: u32,
}

impl Claims {
    /// The first millisecond at which the token is no longer valid; `None` if there is none.
    pub fn expires_ms(&self) -> Option<i64> {
        (self.ttl_s != 0).then(|| self.issued_ms.saturating_add(i64::from(self.ttl_s) * 1000))
    }

    /// Whether the lifetime is over at `now_ms` (Unix milliseconds).
    pub fn is_expired(&self, now_ms: i64) -> bool {
        self.expires_ms().is_some_and(|expires_ms| now_ms >= expires_ms)
    }

    fn header(&self) -> [u8; HEADER_LEN] {
        let mut header = [0; HEADER_LEN];
        header[..3].copy_from_slice(PREFIX);
        header[3..19].copy_from_slice(self.id.as_bytes());
        header[19..35].copy_from_slice(self.app.as_bytes());
        header[35..51].copy_from_slice(self.principal.as_bytes());
        header[51] = self.kind as u8;
        header[52] = LAYOUT;
        header[53..61].copy_from_slice(&self.issued_ms.to_be_bytes());
        header[61..].copy_from_slice(&self.ttl_s.to_be_bytes());
        header
    }
}

/// A MAC key, keyed once, so that sealing and verifying start from a ready state. The state is wiped on drop.
#[derive(Clone)]
pub struct MacKey {
    id: u8,
    keyed: Hmac<Sha256>,
}

impl MacKey {
    /// `id` is what tokens name the key by; no two keys that are in use at the same time may share one.
    pub fn new(id: u8, secret: &[u8; 32]) -> Self {
        // Padding to a whole block is what HMAC does first; doing it here gives the constructor that cannot fail.
        let mut block = Zeroizing::new([0; BLOCK_LEN]);
        block[..secret.len()].copy_from_slice(secret);
        let block: &[u8; BLOCK_LEN] = &block;
        Self { id, keyed: Hmac::new(block.into()) }
    }

    /// The id given to [`MacKey::new`].
    pub fn id(&self) -> u8 {
        self.id
    }

    fn mac(&self, header: &[u8; HEADER_LEN], epoch: i64) -> [u8; MAC_LEN] {
        let mut mac = self.keyed.clone();
        mac.update(header);
        mac.update(&epoch.to_be_bytes());
        mac.update(&[DOMAIN]);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MacKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Makes the token for `claims`: 130 characters of base64url.
///
/// `epoch` is the revocation counter of the principal. It is not carried, only signed: counting it up makes every token
/// sealed before fail to verify. The last byte of `claims.id` gives way to the id of the key.
pub fn seal(claims: &Claims, key: &MacKey, epoch: i64) -> String {
    let header = Claims { id: with_key_id(claims.id, key.id), ..*claims }.header();
    encode(&header, &key.mac(&header, epoch))
}

fn with_key_id(id: Uuid, key_id: u8) -> Uuid {
    let mut bytes = id.into_bytes();
    bytes[15] = key_id;
    Uuid::from_bytes(bytes)
}

fn encode(header: &[u8; HEADER_LEN], mac: &[u8; MAC_LEN]) -> String {
    let mut raw = [0; RAW_LEN];
    raw[..HEADER_LEN].copy_from_slice(header);
    raw[HEADER_LEN..].copy_from_slice(mac);
    URL_SAFE_NO_PAD.encode(raw)
}

/// A token that has been read but not believed. Its claims are good for looking up the key and the epoch, and for
/// nothing else until [`Opened::verify`] has said yes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// What the token says.
    pub claims: Claims,
    mac: [u8; MAC_LEN],
}

/// Reads a token without checking its MAC.
///
/// There is exactly one text for a given content: the length, the alphabet, the absence of padding, the unused low bits
/// of the last character and every constant byte are checked. So a token is its text, and may be compared as such.
pub fn open(text: &str) -> Result<Opened, Malformed> {
    if text.len() != TEXT_LEN {
        return Err(Malformed);
    }
    let mut raw = [0; RAW_LEN];
    match URL_SAFE_NO_PAD.decode_slice(text, &mut raw) {
        Ok(RAW_LEN) => parse(&raw).ok_or(Malformed),
        _ => Err(Malformed),
    }
}

fn parse(raw: &[u8; RAW_LEN]) -> Option<Opened> {
    let rest = raw.strip_prefix(PREFIX)?;
    let (id, rest) = rest.split_first_chunk()?;
    let (app, rest) = rest.split_first_chunk()?;
    let (principal, rest) = rest.split_first_chunk()?;
    let (&[kind, LAYOUT], rest) = rest.split_first_chunk()? else { return None };
    let (issued_ms, rest) = rest.split_first_chunk()?;
    let (ttl_s, mac) = rest.split_first_chunk()?;
    let claims = Claims {
        id: Uuid::from_bytes(*id),
        app: Uuid::from_bytes(*app),
        principal: Uuid::from_bytes(*principal),
        kind: Kind::from_byte(kind)?,
        issued_ms: i64::from_be_bytes(*issued_ms),
        ttl_s: u32::from_be_bytes(*ttl_s),
    };
    (claims.issued_ms >= 0).then_some(Opened { claims, mac: mac.try_into().ok()? })
}

impl Opened {
    /// The id of the key the token claims to be sealed with.
    pub fn key_id(&self) -> u8 {
        let [.., key_id] = *self.claims.id.as_bytes();
        key_id
    }

    /// Whether the token was sealed with this key in this epoch of its principal. The MAC is compared in constant time.
    ///
    /// What is verified is `self.claims` as it stands, not the text it was read from: changed claims do not verify.
    pub fn verify(&self, key: &MacKey, epoch: i64) -> bool {
        let expected = key.mac(&self.claims.header(), epoch);
        self.key_id() == key.id && expected.ct_eq(&self.mac).into()
    }
}

/// Leaves the MAC out: with it, a log line would hold a working token.
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("claims", &self.claims).finish_non_exhaustive()
    }
}
