//! The command line as scripts and people use it: the built binary, its output, its exit codes, its files.

mod apps;
mod commands;
mod finding;
mod hooks;
mod life;
mod migrate;
mod process;
mod users;

use std::path::Path;

/// The binary under test.
fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_yinxin"))
}
