//! The media servers of a configuration: the types of their values, and that they belong together.

use std::fs;

use toml::Value;
use yinxin_core::names::AppName;
use yinxin_core::rooms::media::{Janus, Kind, LiveKit, MediaServers, Secret, Turn};

use super::fault::Fault;
use super::keys::Config;
use super::setting::{PerhapsPath, Setting};

/// The texts of a list, in a file or, with commas, in the environment.
fn list(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

fn split(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// Whether a text is one word, as URLs and names are.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Names of apps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Apps(pub Vec<AppName>);

impl Apps {
    fn parse(names: &[&str]) -> Option<Self> {
        names.iter().map(|name| AppName::parse(name).ok()).collect::<Option<_>>().map(Self)
    }
}

impl Setting for Apps {
    fn expected() -> String {
        "a list of apps, as in [\"acme/chat\"]; in the environment with commas".to_owned()
    }

    fn from_toml(value: &Value) -> Option<Self> {
        Self::parse(&list(value)?)
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::parse(&split(text))
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
        let begins = |scheme| text.strip_prefix(scheme).is_some_and(is_word);
        let legal = text.is_empty() || ["ws://", "wss://", "http://", "https://"].into_iter().any(begins);
        legal.then(|| Self(text.to_owned()))
    }
}

/// Where clients find a TURN server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TurnUrls(pub Vec<String>);

impl TurnUrls {
    fn parse(urls: &[&str]) -> Option<Self> {
        let begins = |url: &str| {
            ["turn:", "turns:", "stun:", "stuns:"].iter().any(|scheme| url.strip_prefix(scheme).is_some_and(is_word))
        };
        urls.iter().all(|url| begins(url)).then(|| Self(urls.iter().map(ToString::to_string).collect()))
    }
}

impl Setting for TurnUrls {
    fn expected() -> String {
        "a list of URLs that begin with turn:, turns: or stun:, as in [\"turn:turn.example.com:3478\"]; in the \
         environment with commas"
            .to_owned()
    }

    fn from_toml(value: &Value) -> Option<Self> {
        Self::parse(&list(value)?)
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::parse(&split(text))
    }
}

/// Names of plug-ins, at least one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Plugins(pub Vec<String>);

impl Plugins {
    fn parse(names: &[&str]) -> Option<Self> {
        let is_name = |name: &str| is_word(name) && !name.contains([',', ':']);
        let legal = !names.is_empty() && names.iter().all(|name| is_name(name));
        legal.then(|| Self(names.iter().map(ToString::to_string).collect()))
    }
}

impl Setting for Plugins {
    fn expected() -> String {
        "a list of plug-ins, as in [\"janus.plugin.videoroom\"]; in the environment with commas".to_owned()
    }

    fn from_toml(value: &Value) -> Option<Self> {
        Self::parse(&list(value)?)
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::parse(&split(text))
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
    /// The media servers that the dialects are told of, or what is missing.
    pub fn media(&self) -> Result<MediaServers, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut servers = MediaServers {
            apps: self.media_apps.0.clone(),
            ttl_s: self.media_ttl_seconds.to_i64(),
            ..Default::default()
        };
        let mut given = Given { faults: &mut faults };
        let (url, key) = (&self.livekit_url.0, &self.livekit_api_key.0);
        let is_told = [("url", !url.is_empty()), ("api_key", !key.is_empty())];
        let secret = (&self.livekit_api_secret, &self.livekit_api_secret_file);
        servers.livekit = given.whole("media.livekit", &is_told, ("api_secret", secret)).map(|api_secret| LiveKit {
            url: url.clone(),
            api_key: key.clone(),
            api_secret,
        });
        let (url, plugins) = (&self.janus_url.0, &self.janus_plugins.0);
        let secret = (&self.janus_secret, &self.janus_secret_file);
        servers.janus = given
            .whole("media.janus", &[("url", !url.is_empty())], ("secret", secret))
            .map(|secret| Janus { url: url.clone(), secret, plugins: plugins.clone() });
        let urls = &self.turn_urls.0;
        let secret = (&self.turn_secret, &self.turn_secret_file);
        servers.turn = given
            .whole("media.turn", &[("urls", !urls.is_empty())], ("secret", secret))
            .map(|secret| Turn { urls: urls.clone(), secret });
        if servers.apps.is_empty() && Kind::ALL.into_iter().any(|kind| servers.has(kind)) {
            faults.push(Fault::missing("media.apps", "a media server is configured: say whose users it is for"));
        }
        if faults.is_empty() { Ok(servers) } else { Err(faults) }
    }
}

/// What is set of a section, and what is wrong with it.
struct Given<'a> {
    faults: &'a mut Vec<Fault>,
}

impl Given<'_> {
    /// The secret of a section of which everything is set; `None` of one of which nothing is, or too little.
    fn whole(
        &mut self,
        section: &str,
        others: &[(&str, bool)],
        (name, (inline, file)): (&str, (&Inline, &PerhapsPath)),
    ) -> Option<Secret> {
        let before = self.faults.len();
        let secret = self.secret(section, name, inline, file);
        let is_secret_told = inline.0.is_some() || file.0.is_some();
        if !is_secret_told && others.iter().all(|(_, is_told)| !is_told) {
            return None;
        }
        let why = "the rest of its section is set";
        for (other, _) in others.iter().filter(|(_, is_told)| !is_told) {
            self.faults.push(Fault::missing(&format!("{section}.{other}"), why));
        }
        if !is_secret_told {
            self.faults.push(Fault::missing(&format!("{section}.{name} or {section}.{name}_file"), why));
        }
        secret.filter(|_| self.faults.len() == before)
    }

    fn secret(&mut self, section: &str, name: &str, inline: &Inline, file: &PerhapsPath) -> Option<Secret> {
        let Some(path) = &file.0 else { return inline.0.clone() };
        if inline.0.is_some() {
            self.faults.push(Fault::twice(&format!("{section}.{name}"), &format!("{section}.{name}_file")));
            return None;
        }
        let place = path.display().to_string();
        match fs::read_to_string(path).map(|text| Secret::new(text.trim().to_owned())) {
            Ok(Some(secret)) => Some(secret),
            Ok(None) => {
                self.faults.push(Fault::unreadable(&place, &"the file holds no secret"));
                None
            }
            Err(fault) => {
                self.faults.push(Fault::unreadable(&place, &fault));
                None
            }
        }
    }
}
