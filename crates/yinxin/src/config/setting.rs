//! The types of values: how each is read from TOML and from text, and what it looks like.

use std::net::SocketAddr;
use std::path::PathBuf;

use toml::Value;
use tracing_subscriber::EnvFilter;
use yinxin_core::rates::Preset;
use yinxin_http::Network;

/// A value as it was found.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Raw {
    /// In a file.
    Toml(Value),
    /// In the environment or on the command line.
    Text(String),
}

impl Raw {
    /// A TOML literal, such as a default.
    pub fn literal(text: &str) -> Option<Self> {
        let mut table: toml::Table = toml::from_str(&format!("value = {text}")).ok()?;
        table.remove("value").map(Self::Toml)
    }
}

/// A type of value.
pub(crate) trait Setting: Sized {
    /// Whether a value that is wrong may be shown.
    const SHOWN: bool = true;
    /// What a value looks like, for people.
    fn expected() -> String;
    /// Reads what is in a file.
    fn from_toml(value: &Value) -> Option<Self> {
        Self::from_text(value.as_str()?)
    }
    /// Reads what is in the environment.
    fn from_text(text: &str) -> Option<Self>;
    /// Reads either.
    fn read(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Toml(value) => Self::from_toml(value),
            Raw::Text(text) => Self::from_text(text),
        }
    }
}

impl Setting for SocketAddr {
    fn expected() -> String {
        "an IP address and a port, as in \"127.0.0.1:8090\" or \"[::]:8090\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Setting for PathBuf {
    fn expected() -> String {
        "a path".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| text.into())
    }
}

/// A path, or none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PerhapsPath(pub Option<PathBuf>);

impl Setting for PerhapsPath {
    fn expected() -> String {
        "a path, or \"\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self(PathBuf::from_text(text)))
    }
}

/// A name that another service gave; may be empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Name(pub String);

impl Setting for Name {
    fn expected() -> String {
        "visible ASCII characters, or \"\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        text.bytes().all(|byte| byte.is_ascii_graphic()).then(|| Self(text.to_owned()))
    }
}

impl Setting for bool {
    fn expected() -> String {
        "true or false".to_owned()
    }

    fn from_toml(value: &Value) -> Option<Self> {
        value.as_bool()
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// A whole number within bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Whole<const MIN: u64, const MAX: u64>(pub u64);

impl<const MIN: u64, const MAX: u64> Whole<MIN, MAX> {
    pub fn to_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    pub fn to_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    pub fn to_u32(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }

    fn within(number: u64) -> Option<Self> {
        (MIN..=MAX).contains(&number).then_some(Self(number))
    }
}

impl<const MIN: u64, const MAX: u64> Setting for Whole<MIN, MAX> {
    fn expected() -> String {
        format!("a whole number from {MIN} to {MAX}")
    }

    fn from_toml(value: &Value) -> Option<Self> {
        Self::within(value.as_integer()?.try_into().ok()?)
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::within(text.parse().ok()?)
    }
}

/// `scheme://host[:port]`, without a slash at the end; or none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PublicUrl(pub Option<String>);

impl Setting for PublicUrl {
    fn expected() -> String {
        "http://HOST[:PORT] or https://HOST[:PORT] without a path, or \"\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(None));
        }
        let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
        let host = host.strip_suffix('/').unwrap_or(host);
        let legal = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]_".contains(&b));
        legal.then(|| Self(Some(text.trim_end_matches('/').to_owned())))
    }
}

/// The form of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl Setting for LogFormat {
    fn expected() -> String {
        "\"text\" or \"json\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// A filter of log lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct LogLevel(pub String);

impl Setting for LogLevel {
    fn expected() -> String {
        "error, warn, info, debug or trace, for all or by module, as in \"info,yinxin_http=debug\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        // The filter takes any word for a module's name: what stands alone must be a level.
        let level = |word: &str| ["error", "warn", "info", "debug", "trace", "off"].contains(&word);
        let legal = text.split(',').all(|part| part.contains('=') || level(part));
        (legal && EnvFilter::try_new(text).is_ok()).then(|| Self(text.to_owned()))
    }
}

impl Setting for Preset {
    fn expected() -> String {
        "\"self-hosted\" or \"vendor\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "self-hosted" => Some(Self::SelfHosted),
            "vendor" => Some(Self::Vendor),
            _ => None,
        }
    }
}

/// Addresses and networks.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Networks(pub Vec<Network>);

impl Setting for Networks {
    fn expected() -> String {
        "a list of IP addresses and networks, as in [\"127.0.0.1\", \"10.0.0.0/8\"]; in the environment with commas"
            .to_owned()
    }

    fn from_toml(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(|network| network.as_str()?.parse().ok()).collect::<Option<_>>().map(Self)
    }

    fn from_text(text: &str) -> Option<Self> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| part.parse().ok()).collect::<Option<_>>().map(Self)
    }
}
