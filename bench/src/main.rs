//! Load generator: drives yinxin and a bare axum server in the same run, round by round, and prints the ratio.
//!
//! Machines differ and are noisy, so no figure stands alone: each is compared with a reference measured by the same
//! client a few seconds before or after. Everything stays on the loopback interface. Linux only: CPU time and memory
//! come from `/proc`.

mod argon;
mod bare;
mod chat;
mod client;
mod load;
mod machine;
mod options;
mod problem;
mod process;
mod report;
mod request;
mod rounds;
mod scenarios;
mod seed;
mod server;
mod site;
mod stats;

use std::process::ExitCode;

use clap::Parser as _;

use crate::options::{Cli, Command};
use crate::problem::{Explain as _, Result};

/// Workers of the load client: it shares its cores with the server it measures, so it takes few.
const CLIENT_WORKERS: usize = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Some(Command::Bare) => bare::run(),
        None => runtime().and_then(|runtime| runtime.block_on(measure(&cli))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("yinxin-bench: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(CLIENT_WORKERS)
        .enable_all()
        .build()
        .explain("cannot start the client's threads")
}

/// Runs the scenarios; an interrupt drops them, and with them every child process and the data folder.
async fn measure(cli: &Cli) -> Result<()> {
    let settings = cli.options.settings()?;
    tokio::select! {
        report = scenarios::run_all(&settings) => report?.publish(settings.json.as_deref()),
        signal = interrupted() => Err(signal),
    }
}

async fn interrupted() -> problem::Problem {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return problem::Problem::new("cannot listen for signals");
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    problem::Problem::new("interrupted; the servers were stopped and the data folder removed")
}
