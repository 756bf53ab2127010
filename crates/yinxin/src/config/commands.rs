//! `yinxin config default|check|explain`.

use serde::Serialize;

use super::fault::{Fault, suggestion};
use super::keys::{KEYS, Key};
use super::layers::{Given, load};
use crate::args::ConfigCommand;
use crate::exit::{Exit, Failure, Outcome};
use crate::print;

/// Columns of the default file's comments.
const WIDTH: usize = 100;

/// A key, for scripts.
#[derive(Serialize)]
struct Explained {
    key: &'static str,
    environment: String,
    default: &'static str,
    value: String,
    help: String,
}

impl From<&Key> for Explained {
    fn from(key: &Key) -> Self {
        Self { key: key.name, environment: key.env(), default: key.default, value: (key.expected)(), help: help(key) }
    }
}

/// What a check found, for scripts.
#[derive(Serialize)]
struct Checked {
    ok: bool,
    faults: Vec<String>,
}

pub(crate) fn run(command: &ConfigCommand) -> Outcome {
    match command {
        ConfigCommand::Default { json: true } => {
            print::json(&KEYS.iter().map(Explained::from).collect::<Vec<_>>());
            Ok(())
        }
        ConfigCommand::Default { json: false } => {
            print::out(default_file().trim_end());
            Ok(())
        }
        ConfigCommand::Check { file, json } => check(&Given::from_process(file.as_deref()), *json),
        ConfigCommand::Explain { key, json } => explain(key, *json),
    }
}

/// Every key with its default, commented out: what a file does not set follows the defaults of later versions.
pub(super) fn default_file() -> String {
    let mut lines = vec![
        "# The configuration of yinxin. Every key stands here with its default; remove the # before a key to set it."
            .to_owned(),
        "# An environment variable wins over this file, --data and --listen win over both.".to_owned(),
    ];
    let mut section = None;
    for key in KEYS {
        let (of, name) = key.parts();
        if of != section {
            section = of;
            lines.push(format!("\n[{}]", of.unwrap_or_default()));
        }
        lines.push(String::new());
        lines.extend(wrapped(&help(key)).iter().map(|line| format!("# {line}")));
        lines.push(format!("# {}: {}", key.env(), (key.expected)()));
        lines.push(format!("#{name} = {}", key.default));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn help(key: &Key) -> String {
    key.help.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + word.chars().count() < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn check(given: &Given, json: bool) -> Outcome {
    let what = match &given.file {
        Some(file) => format!("{} and the environment", file.display()),
        None => "the environment".to_owned(),
    };
    let checked = load(given);
    if json {
        let faults = checked.as_ref().err().into_iter().flatten().map(ToString::to_string).collect();
        print::json(&Checked { ok: checked.is_ok(), faults });
    }
    checked.map_err(|faults| faulty(&faults))?;
    if !json {
        print::out(&format!("the configuration in {what} is valid"));
    }
    Ok(())
}

/// One failure of all faults.
pub(crate) fn faulty(faults: &[Fault]) -> Failure {
    let lines: Vec<String> = faults.iter().map(|fault| format!("\n  {fault}")).collect();
    Failure::usage(format!("the configuration is wrong:{}", lines.concat()))
}

fn explain(name: &str, json: bool) -> Outcome {
    let wanted = name.to_lowercase();
    let key = KEYS.iter().find(|key| key.name == wanted || key.env().to_lowercase() == wanted).ok_or_else(|| {
        let hint = match suggestion(name) {
            Some(meant) => format!("did you mean '{meant}'?"),
            None => "`yinxin config default` lists all keys".to_owned(),
        };
        Failure::new(Exit::NotFound, format!("there is no configuration key '{name}': {hint}"))
    })?;
    if json {
        print::json(&Explained::from(key));
        return Ok(());
    }
    print::out(&format!("{}\n\n{}\n", key.name, wrapped(&help(key)).join("\n")));
    print::fields(&[("value", (key.expected)()), ("default", key.default.to_owned()), ("environment", key.env())]);
    Ok(())
}
