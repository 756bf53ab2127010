//! Writing to the terminal. A reader that has gone away (`yinxin user list | head`) is no failure.

use std::io::Write;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// A line, or several, on standard output, at once.
pub(crate) fn out(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _gone = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// A line on standard error.
pub(crate) fn err(text: &str) {
    let _gone = writeln!(std::io::stderr(), "{text}");
}

/// A value as JSON on one line, for scripts.
pub(crate) fn json(value: &impl Serialize) {
    out(&serde_json::to_string(value).unwrap_or_default());
}

/// A table for people.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().map(|title| title.to_uppercase()));
    table.add_rows(rows);
    out(&table.trim_fmt());
}

/// Names and values below one another.
pub(crate) fn fields(fields: &[(&str, String)]) {
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name:width$}  {value}")).collect();
    out(&lines.join("\n"));
}
