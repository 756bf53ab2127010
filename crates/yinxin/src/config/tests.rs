use std::ffi::OsString;
use std::path::PathBuf;

use yinxin_core::rates::Preset;
use yinxin_core::rooms::media::Secret;

use super::commands::default_file;
use super::keys::KEYS;
use super::*;

fn from_text(text: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("yinxin.toml");
    std::fs::write(&file, text).unwrap();
    told(&Given { file: Some(file), ..Given::default() })
}

fn from_env(variables: &[(&str, &str)]) -> Result<Config, String> {
    let env = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect();
    told(&Given { env, ..Given::default() })
}

fn told(given: &Given) -> Result<Config, String> {
    load(given).map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

#[test]
fn the_defaults_are_those_of_the_crates_below() {
    let config = Config::defaults().unwrap();
    assert_eq!(format!("{:?}", config.serve_options()), format!("{:?}", ServeOptions::default()));
    assert_eq!(format!("{:?}", config.limits()), format!("{:?}", Limits::default()));
    assert_eq!(config.hash_cost(), HashCost::default());
    assert_eq!(config.rate_preset, Preset::default());
}

#[test]
fn the_default_file_says_the_defaults() {
    let commented = default_file();
    assert_eq!(from_text(&commented), Ok(Config::defaults().unwrap()));
    let set = commented.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => setting,
        _ => line,
    });
    let set = set.collect::<Vec<_>>().join("\n");
    let settings = set.lines().filter(|line| !line.starts_with('#') && line.contains(" = ")).count();
    assert_eq!(settings, KEYS.len());
    assert_eq!(from_text(&set), Ok(Config::defaults().unwrap()));
}

#[test]
fn sections_stand_together_and_names_are_unique() {
    let names: Vec<_> = KEYS.iter().map(|key| key.name).collect();
    let mut sections: Vec<_> = KEYS.iter().map(|key| key.parts().0).collect();
    sections.dedup();
    let count = sections.len();
    sections.sort_unstable();
    sections.dedup();
    assert_eq!(sections.len(), count, "{names:?}");
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len());
}

#[test]
fn the_environment_wins_over_the_file_and_the_command_line_over_both() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("yinxin.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:1\"\ndata = \"a\"\n[limits]\nconnections = 5\n").unwrap();
    let mut given = Given { file: Some(file), ..Given::default() };
    assert_eq!(told(&given).unwrap().data, PathBuf::from("a"));
    given.env = vec![("YINXIN_LISTEN".into(), "127.0.0.1:2".into()), ("YINXIN_DATA".into(), "b".into())];
    given.args = vec![("listen", "127.0.0.1:3".into())];
    let config = told(&given).unwrap();
    assert_eq!((config.listen.port(), config.data, config.connections.0), (3, PathBuf::from("b"), 5));
}

#[test]
fn unknown_keys_are_refused_with_a_suggestion() {
    for (text, meant) in [
        ("lisen = 1", "did you mean 'listen'?"),
        ("[limit]\nconnections = 1", "did you mean 'limits.connections'?"),
        ("[limits]\nconections = 1", "did you mean 'limits.connections'?"),
        ("connections = 1", "did you mean 'limits.connections'?"),
        ("zzzz = 1", "`yinxin config default` lists all keys"),
    ] {
        let fault = from_text(text).unwrap_err();
        assert!(fault.contains("unknown key") && fault.contains(meant), "{text}: {fault}");
    }
    let fault = from_env(&[("YINXIN_LIMITS__CONECTIONS", "1")]).unwrap_err();
    assert!(fault.contains("YINXIN_LIMITS__CONECTIONS") && fault.contains("'limits.connections'"), "{fault}");
    assert!(from_env(&[("YINXIN_SERVICE_HOST", "10.0.0.1"), ("YINXIN_PORT", "tcp://10.0.0.1:80")]).is_ok());
}

#[test]
fn wrong_values_name_the_key_the_value_and_what_was_expected() {
    for (text, parts) in [
        ("listen = 5", ["listen = 5", "expected an IP address and a port"]),
        ("listen = \"localhost\"", ["listen = \"localhost\"", "expected an IP address and a port"]),
        ("[limits]\nconnections = 0", ["limits.connections = 0", "from 1 to 10000000"]),
        ("[limits]\nconnections = \"5\"", ["limits.connections = \"5\"", "a whole number"]),
        ("[limits]\nrate_preset = \"none\"", ["limits.rate_preset = \"none\"", "\"self-hosted\" or \"vendor\""]),
        ("[log]\nlevel = \"loud\"", ["log.level = \"loud\"", "error, warn, info"]),
        ("[http]\ntrusted_proxies = [\"10.0.0.0/99\"]", ["http.trusted_proxies", "networks"]),
        ("public_url = \"example.com\"", ["public_url = \"example.com\"", "https://HOST"]),
        ("[metrics]\npublic = \"yes\"", ["metrics.public = \"yes\"", "true or false"]),
        ("limits = 5", ["unknown key 'limits'", ""]),
        ("[listen]\na = 5", ["listen = ", "expected an IP address"]),
    ] {
        let fault = from_text(text).unwrap_err();
        assert!(parts.iter().all(|part| fault.contains(part)), "{text}: {fault}");
    }
    assert!(from_text("= 5").unwrap_err().contains("yinxin.toml"));
}

#[test]
fn all_faults_are_told_at_once() {
    let faults = from_text("listen = 5\ndata = 5\nnonsense = 1").unwrap_err();
    assert_eq!(faults.lines().count(), 3, "{faults}");
}

#[test]
fn values_in_the_environment_are_plain_text() {
    let config = from_env(&[
        ("YINXIN_HTTP__TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
        ("YINXIN_METRICS__PUBLIC", "true"),
        ("YINXIN_LOG__LEVEL", "warn,yinxin_http=debug"),
        ("YINXIN_PUBLIC_URL", "https://im.example.com/"),
        ("YINXIN_LIMITS__RATE_PRESET", "vendor"),
    ])
    .unwrap();
    assert_eq!(config.trusted_proxies.0.len(), 2);
    assert!(config.metrics_public);
    assert_eq!(config.public_url.0.as_deref(), Some("https://im.example.com"));
    assert_eq!(config.rate_preset, Preset::Vendor);
}

#[test]
fn media_servers_are_set_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("turn.secret");
    std::fs::write(&file, " shared\n").unwrap();
    let file = file.display();
    let config = from_text(&format!(
        "[media]\napps = [\"acme/chat\", \"acme#other\"]\nttl_seconds = 60\n\
         [media.livekit]\nurl = \"wss://lk.example.com\"\napi_key = \"k\"\napi_secret = \"s\"\n\
         [media.janus]\nurl = \"ws://10.0.0.1:8188\"\nsecret = \"s\"\nplugins = [\"janus.plugin.videoroom\", \"x\"]\n\
         [media.turn]\nurls = [\"turn:a.example.com\", \"turns:a.example.com:5349?transport=tcp\"]\n\
         secret_file = \"{file}\"\n"
    ))
    .unwrap();
    let media = config.media().unwrap();
    assert_eq!((media.apps.len(), media.ttl_s), (2, 60));
    assert_eq!(media.livekit.unwrap().url, "wss://lk.example.com");
    assert_eq!(media.janus.unwrap().plugins, ["janus.plugin.videoroom", "x"]);
    let turn = media.turn.unwrap();
    assert_eq!((turn.urls.len(), Some(turn.secret)), (2, Secret::new("shared".to_owned())));

    let media = from_env(&[
        ("YINXIN_MEDIA__APPS", "acme/chat,acme/other"),
        ("YINXIN_MEDIA__TURN__URLS", "turn:a.example.com, turns:a.example.com"),
        ("YINXIN_MEDIA__TURN__SECRET", "s"),
    ]);
    let media = media.unwrap().media().unwrap();
    assert_eq!((media.apps.len(), media.turn.unwrap().urls.len()), (2, 2));
    assert!(media.livekit.is_none() && media.janus.is_none());
}

#[test]
fn what_is_missing_of_a_media_server_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "\n").unwrap();
    let empty = empty.display();
    let apps = "media.apps = [\"acme/chat\"]\n";
    for (text, parts) in [
        ("media.turn.secret = \"s\"\nmedia.turn.urls = [\"turn:x\"]", vec!["media.apps is not set"]),
        (&format!("{apps}media.turn.secret = \"s\""), vec!["media.turn.urls is not set"]),
        (
            &format!("{apps}media.turn.urls = [\"turn:x\"]"),
            vec!["media.turn.secret or media.turn.secret_file is not set"],
        ),
        (
            &format!("{apps}media.livekit.url = \"ws://x\""),
            vec!["media.livekit.api_key is not set", "media.livekit.api_secret or media.livekit.api_secret_file"],
        ),
        (
            &format!("{apps}[media.janus]\nurl = \"ws://x\"\nsecret = \"s\"\nsecret_file = \"{empty}\""),
            vec!["media.janus.secret and media.janus.secret_file are both set"],
        ),
        (
            &format!("{apps}[media.janus]\nurl = \"ws://x\"\nsecret_file = \"{empty}\""),
            vec!["empty: the file holds no secret"],
        ),
        (&format!("{apps}[media.janus]\nurl = \"ws://x\"\nsecret_file = \"/no/such\""), vec!["/no/such: No such file"]),
        ("media.turn.urls = [\"x\"]", vec!["media.turn.urls", "turn:"]),
        ("media.turn.urls = [\"turn:\"]", vec!["media.turn.urls"]),
        ("media.livekit.url = \"lk.example.com\"", vec!["media.livekit.url", "ws://"]),
        ("media.janus.plugins = []", vec!["media.janus.plugins"]),
        ("media.janus.plugins = [\"a,b\"]", vec!["media.janus.plugins"]),
        ("media.apps = [\"chat\"]", vec!["media.apps", "acme/chat"]),
        ("media.livekit.uri = \"ws://x\"", vec!["unknown key 'media.livekit.uri'", "media.livekit.url"]),
    ] {
        let fault = from_text(text).unwrap_err();
        assert!(parts.iter().all(|part| fault.contains(part)), "{text}: {fault}");
    }
    assert_eq!(from_text("media.apps = [\"acme/chat\"]").unwrap().media().unwrap().apps.len(), 1);
}

#[test]
fn a_secret_is_never_shown() {
    let fault = from_text("media.turn.secret = 8472910").unwrap_err();
    assert!(fault.starts_with("media.turn.secret = …") && !fault.contains("8472910"), "{fault}");
    let config =
        from_text("media.apps = [\"a/b\"]\nmedia.turn = { urls = [\"turn:x\"], secret = \"8472910\" }").unwrap();
    assert!(!format!("{config:?} {:?}", config.media().unwrap()).contains("8472910"));
}
