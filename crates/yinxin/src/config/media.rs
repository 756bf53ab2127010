//! The media servers of a configuration: the types of their values, and that they belong together.

use std::fs;
use std::path::Path;

use toml::Value;
use yinxin_core::names::AppName;
use yinxin_core::rooms::media::{Janus, Kind, LiveKit, MediaServers, Secret, Turn};

use super::fault::Fault;
use super::keys::Config;
use super::setting::{PerhapsPath, Setting};

/// A list of values; in the environment with commas.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct List<T>(pub Vec<T>);

/// A value that lists are of.
pub(crate) trait Item: Sized {
    /// What it looks like.
    const EXPECTED: &'static str;
    /// Reads one.
    fn parse(text: &str) -> Option<Self>;
}

impl<T: Item> Setting for List<T> {
    fn expected() -> String {
        format!("a list of {}; in the environment with commas", T::EXPECTED)
    }

    fn from_toml(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(|item| T::parse(item.as_str()?)).collect::<Option<_>>().map(Self)
    }

    fn from_text(text: &str) -> Option<Self> {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        items.map(T::parse).collect::<Option<_>>().map(Self)
    }
}

/// Whether a text is one word, as URLs and names are.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn begins(text: &str, schemes: &[&str]) -> bool {
    schemes.iter().any(|scheme| text.strip_prefix(scheme).is_some_and(is_word))
}

impl Item for AppName {
    const EXPECTED: &'static str = "apps, as in [\"acme/chat\"]";

    fn parse(text: &str) -> Option<Self> {
        AppName::parse(text).ok()
    }
}

/// Where clients find a TURN server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TurnUrl(pub String);

impl Item for TurnUrl {
    const EXPECTED: &'static str =
        "URLs that begin with turn:, turns:, stun: or stuns:, as in [\"turn:turn.example.com:3478\"]";

    fn parse(text: &str) -> Option<Self> {
        begins(text, &["turn:", "turns:", "stun:", "stuns:"]).then(|| Self(text.to_owned()))
    }
}

/// The name of a plug-in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Plugin(pub String);

impl Item for Plugin {
    const EXPECTED: &'static str = "plug-ins, as in [\"janus.plugin.videoroom\"]";

    fn parse(text: &str) -> Option<Self> {
        (is_word(text) && !text.contains([',', ':'])).then(|| Self(text.to_owned()))
    }
}

/// Where clients connect; empty is nowhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ClientUrl(pub String);

impl Setting for ClientUrl {
    fn expected() -> String {
        "a URL that begins with ws://, wss://, http:// or https://, or \"\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let legal = text.is_empty() || begins(text, &["ws://", "wss://", "http://", "https://"]);
        legal.then(|| Self(text.to_owned()))
    }
}

/// A secret that stands in the configuration itself; empty is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Inline(pub Option<Secret>);

impl Setting for Inline {
    const SHOWN: bool = false;

    fn expected() -> String {
        "a text, or \"\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self(Secret::new(text.to_owned())))
    }
}

impl Config {
    /// The media servers that clients get credentials for, or all that is wrong with them.
    pub fn media(&self) -> Result<MediaServers, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut secret_of = |section: Section<'_>| {
            section.secret().unwrap_or_else(|found| {
                faults.extend(found);
                None
            })
        };
        let livekit = secret_of(Section {
            name: "media.livekit",
            others: &[("url", !self.livekit_url.0.is_empty()), ("api_key", !self.livekit_api_key.0.is_empty())],
            key: "api_secret",
            inline: &self.livekit_api_secret,
            file: &self.livekit_api_secret_file,
        });
        let janus = secret_of(Section {
            name: "media.janus",
            others: &[("url", !self.janus_url.0.is_empty())],
            key: "secret",
            inline: &self.janus_secret,
            file: &self.janus_secret_file,
        });
        let turn = secret_of(Section {
            name: "media.turn",
            others: &[("urls", !self.turn_urls.0.is_empty())],
            key: "secret",
            inline: &self.turn_secret,
            file: &self.turn_secret_file,
        });
        let servers = self.servers(livekit, janus, turn);
        if servers.apps.is_empty() && Kind::ALL.into_iter().any(|kind| servers.has(kind)) {
            faults.push(Fault::missing("media.apps", "a media server is set: say whose users it is for"));
        }
        if self.janus_plugins.0.is_empty() {
            faults.push(Fault::missing("media.janus.plugins", "Janus is of no use without any"));
        }
        if faults.is_empty() { Ok(servers) } else { Err(faults) }
    }

    fn servers(&self, livekit: Option<Secret>, janus: Option<Secret>, turn: Option<Secret>) -> MediaServers {
        MediaServers {
            apps: self.media_apps.0.clone(),
            ttl_s: self.media_ttl_seconds.to_i64(),
            livekit: livekit.map(|api_secret| LiveKit {
                url: self.livekit_url.0.clone(),
                api_key: self.livekit_api_key.0.clone(),
                api_secret,
            }),
            janus: janus.map(|secret| Janus {
                url: self.janus_url.0.clone(),
                secret,
                plugins: self.janus_plugins.0.iter().map(|plugin| plugin.0.clone()).collect(),
            }),
            turn: turn.map(|secret| Turn { urls: self.turn_urls.0.iter().map(|url| url.0.clone()).collect(), secret }),
        }
    }
}

/// What is set of one service that has a secret.
pub(super) struct Section<'a> {
    pub name: &'a str,
    /// What must be set beside the secret, and whether it is.
    pub others: &'a [(&'a str, bool)],
    /// The secret's name.
    pub key: &'a str,
    pub inline: &'a Inline,
    pub file: &'a PerhapsPath,
}

impl Section<'_> {
    /// The secret, if everything is set; `None` if nothing is.
    pub fn secret(&self) -> Result<Option<Secret>, Vec<Fault>> {
        let (name, key) = (self.name, self.key);
        let is_told = self.inline.0.is_some() || self.file.0.is_some();
        if !is_told && self.others.iter().all(|(_, is_told)| !is_told) {
            return Ok(None);
        }
        let missing = self.others.iter().filter(|(_, is_told)| !is_told).map(|(other, _)| format!("{name}.{other}"));
        let missing = missing.chain((!is_told).then(|| format!("{name}.{key} or {name}.{key}_file")));
        let mut faults: Vec<_> = missing.map(|key| Fault::missing(&key, "the rest of its section is set")).collect();
        let secret = match (&self.inline.0, &self.file.0) {
            (Some(_), Some(_)) => Err(Fault::twice(&format!("{name}.{key}"), &format!("{name}.{key}_file"))),
            (inline, None) => Ok(inline.clone()),
            (None, Some(file)) => read(file).map(Some),
        };
        match secret {
            Ok(secret) if faults.is_empty() => return Ok(secret),
            Ok(_) => {}
            Err(fault) => faults.push(fault),
        }
        Err(faults)
    }
}

fn read(file: &Path) -> Result<Secret, Fault> {
    let place = file.display().to_string();
    let text = fs::read_to_string(file).map_err(|fault| Fault::unreadable(&place, &fault))?;
    Secret::new(text.trim().to_owned()).ok_or_else(|| Fault::unreadable(&place, &"the file holds no secret"))
}
