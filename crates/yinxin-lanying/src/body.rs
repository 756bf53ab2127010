//! Request bodies: JSON, whatever the label says.

use bytes::Bytes;
use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, Visitor};
use yinxin_core::{Code, Error, Result};

/// An object of that shape. An empty body is an empty object.
pub(crate) fn object<T: DeserializeOwned>(body: &Bytes) -> Result<T> {
    let text = if body.trim_ascii().is_empty() { &b"{}"[..] } else { body };
    read(text, b'{')
}

/// An array.
pub(crate) fn array<T: DeserializeOwned>(body: &Bytes) -> Result<Vec<T>> {
    read(body, b'[')
}

/// serde would take an array for the fields of an object in order, too: the first sign decides.
fn read<T: DeserializeOwned>(text: &[u8], first: u8) -> Result<T> {
    let text = std::str::from_utf8(text).map_err(|_| Error::from(Code::BodyMalformed))?;
    if text.trim_ascii_start().as_bytes().first() != Some(&first) {
        let is_json = serde_json::from_str::<de::IgnoredAny>(text).is_ok();
        return Err(if is_json { illegal("the body") } else { Code::BodyMalformed.into() });
    }
    if escapes_nul(text) {
        return Err(illegal("a text contains \\u0000"));
    }
    serde_json::from_str(text)
        .map_err(|fault| if fault.is_data() { illegal(&field_of(&fault)) } else { Code::BodyMalformed.into() })
}

fn illegal(what: &str) -> Error {
    Error::about(Code::FieldIllegal, what)
}

/// What serde says of a field, without the values that it quotes: they may be secrets.
fn field_of(fault: &serde_json::Error) -> String {
    format!("line {} column {}", fault.line(), fault.column())
}

/// Whether a text in the JSON has a NUL, which no database keeps: an escape with an even number of backslashes before it.
fn escapes_nul(text: &str) -> bool {
    text.match_indices("\\u0000").any(|(at, _)| {
        let before = text[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        before % 2 == 0
    })
}

/// A whole number, or a text that is one: clients send both. `null` is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Number(pub Option<i64>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Number;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(Some(number)))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                i64::try_from(number).map(|number| Number(Some(number))).map_err(E::custom)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(|number| Number(Some(number))).map_err(E::custom)
            }

            fn visit_unit<E: de::Error>(self) -> Result<Number, E> {
                Ok(Number(None))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug, PartialEq)]
    struct One {
        #[serde(default)]
        user_id: Number,
        name: Option<String>,
    }

    #[test]
    fn numbers_come_as_texts_too() {
        let id = |text: &str| object::<One>(&Bytes::from(text.to_owned())).map(|one| one.user_id.0);
        assert_eq!(id(r#"{"user_id":2302128618880}"#).unwrap(), Some(2_302_128_618_880));
        assert_eq!(id(r#"{"user_id":"2302128618880"}"#).unwrap(), Some(2_302_128_618_880));
        assert_eq!(id(r#"{"user_id":null}"#).unwrap(), None);
        assert_eq!(id("").unwrap(), None);
        for bad in [r#"{"user_id":1.5}"#, r#"{"user_id":"x"}"#, r#"{"user_id":[1]}"#, r#"{"user_id":1e30}"#, "[1]"] {
            assert_eq!(id(bad).unwrap_err().code, Code::FieldIllegal, "{bad}");
        }
        for bad in ["x", "{", "{]", "\u{feff}{}"] {
            assert_eq!(id(bad).unwrap_err().code, Code::BodyMalformed, "{bad}");
        }
    }

    #[test]
    fn a_nul_is_refused_and_a_backslash_is_not() {
        let name = |text: &str| object::<One>(&Bytes::from(text.to_owned())).map(|one| one.name);
        assert_eq!(name(r#"{"name":"a\u0000"}"#).unwrap_err().code, Code::FieldIllegal);
        assert_eq!(name(r#"{"name":"a\\u0000"}"#).unwrap().as_deref(), Some("a\\u0000"));
    }
}
