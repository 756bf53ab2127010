//! `k=v&…` in a body.

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use percent_encoding::percent_decode;
use yinxin_core::limits::FORM_PAIRS_MAX;
use yinxin_core::{Code, Error, Result};

/// The parameters of a call, in order.
#[derive(Debug, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body. One that is labelled as anything but a form has no parameters, as the vendor has it.
    pub fn read(headers: &HeaderMap, body: &Bytes) -> Result<Self> {
        let label = headers.get(header::CONTENT_TYPE).map(axum::http::HeaderValue::as_bytes);
        let kind = label.map(|label| label.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii());
        match kind {
            Some(kind) if !kind.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") => Ok(Self::default()),
            _ => Self::parse(body),
        }
    }

    /// Reads a query, or a body whatever it is labelled as.
    pub fn parse(text: &[u8]) -> Result<Self> {
        pairs(text).map(Self)
    }

    /// A parameter; of one that is given twice, the first.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter; an empty one counts as absent.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// A parameter that is yes or no.
    pub fn switch(&self, name: &str) -> Result<Option<bool>> {
        let read = |text| switch(text).ok_or_else(|| Error::about(Code::FieldIllegal, format!("{name}={text}")));
        self.filled(name).map(read).transpose()
    }
}

/// Quirk(netease): the document's sample of a Boolean is `640`: any number but 0 is yes. Source: netease-get-token.txt.
fn switch(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => text.parse().ok().map(|number: i64| number != 0),
    }
}

/// Splits and decodes; refuses what is no UTF-8, what holds a NUL, and more pairs than any call has.
fn pairs(text: &[u8]) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for pair in text.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()) {
        if found.len() == FORM_PAIRS_MAX {
            return Err(Error::about(Code::FieldIllegal, "too many parameters").with_limit(FORM_PAIRS_MAX));
        }
        let at = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
        found.push((decode(&pair[..at])?, decode(pair.get(at + 1..).unwrap_or_default())?));
    }
    Ok(found)
}

fn decode(text: &[u8]) -> Result<String> {
    let spaced: Vec<u8> = text.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    let bytes = if spaced.contains(&b'%') { percent_decode(&spaced).collect() } else { spaced };
    let decoded = String::from_utf8(bytes).map_err(|_| Code::BodyMalformed)?;
    if decoded.contains('\0') {
        return Err(Error::about(Code::FieldIllegal, "a text contains a NUL"));
    }
    Ok(decoded)
}
