//! `k=v&…` behind the question mark.

use percent_encoding::percent_decode;
use yinxin_core::limits::FORM_PAIRS_MAX;
use yinxin_core::{Code, Error, Result};

/// The parameters of a call, in order.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Splits and decodes; refuses what is no UTF-8, what holds a NUL, and more pairs than any call has.
    pub fn parse(text: &str) -> Result<Self> {
        let mut found = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if found.len() == FORM_PAIRS_MAX {
                return Err(Error::about(Code::FieldIllegal, "too many parameters").with_limit(FORM_PAIRS_MAX));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            found.push((decode(name)?, decode(value)?));
        }
        Ok(Self(found))
    }

    /// A parameter; of one that is given twice, the first. An empty one counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        let named = self.0.iter().find(|(known, _)| known == name);
        named.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A parameter that the call cannot do without.
    pub fn required(&self, name: &str) -> Result<&str> {
        self.get(name).ok_or_else(|| Error::about(Code::FieldIllegal, name))
    }

    /// A switch that the call cannot do without.
    pub fn flag(&self, name: &str) -> Result<bool> {
        self.required(name)?.parse().map_err(|_| Error::about(Code::FieldIllegal, name))
    }

    /// A parameter that is a whole number.
    pub fn number(&self, name: &str) -> Result<Option<i64>> {
        let read = |text: &str| text.parse().map_err(|_| Error::about(Code::FieldIllegal, name));
        self.get(name).map(read).transpose()
    }
}

fn decode(text: &str) -> Result<String> {
    let spaced = text.replace('+', " ");
    let illegal = || Error::about(Code::FieldIllegal, "a parameter is no text in UTF-8");
    let decoded = percent_decode(spaced.as_bytes()).decode_utf8().map_err(|_| illegal())?;
    if decoded.contains('\0') {
        return Err(Error::about(Code::FieldIllegal, "a text contains a NUL"));
    }
    Ok(decoded.into_owned())
}
