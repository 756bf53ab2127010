//! How commands fail. Scripts rely on the exit codes: they are part of the product, listed in `yinxin --help`.

use std::process::ExitCode;

/// The exit codes other than 0. A number never changes its meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Exit {
    /// The command failed.
    Failed = 1,
    /// The command line, the configuration or a value in it is wrong.
    Usage = 2,
    /// There is no such app, user, hook or key.
    NotFound = 3,
    /// It exists already, or somebody else is using it.
    Conflict = 4,
    /// There is no server, or it does not answer.
    Unreachable = 5,
    /// The command destroys something and `--yes` was not given.
    Unconfirmed = 6,
    /// The server does not take the admin key.
    KeyRefused = 7,
}

/// Said at the end of `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  failed
  2  the command line, the configuration or a value is wrong
  3  no such app, user, hook or configuration key
  4  it exists already, or another server is using the data folder or the database
  5  no server, or it does not answer
  6  refused: the command destroys something and --yes was not given
  7  the server does not take the admin key";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A failed command: what was wrong, with which value, and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    pub exit: Exit,
    pub message: String,
}

/// The result of a command.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }
}
