//! Request bodies: JSON whatever the label says, since the vendor's own examples mislabel it.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::error::Category;
use yinxin_core::{Code, Error, Result};

use super::call::Call;
use super::rights::FromCall;

/// A JSON body that is an object of that shape. An empty body is an empty object.
pub(crate) struct Json<T>(pub T);

impl<T: DeserializeOwned> FromCall for Json<T> {
    async fn from_call(call: &mut Call) -> Result<Self> {
        parse(&call.take_body().await?).map(|Object(body)| Self(body))
    }
}

/// A JSON body that is an array.
pub(crate) struct List<T>(pub Vec<T>);

impl<T: DeserializeOwned> FromCall for List<T> {
    async fn from_call(call: &mut Call) -> Result<Self> {
        parse(&call.take_body().await?).map(Self)
    }
}

/// A JSON body that is an object of any keys, each of them once.
pub(crate) struct Members(pub Vec<(String, Value)>);

impl FromCall for Members {
    async fn from_call(call: &mut Call) -> Result<Self> {
        parse(&call.take_body().await?)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Distinct;

        impl<'de> Visitor<'de> for Distinct {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members: Vec<(String, Value)> = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                // Sorted, so that a body of very many keys costs no more than reading it.
                members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
                match members.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                    Some(pair) => Err(de::Error::custom(format_args!("duplicate field `{}`", pair[0].0))),
                    None => Ok(Members(members)),
                }
            }
        }

        deserializer.deserialize_map(Distinct)
    }
}

/// A shape that is read from an object only: serde would take an array for its fields in order, too.
#[derive(Debug)]
pub(crate) struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfObject<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OfObject<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(OfObject(PhantomData))
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
        if is_array {
            let many: Vec<Object<T>> = parse(&bytes)?;
            Ok(Self::Many(many.into_iter().map(|Object(one)| one).collect()))
        } else {
            parse(&bytes).map(|Object(one)| Self::One(one))
        }
    }
}

/// `k=v&…`, as the attribute call sends it, or an object of texts that is labelled as JSON.
pub(crate) struct Form(pub Vec<(String, String)>);

impl FromCall for Form {
    async fn from_call(call: &mut Call) -> Result<Self> {
        check_label(call)?;
        let is_json = is_labelled_json(call);
        let bytes = call.take_body().await?;
        // Read as a form, an object would be one pair without a value, which removes nothing and says nothing.
        match bytes.trim_ascii_start().first() {
            Some(b'{') if is_json => texts(&bytes).map(Self),
            Some(b'{') => Err(Error::about(Code::FieldIllegal, "a form begins with {")),
            _ => super::query::pairs(&bytes).map(Self),
        }
    }
}

fn is_labelled_json(call: &Call) -> bool {
    let label = call.headers().get(axum::http::header::CONTENT_TYPE).map_or(&b""[..], |label| label.as_bytes());
    let kind = label.split(|&byte| byte == b';').next().unwrap_or_default();
    kind.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// The members of an object of texts.
fn texts(bytes: &Bytes) -> Result<Vec<(String, String)>> {
    let Members(members) = parse(bytes)?;
    let text = |(name, value)| match value {
        Value::String(text) => Ok((name, text)),
        _ => Err(Error::about(Code::FieldIllegal, name)),
    };
    members.into_iter().map(text).collect()
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
    // Unknown members are skipped without a look at their texts; what is no UTF-8 is no JSON there either.
    let text = std::str::from_utf8(text).map_err(|error| {
        let (line, column) = place_of(&text[..error.valid_up_to()]);
        malformed(line, column)
    })?;
    // The parser's own words name types of this program; its places are of use.
    serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => Error::about(Code::FieldIllegal, format!("line {} column {}", error.line(), error.column())),
        Category::Syntax | Category::Eof | Category::Io => malformed(error.line(), error.column()),
    })
}

fn malformed(line: usize, column: usize) -> Error {
    let text = format!("Unexpected character or end of input at line {line} column {column}");
    Error::about(Code::BodyMalformed, text)
}

/// The line and column of what comes after that text.
fn place_of(before: &[u8]) -> (usize, usize) {
    let mut lines = before.split(|&byte| byte == b'\n');
    (lines.clone().count(), lines.next_back().map_or(0, <[u8]>::len) + 1)
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
        parse::<Object<Wire>>(&Bytes::from_static(text.as_bytes()))
            .map(|Object(wire)| wire.ttl)
            .map_err(|error| error.code)
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
            ("[5]", Err(Code::FieldIllegal)),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn faults_are_told_by_their_place_in_words_of_our_own() {
        for (text, said) in [
            ("{\"ttl\":\n[]}", "line 2 column 2"),
            ("[5]", "line 1 column 0"),
            (r#"{"ttl":1"#, "Unexpected character or end of input at line 1 column 8"),
            ("nope", "Unexpected character or end of input at line 1 column 2"),
        ] {
            let error = parse::<Object<Wire>>(&Bytes::from_static(text.as_bytes())).unwrap_err();
            assert_eq!(error.subject, said, "{text}");
        }
        let error = parse::<Object<Wire>>(&Bytes::from_static(b"{\n \"a\": \"\xff\"}")).unwrap_err();
        assert_eq!(error.subject, "Unexpected character or end of input at line 2 column 8");
    }

    #[test]
    fn an_escaped_nul_is_found_and_an_escaped_backslash_is_not_one() {
        assert!(escapes_nul(br#"{"a":"\u0000"}"#));
        assert!(escapes_nul(br#"{"a":"\\\u0000"}"#));
        assert!(!escapes_nul(br#"{"a":"\\u0000"}"#));
        assert!(!escapes_nul(br#"{"a":"\"#));
    }
}
