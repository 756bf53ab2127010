//! The one error of this program: a sentence that says what went wrong and, where known, what to do.

use std::fmt;

/// What went wrong, in words for the person at the terminal.
#[derive(Debug, Clone)]
pub struct Problem(String);

/// The result of everything that can fail here.
pub type Result<T> = std::result::Result<T, Problem>;

impl Problem {
    /// A problem described by `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Puts the aim that failed in front of a lower error's own text.
pub trait Explain<T> {
    /// `aim` is a clause such as "cannot read the reply".
    fn explain(self, aim: &str) -> Result<T>;
}

impl<T, E: fmt::Display> Explain<T> for std::result::Result<T, E> {
    fn explain(self, aim: &str) -> Result<T> {
        self.map_err(|error| Problem(format!("{aim}: {error}")))
    }
}
