//! Request bodies: JSON whatever the label says, since the vendor's own examples mislabel it.

use std::fmt;

use bytes::Bytes;
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde_json::error::Category;
use yinxin_core::{Code, Error, Result};

use super::call::Call;
use super::rights::FromCall;

/// A JSON body of that shape. An empty body is an empty object.
pub(crate) struct Json<T>(pub T);

impl<T: DeserializeOwned> FromCall for Json<T> {
    async fn from_call(call: &mut Call) -> Result<Self> {
        parse(&call.take_body().await?).map(Self)
    }
}

/// One object or an array of them.
pub(crate) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T: DeserializeOwned> FromCall for OneOrMany<T> {
    async fn from_call(call: &mut Call) -> Result<Self> {
        let bytes = call.take_body().await?;
        let is_array = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
        if is_array { parse(&bytes).map(Self::Many) } else { parse(&bytes).map(Self::One) }
    }
}

/// `k=v&…`, as the attribute call sends it.
pub(crate) struct Form(pub Vec<(String, String)>);

impl FromCall for Form {
    async fn from_call(call: &mut Call) -> Result<Self> {
        check_label(call)?;
        super::query::pairs(&call.take_body().await?).map(Self)
    }
}

/// A JSON body that must have a label, though any will do.
pub(crate) struct LabelledJson<T>(pub T);

impl<T: DeserializeOwned> FromCall for LabelledJson<T> {
    async fn from_call(call: &mut Call) -> Result<Self> {
        check_label(call)?;
        Json::from_call(call).await.map(|Json(body)| Self(body))
    }
}

/// Quirk(easemob): without a content type the attribute calls that have a body are 415 with an empty body. Source:
/// docs/dialects/easemob.md.
fn check_label(call: &Call) -> Result<()> {
    let label = call.headers().get(axum::http::header::CONTENT_TYPE);
    if label.is_none_or(axum::http::HeaderValue::is_empty) { Err(Code::MediaTypeUnsupported.into()) } else { Ok(()) }
}

fn parse<T: DeserializeOwned>(bytes: &Bytes) -> Result<T> {
    let text = if bytes.iter().all(u8::is_ascii_whitespace) { &b"{}"[..] } else { bytes };
    if escapes_nul(text) {
        return Err(Error::about(Code::FieldIllegal, "a text contains \\u0000"));
    }
    serde_json::from_slice(text).map_err(|error| match error.classify() {
        Category::Data => Error::about(Code::FieldIllegal, error.to_string()),
        Category::Syntax | Category::Eof | Category::Io => Error::about(Code::BodyMalformed, error.to_string()),
    })
}

/// Whether a JSON text spells a NUL, which no stored text may hold. Unescaped ones are malformed JSON anyway.
fn escapes_nul(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&byte| byte == b'\\') {
        let escape = &rest[at + 1..];
        if escape.starts_with(b"u0000") {
            return true;
        }
        // What a backslash escapes is not the start of another escape.
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}

/// A whole number, sent as a number or as a text of digits. An empty text counts as absent.
pub(crate) fn lenient_int<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    struct Lenient;

    impl Visitor<'_> for Lenient {
        type Value = Option<i64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number, or a text of its digits")
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
            Ok(Some(number))
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
            i64::try_from(number).map(Some).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            if text.is_empty() {
                return Ok(None);
            }
            text.parse().map(Some).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    deserializer.deserialize_any(Lenient)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Wire {
        #[serde(default, deserialize_with = "lenient_int")]
        ttl: Option<i64>,
    }

    fn read(text: &'static str) -> Result<Option<i64>, Code> {
        parse::<Wire>(&Bytes::from_static(text.as_bytes())).map(|wire| wire.ttl).map_err(|error| error.code)
    }

    #[test]
    fn numbers_come_in_all_the_forms_clients_send() {
        for (text, expected) in [
            ("", Ok(None)),
            ("{}", Ok(None)),
            (r#"{"ttl":null}"#, Ok(None)),
            (r#"{"ttl":""}"#, Ok(None)),
            (r#"{"ttl":0}"#, Ok(Some(0))),
            (r#"{"ttl":"1024000"}"#, Ok(Some(1_024_000))),
            (r#"{"ttl":-5}"#, Ok(Some(-5))),
            (r#"{"ttl":"x"}"#, Err(Code::FieldIllegal)),
            (r#"{"ttl":1.5}"#, Err(Code::FieldIllegal)),
            (r#"{"ttl":[]}"#, Err(Code::FieldIllegal)),
            (r#"{"ttl":18446744073709551615}"#, Err(Code::FieldIllegal)),
            (r#"{"ttl":1,"ttl":2}"#, Err(Code::FieldIllegal)),
            (r#"{"ttl":1"#, Err(Code::BodyMalformed)),
            ("ttl=1", Err(Code::BodyMalformed)),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn an_escaped_nul_is_found_and_an_escaped_backslash_is_not_one() {
        assert!(escapes_nul(br#"{"a":"\u0000"}"#));
        assert!(escapes_nul(br#"{"a":"\\\u0000"}"#));
        assert!(!escapes_nul(br#"{"a":"\\u0000"}"#));
        assert!(!escapes_nul(br#"{"a":"\"#));
    }
}
