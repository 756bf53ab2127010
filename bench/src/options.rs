//! The command line, and the settings it resolves to.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use serde::Serialize;

use crate::load::Window;
use crate::problem::{Explain as _, Problem, Result};
use crate::scenarios::Scenario;

/// Measures a yinxin server against a bare axum server in the same run.
#[derive(Debug, Parser)]
#[command(name = "yinxin-bench", args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// Another role of this program.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to measure.
    #[command(flatten)]
    pub options: Options,
}

/// Roles other than measuring.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a static 300-byte JSON on a free loopback port until standard input closes: the reference.
    Bare,
}

/// How to measure, as typed.
#[derive(Debug, Args)]
pub struct Options {
    /// The yinxin binary [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    yinxin: Option<PathBuf>,
    /// Run only these scenarios; may be repeated [default: all but `bare`]
    #[arg(long, value_name = "NAME", value_enum)]
    scenario: Vec<Scenario>,
    /// Measured seconds of one round of one server [default: 5]
    #[arg(long)]
    seconds: Option<f64>,
    /// Rounds; each measures both servers once [default: 5]
    #[arg(long)]
    rounds: Option<u32>,
    /// Keep-alive connections, one call in flight on each [default: 64]
    #[arg(long)]
    connections: Option<u32>,
    /// Users in the big folder (user-get-1m, start, memory) [default: 1000000]
    #[arg(long)]
    users: Option<u32>,
    /// Import the users of the big folder first, so that every scenario runs on it
    #[arg(long)]
    preload: bool,
    /// Where the throw-away data folder is made; use a real disk [default: beside this program]
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// An empty PostgreSQL database for the server, instead of a file in its folder
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Nodes of the server on that database; connections go to them in turn
    #[arg(long, default_value_t = 1, requires = "nats")]
    nodes: u32,
    /// The NATS server between the nodes
    #[arg(long, value_name = "URL", requires = "database")]
    nats: Option<String>,
    /// Write the figures to this file as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A smoke test of under 20 seconds: every scenario, figures that mean little
    #[arg(long)]
    quick: bool,
}

/// How to measure, with every default filled in.
#[derive(Debug, Clone, Serialize)]
pub struct Settings {
    /// The yinxin binary, if named.
    #[serde(skip)]
    pub yinxin: Option<PathBuf>,
    /// What to run, in order.
    #[serde(skip)]
    pub scenarios: Vec<Scenario>,
    /// Measured seconds of one round of one server.
    pub seconds: f64,
    /// Rounds.
    pub rounds: u32,
    /// Connections of the ordinary scenarios.
    pub connections: u32,
    /// Users of the big folder.
    pub users: u32,
    /// Users that log in and look at themselves.
    pub known_users: u32,
    /// Users among which contacts are made, unless more are there already.
    pub contact_users: u32,
    /// Users connected at once and silent.
    pub sessions: u32,
    /// Whether the big folder is filled before the first scenario.
    pub preload: bool,
    /// Where the data folder is made.
    #[serde(skip)]
    pub scratch: PathBuf,
    /// The server's database, unless it is in its folder.
    #[serde(skip)]
    pub database: Option<String>,
    /// How many processes the server is.
    pub nodes: u32,
    /// What is between them.
    #[serde(skip)]
    pub nats: Option<String>,
    /// Where the JSON goes.
    #[serde(skip)]
    pub json: Option<PathBuf>,
}

/// The defaults of a full and of a quick run.
struct Defaults {
    seconds: f64,
    rounds: u32,
    connections: u32,
    users: u32,
    known_users: u32,
    contact_users: u32,
    sessions: u32,
}

const FULL: Defaults = Defaults {
    seconds: 5.0,
    rounds: 5,
    connections: 64,
    users: 1_000_000,
    known_users: 1_000,
    contact_users: 10_000,
    sessions: 10_000,
};
const QUICK: Defaults = Defaults {
    seconds: 0.3,
    rounds: 1,
    connections: 16,
    users: 300,
    known_users: 60,
    contact_users: 300,
    sessions: 200,
};

impl Options {
    /// Fills in the defaults and refuses what cannot be measured.
    pub fn settings(&self) -> Result<Settings> {
        let defaults = if self.quick { QUICK } else { FULL };
        let settings = Settings {
            yinxin: self.yinxin.clone(),
            scenarios: if self.scenario.is_empty() {
                Scenario::usual(self.database.is_some())
            } else {
                self.scenario.clone()
            },
            seconds: self.seconds.unwrap_or(defaults.seconds),
            rounds: self.rounds.unwrap_or(defaults.rounds),
            connections: self.connections.unwrap_or(defaults.connections),
            users: self.users.unwrap_or(defaults.users),
            known_users: defaults.known_users,
            contact_users: defaults.contact_users,
            sessions: defaults.sessions,
            preload: self.preload,
            scratch: self.scratch.clone().map_or_else(beside_this_program, Ok)?,
            database: self.database.clone(),
            nodes: self.nodes,
            nats: self.nats.clone(),
            json: self.json.clone(),
        };
        settings.checked()
    }
}

impl Settings {
    fn checked(self) -> Result<Self> {
        if !(0.05..=3600.0).contains(&self.seconds) {
            return Err(Problem::new("--seconds must be between 0.05 and 3600"));
        }
        if self.rounds == 0 || self.connections == 0 || self.nodes == 0 {
            return Err(Problem::new("--rounds, --connections and --nodes must be at least 1"));
        }
        if self.database.is_some() && self.scenarios.iter().any(|scenario| scenario.is_about_folders()) {
            return Err(Problem::new("start and memory are about folders: leave --database out"));
        }
        if self.connections > 10_000 {
            return Err(Problem::new("--connections above 10000 would measure the machine's port range"));
        }
        if !(self.known_users..100_000_000).contains(&self.users) {
            return Err(Problem::new(format!("--users must be between {} and 99999999", self.known_users)));
        }
        Ok(self)
    }

    /// The unmeasured and the measured part of one round of one server.
    pub fn window(&self) -> Window {
        let measured = Duration::from_secs_f64(self.seconds);
        Window { warm: (measured / 10).max(Duration::from_millis(50)), measured }
    }
}

/// The folder this executable is in: on a developer's machine a real disk, unlike many temporary folders.
fn beside_this_program() -> Result<PathBuf> {
    let mut path = std::env::current_exe().explain("cannot find this program's own folder")?;
    path.pop();
    Ok(path)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_flag_wins_over_the_quick_default() {
        let cli = Cli::parse_from(["yinxin-bench", "--quick", "--rounds", "3"]);
        let settings = cli.options.settings().unwrap();
        assert_eq!((settings.rounds, settings.connections), (3, 16));
    }

    #[test]
    fn nonsense_is_refused() {
        let wrong: [&[&str]; 6] = [
            &["--seconds", "0"],
            &["--rounds", "0"],
            &["--connections", "0"],
            &["--users", "1"],
            &["--database", "postgresql://h/d", "--scenario", "start"],
            &["--database", "postgresql://h/d", "--nats", "nats://h", "--nodes", "0"],
        ];
        for wrong in wrong {
            let cli = Cli::parse_from(["yinxin-bench"].iter().chain(wrong));
            assert!(cli.options.settings().is_err(), "{wrong:?}");
        }
    }
}
