//! The binary: command line, configuration, wiring and life cycle.
//!
//! Owns the commands, the configuration's table of keys, the data folder and the order of start and end. Alone sees
//! every other crate; must not know a rule of the domain or a wire format.

mod args;
mod client;
mod config;
mod data;
mod doctor;
mod exit;
mod hold;
mod print;
mod serve;
mod transfer;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let done = match Args::parse().command {
        Command::Serve(args) => serve::run(&args),
        Command::App { command, target } => client::app::run(command, &target),
        Command::User { command, target } => client::user::run(command, &target),
        Command::Hook { command, target } => client::hook::run(command, &target),
        Command::Config { command } => config::commands::run(&command),
        Command::Doctor(args) => doctor::run(&args),
        Command::MigrateStore(args) => transfer::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            print::err(&format!("yinxin: {}", failure.message));
            failure.exit.into()
        }
    }
}
