//! Putting the layers over one another: default, file, environment, command line.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use toml::Value;

use super::fault::Fault;
use super::keys::{Config, KEYS, Key};
use super::setting::Raw;

/// Between section and name in the environment.
const SEPARATOR: &str = "__";

/// What is given beside the defaults.
#[derive(Default)]
pub(crate) struct Given {
    /// The file, if one is named.
    pub file: Option<PathBuf>,
    /// The environment.
    pub env: Vec<(OsString, OsString)>,
    /// Keys and values of the command line.
    pub args: Vec<(&'static str, String)>,
}

impl Given {
    /// This process's environment, and the file it names unless the command line names one.
    pub fn from_process(file: Option<&Path>) -> Self {
        let from_env = || std::env::var_os("YINXIN_CONFIG").filter(|file| !file.is_empty()).map(PathBuf::from);
        Self { file: file.map(Path::to_owned).or_else(from_env), env: std::env::vars_os().collect(), args: Vec::new() }
    }
}

/// The configuration, or everything that is wrong with it.
pub(crate) fn load(given: &Given) -> Result<Config, Vec<Fault>> {
    let mut config = Config::defaults().map_err(|fault| vec![fault])?;
    let mut faults = Vec::new();
    if let Some(file) = &given.file {
        apply_file(&mut config, file, &mut faults);
    }
    apply_env(&mut config, &given.env, &mut faults);
    for (name, value) in &given.args {
        if let Some(key) = find(name) {
            apply(&mut config, key, &Raw::Text(value.clone()), "the command line", &mut faults);
        }
    }
    if faults.is_empty() {
        config.media()?;
        config.postgres()?;
        config.cluster()?;
        return Ok(config);
    }
    Err(faults)
}

fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

fn apply(config: &mut Config, key: &Key, raw: &Raw, place: &str, faults: &mut Vec<Fault>) {
    if (key.set)(config, raw).is_none() {
        let value = match raw {
            _ if !key.shown => "…".to_owned(),
            Raw::Toml(value) => value.to_string(),
            Raw::Text(text) => format!("'{text}'"),
        };
        faults.push(Fault::wrong(key.name, &value, place, &(key.expected)()));
    }
}

fn apply_file(config: &mut Config, file: &Path, faults: &mut Vec<Fault>) {
    let place = file.display().to_string();
    let table = fs::read_to_string(file)
        .map_err(|fault| Fault::unreadable(&place, &fault))
        .and_then(|text| text.parse::<toml::Table>().map_err(|fault| Fault::unreadable(&place, &fault)));
    let table = match table {
        Ok(table) => table,
        Err(fault) => return faults.push(fault),
    };
    for (name, value) in table {
        apply_named(config, &name, value, &place, faults);
    }
}

/// A value, or a section of values under that name.
fn apply_named(config: &mut Config, name: &str, value: Value, place: &str, faults: &mut Vec<Fault>) {
    match (find(name), value) {
        (Some(key), value) => apply(config, key, &Raw::Toml(value), place, faults),
        (None, Value::Table(section)) => {
            for (inner, value) in section {
                apply_named(config, &format!("{name}.{inner}"), value, place, faults);
            }
        }
        (None, _) => faults.push(Fault::unknown(name, place)),
    }
}

/// Reads the variables that are keys. Of the others only those with our separator are taken for misspelled keys:
/// container platforms put variables like `YINXIN_SERVICE_HOST` into the environment by themselves.
fn apply_env(config: &mut Config, env: &[(OsString, OsString)], faults: &mut Vec<Fault>) {
    for (variable, value) in env {
        let Some(variable) = variable.to_str().filter(|variable| variable.starts_with("YINXIN_")) else { continue };
        let place = format!("the environment variable {variable}");
        let name = variable["YINXIN_".len()..].replace(SEPARATOR, ".").to_lowercase();
        match (find(&name), value.to_str()) {
            (Some(key), Some(value)) => apply(config, key, &Raw::Text(value.to_owned()), &place, faults),
            (Some(key), None) => faults.push(Fault::wrong(key.name, "…", &place, "text in UTF-8")),
            (None, _) if variable.contains(SEPARATOR) => faults.push(Fault::unknown(&name, &place)),
            (None, _) => {}
        }
    }
}
