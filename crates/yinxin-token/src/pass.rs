//! The pass: what somebody who was admitted to a room shows when its connection comes in, and when it comes in again.
//!
//! base64url of 42 bytes of numbers, a MAC of 20 bytes, and the app's key:
//!
//! ```text
//! cid 8 | uid 8 | pass id 8 | made (ms) 8 | permission ends (ms) 8 | privileges 1 | number assigned 1 | MAC 20 | app key
//! ```
//!
//! Nothing in it is secret but the MAC. It says who was admitted, not that he still may come in: whoever is shown one asks
//! what has happened since.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::Malformed;

#[cfg(test)]
mod tests;

const NUMBERS: usize = 42;
const PRIVILEGES: usize = 40;
const ASSIGNED: usize = 41;
const MAC: usize = 20;
/// Far above any real pass, in characters; bounds the work done for a stranger.
const MAX_TEXT_LEN: usize = 512;

/// What a pass says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pass {
    /// The app's key.
    pub app_key: String,
    /// The room's number.
    pub cid: i64,
    /// The number of its bearer.
    pub uid: u64,
    /// What makes it another pass than any other for the room.
    pub pass_id: i64,
    /// When it was made, Unix milliseconds.
    pub made_ms: i64,
    /// When the permission it was made with ends, Unix milliseconds; `None` = never.
    pub until_ms: Option<i64>,
    /// What its bearer may do in the room, one bit each.
    pub privileges: u8,
    /// The server has chosen the bearer's number: what the bearer has was made for the number 0.
    pub assigned: bool,
}

impl Pass {
    fn numbers(&self) -> [u8; NUMBERS] {
        let until_ms = self.until_ms.unwrap_or(i64::MAX);
        let words = [self.cid, self.uid.cast_signed(), self.pass_id, self.made_ms, until_ms];
        let mut numbers = [0; NUMBERS];
        for (place, word) in numbers.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        numbers[PRIVILEGES] = self.privileges;
        numbers[ASSIGNED] = self.assigned.into();
        numbers
    }

    fn from_numbers(numbers: &[u8; NUMBERS], app_key: &str) -> Self {
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&numbers[8 * at..8 * (at + 1)]);
            i64::from_be_bytes(word)
        };
        Self {
            app_key: app_key.to_owned(),
            cid: word(0),
            uid: word(1).cast_unsigned(),
            pass_id: word(2),
            made_ms: word(3),
            until_ms: Some(word(4)).filter(|until_ms| *until_ms != i64::MAX),
            privileges: numbers[PRIVILEGES],
            assigned: numbers[ASSIGNED] != 0,
        }
    }
}

/// Makes the text of a pass.
pub fn seal(pass: &Pass, key: &[u8; 32]) -> String {
    let numbers = pass.numbers();
    let mac = mac(key, &numbers, &pass.app_key);
    URL_SAFE_NO_PAD.encode([&numbers[..], &mac, pass.app_key.as_bytes()].concat())
}

/// A pass that has been read but not believed; see [`Opened::verify`].
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    pass: Pass,
    mac: [u8; MAC],
}

/// Leaves the MAC out: with it, a log line would hold a working pass.
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Opened").field(&self.pass).finish()
    }
}

impl Opened {
    /// What it says, if it was made with that key.
    pub fn verify(self, key: &[u8; 32]) -> Option<Pass> {
        let expected = mac(key, &self.pass.numbers(), &self.pass.app_key);
        bool::from(expected.ct_eq(&self.mac)).then_some(self.pass)
    }
}

/// Reads a pass without checking it.
pub fn open(text: &str) -> Result<Opened, Malformed> {
    if text.len() > MAX_TEXT_LEN {
        return Err(Malformed);
    }
    let raw = URL_SAFE_NO_PAD.decode(text).map_err(|_| Malformed)?;
    let (numbers, rest) = raw.split_first_chunk::<NUMBERS>().ok_or(Malformed)?;
    let (mac, app_key) = rest.split_first_chunk::<MAC>().ok_or(Malformed)?;
    let app_key = str::from_utf8(app_key).map_err(|_| Malformed)?;
    Ok(Opened { pass: Pass::from_numbers(numbers, app_key), mac: *mac })
}

fn mac(key: &[u8; 32], numbers: &[u8; NUMBERS], app_key: &str) -> [u8; MAC] {
    // The numbers have a fixed length: no two passes are the same bytes. HMAC takes keys of any length; the error cannot
    // happen.
    let whole: [u8; 32] = Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(numbers).chain_update(app_key).finalize().into_bytes().into())
        .unwrap_or_default();
    let mut shown = [0; MAC];
    shown.copy_from_slice(&whole[..MAC]);
    shown
}
