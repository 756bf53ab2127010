//! Names in rooms as newtypes, parsed once at the edge: what exists as a value here is legal.

use std::fmt;

use crate::error::{Code, Error, Result};
use crate::limits::ROOM_NAME_BYTES_MAX;

/// Signs a room's name may have beside letters and digits.
const SIGNS: &str = " !#$%&()+-:;<=≤.,>?@[]^_{|}~\"";

/// The number by which somebody is known in rooms, from 0 to 2^63 - 1: it belongs to the app's own numbering and need not
/// be a user here. A user whose name is that number is the same person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RoomUid(u64);

impl RoomUid {
    /// The number of nobody: who asks for it is given another.
    pub const NOBODY: Self = Self(0);

    /// Reads decimal digits.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Code::RoomUidMissing.into());
        }
        let illegal = || Error::about(Code::RoomUidIllegal, text);
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(illegal());
        }
        text.parse().ok().and_then(Self::new).ok_or_else(illegal)
    }

    /// The number of a user whose name is one.
    pub(crate) fn of_user(username: &str) -> Option<Self> {
        Self::parse(username).ok().filter(|uid| uid.to_string() == username)
    }

    /// A number within bounds.
    pub fn new(number: u64) -> Option<Self> {
        i64::try_from(number).is_ok().then_some(Self(number))
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number as storage and signed integers hold it.
    pub(crate) const fn signed(self) -> i64 {
        self.0.cast_signed()
    }
}

impl fmt::Display for RoomUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A room's name: 1 to 64 bytes of letters, digits and the documented signs. Upper and lower case are different rooms.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RoomName(String);

impl RoomName {
    /// Checks a name as a caller spelled it.
    pub fn parse(text: &str) -> Result<Self> {
        let legal = |c: char| c.is_ascii_alphanumeric() || SIGNS.contains(c);
        if text.is_empty() || text.len() > ROOM_NAME_BYTES_MAX || !text.chars().all(legal) {
            return Err(Error::about(Code::RoomNameIllegal, text).with_limit(ROOM_NAME_BYTES_MAX));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_digits_within_bounds() {
        for (text, number) in [("0", 0), ("123456", 123_456), ("007", 7), ("9223372036854775807", i64::MAX as u64)] {
            assert_eq!(RoomUid::parse(text).unwrap().get(), number, "{text}");
        }
        assert_eq!(RoomUid::parse("").unwrap_err().code, Code::RoomUidMissing);
        let long = "1".repeat(1000);
        for text in ["-1", "+1", " 1", "1 ", "1.0", "1e3", "abc", "9223372036854775808", "１", &long] {
            assert_eq!(RoomUid::parse(text).unwrap_err().code, Code::RoomUidIllegal, "{text}");
        }
    }

    #[test]
    fn room_names_take_the_documented_signs() {
        for text in ["abc", "Room 1", "!#$%&()+-:;<=.,>? @[]^_{|}~\"", "≤", &"x".repeat(64)] {
            assert_eq!(RoomName::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "房间", "a\0", "a\n", "a/b", "a*b", "a\\b", "a'b", &"x".repeat(65), &"≤".repeat(22)] {
            assert_eq!(RoomName::parse(text).unwrap_err().code, Code::RoomNameIllegal, "{text:?}");
        }
    }
}
