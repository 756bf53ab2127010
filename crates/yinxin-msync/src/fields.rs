//! Walks the fields of one protocol buffers message without decoding them.
//!
//! Owns tags, varints and lengths. Must not know any message. Borrows from its input and allocates nothing.
//!
//! Stricter than the format where readers are known to differ, because what one reader skips another may obey: a tag of
//! more than 32 bits, which readers in JavaScript cut down to another field's number, field number 0, groups, and
//! varints of more than 64 bits are refused.

use crate::Malformed;

/// A field's value as it lies on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Wire type 0: integers, booleans, enums.
    Varint(u64),
    /// Wire type 1: double.
    Fixed64([u8; 8]),
    /// Wire type 2: text, bytes, messages and packed lists.
    Bytes(&'a [u8]),
    /// Wire type 5: float.
    Fixed32([u8; 4]),
}

/// One field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The number from the schema, at least 1.
    pub number: u32,
    /// Its value.
    pub value: Value<'a>,
    /// Tag and value exactly as they were, however clumsily encoded.
    pub raw: &'a [u8],
}

impl<'a> Field<'a> {
    /// The bytes of a length-delimited field.
    pub fn bytes(&self) -> Result<&'a [u8], Malformed> {
        match self.value {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(Malformed("a field of the wrong type")),
        }
    }

    /// The text of a length-delimited field.
    pub fn text(&self) -> Result<&'a str, Malformed> {
        str::from_utf8(self.bytes()?).map_err(|_| Malformed("a text that is not UTF-8"))
    }

    /// The number of a varint field.
    pub fn varint(&self) -> Result<u64, Malformed> {
        match self.value {
            Value::Varint(number) => Ok(number),
            _ => Err(Malformed("a field of the wrong type")),
        }
    }

    /// The number of an enum field; of a longer varint the low 32 bits count, as in every reader.
    pub fn enumeration(&self) -> Result<i32, Malformed> {
        let [a, b, c, d, ..] = self.varint()?.to_le_bytes();
        Ok(i32::from_le_bytes([a, b, c, d]))
    }
}

/// The fields of a message in their order. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

/// Walks `message`.
pub fn fields(message: &[u8]) -> Fields<'_> {
    Fields { rest: message }
}

/// How many numbers a packed list holds.
pub(crate) fn count_varints(packed: &[u8]) -> Result<usize, Malformed> {
    let mut numbers = fields(packed);
    let mut count = 0;
    while !numbers.rest.is_empty() {
        numbers.varint()?;
        count += 1;
    }
    Ok(count)
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Result<Field<'a>, Malformed> {
        let whole = self.rest;
        let tag = u32::try_from(self.varint()?).map_err(|_| Malformed("a tag of more than 32 bits"))?;
        let number = tag >> 3;
        if number == 0 {
            return Err(Malformed("field number 0"));
        }
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(self.array()?),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| TOO_SHORT)?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed32(self.array()?),
            _ => return Err(Malformed("a wire type that is not used")),
        };
        let raw = whole.get(..whole.len() - self.rest.len()).ok_or(TOO_SHORT)?;
        Ok(Field { number, value, raw })
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && byte > 1 {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Malformed("a varint of more than 64 bits"))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(TOO_SHORT)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(TOO_SHORT)?;
        self.rest = rest;
        Ok(*taken)
    }
}

const TOO_SHORT: Malformed = Malformed("a field longer than its message");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wire_type_is_walked_and_raw_is_the_whole_message_again() {
        let message = [0x08, 0x96, 0x01, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1a, 2, b'h', b'i', 0x25, 1, 2, 3, 4];
        let walked: Vec<_> = fields(&message).map(Result::unwrap).collect();
        assert_eq!(walked.iter().map(|field| field.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(walked[0].varint(), Ok(150));
        assert_eq!(walked[1].value, Value::Fixed64([1, 2, 3, 4, 5, 6, 7, 8]));
        assert_eq!(walked[2].text(), Ok("hi"));
        assert_eq!(walked[3].value, Value::Fixed32([1, 2, 3, 4]));
        assert_eq!(walked.iter().flat_map(|field| field.raw).copied().collect::<Vec<_>>(), message);
        assert!(walked[0].bytes().is_err() && walked[2].varint().is_err());
    }

    #[test]
    fn what_readers_disagree_about_is_refused() {
        for (message, why) in [
            (&[0x92, 0x80, 0x80, 0x80, 0x10, 0][..], "tag 2^32 + 18, which is 18 to a reader of 32 bits"),
            (&[0x92, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0], "tag 2^63 + 18"),
            (&[0x00, 0x01], "field number 0"),
            (&[0x0b, 0x0c], "a group"),
            (&[0x0e, 0x00], "wire type 6"),
            (&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], "a varint of 65 bits"),
            (&[0x08, 0x80], "half a varint"),
            (&[0x0a, 0x02, 0x00], "a length beyond the end"),
            (&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], "a length of 2^64 - 1"),
            (&[0x09, 1, 2, 3], "half a double"),
        ] {
            let mut walk = fields(message);
            assert!(walk.next().unwrap().is_err(), "{why}");
            assert_eq!(walk.next(), None, "{why}");
        }
    }

    #[test]
    fn a_clumsy_encoding_is_read() {
        let field = fields(&[0x92, 0x80, 0x00, 0x81, 0x00, b'x']).next().unwrap().unwrap();
        assert_eq!((field.number, field.text()), (2, Ok("x")));
        let longest = fields(&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]).next().unwrap();
        assert_eq!(longest.unwrap().varint(), Ok(u64::MAX));
    }
}
