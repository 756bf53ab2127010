//! `yinxin config default|check|explain`.

use super::fault::suggestion;
use super::keys::{KEYS, Key};
use super::layers::{Given, load};
use crate::args::ConfigCommand;
use crate::exit::{Exit, Failure, Outcome};
use crate::print;

/// Columns of the default file's comments.
const WIDTH: usize = 100;

pub(crate) fn run(command: &ConfigCommand) -> Outcome {
    match command {
        ConfigCommand::Default => {
            print::out(default_file().trim_end());
            Ok(())
        }
        ConfigCommand::Check { file } => check(&Given::from_process(file.as_deref())),
        ConfigCommand::Explain { key } => explain(key),
    }
}

/// Every key with its default, commented out: what a file does not set follows the defaults of later versions.
pub(super) fn default_file() -> String {
    let mut text = String::from(
        "# The configuration of yinxin. Every key stands here with its default; remove the # before a key to set it.\n\
         # An environment variable wins over this file, --data and --listen win over both.\n",
    );
    let mut section = None;
    for key in KEYS {
        let (of, name) = key.parts();
        if of != section {
            section = of;
            text.push_str(&format!("\n[{}]\n", of.unwrap_or_default()));
        }
        text.push('\n');
        for line in wrapped(&help(key)) {
            text.push_str(&format!("# {line}\n"));
        }
        text.push_str(&format!("# {}: {}\n#{name} = {}\n", key.env(), (key.expected)(), key.default));
    }
    text
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

fn check(given: &Given) -> Outcome {
    let what = match &given.file {
        Some(file) => format!("{} and the environment", file.display()),
        None => "the environment".to_owned(),
    };
    load(given).map_err(|faults| faulty(&faults))?;
    print::out(&format!("the configuration in {what} is valid"));
    Ok(())
}

/// One failure of all faults.
pub(crate) fn faulty(faults: &[super::fault::Fault]) -> Failure {
    let lines: Vec<String> = faults.iter().map(|fault| format!("\n  {fault}")).collect();
    Failure::usage(format!("the configuration is wrong:{}", lines.concat()))
}

fn explain(name: &str) -> Outcome {
    let wanted = name.to_lowercase();
    let key = KEYS.iter().find(|key| key.name == wanted || key.env().to_lowercase() == wanted).ok_or_else(|| {
        let hint = match suggestion(name) {
            Some(meant) => format!("did you mean '{meant}'?"),
            None => "`yinxin config default` lists all keys".to_owned(),
        };
        Failure::new(Exit::NotFound, format!("there is no configuration key '{name}': {hint}"))
    })?;
    print::out(&format!("{}\n\n{}\n", key.name, wrapped(&help(key)).join("\n")));
    print::fields(&[("value", (key.expected)()), ("default", key.default.to_owned()), ("environment", key.env())]);
    Ok(())
}
