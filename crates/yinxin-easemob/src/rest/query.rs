//! `k=v&…` in query strings and forms.

use percent_encoding::percent_decode;
use yinxin_core::{Code, Error, Result};

use super::call::Call;
use super::rights::FromCall;

/// The parameters of the query string, in order.
pub(crate) struct Query(Vec<(String, String)>);

impl FromCall for Query {
    async fn from_call(call: &mut Call) -> Result<Self> {
        Self::of(call)
    }
}

impl Query {
    /// The parameters of a call that takes a body, too.
    pub fn of(call: &Call) -> Result<Self> {
        pairs(call.parts.uri.query().unwrap_or_default().as_bytes()).map(Self)
    }

    /// A parameter; an empty one counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        found.filter(|value| !value.is_empty())
    }

    /// A parameter that is a whole number.
    pub fn int(&self, name: &str) -> Result<Option<i64>> {
        let parse = |text: &str| text.parse().map_err(|_| Error::about(Code::FieldIllegal, format!("{name}={text}")));
        self.get(name).map(parse).transpose()
    }

    /// A parameter that is a switch: `true`, `false`, `1`, `0`.
    pub fn flag(&self, name: &str) -> Result<Option<bool>> {
        match self.get(name) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(text) => Err(Error::about(Code::FieldIllegal, format!("{name}={text}"))),
        }
    }

    /// All of them.
    pub fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }
}

/// Splits and decodes; refuses what is no UTF-8 and what holds a NUL.
pub(crate) fn pairs(text: &[u8]) -> Result<Vec<(String, String)>> {
    text.split(|&byte| byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let at = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
            Ok((decode(&pair[..at])?, decode(pair.get(at + 1..).unwrap_or_default())?))
        })
        .collect()
}

fn decode(text: &[u8]) -> Result<String> {
    let spaced: Vec<u8> = text.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    let decoded = percent_decode(&spaced).decode_utf8().map_err(|_| Code::BodyMalformed)?;
    if decoded.contains('\0') {
        return Err(Error::about(Code::FieldIllegal, "a text contains a NUL"));
    }
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_in_order() {
        let found = pairs(b"nickname=a+b&avatar=http%3A%2F%2Fx%2F%E5%B0%8F&empty=&&bare").unwrap();
        let expected = [("nickname", "a b"), ("avatar", "http://x/小"), ("empty", ""), ("bare", "")];
        assert_eq!(found, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
        assert_eq!(pairs(b"a=%FF").unwrap_err().code, Code::BodyMalformed);
        assert_eq!(pairs(b"a=%00").unwrap_err().code, Code::FieldIllegal);
    }
}
