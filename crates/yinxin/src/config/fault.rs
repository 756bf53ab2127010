//! What is wrong with a configuration: the key, the value, where it stands, what was expected.

use super::keys::KEYS;

/// Names further away than this are no misspelling.
const LIKENESS_MIN: f64 = 0.75;

/// One thing that is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Fault(String);

impl Fault {
    /// A file that cannot be read, or that is no TOML.
    pub fn unreadable(file: &str, why: &dyn std::fmt::Display) -> Self {
        Self(format!("{file}: {why}"))
    }

    /// A value that does not fit its key.
    pub fn wrong(key: &str, value: &str, place: &str, expected: &str) -> Self {
        Self(format!("{key} = {value} (in {place}): expected {expected}"))
    }

    /// A key that must be set.
    pub fn missing(key: &str, why: &str) -> Self {
        Self(format!("{key} is not set: {why}"))
    }

    /// Two keys that say the same thing.
    pub fn twice(key: &str, other: &str) -> Self {
        Self(format!("{key} and {other} are both set: keep one"))
    }

    /// A key that does not exist.
    pub fn unknown(key: &str, place: &str) -> Self {
        let hint = match suggestion(key) {
            Some(meant) => format!("did you mean '{meant}'?"),
            None => "`yinxin config default` lists all keys".to_owned(),
        };
        Self(format!("unknown key '{key}' (in {place}): {hint}"))
    }
}

/// The key that was probably meant: the nearest by spelling, or the one of that name in another section.
pub(crate) fn suggestion(key: &str) -> Option<&'static str> {
    let key = key.to_lowercase();
    let last = key.rsplit('.').next().unwrap_or(&key);
    let same_name = KEYS.iter().find(|known| known.parts().1 == last || known.name == key).map(|known| known.name);
    let likeness =
        |name: &str| strsim::jaro_winkler(&key, name).max(strsim::normalized_damerau_levenshtein(&key, name));
    let nearest = KEYS.iter().map(|known| (likeness(known.name), known.name)).max_by(|a, b| a.0.total_cmp(&b.0));
    same_name.or(nearest.filter(|(likeness, _)| *likeness >= LIKENESS_MIN).map(|(_, name)| name))
}
