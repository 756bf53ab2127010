//! Page cursors: where the next page of a list begins, as clients hand it back to us.
//!
//! Owns the two spellings. Must not know the lists or their order. Clients treat a cursor as opaque, and it is no
//! secret and no proof of anything: a forged one begins the page somewhere else in a list its bearer may read anyway.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// The number in front of every user-list cursor of the vendor's samples; what it means is not known.
const USER_LIST: i32 = -834_012_379;
/// `-2147483648`, a colon and 22 characters of base64.
const USER_CURSOR_MAX_RAW: usize = 34;
/// `-9223372036854775808`.
const ORDER_CURSOR_MAX_RAW: usize = 20;

/// The cursor of the user list: base64url of `-834012379:` and, in base64url again, the id of the first user not yet
/// returned. 44 characters.
pub fn encode_user_cursor(next: Uuid) -> String {
    let next = URL_SAFE_NO_PAD.encode(next.as_bytes());
    URL_SAFE_NO_PAD.encode(format!("{USER_LIST}:{next}"))
}

/// Reads a user-list cursor. The number in front may be any that fits 32 bits; all else has one spelling only.
pub fn decode_user_cursor(text: &str) -> Option<Uuid> {
    let mut raw = [0; USER_CURSOR_MAX_RAW];
    let len = URL_SAFE_NO_PAD.decode_slice(text, &mut raw).ok()?;
    let (number, next) = str::from_utf8(raw.get(..len)?).ok()?.split_once(':')?;
    decimal::<i32>(number)?;
    let mut id = [0; 16];
    let len = URL_SAFE_NO_PAD.decode_slice(next, &mut id).ok()?;
    (len == id.len()).then(|| Uuid::from_bytes(id))
}

/// The cursor of the block list: padded standard base64 of a decimal number that orders the entries.
pub fn encode_order_cursor(order: i64) -> String {
    STANDARD.encode(order.to_string())
}

/// Reads a block-list cursor; `None` unless the text is exactly what [`encode_order_cursor`] gives for some number.
pub fn decode_order_cursor(text: &str) -> Option<i64> {
    let mut raw = [0; ORDER_CURSOR_MAX_RAW];
    let len = STANDARD.decode_slice(text, &mut raw).ok()?;
    decimal(str::from_utf8(raw.get(..len)?).ok()?)
}

/// Parses a number in its one usual spelling: no `+`, no leading zeros, no `-0`.
fn decimal<N: FromStr + ToString>(text: &str) -> Option<N> {
    let number: N = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
